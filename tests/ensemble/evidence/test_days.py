"""Days as observations, on tables worked by hand."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
from quorate.ensemble.evidence.class_returns import class_returns, market_relative
from quorate.ensemble.evidence.days import day_means, day_numbers, shrinkage


def test_rows_of_one_day_are_one_observation():
    time = np.array([1, 0, 1, 1, 4]) * DAY_MS + np.array([0, 5, 3, DAY_MS - 1, 0])
    day, days = day_numbers(time)
    assert day.tolist() == [1, 0, 1, 1, 2]
    means = day_means(np.array([1.0, 7.0, 2.0, 6.0, np.nan]), day, days, np.array([True, True, True, True, False]))
    np.testing.assert_array_equal(means, [7.0, 3.0, np.nan])


def test_many_markets_on_the_same_days_are_no_more_evidence():
    random = np.random.default_rng(1)
    one = random.normal(0.001, 0.01, 40)
    alone = shrinkage(one)
    # Fifty markets that move alike: the same forty days.
    day = np.tile(np.arange(40), 50)
    assert shrinkage(day_means(np.tile(one, 50), day, 40)) == pytest.approx(alone)
    # As rows they would be far more certain.
    assert shrinkage(np.tile(one, 50)) > alone + 0.2


def test_shrinkage_by_hand():
    # A mean of 2, and a variance of 4 over 4 observations: an error of 1.
    assert shrinkage(np.array([0.0, 2.0, 2.0, 4.0])) == pytest.approx(1 - (8 / 3 / 4) / 4)
    assert shrinkage(np.array([1.0])) == 0
    assert shrinkage(np.zeros(5)) == 0


def test_the_market_is_removed_at_bars_of_five_markets_or_more():
    time = np.repeat([0, 1], [5, 4])
    earned = np.array([0.01, 0.02, 0.03, 0.04, 0.10, 0.01, 0.02, 0.03, 0.04])
    np.testing.assert_allclose(
        market_relative(earned, time), [-0.03, -0.02, -0.01, 0.0, 0.06, 0.01, 0.02, 0.03, 0.04], atol=1e-12
    )
    assert market_relative(earned[:0], time[:0]).shape == (0,)


def drifting(drift, markets=8, days=30, seed=3):
    """Bars of markets that all rise by `drift` a bar, beside moves of their own."""
    random = np.random.default_rng(seed)
    time = np.repeat(np.arange(days * 24) * (DAY_MS // 24), markets)
    own = random.normal(0, 0.01, len(time))
    earned = own + drift
    y = np.where(earned > 0.005, 2, np.where(earned < -0.005, 0, 1)).astype(np.int8)
    return earned, y, time


@pytest.mark.parametrize("markets", [1, 8])
def test_the_drift_of_a_span_prefers_no_side(markets):
    earned, y, time = drifting(0.004, markets)
    found = np.array(class_returns(earned, y, time))
    shares = np.bincount(y, minlength=3) / len(y)
    assert shares @ found == pytest.approx(0, abs=1e-12)
    # Plain means promise the drift on every bar.
    plain = np.array([earned[y == place].mean() for place in range(3)])
    assert shares @ plain == pytest.approx(0.004, abs=1e-3)
    assert found[0] < found[1] < found[2]


def test_classes_without_evidence_promise_nothing():
    random = np.random.default_rng(5)
    y = random.integers(0, 3, 600).astype(np.int8)
    time = np.arange(600) * (DAY_MS // 24)
    found = class_returns(random.normal(0, 0.01, 600), y, time)
    assert np.abs(found).max() < 1e-3
    # A class that was never seen.
    seen = class_returns(np.where(y == 2, 0.01, -0.01), np.maximum(y, 1).astype(np.int8), time)
    assert np.isfinite(seen).all()
