"""How a stack makes one return of its members': by weights, or by a forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from quorate.core.types import FloatArray
from quorate.models.runtime import OnnxSession


class Combiner(Protocol):
    """(n, m) predicted returns of m members to (n,) of the stack; NaN in a row where any of them is not finite."""

    def combine(self, predicted: FloatArray) -> FloatArray:
        """One return for each row, a fraction."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A weighted sum.

    Attributes:
        weights: (m,) float64.

    >>> Linear(np.array([0.5, 0.5])).combine(np.array([[0.02, 0.01], [np.nan, 0.01]]))
    array([0.015,   nan])
    """

    weights: FloatArray

    def combine(self, predicted: FloatArray) -> FloatArray:
        # Column by column, so that one row alone sums to the same bits as in a frame.
        total = np.zeros(len(predicted))
        for weight, column in zip(self.weights, predicted.T, strict=True):
            total += weight * column
        return np.where(np.isfinite(predicted).all(axis=1), total, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees over the members' returns, run from their ONNX graph.

    Attributes:
        session: (n, m) float32 to (n, 1).
        unit: what the returns are divided by first and multiplied with afterwards.
        graph: that the session runs.
    """

    session: OnnxSession
    unit: float
    graph: bytes

    def combine(self, predicted: FloatArray) -> FloatArray:
        total = np.full(len(predicted), np.nan)
        known = np.isfinite(predicted).all(axis=1)
        if known.any():
            rows = (predicted[known] / self.unit).astype(np.float32)
            total[known] = self.session.run(rows)[:, 0] * self.unit
        return total
