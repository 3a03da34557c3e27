from __future__ import annotations

import math
from statistics import stdev

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TargetError
from quorate.core.types import Action
from quorate.targets import TripleBarrier

SELL, HOLD, BUY = Action.SELL, Action.HOLD, Action.BUY

# Entry at 100, take at 104, stop at 98, three bars of patience: (open, high, low, close) of the bars after it.
CASES = {
    "take in bar 1": ([(100, 104, 99, 103), (103, 103, 97, 98), (98, 99, 98, 99)], BUY, 1, 0.04),
    "stop in bar 1": ([(100, 101, 98, 99), (99, 120, 99, 110), (110, 111, 109, 110)], SELL, 1, -0.02),
    "take in bar 3": ([(100, 101, 99, 100), (100, 103, 99, 103), (103, 104.5, 102, 102)], BUY, 3, 0.04),
    "both in one bar are the stop": ([(100, 106, 95, 105), (105, 110, 104, 109), (109, 110, 108, 109)], SELL, 1, -0.02),
    "neither": ([(100, 103, 99, 101), (101, 103, 99, 102), (102, 103.9, 98.1, 103)], HOLD, 3, 0.03),
    "opens below the stop": ([(100, 101, 99, 100), (95, 96, 94, 95), (95, 110, 95, 105)], SELL, 2, -0.05),
    "opens above the take": ([(107, 108, 106, 106), (106, 106, 90, 90), (90, 91, 90, 90)], BUY, 1, 0.07),
    "a hair from both": ([(100, 103.99, 98.01, 100)] * 3, HOLD, 3, 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_what_comes_first(candles, case):
    bars, label, ended, earned = CASES[case]
    o, h, low, c = zip((100, 100, 100, 100), *bars, strict=True)
    labels = TripleBarrier(take=0.04, stop=0.02, timeout=3).label(candles(c, opens=o, high=h, low=low))
    assert labels.known.tolist() == [True, False, False, False]
    assert labels.y[0] == label
    assert labels.span_end[0] - labels.span_end[1] == (ended - 4) * HOUR_MS
    assert labels.forward_return[0] == pytest.approx(earned, abs=1e-12)
    assert np.isnan(labels.forward_return[1:]).all()


def test_a_label_needs_its_whole_patience_even_where_it_would_end_sooner(candles):
    # Else the last rows would hold only quick labels: what is known would depend on what comes.
    held = candles([100.0, 110.0, 110.0, 110.0], hours=[0, 1, 2, 4])
    target = TripleBarrier(take=0.04, stop=0.02, timeout=3)
    assert not target.label(held).known.any()
    assert TripleBarrier(take=0.04, stop=0.02, timeout=2).label(held).known.tolist() == [True, False, False, False]


def test_barriers_in_volatility_against_a_plain_walk(walk):
    held = walk(300, 4)
    target = TripleBarrier(take=1.5, stop=0.8, timeout=6, unit="volatility")
    labels = target.label(held)
    assert target.horizon == 6
    assert np.flatnonzero(labels.known).tolist() == list(range(20, 294))
    o, h, low, c = (getattr(held, name).tolist() for name in ("open", "high", "low", "close"))
    change = [c[i] / c[i - 1] - 1 for i in range(1, len(c))]
    for row in range(20, 294):
        size = stdev(change[row - 20 : row]) * math.sqrt(6)
        take, stop = c[row] * (1 + 1.5 * size), c[row] * (1 - 0.8 * size)
        label, end, leave = HOLD, row + 6, c[row + 6]
        for bar in range(row + 1, row + 7):
            if low[bar] <= stop:
                label, end, leave = SELL, bar, min(stop, o[bar])
                break
            if h[bar] >= take:
                label, end, leave = BUY, bar, max(take, o[bar])
                break
        assert labels.y[row] == label
        assert labels.span_end[row] == held.time[end]
        assert labels.forward_return[row] == pytest.approx(leave / c[row] - 1)
    assert set(labels.y[20:294]) == {0, 1, 2}


def test_without_volatility_there_is_nothing_to_measure_in(candles):
    assert not TripleBarrier(1, 1, 2, unit="volatility").label(candles([100.0] * 60)).known.any()
    assert TripleBarrier(0.01, 0.01, 2).label(candles([100.0] * 60)).known[:58].all()


@pytest.mark.parametrize(
    "options",
    [
        {"take": 0, "stop": 0.02, "timeout": 3},
        {"take": 0.04, "stop": -1, "timeout": 3},
        {"take": 0.04, "stop": 0.02, "timeout": 0},
        {"take": math.nan, "stop": 0.02, "timeout": 3},
        {"take": math.inf, "stop": 0.02, "timeout": 3},
        {"take": 0.04, "stop": 0.02, "timeout": 3, "unit": "atr"},
    ],
)
def test_impossible_barriers_are_refused(options):
    with pytest.raises(TargetError):
        TripleBarrier(**options)
