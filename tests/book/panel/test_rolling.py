"""Rolling and decayed statistics against pandas, and their independence of what lies outside the window."""

import numpy as np
import pandas as pd
import pytest

from quorate.book.panel import decayed, rolling


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (80, 5))
    x[rng.random(x.shape) < 0.15] = np.nan
    x[:20, 2] = np.nan
    return x


STATISTICS = {
    "sum": (rolling.rolling_sum, lambda r: r.sum()),
    "mean": (rolling.rolling_mean, lambda r: r.mean()),
    "highest": (rolling.rolling_highest, lambda r: r.max()),
    "lowest": (rolling.rolling_lowest, lambda r: r.min()),
    "median": (rolling.rolling_median, lambda r: r.median()),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(("rows", "least"), [(1, 1), (4, 1), (7, 3), (10, 10), (10, None), (200, 5)])
def test_equals_pandas(table, name, rows, least):
    ours, theirs = STATISTICS[name]
    expected = theirs(pd.DataFrame(table).rolling(rows, min_periods=least))
    np.testing.assert_allclose(ours(table, rows, least), expected, rtol=1e-10, atol=1e-12)


def test_covariance_equals_pandas(table):
    x, y = pd.DataFrame(table), pd.Series(table[:, 0])
    other = np.broadcast_to(table[:, [0]], table.shape)
    expected = x.apply(lambda column: column.rolling(12, min_periods=6).cov(y))
    np.testing.assert_allclose(rolling.rolling_covariance(table, other, 12, 6), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("limit", [None, 0, 1, 3])
def test_carried_forward_equals_pandas(table, limit):
    expected = table if limit == 0 else pd.DataFrame(table).ffill(limit=limit)
    np.testing.assert_array_equal(rolling.carried_forward(table, limit), expected)


@pytest.mark.parametrize("rows", [-90, -3, 0, 2, 90])
def test_shifted_equals_pandas(table, rows):
    np.testing.assert_array_equal(rolling.shifted(table, rows), pd.DataFrame(table).shift(rows))


@pytest.mark.parametrize(
    ("decay", "options"),
    [(decayed.half_life(5), {"halflife": 5}), (decayed.span(9), {"span": 9}), (1 - 1 / 14, {"alpha": 1 / 14})],
)
@pytest.mark.parametrize("least", [1, 10])
def test_decayed_equal_pandas(table, decay, options, least):
    expected = pd.DataFrame(table).ewm(**options, min_periods=least)
    np.testing.assert_allclose(decayed.decayed_mean(table, decay, least), expected.mean(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(decayed.decayed_deviation(table, decay, least), expected.std(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", STATISTICS)
def test_depends_on_the_window_alone(table, name):
    ours, _ = STATISTICS[name]
    whole, part = ours(table, 10, 4), ours(table[30:], 10, 4)
    np.testing.assert_array_equal(whole[40:], part[10:])
    poisoned = table.copy()
    poisoned[60:] = 1e300
    np.testing.assert_array_equal(ours(poisoned, 10, 4)[:60], whole[:60])
