from collections.abc import Callable

import pytest

from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading import Account, Bar, Contract, MarginTiers, Order, Settlement, Tier

FREE = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
BTC = "BTC/USDT:USDT"
MakeOrder = Callable[..., Order]


def account(costs: CostSettings = FREE, exits: ExitSettings | None = None, **settings: object) -> Account:
    """Fixed stakes of 20 USD at 5x: one unit at a price of 100."""
    values = {"sizing": "fixed", "stake_usd": 20.0, **settings}
    return Account(AccountSettings(**values), costs, exits)  # type: ignore[arg-type]


def test_opening_locks_margin_and_pays_the_fee(order: MakeOrder) -> None:
    state = account(CostSettings(taker_fee=0.001, slippage=0.01))
    position = state.open(order(), 0, 100.0)
    assert position is not None
    assert position.entry.price == 101.0
    assert position.size.quantity == pytest.approx(100 / 101)
    assert state.cash_usd == pytest.approx(999.9)
    assert state.free_usd == pytest.approx(979.9)
    assert state.equity_usd == pytest.approx(999.9 - 100 / 101)  # what was lost to slippage is lost at once


def test_a_long_and_a_short_by_hand(order: MakeOrder) -> None:
    state = account()
    state.open(order(), 0, 100.0)
    state.open(order("ETH/USDT:USDT", -1), 0, 100.0)
    long = state.close(BTC, 5, 103.0, "time")
    short = state.close("ETH/USDT:USDT", 5, 103.0, "time")
    assert (long.gross_usd, short.gross_usd) == (pytest.approx(3.0), pytest.approx(-3.0))
    assert state.equity_usd == pytest.approx(1_000.0)
    assert state.trades == [long, short]
    assert state.slots == 4


def test_the_split_of_a_trade_by_hand(order: MakeOrder) -> None:
    state = account(CostSettings(taker_fee=0.001, slippage=0.01))
    state.open(order(side=-1), 0, 100.0)  # sold at 99: 100 / 99 units
    state.settle(BTC, 0.002, 110.0)
    trade = state.close(BTC, 5, 90.0, "time")  # bought at 90.9
    units = 100 / 99
    assert trade.gross_usd == pytest.approx(units * 10)
    assert trade.slippage_usd == pytest.approx(units * 1.9)
    assert trade.fee_usd == pytest.approx(units * 0.001 * (99 + 90.9))
    assert trade.funding_usd == pytest.approx(units * 110 * 0.002)
    assert trade.net_usd == pytest.approx(trade.gross_usd - trade.slippage_usd - trade.fee_usd + trade.funding_usd)
    assert state.cash_usd == pytest.approx(1_000 + trade.net_usd)
    assert trade.net_return == pytest.approx(trade.net_usd / 100)


@pytest.mark.parametrize(("side", "rate", "cash"), [(1, 0.001, -0.1), (1, -0.001, 0.1), (-1, 0.001, 0.1)])
def test_longs_pay_positive_rates_to_shorts(order: MakeOrder, side: int, rate: float, cash: float) -> None:
    state = account()
    state.open(order(side=side), 0, 100.0)
    assert state.settle(BTC, rate, 100.0) == pytest.approx(cash)
    assert state.cash_usd == pytest.approx(1_000 + cash)


def liquidated(order: Order, fee: float, price: float) -> Account:
    """One unit at 100 with 10 of margin and a maintenance margin of 1 %."""
    contract = Contract(BTC, tiers=MarginTiers([Tier(1e6, 0.01, 50)]))
    costs = CostSettings(taker_fee=0.001, slippage=0, liquidation_fee=fee)
    settings = AccountSettings(sizing="fixed", stake_usd=10.0, leverage=10.0)
    state = Account(settings, costs, contracts={BTC: contract})
    state.open(order, 0, 100.0)
    mark = Bar(1, 100.0, 101.0, 99.0, 100.0, mark_open=price, mark_high=max(price, 101), mark_low=min(price, 99))
    state.at_close(1, {BTC: mark}.get)
    return state


def test_a_liquidation_by_hand(order: MakeOrder) -> None:
    # 10 + (p - 100) = 0.01 p at 90.909; the price costs 9.0909, the fee 0.5 % of 90.909, the entry 0.1.
    state = liquidated(order(), fee=0.005, price=90.0)
    trade = state.trades[0]
    assert trade.reason == "liquidation"
    assert trade.exit_price == pytest.approx(90.0)  # it opened beyond
    assert trade.gross_usd == pytest.approx(-10.0)
    assert trade.fee_usd == pytest.approx(0.1)  # nothing is left for the liquidation fee


def test_a_liquidation_inside_a_bar_pays_the_fee_out_of_what_is_left(order: MakeOrder) -> None:
    contract = Contract(BTC, tiers=MarginTiers([Tier(1e6, 0.01, 50)]))
    costs = CostSettings(taker_fee=0.001, slippage=0, liquidation_fee=0.005)
    state = Account(AccountSettings(sizing="fixed", stake_usd=10.0, leverage=10.0), costs, contracts={BTC: contract})
    state.open(order(), 0, 100.0)
    state.at_close(1, {BTC: Bar(1, 100.0, 101.0, 99.0, 100.0, 100.0, 101.0, 90.0)}.get)
    price = 90 / 0.99
    trade = state.trades[0]
    assert trade.exit_price == pytest.approx(price)
    assert trade.gross_usd == pytest.approx(price - 100)
    assert trade.fee_usd == pytest.approx(0.1 + 0.005 * price)
    assert state.equity_usd == pytest.approx(1_000 + trade.net_usd)


@pytest.mark.parametrize(("side", "price"), [(1, 90.5), (1, 60.0), (-1, 109.5), (-1, 150.0)])
def test_no_more_than_the_margin_is_lost(order: MakeOrder, side: int, price: float) -> None:
    state = liquidated(order(side=side), fee=0.1, price=price)
    assert state.trades[0].reason == "liquidation"
    assert state.cash_usd == pytest.approx(1_000 - 10 - 0.1)


def test_a_resting_target_pays_the_maker_fee_and_no_slippage(order: MakeOrder) -> None:
    state = account(CostSettings(taker_fee=0, maker_fee=0.002, slippage=0.0), ExitSettings(maker_target=True))
    state.open(order(), 0, 100.0)
    trade = state.close(BTC, 5, 110.0, "target")
    assert trade.fee_usd == pytest.approx(0.22)
    assert trade.exit_price == 110.0


def test_refusals_are_counted(order: MakeOrder) -> None:
    state = account(positions=2)
    assert state.open(order(), 0, 100.0)
    assert state.open(order(), 0, 100.0) is None
    assert state.open(order("ETH/USDT:USDT", confidence=0.0), 0, 100.0) is None
    assert state.open(order("ETH/USDT", side=-1), 0, 100.0) is None
    assert state.open(order("ETH/USDT:USDT", atr=0.0), 0, 100.0) is None
    assert state.open(order("ETH/USDT:USDT"), 0, 100.0)
    assert state.open(order("XRP/USDT:USDT"), 0, 100.0) is None
    assert state.refused == {"in_position": 1, "no_confidence": 1, "spot_short": 1, "no_atr": 1, "no_slot": 1}


def test_at_the_open_funding_comes_first_then_exits_then_entries(order: MakeOrder) -> None:
    state = account(positions=2)
    state.open(order(due=7), 0, 100.0)
    settled = (Settlement(0.001, 100.0),)
    bars = {symbol: Bar(7, *[100.0] * 7, settled_at_open=settled) for symbol in (BTC, "ETH/USDT:USDT")}
    state.at_open(7, bars.get, [order("ETH/USDT:USDT"), order("XRP/USDT:USDT")])
    assert [trade.reason for trade in state.trades] == ["time"]
    assert state.trades[0].funding_usd == pytest.approx(-0.1)  # it was held at the settlement
    assert list(state.positions) == ["ETH/USDT:USDT"]
    assert state.positions["ETH/USDT:USDT"].funding_usd == 0  # it was not
    assert state.refused == {"no_next_bar": 1}


def test_funding_inside_a_bar_finds_what_was_opened_at_its_open(order: MakeOrder) -> None:
    state = account()
    state.open(order(), 0, 100.0)
    bar = Bar(0, *[100.0] * 7, settled_inside=(Settlement(0.001, 100.0), Settlement(0.001, 100.0)))
    state.at_close(0, {BTC: bar}.get)
    assert state.positions[BTC].funding_usd == pytest.approx(-0.2)


def test_a_position_without_a_bar_waits(order: MakeOrder) -> None:
    state = account()
    state.open(order(due=1), 0, 100.0)
    state.at_open(1, {}.get)
    state.at_close(1, {}.get)
    assert list(state.positions) == [BTC]
    bar = Bar(9, *[97.0] * 7)
    state.at_open(9, {BTC: bar}.get)
    assert state.trades[0].exit_price == 97.0
    assert state.trades[0].exit_time == 9


def test_a_trailing_stop_moves_only_after_the_bar(order: MakeOrder) -> None:
    state = account(exits=ExitSettings(trail_atr=1.5))
    state.open(order(), 0, 100.0)
    state.at_close(1, {BTC: Bar(1, 100, 105, 101, 104, 100, 105, 101)}.get)
    assert state.positions[BTC].stop == 102.0
    state.at_close(2, {BTC: Bar(2, 104, 104, 101, 101, 104, 104, 101)}.get)
    assert (state.trades[0].reason, state.trades[0].exit_price) == ("trailing", 102.0)


def test_what_is_not_held_cannot_be_changed(order: MakeOrder) -> None:
    state = account()
    with pytest.raises(TradingError, match="no open positions"):
        state.close(BTC, 0, 100.0, "time")
    state.open(order(), 0, 100.0)
    with pytest.raises(TradingError, match="found no open position; expected one of BTC/USDT:USDT"):
        state.settle("ETH/USDT:USDT", 0.001, 100.0)


def test_a_ruined_account_opens_nothing(order: MakeOrder) -> None:
    state = account()
    state.cash_usd = 0.0
    assert state.open(order(), 0, 100.0) is None
    assert state.refused == {"no_margin": 1}
