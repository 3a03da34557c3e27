"""Cross margin worked by hand, and what holds for every sequence of targets, prices and settlements."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.errors import SettingsError, TradingError
from quorate.core.settings import AccountSettings, CostSettings
from quorate.trading import Account, Contract, MarginTiers, Order, TargetOrder, Tier
from quorate.trading.account.rebalancing import rebalance
from trading.account.test_rebalance import BTC, DEAR, ETH, FREE, LOOSE, bar, fill, left
from trading.account.test_rebalance_properties import STEPS, SYMBOLS, Step, snapshot, trade, trade_one

TIGHT = MarginTiers([Tier(1_000, 0.1, 10), Tier(1e6, 0.2, 5)])


def account(costs: CostSettings = FREE, tiers: MarginTiers = LOOSE, **changes: Any) -> Account:
    """1,000 USD at a leverage of 5."""
    contracts = {symbol: Contract(symbol, tiers=tiers) for symbol in (BTC, ETH)}
    return Account(AccountSettings(margin="cross", **changes), costs, contracts=contracts)


def close(state: Account, time: int = 1, **prices: float) -> None:
    names = {"BTC": BTC, "ETH": ETH}
    state.at_close(time, {names[name]: bar(price, time) for name, price in prices.items()}.get)


def test_a_short_pays_for_the_long_beside_it() -> None:
    state = account()
    fill(state, 100.0, BTC=20.0, ETH=-20.0)
    assert [position.margin_usd for position in state.positions.values()] == pytest.approx([400.0, 400.0])
    assert state.free_usd == pytest.approx(200.0)
    assert [position.liquidation_price for position in state.positions.values()] == [0.0, 0.0]
    close(state, BTC=60.0, ETH=60.0)  # on isolated margin the long has lost its 400 at 80
    assert len(state.positions) == 2
    assert state.equity_usd == pytest.approx(1_000.0)
    assert state.positions[BTC].unrealised_usd == pytest.approx(-800.0)
    # The values are 1,200 each now, and so are the initial margins less.
    assert state.margin_usd == pytest.approx(480.0)
    assert state.free_usd == pytest.approx(520.0)


def test_what_the_equity_leaves_free_is_added() -> None:
    state = account(CostSettings(taker_fee=0.01, slippage=0.1), leverage=2.0)
    unfilled = left(state)
    fill(state, 100.0, BTC=30.0)
    # Each unit needs 50 of margin, pays 1.1 and loses 10 to slippage at once.
    assert state.positions[BTC].size.quantity == pytest.approx(1_000 / 61.1)
    assert unfilled == [(BTC, pytest.approx(30 - 1_000 / 61.1), "no_margin")]
    assert state.free_usd == pytest.approx(0.0, abs=1e-9)
    assert state.positions[BTC].entry.price == pytest.approx(110.0)


def test_profits_are_margin_for_more() -> None:
    state = account()
    fill(state, 100.0, BTC=50.0)  # all of it
    close(state, BTC=120.0)
    assert fill(state, 120.0, 2, BTC=60.0) == pytest.approx(1_200.0)
    position = state.positions[BTC]
    assert (position.size.quantity, position.size.leverage) == (60.0, 5.0)
    assert position.size.margin_usd == pytest.approx(60 * 120 / 5)
    assert position.entry.price == pytest.approx((50 * 100 + 10 * 120) / 60)


def test_a_greater_value_has_less_leverage() -> None:
    state = account(tiers=MarginTiers([Tier(250, 0.01, 5), Tier(600, 0.02, 2)]))
    fill(state, 100.0, BTC=2.0)
    unfilled = left(state)
    fill(state, 100.0, 1, BTC=9.0)
    assert state.positions[BTC].size[:3] == (pytest.approx(6.0), 2.0, pytest.approx(300.0))
    fill(state, 200.0, 2, BTC=9.0)  # its value has grown beyond the last tier
    assert unfilled == [(BTC, pytest.approx(3.0), "no_tier"), (BTC, pytest.approx(3.0), "no_tier")]


def test_the_capital_limits_the_margin() -> None:
    state = account(capital_usd=100.0)
    fill(state, 100.0, BTC=3.0, ETH=-3.0)
    assert state.margin_usd == pytest.approx(100.0)
    assert state.refused == {"no_margin": 1}


def test_the_account_is_liquidated_where_its_equity_is_the_maintenance_margin() -> None:
    costs = CostSettings(taker_fee=0, maker_fee=0, slippage=0, liquidation_fee=0.01)
    state = account(costs, TIGHT)
    fill(state, 100.0, BTC=20.0, ETH=-10.0)
    # At 60 and 100: 1,000 - 800 = 200. Maintenance: 100 + 20 % of 200 = 140, and 100.
    close(state, BTC=62.5, ETH=100.0)  # 250 of equity; 100 + 20 % of 250 and 100 are needed: 250
    assert not state.positions
    assert [(t.symbol, t.reason, t.exit_price) for t in state.trades] == [
        (BTC, "liquidation", 62.5),
        (ETH, "liquidation", 100.0),
    ]
    assert [t.fee_usd for t in state.trades] == pytest.approx([12.5, 10.0])
    assert state.cash_usd == state.equity_usd == pytest.approx(227.5)
    safe = account(costs, TIGHT)
    fill(safe, 100.0, BTC=20.0, ETH=-10.0)
    close(safe, BTC=62.6, ETH=100.0)
    assert len(safe.positions) == 2


def test_mark_prices_decide_and_extremes_inside_the_bar_do_not() -> None:
    state = account()
    fill(state, 100.0, BTC=50.0)  # liquidated at 80.8
    inside = bar(100.0, 1, low=50.0, mark_low=50.0, mark_close=90.0)
    state.at_close(1, {BTC: inside}.get)
    assert state.positions
    state.at_close(2, {BTC: bar(90.0, 2, mark_close=80.0)}.get)
    (trade,) = state.trades
    assert (trade.reason, trade.exit_price, trade.slippage_usd) == ("liquidation", 80.0, 0.0)


def test_nothing_is_traded_at_an_open_that_liquidates() -> None:
    state = account(CostSettings(taker_fee=0, slippage=0, liquidation_fee=0.005))
    fill(state, 100.0, BTC=50.0)
    unfilled = left(state)
    gap = {BTC: bar(80.5, 1, open_funding_known=False), ETH: bar(100.0, 1)}
    state.at_open(1, gap.get)
    assert rebalance(state, 1, gap.get, [TargetOrder(BTC, 0, 50.0), TargetOrder(ETH, 0, 1.0)]) == 0.0
    assert unfilled == [(BTC, 50.0, "liquidated"), (ETH, 1.0, "liquidated")]
    assert (state.trades[0].reason, state.trades[0].funding_known) == ("liquidation", False)
    assert state.equity_usd == pytest.approx(25.0 - 0.005 * 50 * 80.5)
    assert fill(state, 80.0, 2, BTC=0.1) == pytest.approx(8.0)


def test_the_exchange_bears_what_is_lost_beyond_the_equity() -> None:
    state = account()
    fill(state, 100.0, BTC=40.0, ETH=10.0)
    close(state, BTC=70.0, ETH=60.0)  # 1,600 lost of 1,000
    assert [t.gross_usd for t in state.trades] == pytest.approx([-1_200.0, -400.0])
    # Shared by the values of 2,800 and 600.
    assert [t.fee_usd for t in state.trades] == pytest.approx([-600 * 2_800 / 3_400, -600 * 600 / 3_400])
    assert sum(t.net_usd for t in state.trades) == pytest.approx(-1_000.0)
    assert state.equity_usd == 0.0
    assert state.cash_usd == pytest.approx(0.0, abs=1e-9)


def test_a_sale_far_below_the_mark_price_loses_no_more_than_the_equity() -> None:
    state = account()
    fill(state, 100.0, BTC=50.0)
    apart = {BTC: bar(75.0, 1, mark_open=90.0)}
    state.at_open(1, apart.get)
    rebalance(state, 1, apart.get, [TargetOrder(BTC, 0, 10.0)])
    (trade,) = state.trades
    assert (trade.reason, trade.gross_usd) == ("rebalance", pytest.approx(-1_000.0))
    assert state.equity_usd == 0.0
    assert state.cash_usd + state.positions[BTC].unrealised_usd == pytest.approx(0.0, abs=1e-9)


def test_funding_is_paid_from_the_account() -> None:
    state = account()
    fill(state, 100.0, BTC=10.0)
    assert state.settle(BTC, 0.5, 100.0) == pytest.approx(-500.0)  # more than its margin of 200
    assert state.positions[BTC].margin_left_usd == pytest.approx(200.0)
    assert state.equity_usd == pytest.approx(500.0)


def test_a_reduction_gives_margin_back() -> None:
    state = account(DEAR)
    fill(state, 100.0, BTC=-4.0)
    state.settle(BTC, 0.001, 100.0)
    fill(state, 80.0, 5, BTC=-1.0)
    (trade,) = state.trades
    assert trade.gross_usd == pytest.approx(60.0)
    assert trade.funding_usd == pytest.approx(0.3)
    position = state.positions[BTC]
    assert (position.signed_quantity, position.cross, position.liquidation_price) == (-1.0, True, 0.0)
    assert position.margin_usd == pytest.approx(80 / 5)
    assert state.cash_usd == pytest.approx(1_000 + trade.net_usd + 0.1 - 0.099)


def test_entries_with_stops_and_spot_are_refused(order: Callable[..., Order]) -> None:
    state = account()
    with pytest.raises(TradingError, match="account on cross margin"):
        state.open(order(), 0, 100.0)
    with pytest.raises(TradingError, match="spot market"):
        rebalance(state, 0, lambda _: bar(100.0), [TargetOrder("BTC/USDT", -1, 1.0)])
    with pytest.raises(SettingsError, match="isolated, cross"):
        AccountSettings(margin="portfolio")  # type: ignore[arg-type]


def cross(lot: float = 0.0) -> Account:
    rules = {symbol: Contract(symbol, lot=lot) for symbol in SYMBOLS}
    return Account(AccountSettings(leverage=8.0, margin="cross"), CostSettings(slippage=0.002), contracts=rules)


def perpetuals(steps: Sequence[Step]) -> list[Step]:
    return [step._replace(targets=(*step.targets[:2], None)) for step in steps]


@settings(max_examples=150)
@given(steps=STEPS.map(perpetuals), lot=st.sampled_from([0.0, 0.1]))
def test_cash_is_what_trades_and_positions_have_made_of_it(steps: list[Step], lot: float) -> None:
    state = cross(lot)
    equity = trade(state, steps)
    assert min(equity) >= 0
    cash = 1_000.0 + sum(closed.net_usd for closed in state.trades)
    cash += sum(held.funding_usd - held.entry.fee_usd for held in state.positions.values())
    assert state.cash_usd == pytest.approx(cash, rel=1e-9, abs=1e-9)
    profits = sum(held.signed_quantity * (held.mark - held.entry.price) for held in state.positions.values())
    assert state.equity_usd == pytest.approx(cash + profits, rel=1e-9, abs=1e-7)
    # Whoever is left has more than the maintenance margins.
    needed = sum(state.contract(s).tiers.maintenance(p.size.quantity * p.mark) for s, p in state.positions.items())
    assert not state.positions or state.equity_usd > needed


@settings(max_examples=100)
@given(steps=STEPS.map(perpetuals))
def test_an_account_that_receives_the_events_is_the_same_to_the_last_bit(steps: list[Step]) -> None:
    state, other = cross(), cross()
    state.on_event = other.apply
    for time in range(len(steps)):
        trade_one(state, steps, time)
        for symbol, position in state.positions.items():
            known = {"funding_known": position.funding_known, "mark_known": position.mark_known}
            other.value(symbol, position.mark, **known)
        assert snapshot(state) == snapshot(other)


@given(steps=STEPS.map(perpetuals))
def test_an_increase_leaves_no_less_than_the_initial_margin(steps: list[Step]) -> None:
    state = cross()
    state.on_event = lambda event: None if type(event).__name__ != "Increased" else enough(state)
    trade(state, steps)


def enough(state: Account) -> None:
    assert state.free_usd >= -1e-9 * state.settings.equity_usd
