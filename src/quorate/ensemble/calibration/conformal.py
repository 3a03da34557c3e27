"""Prediction sets by adaptive conformal inference: their coverage holds although the distribution changes.

A set holds every class whose nonconformity, 1 - probability, is at most a limit. Each label that becomes known moves
the limit up or down, so that over time the share of rows whose class is not in its set approaches the target.

Reference: Gibbs and Candès (2021), Adaptive Conformal Inference Under Distribution Shift, arXiv 2106.00170, section 2;
the nonconformity 1 - p is that of Sadinle, Lei and Wasserman (2019), arXiv 1609.00451.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, IntArray

# The distribution of nonconformity is stored as its quantiles at this many equal steps.
_QUANTILES = 201

_ACTIONS = tuple(Action)


class TrackedSets(NamedTuple):
    """Result of `Conformal.track` for n rows.

    Attributes:
        limit: (n,) float64; the set of a row holds the classes with 1 - probability of at most this.
        missed: (n,) float64, 1 if the true class was not in the set, 0 if it was; NaN where that is not known.
        level: miss rate that the limit aims at, after the last row.
    """

    limit: FloatArray
    missed: FloatArray
    level: float


@dataclass(frozen=True, eq=False)
class Conformal:
    """Adaptive prediction sets.

    Attributes:
        miss: target miss rate, the share of rows whose class may lie outside the set.
        rate: step size of the level for each label.
        level: initial level: `miss`, or the level after earlier rows.
        quantiles: (201,) of 1 - p of the true class, on rows that nothing was fitted on.
    """

    miss: float
    rate: float
    level: float
    quantiles: FloatArray

    @cached_property
    def initial_limit(self) -> float:
        """The limit before any label is known."""
        return self.limit(self.level)

    def limit(self, level: float) -> float:
        """The quantile at 1 - level; infinity (all classes) for a level of 0 or less, -infinity (none) from 1 on."""
        if level <= 0:
            return np.inf
        if level >= 1:
            return -np.inf
        position = (1 - level) * (len(self.quantiles) - 1)
        below = int(position)
        low, high = self.quantiles[below], self.quantiles[min(below + 1, len(self.quantiles) - 1)]
        return float(low + (position - below) * (high - low))

    def track(self, probabilities: FloatArray, y: ActionArray, time: IntArray, known_from: IntArray) -> TrackedSets:
        """Limits of the rows' sets, each adapted to the labels known at its time.

        Labels that become known together move the level once, by their mean.

        Args:
            probabilities: (n, 3); NaN rows have no set and do not move the level.
            y: (n,) true classes.
            time: (n,) int64 ms, non-decreasing.
            known_from: (n,) int64 ms, the first time at which a row's label is known, later than the row's own time;
                later than all times if it never is.
        """
        n = len(time)
        if not n:
            return TrackedSets(np.empty(0), np.empty(0), self.level)
        nonconformity = 1 - probabilities[np.arange(n), y]
        observed = np.flatnonzero(np.isfinite(nonconformity))
        # Labels that become known together form one group; groups in order of time.
        observed = observed[np.argsort(known_from[observed], kind="stable")]
        known_times, begins = np.unique(known_from[observed], return_index=True)
        firsts = np.flatnonzero(np.diff(time, prepend=time[0] - 1))
        limits, missed, level = self._adapt(
            nonconformity.tolist(),
            observed.tolist(),
            [*begins.tolist(), len(observed)],
            [*firsts.tolist(), n],
            np.searchsorted(known_times, time[firsts], side="right").tolist(),
        )
        known = np.isfinite(nonconformity) & (known_from <= time[-1])
        return TrackedSets(np.repeat(limits, np.diff(firsts, append=n)), np.where(known, missed, np.nan), level)

    def _adapt(
        self,
        nonconformity: list[float],
        observed: list[int],
        begins: list[int],
        firsts: list[int],
        groups_known: list[int],
    ) -> tuple[list[float], list[float], float]:
        """Loop of `track`, on Python numbers for speed: each step depends on the one before.

        Args:
            nonconformity: 1 - p of the true class, of each row.
            observed: rows whose labels move the level, in the order in which they become known.
            begins: index into `observed` of each group's first row, and the length of `observed`.
            firsts: first row of each time, and n.
            groups_known: number of groups known at each time.

        Returns:
            The limit at each time, 1 or 0 for each row that was missed or not, and the final level.
        """
        rate, miss, level, steps = self.rate, self.miss, self.level, len(self.quantiles) - 1
        quantiles = [*self.quantiles.tolist(), self.quantiles[-1].item()]
        limits: list[float] = []
        missed: list[float] = []
        group = 0
        for index, known in enumerate(groups_known):
            while group < known:
                begin, end = begins[group], begins[group + 1]
                miss_rate = missed[observed[begin]] if end - begin == 1 else self._mean(missed, observed[begin:end])
                level += rate * (miss - miss_rate)
                group += 1
            if 0 < level < 1:
                position = (1 - level) * steps
                below = int(position)
                low = quantiles[below]
                limit = low + (position - below) * (quantiles[below + 1] - low)
            else:
                limit = np.inf if level <= 0 else -np.inf
            limits.append(limit)
            missed += [float(value > limit) for value in nonconformity[firsts[index] : firsts[index + 1]]]
        return limits, missed, level

    @staticmethod
    def _mean(missed: list[float], rows: list[int]) -> float:
        return sum([missed[row] for row in rows]) / len(rows)

    def to_json(self) -> dict[str, Any]:
        """JSON object for calibration.json."""
        return {"miss": self.miss, "rate": self.rate, "level": self.level, "quantiles": self.quantiles.tolist()}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: values are missing, out of range or not sorted.
        """
        quantiles = np.array(tree["quantiles"], np.float64)
        conformal = cls(float(tree["miss"]), float(tree["rate"]), float(tree["level"]), quantiles)
        valid = len(quantiles) == _QUANTILES and (np.diff(quantiles) >= 0).all() and np.isfinite(quantiles).all()
        if not (valid and 0 < conformal.miss < 1 and conformal.rate >= 0 and np.isfinite(conformal.level)):
            raise ValueError("conformal quantiles that are not sorted, or a miss rate outside 0 to 1")
        return conformal


def fit_conformal(probabilities: FloatArray, y: ActionArray, miss: float, rate: float) -> Conformal:
    """Fit prediction sets on rows that nothing was fitted on.

    Args:
        probabilities: (n, 3); NaN rows are left out.
        y: (n,) true classes.
        miss: target miss rate, a share of rows.
        rate: step size of the adaptation.

    Raises:
        ModelError: no row with probabilities.
    """
    nonconformity = 1 - probabilities[np.arange(len(y)), y]
    nonconformity = nonconformity[np.isfinite(nonconformity)]
    if not len(nonconformity):
        raise ModelError("fit prediction sets", found="no row with probabilities", expected="at least one")
    return Conformal(miss, rate, miss, np.quantile(nonconformity, np.linspace(0, 1, _QUANTILES)))


def prediction_set_mask(probabilities: FloatArray, limit: FloatArray) -> BoolArray:
    """(n, 3) bool, the classes in the sets of n rows; no class where a probability or limit is NaN."""
    return np.asarray(1 - probabilities <= limit[:, None])


def prediction_set(probabilities: tuple[float, float, float], limit: float) -> tuple[Action, ...]:
    """The classes in the set of one row, in class order.

    >>> [action.name for action in prediction_set((0.1, 0.3, 0.6), 0.75)]
    ['HOLD', 'BUY']
    """
    return tuple([action for action in _ACTIONS if 1 - probabilities[action] <= limit])
