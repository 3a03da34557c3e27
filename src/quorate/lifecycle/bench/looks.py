"""What is known of each member day after day: its figures over the newest window of matured outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.evaluation.member_reference import LEAST_ROWS, WatchedMember, member_figures, member_sums
from quorate.evaluation.metrics.classification import ClassArray
from quorate.evaluation.statistics.stationary_streams import window_sums
from quorate.targets.matured_days import MaturedDays


@dataclass(frozen=True, slots=True, eq=False)
class MemberLooks:
    """Figures of each member, look by look; NaN where a window has too few rows.

    Attributes:
        limits: model -> its limits, in the order of the columns.
        skill, error, behind: (looks, m), see `WatchedMember`.
    """

    limits: Mapping[str, WatchedMember]
    skill: FloatArray
    error: FloatArray
    behind: FloatArray

    @classmethod
    def of(cls, sums: FloatArray, window: int, limits: Mapping[str, WatchedMember]) -> MemberLooks:
        """From (days, m, 4 + bins) `member_sums` of each day; members in the order of the limits."""
        windows = window_sums(sums, window) if len(sums) >= window else np.empty((0, *sums.shape[1:]))
        rows = windows[..., 0]
        few = rows < np.maximum(1.0, LEAST_ROWS * np.maximum.accumulate(rows, axis=0))
        skill, error, behind = (np.where(few, np.nan, figure) for figure in member_figures(windows))
        return cls(limits, skill, error, behind)

    @property
    def judged(self) -> BoolArray:
        """(looks, m) whether a window has enough rows."""
        return np.isfinite(self.skill)

    @property
    def beyond(self) -> BoolArray:
        """(looks, m) whether a figure is beyond its limit."""
        own = self.limits.values()
        return np.asarray(
            (self.skill < np.array([one.skill_limit for one in own]))
            | (self.error > np.array([one.error_limit for one in own]))
            | (self.behind > np.array([one.behind_limit for one in own]))
        )

    def reason(self, look: int, model: str) -> str:
        """What is beyond its limit, for a person."""
        place, own = list(self.limits).index(model), self.limits[model]
        skill, error, behind = (float(figure[look, place]) for figure in (self.skill, self.error, self.behind))
        found = []
        if skill < own.skill_limit:
            found.append(f"skill {skill:+.1%}, limit {own.skill_limit:+.1%}")
        if error > own.error_limit:
            found.append(f"calibration error {error:.1%}, limit {own.error_limit:.1%}")
        if behind > own.behind_limit:
            found.append(f"skill {behind:.1%} behind the others, limit {own.behind_limit:.1%}")
        return "drifted: " + "; ".join(found)


def daily_sums(
    y: ClassArray, members: Mapping[str, FloatArray], prior: FloatArray, known_at: IntArray, days: MaturedDays
) -> FloatArray:
    """(days, m, 4 + bins) `member_sums` of each day; labels that are known on other days are left out.

    Args:
        y: (n,) classes.
        members: model -> (n, 3) probabilities, raw scores where it has no map; NaN rows are left out.
        prior: (3,) class shares of the training rows.
        known_at: (n,) when each label is known, ms.
        days: that are watched.
    """
    number = days.number(known_at)
    kept = (number >= 0) & (number < days.count)
    return member_sums(y[kept], {model: own[kept] for model, own in members.items()}, prior, number[kept], days.count)
