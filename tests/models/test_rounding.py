"""Rounding of weights for given inputs, against rounding to the nearest step."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.models.quantise.rounding import rounded

LARGEST = 127
RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(0, 0.3, (24, 10)).astype(np.float32)
STEP = np.abs(WEIGHTS).max(axis=0) / LARGEST


def errors(inputs: np.ndarray) -> list[np.ndarray]:
    """Errors of products with weights rounded for the inputs, and with weights rounded to the nearest step."""
    integers, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    exact = inputs @ WEIGHTS
    return [exact - inputs @ (integers * STEP) - bias, exact - inputs @ (np.round(WEIGHTS / STEP) * STEP)]


def test_correlated_inputs_have_a_lower_error() -> None:
    loadings = RANDOM.normal(0, 1, (6, 24))
    inputs = (RANDOM.normal(0, 1, (4_000, 6)) @ loadings).astype(np.float32)
    ours, nearest = (np.square(error).mean() for error in errors(inputs))
    assert ours < 0.1 * nearest
    unseen = (RANDOM.normal(0, 1, (4_000, 6)) @ loadings).astype(np.float32)
    integers, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    assert np.square(unseen @ WEIGHTS - unseen @ (integers * STEP) - bias).mean() < 0.1 * nearest


def test_weights_of_uncorrelated_inputs_are_rounded_to_the_nearest_step() -> None:
    inputs = np.concatenate([np.eye(24), -np.eye(24)]).astype(np.float32)
    integers, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    np.testing.assert_array_equal(integers, np.round(WEIGHTS / STEP))
    np.testing.assert_allclose(bias, 0, atol=1e-7)


def test_the_mean_error_is_zero() -> None:
    ours, nearest = errors(RANDOM.uniform(0, 1, (1_000, 24)).astype(np.float32))
    assert np.abs(ours.mean(axis=0)).max() < 0.02 * np.abs(nearest.mean(axis=0)).max()


@pytest.mark.parametrize("inputs", [np.zeros((5, 24), np.float32), np.ones((1, 24), np.float32)], ids=["zero", "one"])
def test_integers_are_bytes_for_any_inputs(inputs: np.ndarray) -> None:
    integers, bias = rounded(WEIGHTS, STEP, inputs, LARGEST)
    assert np.abs(integers).max() <= LARGEST
    np.testing.assert_array_equal(integers, np.round(integers))
    assert np.isfinite(bias).all()
