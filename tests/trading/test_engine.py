"""A desk by hand: what it says of a bar, in what order, and what the guards may stop."""

from collections.abc import Callable

import pytest

from quorate.core.settings import AccountSettings, CostSettings, GuardSettings
from quorate.core.types import Action
from quorate.trading import Account, Bar, Order, Settlement
from quorate.trading.engine import BarInputs, TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.ladder import Ladder

HOUR = 3_600_000
FREE = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def bar(time, price, *, low=None, settled=(), inside=()):
    low = price if low is None else low
    return Bar(time, price, price, low, price, price, price, low, True, True, settled, inside)


@pytest.fixture
def desk() -> Callable[..., tuple[TradingEngine, list]]:
    def make(**parts):
        told: list = []
        settings = AccountSettings(sizing="fixed", stake_usd=20.0)  # one unit at 100
        return TradingEngine(Account(settings, FREE), HOUR, tell=told.append, **parts), told

    return make


def order(symbol=BTC, decided=0, **changes):
    return Order(symbol, 1, decided=decided, due=decided + 5 * HOUR, confidence=0.8, atr=2.0)._replace(**changes)


def kinds(told):
    return [record.kind for record in told]


def test_a_bar_from_its_open_to_its_close(desk):
    at, told = desk()
    at.propose([order()])
    bars = {BTC: bar(HOUR, 100.0, low=95.0, settled=(Settlement(0.01, 100.0),), inside=(Settlement(0.001, 100.0),))}
    at.opening(HOUR, bars.get)
    at.closing(HOUR, bars.get)
    # The settlement at the open came before the fill, so only the one inside the bar is paid; then the stop at 96.
    assert kinds(told) == ["intent", "filled", "valued", "settled", "closed", "valued"]
    assert told[3].cash_usd == pytest.approx(-0.1)
    assert (told[4].trade.reason, told[4].trade.exit_price) == ("stop", 96.0)
    assert [(value.phase, value.equity_usd) for value in (told[2], told[5])] == [
        ("open", 1_000.0),
        ("close", pytest.approx(995.9)),
    ]
    assert told[0].order_id == told[1].order_id == told[4].order_id


def test_an_order_is_for_one_open_only(desk):
    at, told = desk()
    at.propose([order()])
    at.opening(2 * HOUR, {BTC: bar(2 * HOUR, 100.0)}.get)
    assert [(record.kind, getattr(record, "reason", "")) for record in told[1:]] == [
        ("refused", "no_next_bar"),
        ("valued", ""),
    ]
    assert not at.pending


@pytest.mark.parametrize("refusal", ["late", "no_trust"])
def test_an_open_at_which_nothing_may_be_entered_still_closes_what_is_due(desk, refusal):
    at, told = desk()
    at.propose([order(due=2 * HOUR)])
    at.opening(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.propose([order(ETH, decided=HOUR)])
    bars = {symbol: bar(2 * HOUR, 101.0) for symbol in (BTC, ETH)}
    at.opening(2 * HOUR, bars.get, refusal)
    assert [record.reason for record in told if record.kind == "refused"] == [refusal]
    assert [record.trade.reason for record in told if record.kind == "closed"] == ["time"]


def test_a_loss_at_the_open_stops_the_entries_of_that_open(desk):
    guards = GuardSettings(losses=1, loss_usd=1.0, models=0)
    at, told = desk(guards=Guards(guards))
    at.propose([order(due=2 * HOUR)])
    at.opening(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.propose([order(ETH, decided=HOUR)])
    bars = {symbol: bar(2 * HOUR, 98.0) for symbol in (BTC, ETH)}
    at.opening(2 * HOUR, bars.get)
    assert kinds(told)[3:] == ["intent", "closed", "guard", "refused", "valued"]
    assert told[6].reason == "guarded"
    assert "losses" in told[6].note
    at.propose([order(ETH, decided=2 * HOUR)])
    assert kinds(told)[-1] == "refused", "known to be stopped, it is no intent"


def test_a_halt_moves_the_ladder_and_what_may_be_used(desk):
    at, told = desk(guards=Guards(GuardSettings(losses=1, loss_usd=1.0)), ladder=Ladder())
    assert (at.account.settings.capital_usd, at.account.settings.positions) == (100.0, 2)
    at.propose([order(due=2 * HOUR)])
    at.opening(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.opening(2 * HOUR, {BTC: bar(2 * HOUR, 90.0)}.get)
    assert kinds(told)[-3:] == ["guard", "ladder", "valued"]
    assert (told[-2].before, told[-2].after) == (1, 1)


def test_decisions_reach_the_guards_before_the_next_orders(desk):
    at, told = desk(guards=Guards(GuardSettings(signals=2, signals_needed=2, models=3)))
    heard = [BarInputs(BTC, Action.BUY, 0.5, 0.01), BarInputs(ETH, Action.SELL, 0.5, 0.01)]
    at.closing(0, lambda _: None, heard=heard, valid=2)
    at.propose([order()])
    assert [(record.guard, record.after) for record in told if record.kind == "guard"] == [
        ("confidence", "HALTED"),
        ("models", "REDUCING"),
    ]
    assert kinds(told)[-1] == "refused"


def test_a_market_that_is_gone_ends_at_the_last_known_price(desk):
    at, told = desk()
    at.propose([order()])
    at.opening(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.closing(HOUR, {BTC: bar(HOUR, 101.0)}.get)
    at.closing(2 * HOUR, lambda _: None, gone=[BTC])
    assert (told[-2].trade.reason, told[-2].trade.exit_price) == ("end", 101.0)


def test_settlements_that_were_not_known_at_the_open_are_paid_at_the_close(desk):
    at, told = desk()
    at.propose([order()])
    at.opening(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.closing(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    known_late = {BTC: bar(2 * HOUR, 100.0, settled=(Settlement(0.01, 100.0),))}
    at.opening(2 * HOUR, {BTC: bar(2 * HOUR, 100.0)}.get)
    at.enter(2 * HOUR, "close")
    at.settle_late(known_late.get)
    assert [record.cash_usd for record in told if record.kind == "settled"] == [pytest.approx(-1.0)]
    at.settle_late({BTC: bar(2 * HOUR, 100.0)}.get)
    assert sum(record.kind == "settled" for record in told) == 1
