"""The account's closed trades in random order, and drawn with replacement. Each keeps its result in money."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quorate.core.types import FloatArray

_CELLS = 2_000_000  # draws times trades that are computed at once


def reshuffled(net_usd: FloatArray, start_usd: float, draws: int, seed: int) -> FloatArray:
    """(draws,) maximum drawdown over closed trades, a fraction, of (n,) trades in random orders.

    The final equity is the same in every order.
    """
    generator = np.random.default_rng(seed)
    parts = [
        closed_drawdown(generator.permuted(np.broadcast_to(net_usd, (rows, len(net_usd))), axis=1), start_usd)
        for rows in _parts(draws, len(net_usd))
    ]
    return np.concatenate(parts)


def redrawn(net_usd: FloatArray, start_usd: float, draws: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """(draws,) return and maximum drawdown over closed trades, fractions, of n trades drawn with replacement."""
    generator, n = np.random.default_rng(seed), len(net_usd)
    gained, depth = [], []
    for rows in _parts(draws, n):
        drawn = net_usd[generator.integers(0, n, (rows, n))]
        gained.append(drawn.sum(axis=1) / start_usd)
        depth.append(closed_drawdown(drawn, start_usd))
    return np.concatenate(gained), np.concatenate(depth)


def closed_drawdown(net_usd: FloatArray, start_usd: float) -> FloatArray:
    """(draws,) maximum drawdown of accounts after each of (draws, n) closed trades, a fraction of the running peak.

    >>> closed_drawdown(np.array([[100.0, -50.0, 20.0]]), 400.0)
    array([0.1])
    """
    equity = start_usd + np.cumsum(net_usd, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), start_usd)
    return np.asarray((1 - equity / peak).max(axis=1, initial=0.0))


def _parts(draws: int, trades: int) -> Iterator[int]:
    """Numbers of draws that are computed at once."""
    most = max(1, _CELLS // trades)
    while draws > 0:
        yield min(most, draws)
        draws -= most
