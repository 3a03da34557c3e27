"""Do no harm on a few markets: placebos without direction stay closed, a planted edge opens and is kept."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.market import SyntheticMarket

FOLDER = str(Path(__file__).parents[2] / "benchmarks")
sys.path.insert(0, FOLDER)
do_no_harm = import_module("do_no_harm")
sys.path.remove(FOLDER)


def candles(bars=24 * 10, seed=3):
    return SyntheticMarket(seed=seed, symbols=1, bars=bars, edge=0.0).candles("SYNA/USDT:USDT")


def test_rearranged_candles_keep_each_bars_moves():
    """Bar 5 then bar 2 mirrored: the moves against the close before, by hand."""
    one = candles()
    made = do_no_harm.rearranged(one, np.array([5, 2]), np.array([1.0, -1.0]))
    for name in ("open", "high", "low", "close"):
        moved = getattr(one, name)[5] / one.close[4]
        assert getattr(made, name)[0] / one.open[0] == pytest.approx(moved)
    assert made.close[1] / made.close[0] == pytest.approx(one.close[1] / one.close[2])
    # A mirrored high is the low.
    assert made.low[1] / made.close[0] == pytest.approx(one.close[1] / one.high[2])
    assert (made.high >= np.maximum(made.open, made.close) - 1e-9).all()
    assert made.time.tolist() == [one.time[0], one.time[0] + HOUR_MS]
    assert made.volume.tolist() == [one.volume[5], one.volume[2]]


def test_a_placebo_has_the_volatility_of_the_day_and_no_direction():
    bars = 24 * 130
    real = {f"M{place}": candles(bars, seed=place) for place in range(7)}
    # A drift that nobody could miss.
    real = {name: replace(one, **{column: getattr(one, column) * 1.001 ** np.arange(bars)
            for column in ("open", "high", "low", "close")}) for name, one in real.items()}  # fmt: skip
    made = do_no_harm.placebo(real, seed=1)
    assert len(made) == do_no_harm.SYMBOLS
    assert made.keys() == do_no_harm.placebo(real, seed=1).keys()
    for one in made.values():
        steps = np.diff(np.log(one.close))
        assert len(one) == do_no_harm.BARS
        assert abs(steps.mean()) < 4 * steps.std() / np.sqrt(len(steps))
        assert steps.std() > 0.003


def test_gains_and_their_maximum_in_hindsight():
    action, earned = np.array([2, 0, 1, 2]), np.array([0.03, -0.01, 0.5, np.nan])
    assert do_no_harm.gain(action, earned, 0.001) == pytest.approx(0.038)


@pytest.mark.integration
def test_random_walks_stay_closed_and_an_edge_is_kept():
    kinds = do_no_harm.kinds(None)
    for seed in range(3):
        walked = do_no_harm.trial(kinds["random walk"], seed)
        assert (walked["policy"], walked["trades"], walked["equity_return"]) == ("closed", 0, 0.0)
    planted = kinds["planted 10%"]
    found = [do_no_harm.trial(planted, seed) for seed in range(2)]
    row = do_no_harm.summary(planted, found)
    assert row["opened"] == 2
    assert row["kept_of_attainable"] >= 0.5
    assert all(one["attainable"] >= one["gain"] - 1e-9 or one["policy"] != "calibrated" for one in found)
