from __future__ import annotations

import math
from statistics import stdev

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TargetError
from quorate.core.settings import TargetSettings
from quorate.core.types import Action
from quorate.targets import ForwardClass

SELL, HOLD, BUY = Action.SELL, Action.HOLD, Action.BUY


@pytest.mark.parametrize(
    ("later", "label"),
    [
        (125.01, BUY),
        (125.0, HOLD),  # exactly the band
        (100.0, HOLD),
        (75.0, HOLD),
        (74.99, SELL),
        (250.0, BUY),
        (0.01, SELL),
    ],
)
def test_the_band_divides_the_classes(candles, later, label):
    labels = ForwardClass(horizon=2, band=0.25).label(candles([100.0, 1.0, later]))
    assert labels.y[0] == label
    assert labels.known.tolist() == [True, False, False]
    assert labels.forward_return[0] == pytest.approx(later / 100 - 1)
    assert np.isnan(labels.forward_return[1:]).all()
    assert labels.y.dtype == np.int8


def test_the_defaults_are_the_settings():
    assert (ForwardClass().horizon, ForwardClass().band) == (5, 0.005)
    assert (ForwardClass().horizon, ForwardClass().band) == (TargetSettings().horizon, TargetSettings().band)


def test_a_span_ends_with_the_bar_whose_close_is_read(candles):
    held = candles(range(100, 110))
    labels = ForwardClass(horizon=3).label(held)
    assert (labels.span_end - held.time == 3 * HOUR_MS).all()


def test_no_label_looks_across_a_gap(candles):
    # Hours 0 1 2 3, then 6 7 8 9: a label of 2 bars needs the 2 hours after it.
    held = candles(range(100, 108), hours=[0, 1, 2, 3, 6, 7, 8, 9])
    labels = ForwardClass(horizon=2).label(held)
    assert labels.known.tolist() == [True, True, False, False, True, True, False, False]
    assert (labels.y[~labels.known] == HOLD).all()


@pytest.mark.parametrize("bars", [0, 1, 5])
def test_too_short_a_history_has_no_label(candles, bars):
    labels = ForwardClass(horizon=5).label(candles(range(100, 100 + bars)))
    assert len(labels) == bars
    assert not labels.known.any()


def test_a_label_reads_nothing_but_its_span(walk):
    held = walk(80, 1)
    whole = ForwardClass(horizon=5).label(held)
    for bars in range(6, 80, 7):
        part = ForwardClass(horizon=5).label(held[:bars])
        np.testing.assert_array_equal(part.y[: bars - 5], whole.y[: bars - 5])
        np.testing.assert_array_equal(part.known, [True] * (bars - 5) + [False] * 5)


def test_a_band_in_volatility_is_the_symbols_own(walk):
    held = walk(120, 2)
    labels = ForwardClass(horizon=4, band=0.7, unit="volatility").label(held)
    assert not labels.known[:20].any()
    assert labels.known[20:116].all()
    c = held.close.tolist()
    change = [c[i] / c[i - 1] - 1 for i in range(1, len(c))]
    for row in range(20, 116):
        band = 0.7 * stdev(change[row - 20 : row]) * math.sqrt(4)
        earned = c[row + 4] / c[row] - 1
        assert labels.y[row] == (BUY if earned > band else SELL if earned < -band else HOLD)
    assert set(labels.y[20:116]) == {0, 1, 2}


def test_twice_as_wild_a_symbol_has_the_same_labels_by_volatility(candles):
    moves = np.random.default_rng(3).normal(0, 0.001, 400)
    calm, wild = (candles(100 * np.cumprod(1 + size * moves)) for size in (1, 2))
    target = ForwardClass(horizon=3, band=0.5, unit="volatility")
    same = target.label(calm).y == target.label(wild).y
    assert same.mean() > 0.99
    fixed = ForwardClass(horizon=3, band=0.001)
    assert (fixed.label(calm).y == fixed.label(wild).y).mean() < 0.95


@pytest.mark.parametrize(
    "options",
    [{"horizon": 0}, {"horizon": -1}, {"band": -0.1}, {"band": math.nan}, {"band": math.inf}, {"unit": "percent"}],
)
def test_impossible_targets_are_refused(options):
    with pytest.raises(TargetError) as caught:
        ForwardClass(**options)
    assert caught.value.expected


def test_a_mistyped_unit_names_the_close_match():
    with pytest.raises(TargetError, match="Did you mean 'volatility'"):
        ForwardClass(unit="volatilty")
