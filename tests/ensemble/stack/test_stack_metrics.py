"""Relative improvements of the stack."""

import math

import pytest

from quorate.ensemble.stack.stack_metrics import improvement, improvements


@pytest.mark.parametrize(
    ("own", "other", "found"),
    # The original system reported 1.578 against a best member of 1.433 as an improvement: it is worse.
    [(1.0, 2.0, 0.5), (2.0, 1.0, -1.0), (1.42, 1.42, 0.0), (1.578, 1.433, -0.10118632)],
)
def test_a_smaller_error_is_a_positive_improvement(own, other, found):
    assert improvement(own, other) == pytest.approx(found)


def test_an_error_of_zero_has_no_relative_improvement():
    assert math.isnan(improvement(1.0, 0.0))


def test_the_stack_is_compared_with_members_and_baselines():
    figures = {"a": {"rmse": 0.02}, "stack": {"rmse": 0.01}, "predict_zero": {"rmse": None}}
    assert improvements(figures) == {"a": pytest.approx(0.5), "predict_zero": None}
