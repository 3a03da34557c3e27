"""Gaps in the funding settlements of a market.

Exchanges settle every 1, 2, 4 or 8 hours, and change the interval of a market without notice. A market's own interval
before and after two settlements therefore says whether others are missing between them.
"""

from __future__ import annotations

import numpy as np

from quorate.core.clock import MINUTE_MS
from quorate.core.types import BoolArray, IntArray

# Intervals on each side whose median is the interval of that side: one hole among them does not change it.
_NEIGHBOURS = 3

# Settlements are stamped up to a minute early or late, so the distances between them, and their difference from an
# interval that was measured the same way, vary by up to four minutes.
_TOLERANCE_MS = 4 * MINUTE_MS


def funding_gaps(time: IntArray) -> IntArray:
    """Spans between settlements in which at least one is missing.

    A distance between two settlements is a gap if it is longer than the market's interval before it and also longer
    than its interval after it. A change of interval, in either direction, is not one. The interval of a side is the
    median of the three distances next to it, the shorter of the middle two where there are only two; a market's only
    distance is compared with nothing and is not a gap.

    Args:
        time: (n,) settlement times in ms UTC, ascending, without duplicates.

    Returns:
        (k, 2) ms UTC, ascending: when the first missing settlement was due, and when settlements begin again. The
        first is the last settlement before the gap plus the shorter of the two intervals.

    >>> hour = 3_600_000
    >>> (funding_gaps(np.array([0, 1, 2, 3, 10, 11, 12, 13]) * hour) / hour).tolist()
    [[4.0, 10.0]]
    >>> funding_gaps(np.array([0, 8, 16, 24, 25, 26, 27]) * hour).tolist()
    []
    """
    distance = np.diff(time)
    before, after = _sides(distance)
    gaps = np.flatnonzero(_is_gap(distance, before, after))
    due = time[gaps] + np.minimum(before, after)[gaps]
    return np.stack([due, time[gaps + 1]], axis=1).astype(np.int64)


def funding_intervals(time: IntArray) -> IntArray:
    """Interval of the market at each settlement, in ms.

    Args:
        time: (n,) settlement times in ms UTC, ascending, without duplicates.

    Returns:
        (n,) ms: the shorter of the intervals before and after the settlement; 0 where a single settlement has none.
    """
    if len(time) < 2:
        return np.zeros(len(time), dtype=np.int64)
    distance = np.diff(time)
    longest = np.iinfo(np.int64).max
    # The interval of a side of a settlement includes the distance next to it.
    after = _median_of_next(distance)
    before = _median_of_next(distance[::-1])[::-1]
    shorter: IntArray = np.minimum(np.append(after, longest), np.insert(before, 0, longest))
    return shorter


def _is_gap(distance: IntArray, before: IntArray, after: IntArray) -> BoolArray:
    longest = np.iinfo(np.int64).max
    known = (before < longest) | (after < longest)
    # A side without an interval, at either end, says nothing.
    usual = np.maximum(np.where(before < longest, before, 0), np.where(after < longest, after, 0))
    gap: BoolArray = known & (distance > usual + _TOLERANCE_MS)
    return gap


def _sides(distance: IntArray) -> tuple[IntArray, IntArray]:
    """(n,) the interval before and after each distance; the largest int64 where there is none."""
    longest = np.full(1, np.iinfo(np.int64).max)
    after = np.concatenate([_median_of_next(distance)[1:], longest])[: len(distance)]
    before = np.concatenate([longest, _median_of_next(distance[::-1])[::-1][:-1]])[: len(distance)]
    return before, after


def _median_of_next(distance: IntArray) -> IntArray:
    """(n,) the lower median of each value and the two after it, of fewer at the end."""
    if not len(distance):
        return distance
    padded = np.concatenate([distance, np.full(_NEIGHBOURS - 1, np.iinfo(np.int64).max)])
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    there = np.minimum(len(distance) - np.arange(len(distance)), _NEIGHBOURS)
    medians: IntArray = windows[np.arange(len(distance)), (there - 1) // 2]
    return medians
