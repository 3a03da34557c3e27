"""Weights rounded for their inputs, against rounding to the nearest step."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.models.quantise.rounding import rounded

LARGEST = 127
RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(0, 0.3, (24, 10)).astype(np.float32)
STEP = np.abs(WEIGHTS).max(axis=0) / LARGEST


def errors(inputs: np.ndarray) -> list[np.ndarray]:
    """Of products by weights that are rounded for the inputs, and by those to the nearest step."""
    wholes, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    exact = inputs @ WEIGHTS
    return [exact - inputs @ (wholes * STEP) - bias, exact - inputs @ (np.round(WEIGHTS / STEP) * STEP)]


def test_inputs_that_move_together_make_up_for_one_another() -> None:
    moves = RANDOM.normal(0, 1, (6, 24))
    inputs = (RANDOM.normal(0, 1, (4_000, 6)) @ moves).astype(np.float32)
    ours, nearest = (np.square(each).mean() for each in errors(inputs))
    assert ours < 0.1 * nearest
    later = (RANDOM.normal(0, 1, (4_000, 6)) @ moves).astype(np.float32)  # which it has not seen
    wholes, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    assert np.square(later @ WEIGHTS - later @ (wholes * STEP) - bias).mean() < 0.1 * nearest


def test_inputs_that_have_nothing_in_common_are_rounded_to_the_nearest_step() -> None:
    inputs = np.concatenate([np.eye(24), -np.eye(24)]).astype(np.float32)
    wholes, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    np.testing.assert_array_equal(wholes, np.round(WEIGHTS / STEP))
    np.testing.assert_allclose(bias, 0, atol=1e-7)


def test_no_error_has_a_mean() -> None:
    ours, nearest = errors(RANDOM.uniform(0, 1, (1_000, 24)).astype(np.float32))
    assert np.abs(ours.mean(axis=0)).max() < 0.02 * np.abs(nearest.mean(axis=0)).max()


@pytest.mark.parametrize("inputs", [np.zeros((5, 24), np.float32), np.ones((1, 24), np.float32)], ids=["zero", "one"])
def test_wholes_are_bytes_whatever_the_inputs(inputs: np.ndarray) -> None:
    wholes, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    assert np.abs(wholes).max() <= LARGEST
    np.testing.assert_array_equal(wholes, np.round(wholes))
    assert np.isfinite(bias).all()
