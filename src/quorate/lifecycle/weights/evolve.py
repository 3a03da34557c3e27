"""Weights by an evolutionary optimiser, for an objective that is not convex.

Objective: the log-loss of the vote's own scores (`voted_scores`). As weights change, winners, conflicts and consensus
change with them, so it jumps; a gradient says nothing there. To it the same shrinkage is added as for convex weights.

Reference: Hansen (2016), The CMA Evolution Strategy: A Tutorial, arXiv 1604.00772.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from quorate.core.errors import MissingExtraError
from quorate.core.types import FloatArray

# Weights further apart than e^8, 3,000 times, are as good as 0.
_FURTHEST = 8.0


def require_cma() -> None:
    """Check that the optimiser is installed, before long work.

    Raises:
        MissingExtraError: cma is not installed.
    """
    if find_spec("cma") is None:
        raise MissingExtraError(
            "evolve member weights", found="no cma", expected="cma", remedy="Run: pip install 'quorate[lifecycle]'"
        )


def evolve(
    loss: Callable[[FloatArray], float],
    anchor: FloatArray,
    strength: float,
    *,
    evaluations: int,
    spread: float,
    seed: int,
) -> FloatArray:
    """(M,) weights that sum to 1, at least two, with the smallest loss found; the anchor where nothing is better.

    Args:
        loss: of (M,) positive weights that sum to 1; it may jump.
        anchor: (M,) positive weights, where the search begins and towards which it is shrunk.
        strength: factor of the Kullback-Leibler divergence of the weights from the anchor; infinity gives the anchor.
        evaluations: most evaluations of the loss.
        spread: initial standard deviation of the logarithms of the weights.
        seed: of the random numbers.

    Raises:
        MissingExtraError: cma is not installed.
    """
    anchor = anchor / anchor.sum()
    if math.isinf(strength) or len(anchor) < 2:
        return anchor
    require_cma()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Could not import matplotlib")
        import cma

    def weights_at(place: FloatArray) -> FloatArray:
        ahead = np.clip(np.asarray(place), -_FURTHEST, _FURTHEST)
        raw = anchor * np.exp(ahead - ahead.max())
        return np.asarray(raw / raw.sum())

    def objective(place: FloatArray) -> float:
        weights = weights_at(place)
        return loss(weights) - strength * float(anchor @ np.log(weights / anchor))

    generator = np.random.default_rng(seed)
    options: dict[str, Any] = {
        "verbose": -9,
        "verb_log": 0,
        "maxfevals": evaluations,
        # Its own generator: the global one of numpy belongs to the caller.
        "seed": np.nan,
        "randn": lambda *shape: generator.standard_normal(shape),
    }
    start = np.zeros(len(anchor))
    best, least = start, objective(start)
    search = cma.CMAEvolutionStrategy(start, spread, options)
    while not search.stop():
        places = search.ask()
        values = [objective(place) for place in places]
        search.tell(places, values)
        if min(values) < least:
            least, best = min(values), places[int(np.argmin(values))]
    return weights_at(best)
