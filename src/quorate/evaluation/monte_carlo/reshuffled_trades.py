"""The account's closed trades in random order, and drawn with replacement. Each keeps its result in money."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray


def reshuffled(net_usd: FloatArray, start_usd: float, draws: int, seed: int) -> FloatArray:
    """(draws,) maximum drawdown over closed trades, a fraction, of (n,) trades in random orders.

    The final equity is the same in every order.
    """
    generator = np.random.default_rng(seed)
    return np.array([closed_drawdown(generator.permutation(net_usd), start_usd) for _ in range(draws)])


def redrawn(net_usd: FloatArray, start_usd: float, draws: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """(draws,) return and maximum drawdown over closed trades, fractions, of n trades drawn with replacement."""
    generator = np.random.default_rng(seed)
    found = np.empty((2, draws))
    for place in range(draws):
        drawn = net_usd[generator.integers(0, len(net_usd), len(net_usd))]
        found[:, place] = drawn.sum() / start_usd, closed_drawdown(drawn, start_usd)
    return found[0], found[1]


def closed_drawdown(net_usd: FloatArray, start_usd: float) -> float:
    """Maximum drawdown of an account after each of (n,) closed trades, a fraction of the running peak.

    >>> closed_drawdown(np.array([100.0, -50.0, 20.0]), 400.0)
    0.1
    """
    equity = start_usd + np.cumsum(net_usd)
    peak = np.maximum(np.maximum.accumulate(equity), start_usd)
    return float((1 - equity / peak).max(initial=0.0))
