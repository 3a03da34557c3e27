"""The fallback rules: each case of the specification, and causality."""

from dataclasses import replace

import numpy as np
import pytest
import talib

from quorate.core.types import Action, Candles
from quorate.features import Bars
from quorate.market.synthetic import SyntheticMarket
from quorate.models import rule_actions
from quorate.models.rules import CROSSOVER, OVERBOUGHT, OVERSOLD


def candles_of(close):
    close = np.asarray(close, float)
    return Candles("BTC/USDT", "1h", 3_600_000 * np.arange(len(close)), close, close, close, close, np.ones(len(close)))


def last_action(close):
    found = rule_actions(Bars(candles_of(close)))
    return Action(found.action[-1]), bool(found.contradicted[-1])


FLAT = [100.0 + (-1) ** i * 0.01 for i in range(40)]


@pytest.mark.parametrize(
    ("close", "expected"),
    [
        # A small decline in a flat market: oversold, without a crossover.
        (FLAT + [100 - 0.1 * i for i in range(1, 10)], (Action.BUY, False)),
        (FLAT + [100 + 0.1 * i for i in range(1, 10)], (Action.SELL, False)),
        # A fast decline: oversold, with a falling average.
        (FLAT + [100 - 2.0 * i for i in range(1, 10)], (Action.HOLD, True)),
        (FLAT + [100 + 2.0 * i for i in range(1, 10)], (Action.HOLD, True)),
        # A rise with setbacks: a crossover, with RSI between its thresholds.
        (100 * np.exp(np.cumsum([0.001] + [0.018, -0.0105] * 30)), (Action.BUY, False)),
        (100 * np.exp(np.cumsum([0.001] + [-0.018, 0.0105] * 30)), (Action.SELL, False)),
        (FLAT, (Action.HOLD, False)),
        # Too little history for the indicators.
        ([100 - i for i in range(19)], (Action.HOLD, False)),
    ],
)
def test_each_case(close, expected):
    assert last_action(close) == expected


def test_actions_equal_a_direct_implementation():
    market = SyntheticMarket(seed=3, symbols=2, bars=3_000, edge=0.3)
    cases = set()
    for candles in market.panel().values():
        found = rule_actions(Bars(candles))
        rsi = talib.RSI(candles.close, 14)
        crossover = (talib.EMA(candles.close, 10) - talib.EMA(candles.close, 20)) / candles.close
        for bar in range(19, len(candles)):
            by_rsi = 1 if rsi[bar] < OVERSOLD else -1 if rsi[bar] > OVERBOUGHT else 0
            by_average = 1 if crossover[bar] > CROSSOVER else -1 if crossover[bar] < -CROSSOVER else 0
            direction = 0 if by_rsi * by_average < 0 else by_rsi or by_average
            assert found.action[bar] == 1 + direction
            assert found.contradicted[bar] == (by_rsi * by_average < 0)
            cases.add((by_rsi, by_average))
        assert (found.action[:19] == Action.HOLD).all()
    # All cases of the two rules occur, except agreement, which is rare.
    assert cases >= {(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)}


def test_later_bars_have_no_effect():
    candles = SyntheticMarket(seed=4, symbols=1, bars=400).candles("SYNA/USDT:USDT")
    whole = rule_actions(Bars(candles))
    poisoned = {name: np.append(getattr(candles, name)[:300], 9e9 * np.ones(100)) for name in ("open", "high")}
    poisoned |= {name: np.append(getattr(candles, name)[:300], 8e9 * np.ones(100)) for name in ("low", "close")}
    other = rule_actions(Bars(replace(candles, **poisoned)))
    np.testing.assert_array_equal(whole.action[:300], other.action[:300])
    np.testing.assert_array_equal(whole.contradicted[:300], other.contradicted[:300])


def test_no_bars_give_no_actions():
    assert len(rule_actions(Bars(candles_of([]))).action) == 0
