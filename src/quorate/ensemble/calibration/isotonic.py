"""Each class's score mapped to how often that class came: any shape, as long as it rises.

Reference: Zadrozny and Elkan (2002), Transforming Classifier Scores into Accurate Multiclass Probability Estimates,
KDD, sections 3 and 5: one class against the rest, then shares of the sum.
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
    """Straight lines between knots, level outside them.

    Attributes:
        scores: for each class, (k,) increasing scores.
        shares: for each class, (k,) how often the class came at that score; never falling, above 0.
    """

    kind: ClassVar[str] = "isotonic"

    scores: tuple[FloatArray, FloatArray, FloatArray]
    shares: tuple[FloatArray, FloatArray, FloatArray]

    def __call__(self, scores: FloatArray) -> FloatArray:
        """(n, 3) probabilities of (n, 3) scores; a row that is not finite stays so."""
        columns = []
        for place, (knots, shares, slopes) in enumerate(zip(self.scores, self.shares, self._slopes, strict=True)):
            x = np.minimum(np.maximum(scores[:, place], knots[0]), knots[-1])
            below = np.searchsorted(knots[1:-1], x, side="right")
            columns.append(slopes[below] * (x - knots[below]) + shares[below])
        sell, hold, buy = columns
        return np.asarray(np.stack(columns, axis=1) / (sell + hold + buy)[:, None])

    def row(self, scores: tuple[float, float, float]) -> tuple[float, float, float]:
        """The same of one row of finite scores, to the bit."""
        made = []
        for score, (knots, shares, slopes) in zip(scores, self._lists, strict=True):
            x = min(max(score, knots[0]), knots[-1])
            below = bisect_right(knots, x, 1, max(1, len(knots) - 1)) - 1
            made.append(slopes[below] * (x - knots[below]) + shares[below])
        sell, hold, buy = made
        total = sell + hold + buy
        return sell / total, hold / total, buy / total

    @cached_property
    def _slopes(self) -> tuple[FloatArray, ...]:
        """For each class, how fast the share rises after each knot but the last; one slope of 0 for a single knot."""
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

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "scores": [knots.tolist() for knots in self.scores],
            "shares": [shares.tolist() for shares in self.shares],
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: knots that are missing, out of order or no shares.
        """
        scores, shares = ([np.array(column, np.float64) for column in tree[name]] for name in ("scores", "shares"))
        for knots, values in zip(scores, shares, strict=True):
            rises = (np.diff(knots) > 0).all() and (np.diff(values) >= 0).all()
            if not (len(knots) == len(values) > 0 and rises and values.min() > 0 and values.max() <= 1):
                raise ValueError("isotonic knots that do not rise within 0 to 1")
        (sell, hold, buy), (sells, holds, buys) = scores, shares
        return cls((sell, hold, buy), (sells, holds, buys))


def fit_isotonic(scores: FloatArray, y: ActionArray) -> Isotonic:
    """The rising maps of least squared error, by pool-adjacent-violators, one for each class.

    No share is nearer to 0 or 1 than one row in n + 2 (the rule of succession): what never came in n rows may still.

    Args:
        scores: (n, 3), finite.
        y: (n,) what happened.

    Raises:
        ModelError: no rows.
        MissingExtraError: scikit-learn is not installed.
    """
    if not len(y):
        raise ModelError("fit isotonic maps", found="no rows", expected="scores and what happened")
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingExtraError(
            "fit isotonic maps", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error
    least = 1 / (len(y) + 2)
    knots, shares = [], []
    for action in range(len(CLASS_NAMES)):
        fitted = IsotonicRegression(y_min=least, y_max=1 - least).fit(scores[:, action], y == action)
        knots.append(np.asarray(fitted.X_thresholds_, np.float64))
        shares.append(np.asarray(fitted.y_thresholds_, np.float64))
    (sell, hold, buy), (sells, holds, buys) = knots, shares
    return Isotonic((sell, hold, buy), (sells, holds, buys))
