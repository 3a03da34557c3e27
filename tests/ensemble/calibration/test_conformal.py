"""Adaptive prediction sets: coverage on a drifting series, delayed labels, and the paper's step by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import ModelError
from quorate.core.types import Action
from quorate.ensemble.calibration.conformal import Conformal, fit_conformal, prediction_set, prediction_set_mask

LEVELS = np.linspace(0, 1, 201)


def uniform(level=0.1, rate=0.05, miss=0.1):
    """Nonconformity uniform on 0 to 1: the limit is 1 - level."""
    return Conformal(miss, rate, level, LEVELS)


def buys(*probabilities):
    """Rows of BUY with these probabilities of BUY."""
    p = np.array(probabilities)
    return np.stack([(1 - p) / 2, (1 - p) / 2, p], axis=1), np.full(len(p), 2, np.int8)


def test_the_step_of_the_paper_by_hand_with_a_label_known_two_bars_later():
    p, y = buys(0.05, 0.5, 0.5, 0.5, 0.5)
    time = np.arange(5)
    found = uniform().track(p, y, time, time + 2)
    # The first is missed (0.95 > 0.9), the others are not; each moves the level when it is known.
    np.testing.assert_allclose(found.missed[:3], [1, 0, 0])
    assert np.isnan(found.missed[3:]).all()
    level = [0.1, 0.1, 0.1 + 0.05 * (0.1 - 1), 0.1 - 0.045 + 0.005, 0.1 - 0.045 + 0.01]
    np.testing.assert_allclose(found.limit, 1 - np.array(level))
    assert found.level == pytest.approx(level[-1])


def test_a_label_has_no_effect_before_it_is_known():
    p, y = buys(*np.random.default_rng(1).random(60))
    time = np.arange(60)
    found = uniform().track(p, y, time, time + 7)
    other = y.copy()
    other[30:] = 0
    changed = uniform().track(p, other, time, time + 7).limit
    # The label of bar 30 is known at bar 37, not before.
    np.testing.assert_array_equal(found.limit[:37], changed[:37])
    assert (found.limit[37:] != changed[37:]).any()
    never = uniform().track(p, y, time, np.full(60, 10**9))
    np.testing.assert_array_equal(never.limit, 0.9)
    assert np.isnan(never.missed).all()


def drifting(n=20_000):
    """Calibrated probabilities that become overconfident in the second half."""
    random = np.random.default_rng(2)
    p = random.dirichlet([2, 2, 2], n)
    y = (random.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, 2).astype(np.int8)
    late = np.arange(n) > n // 2
    claimed = np.where(late[:, None], p**3 / (p**3).sum(axis=1, keepdims=True), p)
    return claimed, y, late


@pytest.mark.parametrize("delay", [1, 24])
def test_coverage_holds_on_a_drifting_series_where_a_fixed_limit_fails(delay):
    p, y, late = drifting()
    time = np.arange(len(y))
    sets = fit_conformal(p[:5_000], y[:5_000], 0.1, 0.01)
    tracked = sets.track(p, y, time, time + delay)
    covered = prediction_set_mask(p, tracked.limit)[time, y]
    fixed = prediction_set_mask(p, np.full(len(y), sets.initial_limit))[time, y]
    assert covered[5_000:10_000].mean() == pytest.approx(0.9, abs=0.01)
    assert covered[late].mean() == pytest.approx(0.9, abs=0.01)
    assert fixed[late].mean() < 0.85
    # Gibbs and Candès, proposition 4.1: for any series, with labels known at once.
    if delay == 1:
        bound = (max(sets.level, 1 - sets.level) + sets.rate) / (sets.rate * len(y))
        assert abs(np.nanmean(tracked.missed) - 0.1) <= bound


def test_rows_of_one_time_move_the_level_once_by_their_mean():
    p, y = buys(0.05, 0.5, 0.5)
    found = uniform().track(p, y, np.array([0, 0, 1]), np.array([1, 1, 2]))
    np.testing.assert_allclose(found.limit, [0.9, 0.9, 1 - (0.1 + 0.05 * (0.1 - 0.5))])


def test_levels_outside_0_to_1_give_all_classes_or_none():
    assert uniform().limit(0.0) == np.inf
    assert uniform().limit(-0.3) == np.inf
    assert uniform().limit(1.0) == -np.inf
    assert uniform().limit(0.25) == pytest.approx(0.75)
    assert prediction_set((0.2, 0.3, 0.5), np.inf) == tuple(Action)
    assert prediction_set((0.2, 0.3, 0.5), -np.inf) == ()
    assert prediction_set((0.2, 0.3, 0.5), 0.6) == (Action.BUY,)


def test_rows_without_probabilities_do_not_move_the_level():
    p, y = buys(0.05, 0.05, 0.5)
    p[0] = np.nan
    found = uniform().track(p, y, np.arange(3), np.arange(3) + 1)
    np.testing.assert_allclose(found.limit[:2], 0.9)
    assert np.isnan(found.missed[0])
    with pytest.raises(ModelError, match="no row"):
        fit_conformal(np.full((3, 3), np.nan), y, 0.1, 0.01)
    assert len(uniform().track(p[:0], y[:0], np.arange(0), np.arange(0)).limit) == 0


def track_reference(sets, probabilities, y, time, known_from):
    """Reference implementation of `track`: at each time the labels that became known, then the limit."""
    level, limits, missed = sets.level, np.full(len(y), np.nan), np.full(len(y), np.nan)
    for now in sorted(set(time.tolist())):
        before = time[time < now].max() if (time < now).any() else -np.inf
        for due in sorted({at for at in known_from.tolist() if before < at <= now}):
            errors = [missed[row] for row in np.flatnonzero(known_from == due) if not np.isnan(missed[row])]
            if errors:
                level += sets.rate * (sets.miss - sum(errors) / len(errors))
        for row in np.flatnonzero(time == now):
            limits[row] = sets.limit(level)
            nonconformity = 1 - probabilities[row, y[row]]
            if np.isfinite(nonconformity):
                missed[row] = float(nonconformity > limits[row])
    missed[known_from > time.max()] = np.nan
    return limits, missed, level


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from([0.01, 0.3]))
def test_track_equals_the_reference_bit_for_bit(seed, n, together, rate):
    random = np.random.default_rng(seed)
    time = np.sort(random.integers(0, max(1, n // together), n))
    known_from = time + random.integers(1, 8, n)
    known_from[random.random(n) < 0.1] = np.iinfo(np.int64).max
    p = random.dirichlet([1, 1, 1], n)
    p[random.random(n) < 0.1] = np.nan
    y = random.integers(0, 3, n).astype(np.int8)
    sets = Conformal(0.1, rate, float(random.choice([0.1, 0.02, 0.97])), np.sort(random.random(201)))
    found = sets.track(p, y, time, known_from)
    limits, missed, level = track_reference(sets, p, y, time, known_from)
    np.testing.assert_array_equal(found.limit, limits)
    np.testing.assert_array_equal(found.missed, missed)
    assert found.level == level
