"""Lows for TA-Lib's directional indicators, in which equal moves are equal to the last bit."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.arithmetic import ROUNDING


def lows_with_ties(high: FloatArray, low: FloatArray) -> FloatArray:
    """(n,) lows, changed by rounding errors so that a low falls by exactly as much as the high of its bar rises.

    Wilder's directional movement goes to the larger of both moves, and to neither where they are equal. Decimal prices
    are not exact in binary: of equal moves a rounding error makes one the larger, and another one if the prices are in
    other units. Moves that differ by less than 1e-12 of the price count as equal. The lows depend on no later bar, and
    are those given where no two moves are that close without being equal.

    Args:
        high: (n,).
        low: (n,).
    """
    # Both moves are equal where the middle of the bar stays.
    middle = high + low
    near = np.abs(middle[1:] - middle[:-1]) <= ROUNDING * high[1:]
    if not near.any():
        return low
    up, down = high[1:] - high[:-1], low[:-1] - low[1:]
    first = np.flatnonzero(near & (up != down))
    if not first.size:
        return low
    lows, rise = low.copy(), up.tolist()
    tied, done = near.tolist(), -1
    for start in first.tolist():
        row = start
        # A changed low also enters the next bar's move: equal moves are kept equal until a bar has none.
        while row > done and row < len(tied) and tied[row]:
            lows[row + 1] = lows[row] - rise[row]
            done = row
            row += 1
            if lows[row] == low[row] and (row >= len(tied) or up[row] == down[row]):
                break
    return lows
