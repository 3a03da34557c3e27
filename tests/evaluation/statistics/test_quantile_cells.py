"""Cells between quantiles, PSI and the Kolmogorov-Smirnov distance."""

import numpy as np
import pytest
from scipy import stats

from quorate.evaluation.statistics.quantile_cells import QuantileCells, largest_gap, shares_of, stability_index


def shares(cells, values):
    return shares_of(np.bincount(cells.place(values), minlength=len(cells)))


def test_cells_hold_about_as_many_values_each():
    values = np.random.default_rng(1).standard_normal(10_000)
    cells = QuantileCells.of(values, 10)
    assert len(cells) == 10
    assert shares(cells, values) == pytest.approx(np.full(10, 0.1), abs=2e-4)


def test_a_value_at_an_edge_is_in_the_lower_cell():
    cells = QuantileCells(np.array([1.0, 2.0]))
    assert cells.place(np.array([0.5, 1.0, 1.5, 2.0, 2.5])).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("values", "edges"),
    [([0, 0, 0, 1], [0]), ([3, 3, 3], []), ([0, 1, 1, 1], [0]), ([], []), ([1, 2, 3, 4], [1, 2, 3])],
)
def test_equal_values_share_a_cell_and_no_cell_is_empty(values, edges):
    values = np.array(values, np.float64)
    cells = QuantileCells.of(values, 4)
    assert cells.edges.tolist() == edges
    if len(values):
        assert (shares(cells, values) > 0).all()


def test_the_index_is_that_of_its_formula():
    expected, found = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2])
    assert stability_index(expected, found) == pytest.approx(-0.1 * np.log(0.8) + 0.1 * np.log(4 / 3))


def test_the_index_of_normal_samples_grows_with_the_square_of_the_shift():
    # Of two normal distributions of the same spread: the symmetric divergence is the squared shift.
    generator = np.random.default_rng(2)
    before = generator.standard_normal(200_000)
    cells = QuantileCells.of(before, 40)
    found = [float(stability_index(shares(cells, before), shares(cells, before + shift))) for shift in (0.25, 0.5)]
    assert found == pytest.approx([0.0625, 0.25], rel=0.03)


def test_an_empty_cell_is_no_infinity():
    assert np.isfinite(stability_index(np.array([0.5, 0.5]), np.array([1.0, 0.0])))


def test_the_gap_is_that_of_scipy_at_the_edges():
    generator = np.random.default_rng(3)
    before, after = generator.standard_normal(500), generator.standard_normal(400) * 1.4 + 0.2
    # An edge at every value: nothing is lost.
    cells = QuantileCells(np.unique(np.concatenate([before, after]))[:-1])
    assert largest_gap(shares(cells, before), shares(cells, after)) == pytest.approx(
        stats.ks_2samp(before, after).statistic
    )


def test_many_windows_at_once_are_those_one_by_one():
    generator = np.random.default_rng(4)
    counts = generator.integers(0, 20, (7, 3, 5))
    expected = shares_of(generator.integers(1, 20, (3, 5)))
    for distance in (stability_index, largest_gap):
        found = distance(expected, shares_of(counts))
        assert found.shape == (7, 3)
        assert found[4, 2] == pytest.approx(float(distance(expected[2], shares_of(counts[4, 2]))))


def test_no_rows_have_no_shares():
    assert shares_of(np.zeros((2, 3))).tolist() == [[0, 0, 0], [0, 0, 0]]
