from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.student_t import as_far_in_t, two_sided


@given(st.floats(-60, 60), st.floats(0.5, 1e6))
def test_it_is_scipys(statistic: float, freedom: float) -> None:
    assert two_sided(statistic, freedom) == pytest.approx(2 * stats.t.sf(abs(statistic), freedom), rel=1e-7, abs=1e-12)


def test_one_degree_of_freedom_is_cauchys() -> None:
    assert two_sided(1.0, 1) == pytest.approx(0.5)
    assert two_sided(math.sqrt(3), 1) == pytest.approx(1 / 3)


def test_its_edges() -> None:
    assert two_sided(math.inf, 3) == 0.0
    assert two_sided(0.0, 3) == 1.0
    assert math.isnan(two_sided(math.nan, 3))
    with pytest.raises(EvaluationError):
        two_sided(1.0, 0)


@pytest.mark.parametrize("freedom", [1, 3.5, 17, 500])
@pytest.mark.parametrize("deviation", [0.0, 1.0, 3.9, 6.0])
def test_a_deviation_is_as_rare_in_t_as_in_the_normal_distribution(deviation, freedom):
    expected = stats.t.isf(stats.norm.sf(deviation), freedom)
    assert as_far_in_t(deviation, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-6)
