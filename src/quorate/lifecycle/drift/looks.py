"""What a watcher sees day after day: each look is at the newest window of days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.evaluation.daily_sums import error_of_sums, skill_of_sums
from quorate.evaluation.drift_reference import DriftReference, WatchedScores
from quorate.evaluation.statistics.quantile_cells import largest_gap, stability_index
from quorate.evaluation.statistics.stationary_streams import window_sums

# A window with fewer rows than this share of the fullest one is not judged: candles are missing.
_LEAST_ROWS = 0.5


@dataclass(frozen=True, slots=True)
class WatchedDays:
    """Whole days up to a moment, the newest one last.

    Attributes:
        end: close of the newest bar, ms.
        count: number of days.
    """

    end: int
    count: int

    @classmethod
    def between(cls, first_bar: int, end: int) -> WatchedDays:
        """The whole days from a bar on, counted back from the end."""
        return cls(end, max(0, (end - first_bar) // DAY_MS))

    @property
    def start(self) -> int:
        """Start of the first day, ms."""
        return self.end - self.count * DAY_MS

    def number(self, time: IntArray) -> IntArray:
        """(n,) day of each open time, from 0; negative before the first day."""
        return np.asarray((np.asarray(time, np.int64) - self.start) // DAY_MS)

    def look_at(self, look: int, window: int) -> int:
        """Moment of a look, ms: the end of its window."""
        return self.start + (look + window) * DAY_MS


@dataclass(frozen=True, eq=False)
class FeatureLooks:
    """Distances of the features from the training part, look by look.

    Attributes:
        index: (looks, F) population stability index.
        gap: (looks, F) Kolmogorov-Smirnov distance.
        judged: (looks,) bool, whether the window has enough rows.
        reference: the limits.
    """

    index: FloatArray
    gap: FloatArray
    judged: BoolArray
    reference: DriftReference

    @classmethod
    def of(cls, counts: FloatArray, reference: DriftReference) -> FeatureLooks:
        """From (days, F, k) counts of each day; days are at least as many as a window."""
        windows = window_sums(counts, reference.window_days)
        rows = windows[:, 0].sum(axis=-1)
        expected = np.zeros(counts.shape[1:])
        for place, feature in enumerate(reference.features):
            expected[place, : len(feature.shares)] = feature.shares
        found = windows / np.maximum(windows.sum(axis=-1, keepdims=True), 1)
        judged = np.asarray(rows >= max(1.0, _LEAST_ROWS * float(rows.max(initial=0))))
        return cls(stability_index(expected, found), largest_gap(expected, found), judged, reference)

    @cached_property
    def alarms(self) -> BoolArray:
        """(looks, F) bool: a distance is above its limit."""
        index = np.array([feature.index_limit for feature in self.reference.features])
        gap = np.array([feature.gap_limit for feature in self.reference.features])
        return np.asarray(((self.index > index) | (self.gap > gap)) & self.judged[:, None])


@dataclass(frozen=True, eq=False)
class ScoreLooks:
    """Skill and calibration error of the ensemble, look by look; NaN where a window has too few labelled rows.

    Attributes:
        skill, error: (looks,).
        limits: of both.
    """

    skill: FloatArray
    error: FloatArray
    limits: WatchedScores

    @classmethod
    def of(cls, sums: FloatArray, window: int, limits: WatchedScores) -> ScoreLooks:
        """From (days, 3 + bins) sums of each day."""
        windows = window_sums(sums, window)
        rows = windows[:, 0]
        few = rows < max(1.0, _LEAST_ROWS * float(rows.max(initial=0)))
        return cls(np.where(few, np.nan, skill_of_sums(windows)), np.where(few, np.nan, error_of_sums(windows)), limits)

    @property
    def skill_alarms(self) -> BoolArray:
        """(looks,) bool: less skill than the limit."""
        return np.asarray(self.skill < self.limits.skill_limit)

    @property
    def error_alarms(self) -> BoolArray:
        """(looks,) bool: a larger calibration error than the limit."""
        return np.asarray(self.error > self.limits.error_limit)


def run_start(alarms: BoolArray) -> int | None:
    """Number of the first look of the alarms that last until the newest look; None where that has none.

    >>> run_start(np.array([True, False, True, True]))
    2
    """
    if not len(alarms) or not alarms[-1]:
        return None
    quiet = np.flatnonzero(~alarms)
    return int(quiet[-1]) + 1 if len(quiet) else 0


def episodes(alarms: BoolArray) -> int:
    """How many times alarms began.

    >>> episodes(np.array([True, False, True, True]))
    2
    """
    return int((alarms & ~np.concatenate([[False], alarms[:-1]])).sum()) if len(alarms) else 0
