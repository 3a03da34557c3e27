"""The engine by hand: its records of a bar, their order, and orders that the guards stop."""

from collections.abc import Callable

import pytest

from quorate.core.settings import AccountSettings, CostSettings, GuardSettings
from quorate.core.types import Action
from quorate.trading import Account, Bar, Order, Settlement
from quorate.trading.decided_bar import DecidedBar
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.ladder import Ladder

HOUR = 3_600_000
FREE = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def bar(time, price, *, low=None, settled=(), inside=()):
    low = price if low is None else low
    return Bar(time, price, price, low, price, price, price, low, settled_at_open=settled, settled_inside=inside)


@pytest.fixture
def engine() -> Callable[..., tuple[TradingEngine, list]]:
    def make(**parts):
        emitted: list = []
        settings = AccountSettings(sizing="fixed", stake_usd=20.0)  # one unit at 100
        return TradingEngine(Account(settings, FREE), HOUR, emit=emitted.append, **parts), emitted

    return make


def order(symbol=BTC, decided=0, **changes):
    return Order(symbol, 1, decided=decided, due=decided + 5 * HOUR, confidence=0.8, atr=2.0)._replace(**changes)


def kinds(emitted):
    return [record.kind for record in emitted]


def test_a_bar_from_its_open_to_its_close(engine):
    at, emitted = engine()
    at.submit([order()])
    bars = {BTC: bar(HOUR, 100.0, low=95.0, settled=(Settlement(0.01, 100.0),), inside=(Settlement(0.001, 100.0),))}
    at.at_open(HOUR, bars.get)
    at.at_close(HOUR, bars.get)
    # The settlement at the open came before the fill, so only the one inside the bar is paid; then the stop at 96.
    assert kinds(emitted) == ["intent", "filled", "valued", "settled", "closed", "valued"]
    assert emitted[3].cash_usd == pytest.approx(-0.1)
    assert (emitted[4].trade.reason, emitted[4].trade.exit_price) == ("stop", 96.0)
    assert [(value.phase, value.equity_usd) for value in (emitted[2], emitted[5])] == [
        ("open", 1_000.0),
        ("close", pytest.approx(995.9)),
    ]
    assert emitted[0].order_id == emitted[1].order_id == emitted[4].order_id


def test_an_order_is_for_one_open_only(engine):
    at, emitted = engine()
    at.submit([order()])
    at.at_open(2 * HOUR, {BTC: bar(2 * HOUR, 100.0)}.get)
    assert [(record.kind, getattr(record, "reason", "")) for record in emitted[1:]] == [
        ("refused", "no_next_bar"),
        ("valued", ""),
    ]
    assert not at.pending


@pytest.mark.parametrize("refusal", ["late", "no_trust"])
def test_an_open_at_which_nothing_may_be_entered_still_closes_what_is_due(engine, refusal):
    at, emitted = engine()
    at.submit([order(due=2 * HOUR)])
    at.at_open(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.submit([order(ETH, decided=HOUR)])
    bars = {symbol: bar(2 * HOUR, 101.0) for symbol in (BTC, ETH)}
    at.at_open(2 * HOUR, bars.get, refusal)
    assert [record.reason for record in emitted if record.kind == "refused"] == [refusal]
    assert [record.trade.reason for record in emitted if record.kind == "closed"] == ["time"]


def test_a_loss_at_the_open_stops_the_entries_of_that_open(engine):
    guards = GuardSettings(losses=1, loss_usd=1.0, models=0)
    at, emitted = engine(guards=Guards(guards))
    at.submit([order(due=2 * HOUR)])
    at.at_open(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.submit([order(ETH, decided=HOUR)])
    bars = {symbol: bar(2 * HOUR, 98.0) for symbol in (BTC, ETH)}
    at.at_open(2 * HOUR, bars.get)
    assert kinds(emitted)[3:] == ["intent", "closed", "guard", "refused", "valued"]
    assert emitted[6].reason == "guarded"
    assert "losses" in emitted[6].note
    at.submit([order(ETH, decided=2 * HOUR)])
    assert kinds(emitted)[-1] == "refused", "known to be stopped, it is no intent"


def test_a_halt_moves_the_ladder_and_what_may_be_used(engine):
    at, emitted = engine(guards=Guards(GuardSettings(losses=1, loss_usd=1.0)), ladder=Ladder())
    assert (at.account.settings.capital_usd, at.account.settings.positions) == (100.0, 2)
    at.submit([order(due=2 * HOUR)])
    at.at_open(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.at_open(2 * HOUR, {BTC: bar(2 * HOUR, 90.0)}.get)
    assert kinds(emitted)[-3:] == ["guard", "ladder", "valued"]
    assert (emitted[-2].before, emitted[-2].after) == (1, 1)


def test_decisions_reach_the_guards_before_the_next_orders(engine):
    at, emitted = engine(guards=Guards(GuardSettings(signals=2, signals_needed=2, models=3)))
    decisions = [DecidedBar(BTC, Action.BUY, 0.5, 0.01), DecidedBar(ETH, Action.SELL, 0.5, 0.01)]
    at.at_close(0, lambda _: None, decisions=decisions, valid=2)
    at.submit([order()])
    assert [(record.guard, record.after) for record in emitted if record.kind == "guard"] == [
        ("confidence", "HALTED"),
        ("models", "REDUCING"),
    ]
    assert kinds(emitted)[-1] == "refused"


def test_a_market_that_is_gone_ends_at_the_last_known_price(engine):
    at, emitted = engine()
    at.submit([order()])
    at.at_open(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.at_close(HOUR, {BTC: bar(HOUR, 101.0)}.get)
    at.at_close(2 * HOUR, lambda _: None, ended=[BTC])
    assert (emitted[-2].trade.reason, emitted[-2].trade.exit_price) == ("end", 101.0)


def test_settlements_that_were_not_known_at_the_open_are_paid_at_the_close(engine):
    at, emitted = engine()
    at.submit([order()])
    at.at_open(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    at.at_close(HOUR, {BTC: bar(HOUR, 100.0)}.get)
    known_late = {BTC: bar(2 * HOUR, 100.0, settled=(Settlement(0.01, 100.0),))}
    at.at_open(2 * HOUR, {BTC: bar(2 * HOUR, 100.0)}.get)
    at.begin(2 * HOUR, "close")
    at.settle_late(known_late.get)
    assert [record.cash_usd for record in emitted if record.kind == "settled"] == [pytest.approx(-1.0)]
    at.settle_late({BTC: bar(2 * HOUR, 100.0)}.get)
    assert sum(record.kind == "settled" for record in emitted) == 1
