"""Sized orders in the engine: they only shrink, guards come first, and what is below the minimum is no trade."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.settings import AccountSettings, CostSettings, GuardSettings
from quorate.trading import Account, Bar, Contract, Order
from quorate.trading.drift_state import DriftState
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.sizing import SHARES

HOUR = 3_600_000
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def made(account=None, contracts=None, **parts):
    emitted = []
    opened = Account(account or AccountSettings(), CostSettings(), None, contracts)
    return TradingEngine(opened, HOUR, emit=emitted.append, **parts), emitted


def order(symbol=BTC, **changes):
    return Order(symbol, 1, decided=0, due=5 * HOUR, confidence=0.8, atr=2.0)._replace(**changes)


def bar(price, time=HOUR):
    return Bar(time, price, price, price, price, price, price, price)


def filled(engine):
    engine.at_open(HOUR, lambda _: bar(100.0))
    return {symbol: position.size for symbol, position in engine.account.positions.items()}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SHARES),
    st.sampled_from([0.0, 0.001, 0.1]),
    st.floats(5, 100_000),
    st.sampled_from(["risk", "fixed", "atr"]),
    st.floats(0.01, 30),
    st.sampled_from([1.0, 0.5]),
)
def test_an_overlay_only_shrinks(share, lot, equity, sizing, atr, drifted):
    account = AccountSettings(equity_usd=equity, sizing=sizing)
    sizes = []
    for shares in ({}, {BTC: share}):
        engine, _ = made(account, {BTC: Contract(BTC, lot=lot)})
        engine.drift = DriftState(drifted < 1, drifted)
        engine.submit([order(atr=atr)], shares)
        sizes.append(filled(engine).get(BTC))
    whole, sized = sizes
    if whole is None or share == 0:
        assert sized is None
    elif sized is not None:
        assert sized.quantity <= whole.quantity
        assert sized.quantity >= whole.quantity * share - lot
        assert sized.margin_usd <= whole.margin_usd
        assert (sized.leverage, sized.stop, sized.target) == (whole.leverage, whole.stop, whole.target)
        assert sized.quantity * 100 >= account.minimum_usd * 0.999


def test_no_stake_is_no_order_and_says_so():
    engine, emitted = made()
    engine.submit([order(), order(ETH)], {BTC: 0.0, ETH: 0.25})
    assert [(record.kind, getattr(record, "reason", ""), record.note) for record in emitted] == [
        ("refused", "no_stake", "sized to 0 by the overlay"),
        ("intent", "", "sized to 25% by the overlay"),
    ]
    assert engine.account.refused == {"no_stake": 1}
    assert filled(engine).keys() == {ETH}


def test_a_share_below_the_minimum_is_no_trade():
    contracts = {BTC: Contract(BTC, minimum_usd=60.0)}
    # 1 % of 1,000 at risk over 4 points and costs is some 241 USD; a quarter of it is 60.2, of 900 it is 54.
    for equity, trades in ((1_000, True), (900, False)):
        engine, _ = made(AccountSettings(equity_usd=equity), contracts)
        engine.submit([order()], {BTC: 0.25})
        assert bool(filled(engine)) is trades
    assert engine.account.refused == {"below_minimum": 1}


@pytest.mark.parametrize("share", SHARES)
def test_guards_come_first_whatever_the_share(share):
    engine, emitted = made(guards=Guards(GuardSettings(losses=1, loss_usd=1.0, models=0)))
    engine.submit([order(due=2 * HOUR)])
    engine.at_open(HOUR, lambda _: bar(100.0))
    engine.at_open(2 * HOUR, lambda _: bar(97.0, 2 * HOUR))  # a loss above 1 USD at the time exit halts
    engine.submit([order(ETH, decided=2 * HOUR)], {ETH: share})
    assert (emitted[-1].kind, emitted[-1].reason) == ("refused", "guarded")
    assert not engine.pending


def test_the_state_has_the_fall_from_the_highest_valuation():
    engine, _ = made(AccountSettings(sizing="fixed", stake_usd=20.0))
    engine.submit([order()])
    for time, price in ((HOUR, 100.0), (2 * HOUR, 108.0), (3 * HOUR, 99.0)):
        engine.at_open(time, lambda _, price=price, time=time: bar(price, time))
        engine.at_close(time, lambda _, price=price, time=time: bar(price, time))
    peak = engine.peak_usd
    assert peak > 1_000
    assert engine.state == (pytest.approx(1 - engine.account.equity_usd / peak), 0.25)
    assert engine.state.drawdown > 0.005
