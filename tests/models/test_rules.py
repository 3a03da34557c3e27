"""The fallback rules: each case of the contract, against a plain reading of it, and nothing from the future."""

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


def said(close):
    found = rule_actions(Bars(candles_of(close)))
    return Action(found.action[-1]), bool(found.contradicted[-1])


FLAT = [100.0 + (-1) ** i * 0.01 for i in range(40)]


@pytest.mark.parametrize(
    ("close", "expected"),
    [
        # A little fall in a flat market: oversold, and the averages hardly move.
        (FLAT + [100 - 0.1 * i for i in range(1, 10)], (Action.BUY, False)),
        (FLAT + [100 + 0.1 * i for i in range(1, 10)], (Action.SELL, False)),
        # A crash: oversold, but pointing down.
        (FLAT + [100 - 2.0 * i for i in range(1, 10)], (Action.HOLD, True)),
        (FLAT + [100 + 2.0 * i for i in range(1, 10)], (Action.HOLD, True)),
        # A climb with setbacks: the averages cross and RSI stays in the middle.
        (100 * np.exp(np.cumsum([0.001] + [0.018, -0.0105] * 30)), (Action.BUY, False)),
        (100 * np.exp(np.cumsum([0.001] + [-0.018, 0.0105] * 30)), (Action.SELL, False)),
        (FLAT, (Action.HOLD, False)),
        # Too little history says nothing.
        ([100 - i for i in range(19)], (Action.HOLD, False)),
    ],
)
def test_each_case(close, expected):
    assert said(close) == expected


def test_as_read_from_the_contract_on_a_market_that_moves():
    market = SyntheticMarket(seed=3, symbols=2, bars=3_000, edge=0.3)
    seen = set()
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
            seen.add((by_rsi, by_average))
        assert (found.action[:19] == Action.HOLD).all()
    # Every case of the two rules is in there, but for agreement, which hardly ever happens.
    assert seen >= {(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)}


def test_later_bars_change_nothing():
    candles = SyntheticMarket(seed=4, symbols=1, bars=400).candles("SYNA/USDT:USDT")
    whole = rule_actions(Bars(candles))
    poisoned = {name: np.append(getattr(candles, name)[:300], 9e9 * np.ones(100)) for name in ("open", "high")}
    poisoned |= {name: np.append(getattr(candles, name)[:300], 8e9 * np.ones(100)) for name in ("low", "close")}
    other = rule_actions(Bars(replace(candles, **poisoned)))
    np.testing.assert_array_equal(whole.action[:300], other.action[:300])
    np.testing.assert_array_equal(whole.contradicted[:300], other.contradicted[:300])


def test_no_bars_give_no_actions():
    assert len(rule_actions(Bars(candles_of([]))).action) == 0
