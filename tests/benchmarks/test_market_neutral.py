"""Market-neutral portfolios: values worked by hand, and a comparison with separately held parts."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError

FOLDER = str(Path(__file__).parents[2] / "benchmarks" / "study")
sys.path.insert(0, FOLDER)
market_neutral = import_module("market_neutral")
sys.path.remove(FOLDER)
extremes, neutral_portfolio, rank_ics = (
    getattr(market_neutral, name) for name in ("extremes", "neutral_portfolio", "rank_ics")
)

NAN = np.nan
TIMES = 3 * HOUR_MS * np.arange(20)


@pytest.mark.parametrize(
    ("signal", "share", "weights"),
    [
        ([4, 3, 2, 1], 0.25, [0.5, 0, 0, -0.5]),
        ([4, 3, 2, 1], 0.5, [0.25, 0.25, -0.25, -0.25]),
        ([4, 3, 2, 1], 0.1, [0.5, 0, 0, -0.5]),  # at least one on each side
        ([4, NAN, NAN, 1], 0.5, [0.5, 0, 0, -0.5]),
        ([4, NAN, NAN, NAN], 0.5, [0, 0, 0, 0]),
        ([2, 2, 2, 2], 0.5, [0, 0, 0, 0]),
        ([1, 1, 2, 1], 0.25, [-0.5, 0, 0.5, 0]),
    ],
)
def test_extremes(signal, share, weights):
    np.testing.assert_allclose(extremes(np.array([signal], np.float64), share)[0], weights)


def test_a_portfolio_worked_by_hand():
    # Held for one step: A against B, then B against A, then out.
    signal = np.array([[2.0, 1.0], [1.0, 2.0]])
    earned = np.array([[0.10, -0.02], [0.04, 0.0]])
    paid = np.array([[0.001, NAN], [NAN, 0.002]])
    found = neutral_portfolio(TIMES[:2], signal, earned, hold_steps=1, cost=0.001, share=0.5, step_funding=paid)
    np.testing.assert_allclose(found.weights, [[0.5, -0.5], [-0.5, 0.5]])
    np.testing.assert_allclose(found.long, [0.05, 0.0])
    np.testing.assert_allclose(found.short, [0.01, -0.02])
    # In: 1. Then from 0.55 and -0.49 to -0.5 and 0.5: 2.04. At the end 0.52 and 0.5 are closed: 1.02 more.
    np.testing.assert_allclose(found.turnover, [1.0, 1.05 + 0.99 + 0.52 + 0.5])
    np.testing.assert_allclose(found.funding, [0.0005, 0.001])
    np.testing.assert_allclose(found.net, found.gross - 0.001 * found.turnover - found.funding)
    assert found.funding_known == pytest.approx(0.5)


def test_a_position_is_opened_and_closed_in_parts():
    signal = np.where(np.arange(6)[:, None] < 3, [[2.0, 1.0]], [[1.0, 2.0]])
    found = neutral_portfolio(TIMES[:6], signal, np.zeros((6, 2)), hold_steps=3, cost=0.0, share=0.5)
    np.testing.assert_allclose(found.weights[:, 0] * 6, [1, 2, 3, 1, -1, -3])
    np.testing.assert_allclose(found.turnover * 3, [1, 1, 1, 2, 2, 2 + 3])


@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(0.01, 0.5))
def test_it_holds_the_sum_of_separate_parts_and_is_market_neutral(seed, hold, share):
    random = np.random.default_rng(seed)
    signal = np.where(random.random((20, 6)) < 0.2, NAN, random.normal(size=(20, 6)))
    earned = random.normal(0, 0.02, (20, 6))
    parts = np.zeros((20, 6))
    for step in range(20):
        each = extremes(signal[step : step + 1], share)[0] / hold
        for later in range(step, min(20, step + hold)):
            parts[later] += each
    found = neutral_portfolio(TIMES, signal, earned, hold_steps=hold, cost=0.0007, share=share)
    np.testing.assert_allclose(found.weights, parts, atol=1e-12)
    np.testing.assert_allclose(found.weights.sum(axis=1), 0, atol=1e-12)
    assert (np.abs(found.weights).sum(axis=1) <= 1 + 1e-12).all()
    # The same addition to every symbol's return does not change the result.
    moved = neutral_portfolio(TIMES, signal, earned + 0.01, hold_steps=hold, cost=0.0007, share=share)
    np.testing.assert_allclose(moved.gross, found.gross, atol=1e-12)
    # The opposite signal earns the opposite, except for equal values, of which there are none here.
    turned = neutral_portfolio(TIMES, -signal, earned, hold_steps=hold, cost=0.0007, share=share)
    np.testing.assert_allclose(turned.gross, -found.gross, atol=1e-12)


def test_later_signals_change_nothing_before():
    random = np.random.default_rng(4)
    signal, earned = random.normal(size=(20, 6)), random.normal(0, 0.02, (20, 6))
    other = signal.copy()
    other[12:] = random.normal(size=(8, 6))
    one, two = (neutral_portfolio(TIMES, s, earned, hold_steps=4, cost=0.0) for s in (signal, other))
    np.testing.assert_array_equal(one.weights[:12], two.weights[:12])
    np.testing.assert_array_equal(one.net[:12], two.net[:12])


def test_days_add_up():
    random = np.random.default_rng(5)
    found = neutral_portfolio(
        TIMES, random.normal(size=(20, 4)), random.normal(0, 0.02, (20, 4)), hold_steps=2, cost=0.0007
    )
    assert len(found.daily()) == 3  # 60 hours
    np.testing.assert_allclose(found.daily()[0], found.net[:8].sum())
    np.testing.assert_allclose(found.daily().sum(), found.net.sum())


def test_a_symbol_without_a_return_earns_nothing():
    found = neutral_portfolio(TIMES[:1], np.array([[2.0, 1.0]]), np.array([[NAN, 0.1]]), hold_steps=1, cost=0.0)
    assert (found.long[0], found.short[0]) == (0.0, -0.05)


@given(st.integers(0, 10_000))
def test_rank_ics_equal_those_of_scipy(seed):
    random = np.random.default_rng(seed)
    signal = random.integers(0, 5, (4, 8)).astype(np.float64)
    forward = np.where(random.random((4, 8)) < 0.3, NAN, random.normal(size=(4, 8)))
    for found, a, b in zip(rank_ics(signal, forward), signal, forward, strict=True):
        known = np.isfinite(b)
        if known.sum() < 3 or len(set(a[known])) == 1:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(spearmanr(a[known], b[known]).statistic)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hold_steps": 0}, "0 steps to hold"),
        ({"share": 0.6}, "a share of 0.6"),
        ({"step_return": np.zeros((3, 2))}, "tables of"),
        ({"time": TIMES[[1, 0]]}, "times that increase"),
        ({"step_funding": np.zeros((2, 3))}, "tables of"),
    ],
)
def test_invalid_arguments_are_errors(change, words):
    given = {"time": TIMES[:2], "signal": np.zeros((2, 2)), "step_return": np.zeros((2, 2)), "hold_steps": 1}
    with pytest.raises(EvaluationError, match=words):
        neutral_portfolio(**{**given, "cost": 0.0, **change})
