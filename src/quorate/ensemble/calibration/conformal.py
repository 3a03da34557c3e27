"""Prediction sets that keep their promise while the market changes: adaptive conformal inference.

A set holds every class whose probability is large enough; how large is enough is moved after each label that becomes
known, up or down, so that over time the set misses what happened as often as was asked for.

Reference: Gibbs and Candès (2021), Adaptive Conformal Inference Under Distribution Shift, arXiv 2106.00170, section 2;
the score 1 - p is that of Sadinle, Lei and Wasserman (2019), arXiv 1609.00451.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, IntArray

# The distribution of nonconformity is kept as its quantiles at this many equal steps.
_QUANTILES = 201

_ACTIONS = tuple(Action)


class Tracked(NamedTuple):
    """What `Conformal.track` finds on n rows.

    Attributes:
        limit: (n,) float64; the set of a row holds the classes whose 1 - probability is at most this.
        missed: (n,) float64, 1 where what happened was not in the set, 0 where it was; NaN where neither is known.
        level: of the miss asked for, after the last row.
    """

    limit: FloatArray
    missed: FloatArray
    level: float


@dataclass(frozen=True, eq=False)
class Conformal:
    """Adaptive prediction sets.

    Attributes:
        miss: share of rows whose class the set may miss.
        rate: step of the level at each label.
        level: that it starts with; `miss` itself, or where earlier rows have moved it.
        quantiles: (201,) of 1 - p of what happened, on rows that nothing was fitted on.
    """

    miss: float
    rate: float
    level: float
    quantiles: FloatArray

    @cached_property
    def start(self) -> float:
        """The limit before any label has become known."""
        return self.limit(self.level)

    def limit(self, level: float) -> float:
        """The quantile at 1 - level: every class for a level of 0 or less, none for 1 or more."""
        if level <= 0:
            return np.inf
        if level >= 1:
            return -np.inf
        place = (1 - level) * (len(self.quantiles) - 1)
        below = int(place)
        low, high = self.quantiles[below], self.quantiles[min(below + 1, len(self.quantiles) - 1)]
        return float(low + (place - below) * (high - low))

    def track(self, probabilities: FloatArray, y: ActionArray, time: IntArray, known_from: IntArray) -> Tracked:
        """Walk through time, adapting to each label when it becomes known and not before.

        Rows of one time move the level together, by their mean.

        Args:
            probabilities: (n, 3); NaN rows have no set and teach nothing.
            y: (n,) what happened.
            time: (n,) int64 ms, not falling.
            known_from: (n,) int64, the first time at which a row's label is known, later than its own; a row whose
                label is never known has one that is later than all times.
        """
        n = len(time)
        if not n:
            return Tracked(np.empty(0), np.empty(0), self.level)
        happened = 1 - probabilities[np.arange(n), y]
        taught = np.flatnonzero(np.isfinite(happened))
        # Rows that become known together move the level together: a group of them each, in the order of arrival.
        taught = taught[np.argsort(known_from[taught], kind="stable")]
        arrivals, begins = np.unique(known_from[taught], return_index=True)
        firsts = np.flatnonzero(np.diff(time, prepend=time[0] - 1))
        limits, missed, level = self._walk(
            happened.tolist(),
            taught.tolist(),
            [*begins.tolist(), len(taught)],
            [*firsts.tolist(), n],
            np.searchsorted(arrivals, time[firsts], side="right").tolist(),
        )
        known = np.isfinite(happened) & (known_from <= time[-1])
        return Tracked(np.repeat(limits, np.diff(firsts, append=n)), np.where(known, missed, np.nan), level)

    def _walk(
        self, happened: list[float], taught: list[int], begins: list[int], firsts: list[int], arrived: list[int]
    ) -> tuple[list[float], list[float], float]:
        """The steps of `track` one after the other, in plain numbers: each depends on the last, and there are many.

        Args:
            happened: of each row, 1 - p of what happened.
            taught: rows that teach, in the order in which they become known.
            begins: place in `taught` where each group begins, and its end.
            firsts: first row of each time, and the end.
            arrived: groups that are known by each time.

        Returns:
            The limit at each time, whether each row was missed, and the last level.
        """
        rate, miss, level, steps = self.rate, self.miss, self.level, len(self.quantiles) - 1
        quantiles = [*self.quantiles.tolist(), self.quantiles[-1].item()]
        limits: list[float] = []
        missed: list[float] = []
        group = 0
        for place, due in enumerate(arrived):
            while group < due:
                begin, end = begins[group], begins[group + 1]
                wrong = missed[taught[begin]] if end - begin == 1 else self._mean(missed, taught[begin:end])
                level += rate * (miss - wrong)
                group += 1
            if 0 < level < 1:
                at = (1 - level) * steps
                below = int(at)
                low = quantiles[below]
                limit = low + (at - below) * (quantiles[below + 1] - low)
            else:
                limit = np.inf if level <= 0 else -np.inf
            limits.append(limit)
            missed += [float(value > limit) for value in happened[firsts[place] : firsts[place + 1]]]
        return limits, missed, level

    @staticmethod
    def _mean(missed: list[float], rows: list[int]) -> float:
        return sum([missed[row] for row in rows]) / len(rows)

    def to_json(self) -> dict[str, Any]:
        return {"miss": self.miss, "rate": self.rate, "level": self.level, "quantiles": self.quantiles.tolist()}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: numbers that are missing or out of order.
        """
        quantiles = np.array(tree["quantiles"], np.float64)
        made = cls(float(tree["miss"]), float(tree["rate"]), float(tree["level"]), quantiles)
        sound = len(quantiles) == _QUANTILES and (np.diff(quantiles) >= 0).all() and np.isfinite(quantiles).all()
        if not (sound and 0 < made.miss < 1 and made.rate >= 0 and np.isfinite(made.level)):
            raise ValueError("conformal quantiles that do not rise, or a miss outside 0 to 1")
        return made


def fit_conformal(probabilities: FloatArray, y: ActionArray, miss: float, rate: float) -> Conformal:
    """Sets from rows that nothing was fitted on.

    Args:
        probabilities: (n, 3); NaN rows are left out.
        y: (n,) what happened.
        miss: share of rows whose class may be missed.
        rate: of the adaptation.

    Raises:
        ModelError: no row with probabilities.
    """
    happened = 1 - probabilities[np.arange(len(y)), y]
    happened = happened[np.isfinite(happened)]
    if not len(happened):
        raise ModelError("fit prediction sets", found="no row with probabilities", expected="rows to take quantiles of")
    return Conformal(miss, rate, miss, np.quantile(happened, np.linspace(0, 1, _QUANTILES)))


def within(probabilities: FloatArray, limit: FloatArray) -> BoolArray:
    """(n, 3) bool, which classes the sets of n rows hold; none where either is NaN."""
    return np.asarray(1 - probabilities <= limit[:, None])


def prediction_set(probabilities: tuple[float, float, float], limit: float) -> tuple[Action, ...]:
    """The classes of one row's set, in order.

    >>> [action.name for action in prediction_set((0.1, 0.3, 0.6), 0.75)]
    ['HOLD', 'BUY']
    """
    return tuple([action for action in _ACTIONS if 1 - probabilities[action] <= limit])
