"""Log-loss of the mean score of sets of members, by the day on which the labels became known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import ActionArray, FloatArray, IntArray, finite_rows
from quorate.targets.matured_days import MaturedDays

# As in `evaluation.metrics.classification`: a score of 0 costs 36 nats.
_SMALLEST_SCORE = float(np.finfo(np.float64).eps)


class SetLosses:
    """Sums of each day for any set of members; each set is computed once, for all days.

    The score of a set is the mean of its members' scores with the weights of the vote, over those that voted on the
    row. Where none of a set voted, it scores as the class prior, so that abstaining is no way to be chosen.

    Args:
        scores: member -> (n, 3); NaN where it abstains.
        y: (n,) classes.
        prior: (3,) class shares of the training rows, or (n, 3).
        known_at: (n,) when each label is known, ms.
        days: that are watched; labels that are known on other days are left out.
        weights: of the vote.

    Attributes:
        names: of the members, in order.
        days: that are watched.
        rows: (days,) number of labels of each day.
        votes: (days, m) number of them on which each member voted.
        uninformed: (days,) sums of the log-loss of the class prior.
    """

    def __init__(
        self,
        scores: Mapping[str, FloatArray],
        y: ActionArray,
        prior: FloatArray,
        known_at: IntArray,
        days: MaturedDays,
        weights: VoteSettings,
    ) -> None:
        self.names, self.days = tuple(scores), days
        self._weights = [weights.weight(name) for name in self.names]
        number = days.number(known_at)
        kept = np.flatnonzero((number >= 0) & (number < days.count))
        kept = kept[np.argsort(number[kept], kind="stable")]
        self._day = number[kept]
        classes = y[kept].astype(np.int64)
        shares = np.broadcast_to(prior, (len(y), prior.shape[-1]))
        self._prior = shares[kept, classes]
        # Of each score only that of the class that came matters.
        self._score = [_of_class(table, kept, classes) for table in scores.values()]
        self._whole = [not np.isnan(column).any() for column in self._score]
        self._known: dict[tuple[int, ...], FloatArray] = {}
        self.rows: IntArray = np.bincount(self._day, minlength=days.count)
        self.votes: IntArray = np.stack(
            [np.bincount(self._day[np.isfinite(column)], minlength=days.count) for column in self._score], axis=1
        )
        self.uninformed = self._sums(self._prior)

    def of(self, members: Sequence[int]) -> FloatArray:
        """(days,) sums of the log-loss of a set, given by the members' places."""
        key = tuple(sorted(members))
        if key not in self._known:
            self._known[key] = self._sums(self._mean(key))
        return self._known[key]

    def over(self, members: Sequence[int], window: slice) -> float:
        """Mean log-loss of a set over the rows of some days; NaN without one."""
        return _ratio(self.of(members)[window].sum(), self.rows[window].sum())

    def prior_over(self, window: slice) -> float:
        """The same of the class prior."""
        return _ratio(self.uninformed[window].sum(), self.rows[window].sum())

    def _mean(self, members: tuple[int, ...]) -> FloatArray:
        """(n,) score of the class that came."""
        total, weights = np.zeros(len(self._day)), np.zeros(len(self._day))
        for place in members:
            weight, column = self._weights[place], self._score[place]
            if self._whole[place]:
                total += weight * column
                weights += weight
            else:
                voted = np.isfinite(column)
                total[voted] += weight * column[voted]
                weights[voted] += weight
        return np.asarray(np.divide(total, weights, out=self._prior.copy(), where=weights > 0))

    def _sums(self, score: FloatArray) -> FloatArray:
        loss = -np.log(np.clip(score, _SMALLEST_SCORE, 1.0))
        return np.bincount(self._day, loss, self.days.count).astype(np.float64)


def _of_class(table: FloatArray, rows: IntArray, classes: IntArray) -> FloatArray:
    found = table[rows]
    return np.where(finite_rows(found), found[np.arange(len(rows)), classes], np.nan)


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")
