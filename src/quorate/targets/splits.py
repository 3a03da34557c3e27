"""Rows in three parts, in order of time across all symbols, and the second of them in three slices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import TargetError
from quorate.core.sections.learning import SplitSettings
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


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Row numbers of what is fitted on the outputs of trained members, ascending; each use has rows of its own.

    Attributes:
        stop: int64, tell a member when to stop training.
        calibrate: int64, make probabilities of scores.
        choose: int64, choose the policy and its thresholds.

    Every label of a slice ends before the next slice's first bar.
    """

    stop: IntArray
    calibrate: IntArray
    choose: IntArray


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
    first, second = (_seam(times, share) for share in (train, train + validation))
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


def validation_slices(time: IntArray, span_end: IntArray, rows: IntArray, settings: SplitSettings) -> Slices:
    """Cut a validation part into its three slices, purged at each seam; slices of too short a part are empty.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        rows: the row numbers of the part.
        settings: the shares of the slices.

    >>> time = np.arange(20)
    >>> cut = validation_slices(time, time + 1, np.arange(10, 20), SplitSettings(stop=0.3, calibrate=0.4))
    >>> cut.stop, cut.calibrate, cut.choose
    (array([10, 11]), array([13, 14, 15]), array([17, 18, 19]))
    """
    own, end = time[rows], span_end[rows]
    first, second = (_seam(np.unique(own), share) for share in (settings.stop, settings.stop + settings.calibrate))
    return Slices(
        rows[(own < first) & (end < first)],
        rows[(own >= first) & (own < second) & (end < second)],
        rows[own >= second],
    )


def training_slices(
    time: IntArray, span_end: IntArray, rows: IntArray, settings: SplitSettings
) -> tuple[IntArray, Slices]:
    """What members are fitted on, and the slices after it, where no row is kept for a test.

    The later rows are as large a share as the validation part has of train and validation together, so that what is
    learned here has been learned as in a bundle. Where that would leave no row to train on, all rows train and the
    slices are empty.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        rows: the row numbers that may be learned from.
        settings: the shares.
    """
    share = settings.validation / (settings.train + settings.validation)
    own, end = time[rows], span_end[rows]
    seam = _seam(np.unique(own), 1 - share)
    fitted = rows[(own < seam) & (end < seam)]
    later = rows[own >= seam]
    if not len(fitted):
        fitted, later = rows, rows[:0]
    return fitted, validation_slices(time, span_end, later, settings)


def _seam(times: IntArray, share: float) -> int:
    """The first of these increasing times that lies after a share of them; later than all where none does."""
    cut = math.floor(share * len(times) + _HAIR)
    return int(times[cut]) if cut < len(times) else int(np.iinfo(np.int64).max)
