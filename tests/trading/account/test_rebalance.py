"""Positions by target, worked by hand: what is added, what leaves, what the limits leave unfilled."""

from typing import Any

import pytest

from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading import Account, Bar, Contract, MarginTiers, Order, Settlement, TargetOrder, Tier
from quorate.trading.account.events import AccountEvent, Unfilled
from quorate.trading.account.rebalancing import rebalance

FREE = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
DEAR = CostSettings(taker_fee=0.001, slippage=0.01)
BTC, ETH, SPOT = "BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USDT"
LOOSE = MarginTiers([Tier(1e6, 0.01, 50)])


def account(costs: CostSettings = FREE, tiers: MarginTiers = LOOSE, lot: float = 0.0, **settings: Any) -> Account:
    """1,000 USD at a leverage of 5; every market has the same rules."""
    contracts = {symbol: Contract(symbol, lot=lot, tiers=tiers) for symbol in (BTC, ETH, SPOT)}
    return Account(AccountSettings(**settings), costs, contracts=contracts)


def bar(price: float, time: int = 0, **changes: Any) -> Bar:
    return Bar(time, price, price, price, price, price, price, price)._replace(**changes)


def fill(state: Account, price: float, time: int = 0, **quantities: float) -> float:
    """Rebalance at one price; BTC, ETH or SPOT -> quantity."""
    names = {"BTC": BTC, "ETH": ETH, "SPOT": SPOT}
    targets = [TargetOrder(names[name], time - 1, quantity) for name, quantity in quantities.items()]
    return rebalance(state, time, lambda _: bar(price, time), targets)


def left(state: Account) -> list[tuple[str, float, str]]:
    """From now on: what is not filled."""
    found: list[tuple[str, float, str]] = []

    def on_event(event: AccountEvent) -> None:
        if isinstance(event, Unfilled):
            found.append((event.order.symbol, event.quantity, event.reason))

    state.on_event = on_event
    return found


def test_a_target_opens_a_position() -> None:
    state = account(DEAR)
    assert fill(state, 100.0, BTC=2.0) == pytest.approx(202.0)
    position = state.positions[BTC]
    assert position.targeted
    assert position.signed_quantity == 2.0
    assert position.entry.price == 101.0
    assert position.entry.fee_usd == pytest.approx(0.202)
    assert position.size.margin_usd == pytest.approx(202 / 5)
    assert position.size.leverage == pytest.approx(5.0)
    # 40.4 + 2 (p - 101) = 0.01 * 2 p
    assert position.liquidation_price == pytest.approx((202 - 40.4) / 1.98)
    assert state.cash_usd == pytest.approx(999.798)
    assert state.free_usd == pytest.approx(999.798 - 40.4)
    assert state.equity_usd == pytest.approx(999.798 - 2.0)  # the slippage is lost at once


def test_an_increase_averages_the_entry() -> None:
    state = account(DEAR)
    fill(state, 100.0, BTC=2.0)
    fill(state, 200.0, BTC=3.0)  # one more at 202
    position = state.positions[BTC]
    assert position.size.quantity == 3.0
    assert position.entry.price == pytest.approx((2 * 101 + 202) / 3)
    assert position.entry.reference_price == pytest.approx(400 / 3)
    assert position.entry.fee_usd == pytest.approx(0.202 + 0.202)
    assert position.entry.slippage_usd == pytest.approx(2 + 2)
    assert position.size.margin_usd == pytest.approx(404 / 5)
    assert position.mark == 200.0
    assert position.liquidation_price == pytest.approx((404 - 80.8) / 2.97)
    trade = state.close(BTC, 3, 300.0, "rebalance")  # sold at 297
    assert trade.gross_usd == pytest.approx(3 * 300 - 400)
    assert trade.fee_usd == pytest.approx(0.404 + 0.891)
    assert trade.slippage_usd == pytest.approx(4 + 9)
    assert state.cash_usd == pytest.approx(1_000 + trade.net_usd)
    assert state.cash_usd == pytest.approx(1_000 - 404 + 3 * 297 - 0.404 - 0.891)


def test_a_reduction_is_a_trade_of_that_part() -> None:
    state = account(DEAR)
    fill(state, 100.0, BTC=-4.0)  # sold at 99
    state.settle(BTC, 0.001, 100.0)  # 0.4 received
    assert fill(state, 80.0, 5, BTC=-1.0) == pytest.approx(3 * 80.8)
    (trade,) = state.trades
    assert (trade.reason, trade.side, trade.quantity, trade.entry_time, trade.exit_time) == ("rebalance", -1, 3.0, 0, 5)
    assert (trade.entry_price, trade.exit_price) == (pytest.approx(99.0), pytest.approx(80.8))
    assert trade.gross_usd == pytest.approx(60.0)
    assert trade.fee_usd == pytest.approx(0.001 * 3 * (99 + 80.8))
    assert trade.slippage_usd == pytest.approx(3 * 1.0 + 3 * 0.8)
    assert trade.funding_usd == pytest.approx(0.3)
    assert trade.margin_usd == pytest.approx(3 * 99 / 5)
    position = state.positions[BTC]
    assert position.signed_quantity == -1.0
    assert position.entry.fee_usd == pytest.approx(0.099)
    assert position.entry.slippage_usd == pytest.approx(1.0)
    assert position.funding_usd == pytest.approx(0.1)
    assert position.size.margin_usd == position.margin_left_usd == pytest.approx(99 / 5)
    assert position.liquidation_price == pytest.approx((99 + 99 / 5) / 1.01)
    assert state.cash_usd == pytest.approx(1_000 + trade.net_usd + 0.1 - 0.099)


def test_funding_paid_brings_the_liquidation_of_the_rest_nearer() -> None:
    state = account()
    fill(state, 100.0, BTC=4.0)  # 80 of margin
    state.settle(BTC, 0.01, 100.0)  # 4 paid
    fill(state, 100.0, 5, BTC=1.0)
    position = state.positions[BTC]
    assert position.size.margin_usd == pytest.approx(20.0)
    assert position.margin_left_usd == pytest.approx(19.0)
    assert position.size.liquidation_price == pytest.approx(80 / 0.99)
    assert position.liquidation_price == pytest.approx(81 / 0.99)
    fill(state, 100.0, 6, BTC=2.0)  # 20 more
    assert position.margin_left_usd == pytest.approx(39.0)
    assert position.liquidation_price == pytest.approx((200 - 39) / 1.98)


def test_a_target_on_the_other_side_closes_and_opens() -> None:
    state = account()
    fill(state, 100.0, BTC=2.0)
    assert fill(state, 110.0, 5, BTC=-1.0) == pytest.approx(330.0)
    (trade,) = state.trades
    assert (trade.reason, trade.quantity, trade.net_usd) == ("rebalance", 2.0, pytest.approx(20.0))
    position = state.positions[BTC]
    assert (position.signed_quantity, position.entry_time, position.order.decided) == (-1.0, 5, 4)
    assert state.cash_usd == pytest.approx(1_020.0)


def test_a_target_of_nothing_closes_what_is_below_every_minimum() -> None:
    state = account(minimum_usd=10.0)
    fill(state, 100.0, BTC=0.11)
    fill(state, 85.0, 5, BTC=0.0)  # 9.35 USD
    assert not state.positions
    assert state.trades[0].reason == "rebalance"
    assert fill(state, 85.0, 6, BTC=0.0) == 0.0


def test_only_what_the_free_margin_allows_is_added() -> None:
    state = account(CostSettings(taker_fee=0.01, slippage=0), leverage=2.0)
    unfilled = left(state)
    fill(state, 100.0, BTC=30.0)
    # 1,000 pay half of the value and 1 % of it.
    assert state.positions[BTC].size.quantity == pytest.approx(1_000 / 51)
    assert state.free_usd == pytest.approx(0.0, abs=1e-9)
    assert unfilled == [(BTC, pytest.approx(30 - 1_000 / 51), "no_margin")]
    assert state.refused == {"no_margin": 1}
    fill(state, 100.0, 1, ETH=-1.0)
    assert list(state.positions) == [BTC]
    assert unfilled[1:] == [(ETH, -1.0, "no_margin")]


def test_the_capital_limits_the_margin_of_all_positions() -> None:
    state = account(capital_usd=100.0)
    fill(state, 100.0, BTC=3.0, ETH=-3.0)
    assert state.positions[BTC].size.margin_usd == pytest.approx(60.0)
    assert state.positions[ETH].size.margin_usd == pytest.approx(40.0)
    assert state.refused == {"no_margin": 1}


def test_a_greater_value_has_less_leverage() -> None:
    tiers = MarginTiers([Tier(250, 0.01, 5), Tier(600, 0.02, 2)])
    state = account(tiers=tiers)
    fill(state, 100.0, BTC=2.0)
    assert state.positions[BTC].size.margin_usd == pytest.approx(40.0)
    unfilled = left(state)
    fill(state, 100.0, 1, BTC=4.0)
    # The whole position is in the second tier: half of its value is margin.
    assert state.positions[BTC].size.margin_usd == pytest.approx(200.0)
    assert state.positions[BTC].size.leverage == pytest.approx(2.0)
    assert not unfilled
    fill(state, 100.0, 2, BTC=9.0)
    assert state.positions[BTC].size.quantity == pytest.approx(6.0)
    assert unfilled == [(BTC, pytest.approx(3.0), "no_tier")]
    fill(state, 100.0, 3, BTC=9.0)
    assert unfilled[1:] == [(BTC, pytest.approx(3.0), "no_tier")]


def test_quantities_are_whole_lots() -> None:
    state = account(lot=0.1)
    unfilled = left(state)
    fill(state, 100.0, BTC=0.39)
    assert state.positions[BTC].size.quantity == 0.3
    fill(state, 100.0, 1, BTC=0.31)  # less than a lot more
    assert (state.positions[BTC].size.quantity, state.trades, unfilled) == (0.3, [], [])
    fill(state, 100.0, 2, BTC=0.2)
    assert (state.positions[BTC].size.quantity, state.trades[0].quantity) == (0.2, 0.1)
    fill(state, 100.0, 3, BTC=0.5)
    assert state.positions[BTC].size.quantity == 0.5
    fill(state, 100.0, 4, BTC=0.09)  # no lot is left of it
    assert not state.positions
    assert unfilled == [(BTC, 0.09, "below_minimum")]


def test_a_change_below_the_minimum_is_left() -> None:
    state = Account(
        AccountSettings(minimum_usd=5.0), FREE, contracts={ETH: Contract(ETH, minimum_amount=0.5, tiers=LOOSE)}
    )
    fill(state, 100.0, BTC=1.0, ETH=1.0)
    unfilled = left(state)
    fill(state, 100.0, 1, BTC=1.04, ETH=1.4)
    fill(state, 100.0, 2, BTC=0.96, ETH=0.6)
    assert [position.size.quantity for position in state.positions.values()] == [1.0, 1.0]
    assert [(name, round(quantity, 9), why) for name, quantity, why in unfilled] == [
        (BTC, 0.04, "below_minimum"),
        (ETH, 0.4, "below_minimum"),
        (BTC, -0.04, "below_minimum"),
        (ETH, -0.4, "below_minimum"),
    ]
    fill(state, 100.0, 3, BTC=0.94, ETH=1.5)
    assert [position.size.quantity for position in state.positions.values()] == [0.94, 1.5]


def test_spot_is_sold_but_not_short() -> None:
    state = account()
    unfilled = left(state)
    fill(state, 100.0, SPOT=4.0)
    assert state.positions[SPOT].size.margin_usd == pytest.approx(400.0)
    assert state.positions[SPOT].liquidation_price == 0.0
    fill(state, 100.0, 1, SPOT=-1.0)
    assert (state.positions, unfilled) == ({}, [(SPOT, -1.0, "spot_short")])


def test_what_has_no_open_is_left() -> None:
    state = account()
    fill(state, 100.0, BTC=1.0)
    unfilled = left(state)
    bars = {ETH: bar(100.0, rescaled=True)}
    assert rebalance(state, 1, bars.get, [TargetOrder(ETH, 0, 1.0), TargetOrder(BTC, 0, -1.0)]) == 0.0
    assert unfilled == [(BTC, -2.0, "no_next_bar"), (ETH, 1.0, "new_scale")]
    assert state.refused == {"no_next_bar": 1, "new_scale": 1}


def test_a_position_beyond_its_liquidation_is_left_to_it() -> None:
    state = account()
    fill(state, 100.0, BTC=1.0)  # liquidated at 80.8
    unfilled = left(state)
    gap = {BTC: bar(80.0, 1)}
    state.at_open(1, gap.get)
    rebalance(state, 1, gap.get, [TargetOrder(BTC, 0, 5.0)])
    state.at_close(1, gap.get)
    assert unfilled == [(BTC, 4.0, "liquidated")]
    assert (state.trades[0].reason, state.trades[0].exit_price) == ("liquidation", 80.0)


def test_a_liquidation_loses_the_margin_of_the_whole_position() -> None:
    state = account()
    fill(state, 100.0, BTC=1.0)
    fill(state, 120.0, 1, BTC=2.0)  # 220 and 44 of margin: at 88.89
    state.at_close(1, {BTC: bar(100.0, 1, low=50.0, mark_low=88.9)}.get)
    assert state.positions[BTC].mark == 100.0
    state.at_close(2, {BTC: bar(100.0, 2, mark_low=88.8)}.get)
    (trade,) = state.trades
    assert (trade.reason, trade.quantity, trade.exit_price) == ("liquidation", 2.0, pytest.approx(176 / 1.98))


def test_nothing_else_ends_a_position_by_target() -> None:
    state = Account(
        AccountSettings(), FREE, ExitSettings(trail_atr=1.0, time_bars=1), {BTC: Contract(BTC, tiers=LOOSE)}
    )
    fill(state, 100.0, BTC=1.0)
    events: list[AccountEvent] = []
    state.on_event = events.append
    for time in range(1, 200):
        wild = bar(100.0, time, high=1_000.0, low=85.0)
        state.at_open(time, {BTC: wild}.get)
        state.at_close(time, {BTC: wild}.get)
    assert (len(state.positions), events) == (1, [])
    state.end(200, {BTC: bar(130.0, 200)}.get, [BTC])
    assert (state.trades[0].reason, state.cash_usd) == ("end", pytest.approx(1_030.0))
    assert state.trades[0].to_json()["stop"] is None


def test_reductions_pay_for_increases_in_any_order() -> None:
    for names in (("BTC", "ETH"), ("ETH", "BTC")):
        state = account(leverage=1.0)
        fill(state, 100.0, ETH=10.0)
        changes = {"BTC": 10.0, "ETH": 0.0}
        fill(state, 100.0, 1, **{name: changes[name] for name in names})
        assert (list(state.positions), state.refused) == ([BTC], {})


def test_targets_take_no_slots_but_respect_entries(order: Any) -> None:
    state = account(positions=1, sizing="fixed", stake_usd=20.0)
    fill(state, 100.0, BTC=1.0, ETH=-1.0)
    assert len(state.positions) == 2
    mixed = account(sizing="fixed", stake_usd=20.0)
    opened: Order = order()
    mixed.open(opened, 0, 100.0)
    fill(mixed, 100.0, BTC=0.0)
    assert (list(mixed.positions), mixed.refused) == ([BTC], {"in_position": 1})


def test_unknown_funding_marks_the_part_that_left() -> None:
    state = account()
    fill(state, 100.0, BTC=2.0)
    unknown = bar(100.0, 1, funding_known=False, open_funding_known=False, settled_at_open=(Settlement(0.0, 100.0),))
    rebalance(state, 1, {BTC: unknown}.get, [TargetOrder(BTC, 0, 1.0)])
    assert not state.trades[0].funding_known
    state.at_close(1, {BTC: unknown}.get)
    assert not state.positions[BTC].funding_known


def test_a_limit_from_outside_stops_additions_only() -> None:
    state = account()
    fill(state, 100.0, BTC=2.0)
    unfilled = left(state)
    targets = [TargetOrder(BTC, 0, 1.0), TargetOrder(ETH, 0, 1.0)]
    rebalance(state, 1, lambda _: bar(100.0, 1), targets, lambda _: "guarded")
    assert (state.positions[BTC].size.quantity, unfilled) == (1.0, [(ETH, 1.0, "guarded")])


@pytest.mark.parametrize(
    "targets",
    [[TargetOrder(BTC, 0, 1.0), TargetOrder(BTC, 0, 2.0)], [TargetOrder(BTC, 0, float("nan"))]],
)
def test_targets_that_say_nothing_are_an_error(targets: list[TargetOrder]) -> None:
    state = account()
    with pytest.raises(TradingError, match="trade towards a target in BTC"):
        rebalance(state, 0, lambda _: bar(100.0), targets)
    assert (state.positions, state.refused) == ({}, {})
