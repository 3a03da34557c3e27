"""Isotonic calibration: a non-decreasing map from each class's score to its observed frequency.

Reference: Zadrozny and Elkan (2002), Transforming Classifier Scores into Accurate Multiclass Probability Estimates,
KDD, sections 3 and 5: one against the rest, then normalised to a sum of 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import CLASS_NAMES, ActionArray, FloatArray


@dataclass(frozen=True, eq=False)
class Isotonic:
    """Piecewise linear maps, constant outside their knots.

    Attributes:
        scores: for each class, (k,) knots, increasing.
        shares: for each class, (k,) frequency of the class at that score; non-decreasing, above 0.
    """

    kind: ClassVar[str] = "isotonic"

    scores: tuple[FloatArray, FloatArray, FloatArray]
    shares: tuple[FloatArray, FloatArray, FloatArray]

    def __call__(self, scores: FloatArray) -> FloatArray:
        """(n, 3) probabilities of (n, 3) scores; rows that are not finite stay so."""
        columns = []
        for action, (knots, shares, slopes) in enumerate(zip(self.scores, self.shares, self._slopes, strict=True)):
            x = np.minimum(np.maximum(scores[:, action], knots[0]), knots[-1])
            below = np.searchsorted(knots[1:-1], x, side="right")
            columns.append(slopes[below] * (x - knots[below]) + shares[below])
        sell, hold, buy = columns
        return np.asarray(np.stack(columns, axis=1) / (sell + hold + buy)[:, None])

    def map_row(self, scores: tuple[float, float, float]) -> tuple[float, float, float]:
        """The same for one row of finite scores, bit for bit."""
        mapped = []
        for score, (knots, shares, slopes) in zip(scores, self._lists, strict=True):
            x = min(max(score, knots[0]), knots[-1])
            below = bisect_right(knots, x, 1, max(1, len(knots) - 1)) - 1
            mapped.append(slopes[below] * (x - knots[below]) + shares[below])
        sell, hold, buy = mapped
        total = sell + hold + buy
        return sell / total, hold / total, buy / total

    @cached_property
    def _slopes(self) -> tuple[FloatArray, ...]:
        """For each class, the slope after each knot but the last; a single 0 for a single knot."""
        return tuple(
            np.diff(shares) / np.diff(knots) if len(knots) > 1 else np.zeros(1)
            for knots, shares in zip(self.scores, self.shares, strict=True)
        )

    @cached_property
    def _lists(self) -> tuple[tuple[list[float], list[float], list[float]], ...]:
        return tuple(
            (knots.tolist(), shares.tolist(), slopes.tolist())
            for knots, shares, slopes in zip(self.scores, self.shares, self._slopes, strict=True)
        )

    def shrunk(self, weight: float) -> Isotonic:
        """The weighted mean of the unchanged scores and this map, before the three are normalised.

        Args:
            weight: of this map, above 0 and at most 1.
        """
        if weight == 1:
            return self
        tables = [_between(knots, shares, weight) for knots, shares in zip(self.scores, self.shares, strict=True)]
        sell, hold, buy = tables
        return Isotonic((sell[0], hold[0], buy[0]), (sell[1], hold[1], buy[1]))

    def to_json(self) -> dict[str, Any]:
        """JSON object for calibration.json."""
        return {
            "kind": self.kind,
            "scores": [knots.tolist() for knots in self.scores],
            "shares": [shares.tolist() for shares in self.shares],
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: knots are missing, not sorted or out of range.
        """
        scores, shares = ([np.array(column, np.float64) for column in tree[name]] for name in ("scores", "shares"))
        for knots, values in zip(scores, shares, strict=True):
            monotone = (np.diff(knots) > 0).all() and (np.diff(values) >= 0).all()
            if not (len(knots) == len(values) > 0 and monotone and values.min() > 0 and values.max() <= 1):
                raise ValueError("isotonic knots that are not increasing, or shares that decrease or leave 0 to 1")
        (sell, hold, buy), (sells, holds, buys) = scores, shares
        return cls((sell, hold, buy), (sells, holds, buys))


def _between(knots: FloatArray, shares: FloatArray, weight: float) -> tuple[FloatArray, FloatArray]:
    """Knots and shares of a map shrunk towards the unchanged scores, which are not constant outside the knots."""
    wide = np.union1d(knots, [0.0, 1.0])
    return wide, weight * np.interp(wide, knots, shares) + (1 - weight) * wide


def fit_isotonic(scores: FloatArray, y: ActionArray) -> Isotonic:
    """Fit one non-decreasing map of lower squared error for each class, by pool-adjacent-violators.

    No share is nearer to 0 or 1 than 1 / (n + 2), the rule of succession: a class without rows is not impossible.

    Args:
        scores: (n, 3), finite.
        y: (n,) true classes.

    Raises:
        ModelError: no rows.
        MissingExtraError: scikit-learn is not installed.
    """
    if not len(y):
        raise ModelError("fit isotonic maps", found="no rows", expected="at least one row of scores and its class")
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingExtraError(
            "fit isotonic maps", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error
    lower = 1 / (len(y) + 2)
    knots, shares = [], []
    for action in range(len(CLASS_NAMES)):
        fitted = IsotonicRegression(y_min=lower, y_max=1 - lower).fit(scores[:, action], y == action)
        knots.append(np.asarray(fitted.X_thresholds_, np.float64))
        shares.append(np.asarray(fitted.y_thresholds_, np.float64))
    (sell, hold, buy), (sells, holds, buys) = knots, shares
    return Isotonic((sell, hold, buy), (sells, holds, buys))
