"""Rows in three parts, in order of time across all symbols."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import TargetError
from quorate.core.types import IntArray

# A share such as 0.7 + 0.15 may come out a hair under what was meant.
_HAIR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class TimeSplit:
    """Row numbers of each part, ascending.

    Attributes:
        train, validation, test: int64; every label of a part ends before the next part's first bar.
    """

    train: IntArray
    validation: IntArray
    test: IntArray


def time_split(time: IntArray, span_end: IntArray, train: float, validation: float) -> TimeSplit:
    """Cut rows of many symbols at two moments, and purge at each seam.

    The moments are the distinct bar times number floor(train * n) and floor((train + validation) * n). A row of an
    earlier part stays only if its label ends before the later part's first bar. The test part is never purged.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        train: share of the distinct bar times in the first part.
        validation: in the second; the rest is the test part.

    Raises:
        TargetError: no rows, arrays of different lengths, shares over 1, or no row left to train.

    >>> time = np.arange(10)
    >>> split = time_split(time, time + 1, 0.6, 0.2)
    >>> split.train, split.validation, split.test
    (array([0, 1, 2, 3, 4]), array([6]), array([8, 9]))
    """
    if len(time) != len(span_end) or not len(time):
        raise TargetError("split the rows", found=f"{len(time)} times and {len(span_end)} label spans", expected="rows")
    if not (train > 0 and validation >= 0 and train + validation <= 1 + _HAIR):
        raise TargetError(
            "split the rows",
            found=f"shares train {train:g}, validation {validation:g}",
            expected="a train share above 0, and no more than 1 in all",
        )
    times = np.unique(time)
    seams = []
    for share in (train, train + validation):
        cut = min(math.floor(share * len(times) + _HAIR), len(times))
        seams.append(int(times[cut]) if cut < len(times) else int(np.iinfo(np.int64).max))
    first, second = seams
    fitted = np.flatnonzero((time < first) & (span_end < first))
    if not len(fitted):
        raise TargetError(
            "split the rows",
            found=f"no label that ends before the second part, in {len(times)} bar times",
            expected="a training part longer than the label's horizon",
            remedy="Choose a longer span.",
        )
    return TimeSplit(
        fitted,
        np.flatnonzero((time >= first) & (time < second) & (span_end < second)),
        np.flatnonzero(time >= second),
    )
