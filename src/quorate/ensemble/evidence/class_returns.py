"""Mean returns of the classes, without the drift of the span that they are estimated on."""

from __future__ import annotations

import numpy as np

from quorate.core.types import CLASS_NAMES, ActionArray, FloatArray, IntArray
from quorate.ensemble.evidence.days import day_means, day_numbers, shrinkage

# With fewer markets at a bar, their mean is mostly the market's own return.
FEWEST_MARKETS = 5


def market_relative(forward_return: FloatArray, time: IntArray) -> FloatArray:
    """Forward returns less the mean of all markets at the same bar; unchanged where fewer than five have a row.

    Args:
        forward_return: (n,) fractions, finite.
        time: (n,) int64 open times in ms, in any order.

    >>> market_relative(np.array([0.01, 0.02, 0.03, 0.05, 0.09, 0.07]), np.array([0, 0, 0, 0, 0, 9])).round(3).tolist()
    [-0.03, -0.02, -0.01, 0.01, 0.05, 0.07]
    """
    if not len(time):
        return forward_return
    bars, place = np.unique(time, return_inverse=True)
    markets = np.bincount(place, minlength=len(bars))
    mean = np.bincount(place, forward_return, len(bars)) / markets
    return np.asarray(forward_return - np.where(markets >= FEWEST_MARKETS, mean, 0.0)[place])


def class_returns(forward_return: FloatArray, y: ActionArray, time: IntArray) -> tuple[float, float, float]:
    """Mean return of SELL, HOLD and BUY rows, as far as the days support it.

    Returns are taken less the market's own (`market_relative`). Each mean is shrunk towards 0 by its evidence over
    days (`shrinkage`). Then the three are shifted so that a bar of average class shares has an expectation of 0: the
    drift of the span would otherwise prefer one side on every bar.

    Args:
        forward_return: (n,) fractions, finite.
        y: (n,) classes.
        time: (n,) int64 open times in ms, in any order.

    Returns:
        Fractions; 0 for a class without rows on two days, before the shift.
    """
    relative = market_relative(forward_return, time)
    day, days = day_numbers(time)
    shares = np.bincount(y, minlength=len(CLASS_NAMES)) / max(1, len(y))
    means = np.zeros(len(CLASS_NAMES))
    for place in range(len(CLASS_NAMES)):
        own = y == place
        if own.any():
            means[place] = shrinkage(day_means(relative, day, days, own)) * relative[own].mean()
    sell, hold, buy = (means - shares @ means).tolist()
    return sell, hold, buy
