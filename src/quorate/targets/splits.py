"""Time splits: train, validation and test parts across all symbols, and the slices of the validation part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import TargetError
from quorate.core.sections.learning import SplitSettings
from quorate.core.types import IntArray

# Tolerance for rounding in sums of shares such as 0.7 + 0.15.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class TimeSplit:
    """Row numbers of each part, ascending.

    Attributes:
        train, validation, test: int64; every label of a part ends before the next part's first bar.
    """

    train: IntArray
    validation: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Row numbers of the slices after training, ascending; no two of them share a row.

    Attributes:
        stop: int64, rows for early stopping.
        calibrate: int64, rows for calibration.
        choose: int64, rows for the choice of the policy and its thresholds.

    Every label of a slice ends before the next slice's first bar.
    """

    stop: IntArray
    calibrate: IntArray
    choose: IntArray


def time_split(time: IntArray, span_end: IntArray, train: float, validation: float) -> TimeSplit:
    """Split rows of many symbols at two times, with purging at each boundary.

    The boundaries are the distinct bar times number floor(train * n) and floor((train + validation) * n). A row of an
    earlier part is kept only if its label ends before the first bar of the later part. The test part is not purged.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64, open time in ms of the last bar whose close each label uses.
        train: share of the distinct bar times in the training part.
        validation: share in the validation part; the rest is the test part.

    Raises:
        TargetError: no rows, arrays of different lengths, shares above 1 in all, or no row left to train on.

    >>> time = np.arange(10)
    >>> split = time_split(time, time + 1, 0.6, 0.2)
    >>> split.train, split.validation, split.test
    (array([0, 1, 2, 3, 4]), array([6]), array([8, 9]))
    """
    if len(time) != len(span_end) or not len(time):
        raise TargetError("split the rows", found=f"{len(time)} times and {len(span_end)} label spans", expected="rows")
    if not (train > 0 and validation >= 0 and train + validation <= 1 + _TOLERANCE):
        raise TargetError(
            "split the rows",
            found=f"`train` {train:g}, `validation` {validation:g}",
            expected="a training share above 0, and at most 1 in all",
        )
    times = np.unique(time)
    first, second = (_boundary(times, share) for share in (train, train + validation))
    fitted = np.flatnonzero((time < first) & (span_end < first))
    if not len(fitted):
        raise TargetError(
            "split the rows",
            found=f"no label that ends before the validation part, in {len(times)} bar times",
            expected="a training part longer than the label's horizon",
            remedy="Choose a longer span.",
        )
    return TimeSplit(
        fitted,
        np.flatnonzero((time >= first) & (time < second) & (span_end < second)),
        np.flatnonzero(time >= second),
    )


def validation_slices(time: IntArray, span_end: IntArray, rows: IntArray, settings: SplitSettings) -> Slices:
    """Split a validation part into its three slices, with purging at each boundary; slices can be empty.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64, open time in ms of the last bar whose close each label uses.
        rows: row numbers of the part.
        settings: shares of the slices.

    >>> time = np.arange(20)
    >>> cut = validation_slices(time, time + 1, np.arange(10, 20), SplitSettings(stop=0.3, calibrate=0.4))
    >>> cut.stop, cut.calibrate, cut.choose
    (array([10, 11]), array([13, 14, 15]), array([17, 18, 19]))
    """
    own, end = time[rows], span_end[rows]
    first, second = (_boundary(np.unique(own), share) for share in (settings.stop, settings.stop + settings.calibrate))
    return Slices(
        rows[(own < first) & (end < first)],
        rows[(own >= first) & (own < second) & (end < second)],
        rows[own >= second],
    )


def training_slices(
    time: IntArray, span_end: IntArray, rows: IntArray, settings: SplitSettings
) -> tuple[IntArray, Slices]:
    """Split rows into training rows and the slices after them, without a test part.

    The slices have the share that the validation part has of train and validation together, so that members are trained
    as in a bundle. Where that leaves no row to train on, all rows are training rows and the slices are empty.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64, open time in ms of the last bar whose close each label uses.
        rows: row numbers to split.
        settings: the shares.

    Returns:
        Training rows, ascending, and the slices.
    """
    share = settings.validation / (settings.train + settings.validation)
    own, end = time[rows], span_end[rows]
    boundary = _boundary(np.unique(own), 1 - share)
    fitted = rows[(own < boundary) & (end < boundary)]
    later = rows[own >= boundary]
    if not len(fitted):
        fitted, later = rows, rows[:0]
    return fitted, validation_slices(time, span_end, later, settings)


def _boundary(times: IntArray, share: float) -> int:
    """First time after a share of these increasing times; later than all of them where there is none."""
    cut = math.floor(share * len(times) + _TOLERANCE)
    return int(times[cut]) if cut < len(times) else int(np.iinfo(np.int64).max)
