"""Weights of a linear pool: against a fine grid, the limits of the shrinkage, noise, abstentions."""

import itertools

import numpy as np
import pytest

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.pool_weights import pool_objective, pool_weights

ANCHOR = np.array([0.25, 0.45, 0.30])


def table(seed, n=400, abstain=0.0):
    generator = np.random.default_rng(seed)
    p = generator.uniform(0.05, 0.95, (n, 3)) ** np.array([1.0, 1.3, 0.8])
    p[generator.random(p.shape) < abstain] = np.nan
    return p


def grid(p, strength, steps=60):
    shares = [(a, b, steps - a - b) for a, b in itertools.product(range(1, steps), repeat=2) if a + b < steps]
    return min(pool_objective(p, ANCHOR, strength, np.array(each) / steps) for each in shares)


@pytest.mark.parametrize("abstain", [0.0, 0.3])
@pytest.mark.parametrize("strength", [0.0, 0.01, 0.3, 5.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_point_of_a_fine_grid_is_better(seed, strength, abstain):
    p = table(seed, abstain=abstain)
    found = pool_weights(p, ANCHOR, strength)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()
    here, best = pool_objective(p, ANCHOR, strength, found), grid(p, strength)
    assert here <= best + 1e-8
    assert here >= best - 2e-3  # the grid is fine: no objective of another function would be so near


def test_an_inner_optimum_has_equal_slopes():
    """At the optimum of a likelihood on the simplex all weights above 0 explain the same (Karush-Kuhn-Tucker)."""
    p = table(4, n=2_000)
    found = pool_weights(p, ANCHOR, 0.0)
    slopes = (p / (p @ found)[:, None]).mean(axis=0)
    assert slopes[found > 1e-6] == pytest.approx(1, abs=1e-4)
    assert (slopes <= 1 + 1e-4).all()


def test_the_limits_of_the_shrinkage():
    p = table(3)
    assert pool_weights(p, ANCHOR, np.inf).tolist() == ANCHOR.tolist()
    assert pool_weights(p, ANCHOR, 1e6) == pytest.approx(ANCHOR, abs=1e-4)
    assert pool_weights(p, 7 * ANCHOR, 0.5) == pytest.approx(pool_weights(p, ANCHOR, 0.5))
    away = [np.abs(pool_weights(p, ANCHOR, strength) - ANCHOR).sum() for strength in (0, 0.01, 0.1, 1, 10)]
    assert away == sorted(away, reverse=True)


def test_a_model_that_is_noise_gets_nothing_and_the_better_one_all():
    generator = np.random.default_rng(5)
    good = generator.uniform(0.4, 0.8, 3_000)
    found = pool_weights(np.column_stack([good, good - 0.2, generator.uniform(0.05, 0.55, 3_000)]), ANCHOR, 0.0)
    assert found[0] > 0.999


def test_a_model_that_never_voted_keeps_the_share_of_its_prior():
    p = table(6)
    p[:, 2] = np.nan
    found = pool_weights(p, ANCHOR, 0.2)
    assert found[:2] / found[:2].sum() == pytest.approx(pool_weights(p[:, :2], ANCHOR[:2], 0.2 * 0.7), abs=1e-3)


def test_what_cannot_be_fitted_is_refused():
    for p, anchor, strength in (
        (np.full((3, 3), np.nan), ANCHOR, 0.0),
        (table(1), np.array([0.5, 0.5, 0.0]), 0.0),
        (table(1), ANCHOR, -1.0),
    ):
        with pytest.raises(EvaluationError, match="fit weights"):
            pool_weights(p, anchor, strength)
