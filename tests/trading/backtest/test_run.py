"""The loop from event to event against one that visits every open and every close, to the last bit."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.scale_changes import scale_change_times
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import Candles, DecisionFrame, Funding
from quorate.trading.account import Account
from quorate.trading.account.orders import Orders
from quorate.trading.account.tape import Tape
from quorate.trading.backtest.run import Run

START = parse_ms("2025-03-01")
BARS = 90


def market(symbol: str, random: np.random.Generator) -> tuple[Candles, Tape, DecisionFrame]:
    """A market with gaps, missing marks and settlements, settlements inside bars, and a redenomination."""
    volatility = random.choice([0.003, 0.03])
    close = 100 * np.exp(np.cumsum(volatility * random.standard_normal(BARS)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(volatility * random.standard_normal(BARS) / 4)
    high = np.maximum(open_, close) * np.exp(volatility * random.random(BARS))
    low = np.minimum(open_, close) * np.exp(-volatility * random.random(BARS))
    if random.random() < 0.4:
        for column in (open_, high, low, close):
            column[int(random.integers(30, BARS)) :] *= 1000.0
    time = START + HOUR_MS * np.arange(BARS, dtype=np.int64)
    kept = np.flatnonzero(random.random(BARS) > random.choice([0, 0.15]))[: random.integers(40, BARS)]
    rows = [column[kept] for column in (time, open_, high, low, close)]
    candles = Candles(symbol, "1h", *rows, np.ones(len(kept)))
    funding = mark = None
    if random.random() < 0.7:
        step = random.choice([HOUR_MS // 2, 4 * HOUR_MS, 8 * HOUR_MS])
        settled = np.arange(START - 4 * HOUR_MS, START + (BARS + 4) * HOUR_MS, step, dtype=np.int64)
        settled = settled[random.random(len(settled)) > random.choice([0, 0.2])]
        funding = Funding(symbol, settled, random.choice([0.001, 0.02]) * random.standard_normal(len(settled)))
    if random.random() < 0.7:
        some = np.flatnonzero(random.random(len(kept)) > random.choice([0, 0.05]))
        basis = np.exp(volatility * random.standard_normal(len(kept)))
        marked = [(column * basis)[some] for column in rows[1:]]
        mark = Candles(symbol, "1h", rows[0][some], *marked, np.ones(len(some)))
    tape = Tape(candles, funding, mark, scale_change_times(candles))
    action = random.choice([0, 1, 2], size=len(kept), p=[0.3, 0.4, 0.3]).astype(np.int8)
    confidence = random.choice([0.0, 0.7, 0.8], size=len(kept))
    text, zero = np.full(len(kept), ""), np.zeros(len(kept))
    frame = DecisionFrame(symbol, "1h", candles.time, action, confidence, confidence, text, text, zero)
    return candles, tape, frame


def account(random: np.random.Generator) -> Account:
    """An account with random limits, costs and exits."""
    return Account(
        AccountSettings(
            positions=int(random.integers(1, 4)), risk=0.02, leverage=float(random.choice([1.0, 5.0, 25.0]))
        ),
        CostSettings(slippage=0.0003),
        ExitSettings(
            stop_atr=float(random.choice([0.5, 2.0, 6.0])),
            target_ratio=float(random.choice([0.7, 2.5])),
            trail_atr=float(random.choice([0.0, 0.0, 1.5])),
            maker_target=bool(random.integers(2)),
            reopen=bool(random.integers(2)),
        ),
    )


def visit_every_bar(
    account: Account, orders: Orders, tapes: Mapping[str, Tape], times: list[int]
) -> tuple[list[float], int]:
    equity, exposed = [], 0
    for time in times:
        bars = {symbol: tape.at(time) for symbol, tape in tapes.items()}
        account.at_open(time, bars.get, orders.at(time))
        exposed += bool(account.positions)
        account.at_close(time, bars.get)
        account.end(time, bars.get, [symbol for symbol, tape in tapes.items() if tape.time[-1] == time])
        equity.append(account.equity_usd)
    return equity, exposed


@pytest.mark.integration
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), markets=st.integers(1, 4), horizon=st.integers(1, 30))
def test_the_bars_that_are_passed_over_change_nothing(seed: int, markets: int, horizon: int) -> None:
    random = np.random.default_rng(seed)
    names = [f"{letter}/USDT:USDT" for letter in "ABCD"[:markets]]
    made = {name: market(name, random) for name in names}
    candles = {name: made[name][0] for name in names}
    tapes = {name: made[name][1] for name in names}
    orders = Orders({name: made[name][2] for name in names}, candles, horizon)
    time = np.unique(np.concatenate([one.time for one in candles.values()]))
    state = random.bit_generator.state
    plain = account(random)
    random.bit_generator.state = state
    visited = account(random)

    run = Run(plain, orders, tapes, time)
    run.drive()

    equity, exposed = visit_every_bar(visited, orders, tapes, time.tolist())
    assert plain.trades == visited.trades
    assert +plain.refused == +visited.refused
    assert plain.cash_usd == visited.cash_usd
    assert run.equity == equity
    assert run.exposed == exposed
