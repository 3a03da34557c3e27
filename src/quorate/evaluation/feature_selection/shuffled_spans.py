"""Rows in another order, in which neighbours in time stay neighbours.

Shuffling single rows would also destroy the autocorrelation of a column, and give a model inputs that no market has.
Here the bars are cut at random times into spans, and the spans are put in random order, the same for all markets.
Lengths differ, so that a column such as the hour of the day moves too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.types import IntArray


def shuffled_spans(
    time: IntArray, symbol: npt.NDArray[np.integer[Any]], span_ms: int, generator: np.random.Generator
) -> IntArray:
    """For each row, the row of the same market whose values it takes.

    Args:
        time: (n,) int64 open times in ms, in any order; each once for a market.
        symbol: (n,) number of each row's market.
        span_ms: mean length of a span; lengths are geometric.
        generator: draws the cuts and the order.

    Returns:
        (n,) int64 row numbers, a permutation within each market.

    >>> time, one_market = np.arange(6) * 10, np.zeros(6, np.int64)
    >>> shuffled_spans(time, one_market, 30, np.random.default_rng(5))
    array([4, 5, 0, 1, 2, 3])
    """
    times, bar = np.unique(time, return_inverse=True)
    passed = np.diff(times, prepend=times[:1])
    # A bar begins a span with the chance that lies in the time since the bar before it.
    begins = generator.random(len(times)) < -np.expm1(-passed / span_ms)
    span = np.cumsum(begins)
    order = generator.permutation(int(span.max(initial=0)) + 1)
    found = np.empty(len(time), np.int64)
    found[np.lexsort((bar, symbol))] = np.lexsort((bar, order[span[bar]], symbol))
    return found
