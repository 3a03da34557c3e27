"""The evolutionary optimiser: objectives with a known minimum, that jump, and the limits of the shrinkage."""

import numpy as np
import pytest

from quorate.lifecycle.weights.evolve import evolve

ANCHOR = np.array([0.25, 0.25, 0.3, 0.2])
OPTIONS = {"evaluations": 400, "spread": 0.5, "seed": 7}


def test_the_minimum_of_a_smooth_objective():
    target = np.array([0.1, 0.6, 0.1, 0.2])
    found = evolve(lambda weights: float(((weights - target) ** 2).sum()), ANCHOR, 0.0, **OPTIONS)
    assert found == pytest.approx(target, abs=0.02)


def test_an_objective_that_jumps():
    """A step that a gradient does not see: only weights whose first exceeds all others together are good."""
    found = evolve(lambda weights: float(weights[0] < 0.5) + 0.1 * float(weights[1]), ANCHOR, 0.0, **OPTIONS)
    assert found[0] > 0.5
    assert found[1] < 0.1


def test_the_limits_of_the_shrinkage():
    loss = lambda weights: -float(weights[0])  # noqa: E731 - as a caller writes it
    assert evolve(loss, ANCHOR, np.inf, **OPTIONS).tolist() == ANCHOR.tolist()
    assert evolve(loss, ANCHOR, 1e4, **OPTIONS) == pytest.approx(ANCHOR, abs=1e-3)
    far, near = (evolve(loss, ANCHOR, strength, **OPTIONS)[0] for strength in (0.0, 1.0))
    assert far > 0.99 > near > 0.25


def test_it_is_reproducible_and_leaves_the_random_numbers_of_others_alone():
    loss = lambda weights: float(((weights - 0.25) ** 2).sum())  # noqa: E731
    np.random.seed(3)  # noqa: NPY002 - the global generator is what is looked at
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (evolve(loss, ANCHOR, 0.0, **OPTIONS) for _ in range(2))
    assert first.tolist() == second.tolist()
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_nothing_better_than_the_anchor_leaves_it():
    found = evolve(lambda weights: float(np.abs(weights - ANCHOR).sum() > 1e-12), ANCHOR, 0.0, **OPTIONS)
    assert found == pytest.approx(ANCHOR)
