"""What holds for every sequence of targets, prices and settlements."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quorate.core.settings import AccountSettings, CostSettings
from quorate.trading import Account, Bar, Contract, TargetOrder
from quorate.trading.account.bar import Settlement
from quorate.trading.account.events import AccountEvent, Increased, Unfilled
from quorate.trading.account.rebalancing import rebalance

SYMBOLS = ("A/USDT:USDT", "B/USDT:USDT", "C/USDT")


class Step(NamedTuple):
    """One bar of every market: what it does to the last close, and the targets for its open."""

    opens: Sequence[float]
    closes: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]
    rates: Sequence[float]
    targets: Sequence[float | None]


def each(values: Any) -> Any:
    return st.tuples(*(values for _ in SYMBOLS))


STEPS = st.lists(
    st.builds(
        Step,
        opens=each(st.floats(0.85, 1.15)),
        closes=each(st.floats(0.85, 1.15)),
        lows=each(st.sampled_from([1.0, 0.97, 0.8])),
        highs=each(st.sampled_from([1.0, 1.03, 1.25])),
        rates=each(st.sampled_from([0.0, 0.0, 0.003, -0.003, 0.05])),
        targets=each(st.none() | st.floats(-30, 30) | st.sampled_from([0.0, 1.0, -1.0, 5.0])),
    ),
    min_size=1,
    max_size=12,
)


def rules(lot: float, scale: float = 1.0) -> dict[str, Contract]:
    return {symbol: Contract(symbol, lot=lot * scale) for symbol in SYMBOLS}


def bars(steps: Sequence[Step]) -> list[dict[str, Bar]]:
    close = dict.fromkeys(SYMBOLS, 100.0)
    made = []
    for time, step in enumerate(steps):
        bars: dict[str, Bar] = {}
        for number, symbol in enumerate(SYMBOLS):
            opened = close[symbol] * step.opens[number]
            close[symbol] = opened * step.closes[number]
            low = min(opened, close[symbol]) * step.lows[number]
            high = max(opened, close[symbol]) * step.highs[number]
            rate = step.rates[number] if ":" in symbol else 0.0
            settled = (Settlement(rate, opened),) if rate else ()
            prices = (opened, high, low, close[symbol], opened, high, low)
            bars[symbol] = Bar(time, *prices, settled_at_open=settled, settled_inside=settled[time % 2 :])
        made.append(bars)
    return made


def trade(state: Account, steps: Sequence[Step], scale: float = 1.0) -> list[float]:
    """Equity at each close."""
    equity = []
    for time, (step, market) in enumerate(zip(steps, bars(steps), strict=True)):
        targets = [
            TargetOrder(symbol, time - 1, scale * target)
            for symbol, target in zip(SYMBOLS, step.targets, strict=True)
            if target is not None
        ]
        state.at_open(time, market.get)
        rebalance(state, time, market.get, targets)
        state.at_close(time, market.get)
        equity.append(state.equity_usd)
    return equity


def account(lot: float = 0.0, equity: float = 1_000.0, minimum: float = 5.0, leverage: float = 3.0) -> Account:
    settings = AccountSettings(equity_usd=equity, leverage=leverage, minimum_usd=minimum)
    return Account(settings, CostSettings(taker_fee=0.001, slippage=0.002), contracts=rules(lot))


def snapshot(state: Account) -> tuple[Any, ...]:
    return state.cash_usd, state.equity_usd, repr(state.positions), repr(state.trades), state.refused


@settings(max_examples=150)
@given(steps=STEPS, lot=st.sampled_from([0.0, 0.1, 1.0]))
def test_cash_is_what_the_trades_and_the_open_positions_have_made_of_it(steps: list[Step], lot: float) -> None:
    state = account(lot)
    trade(state, steps)
    cash = state.settings.equity_usd + sum(closed.net_usd for closed in state.trades)
    for position in state.positions.values():
        cash += position.funding_usd - position.entry.fee_usd
    assert state.cash_usd == pytest.approx(cash, rel=1e-9)
    unrealised = 0.0
    for position in state.positions.values():
        gross = position.signed_quantity * (position.mark - position.entry.reference_price)
        unrealised += max(gross - position.entry.slippage_usd, -position.margin_left_usd)
    assert state.equity_usd == pytest.approx(max(0.0, state.cash_usd + unrealised), rel=1e-9, abs=1e-9)
    assert state.free_usd >= -1e-9 * state.settings.equity_usd
    for position in state.positions.values():
        assert position.size.quantity > 0
        assert position.margin_left_usd <= position.size.margin_usd * (1 + 1e-12)
        assert position.size.leverage <= 3.0 * (1 + 1e-9)
        assert not (position.side < 0 and ":" not in position.symbol)
        if lot:
            lots = position.size.quantity / lot
            assert lots == pytest.approx(round(lots), abs=1e-9)


@settings(max_examples=150)
@given(steps=STEPS, lot=st.sampled_from([0.0, 0.1]))
def test_an_account_that_receives_the_events_is_the_same_to_the_last_bit(steps: list[Step], lot: float) -> None:
    state, other = account(lot), account(lot)
    state.on_event = other.apply
    for time in range(len(steps)):
        trade_one(state, steps, time)
        for symbol, position in state.positions.items():
            known = {"funding_known": position.funding_known, "mark_known": position.mark_known}
            other.value(symbol, position.mark, **known)
        assert snapshot(state) == snapshot(other)


def trade_one(state: Account, steps: Sequence[Step], time: int) -> None:
    market = bars(steps)[time]
    targets = [
        TargetOrder(symbol, time - 1, target)
        for symbol, target in zip(SYMBOLS, steps[time].targets, strict=True)
        if target is not None
    ]
    state.at_open(time, market.get)
    rebalance(state, time, market.get, targets)
    state.at_close(time, market.get)


@given(steps=STEPS)
def test_what_was_wanted_is_held_or_said_to_be_unfilled(steps: list[Step]) -> None:
    state = account()
    unfilled: dict[str, float] = {}

    def on_event(event: AccountEvent) -> None:
        if isinstance(event, Unfilled):
            unfilled[event.order.symbol] = event.quantity
        if isinstance(event, Increased):
            assert event.quantity > 0

    state.on_event = on_event
    for time, (step, market) in enumerate(zip(steps, bars(steps), strict=True)):
        unfilled.clear()
        state.at_open(time, market.get)
        targets = [TargetOrder(s, 0, t) for s, t in zip(SYMBOLS, step.targets, strict=True) if t is not None]
        rebalance(state, time, market.get, targets)
        for symbol, _, wanted in targets:
            position = state.positions.get(symbol)
            found = position.signed_quantity if position else 0.0
            assert found + unfilled.get(symbol, 0.0) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
        state.at_close(time, market.get)


@given(steps=STEPS, order=st.permutations(range(len(SYMBOLS))))
def test_the_order_of_the_targets_changes_nothing(steps: list[Step], order: list[int]) -> None:
    state, other = account(), account()
    for time, (step, market) in enumerate(zip(steps, bars(steps), strict=True)):
        targets = [TargetOrder(symbol, 0, target or 0.0) for symbol, target in zip(SYMBOLS, step.targets, strict=True)]
        for each_account, given_ in ((state, targets), (other, [targets[number] for number in order])):
            each_account.at_open(time, market.get)
            rebalance(each_account, time, market.get, given_)
            each_account.at_close(time, market.get)
    assert snapshot(state) == snapshot(other)


@given(steps=STEPS)
def test_without_targets_nothing_happens(steps: list[Step]) -> None:
    state = account()
    before = snapshot(state)
    assert set(trade(state, [step._replace(targets=(None,) * len(SYMBOLS)) for step in steps])) == {1_000.0}
    assert snapshot(state) == before


@given(steps=STEPS, power=st.integers(1, 6))
def test_twice_the_money_and_the_targets_is_twice_the_result(steps: list[Step], power: int) -> None:
    # In one tier, everything is linear with the minimum.
    scale = 2.0**-power
    small = account(minimum=5.0 * scale, leverage=2.0, equity=1_000.0 * scale)
    large = account(minimum=5.0, leverage=2.0)
    lower, upper = trade(small, steps, scale), trade(large, steps)
    assume(all(math.isfinite(value) for value in upper))
    assert [value / scale for value in lower] == pytest.approx(upper, rel=1e-9, abs=1e-9)
    assert len(small.trades) == len(large.trades)
