"""The sign of an improvement, and everything on the same rows."""

import math

import pytest

from quorate.ensemble.stack.stack_metrics import improvement, improvements


@pytest.mark.parametrize(
    ("own", "other", "found"),
    # The original system's stack had 1.578 beside a best member of 1.433: worse, though it was called an improvement.
    [(1.0, 2.0, 0.5), (2.0, 1.0, -1.0), (1.42, 1.42, 0.0), (1.578, 1.433, -0.10118632)],
)
def test_a_smaller_error_is_an_improvement_above_zero(own, other, found):
    assert improvement(own, other) == pytest.approx(found)


def test_of_no_error_there_is_no_share():
    assert math.isnan(improvement(1.0, 0.0))


def test_the_stack_is_compared_with_everything_else():
    figures = {"a": {"rmse": 0.02}, "stack": {"rmse": 0.01}, "predict_zero": {"rmse": None}}
    assert improvements(figures) == {"a": pytest.approx(0.5), "predict_zero": None}
