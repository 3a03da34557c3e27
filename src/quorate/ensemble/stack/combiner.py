"""Combiners of a stack: members' predicted returns to one, by weights or by a forest."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray
from quorate.models.runtime import OnnxSession

_log = logging.getLogger(__name__)


class Combiner(Protocol):
    """Maps (n, m) predicted returns of m members to (n,) of the stack; NaN in rows with a value that is not finite."""

    def combine(self, predicted: FloatArray) -> FloatArray:
        """One return for each row, a fraction."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Weighted sum of the members' returns.

    Attributes:
        weights: (m,) float64.

    >>> Linear(np.array([0.5, 0.5])).combine(np.array([[0.02, 0.01], [np.nan, 0.01]]))
    array([0.015,   nan])
    """

    weights: FloatArray

    def combine(self, predicted: FloatArray) -> FloatArray:
        # Column by column, so that a single row gives the same bits as in a frame.
        total = np.zeros(len(predicted))
        for weight, column in zip(self.weights, predicted.T, strict=True):
            total += weight * column
        return np.where(np.isfinite(predicted).all(axis=1), total, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Random forest on the members' returns, run from its ONNX graph; NaN where the graph fails.

    Attributes:
        session: (n, m) float32 to (n, 1).
        unit: scale by which inputs are divided and outputs are multiplied.
        graph: ONNX graph that the session runs.
    """

    session: OnnxSession
    unit: float
    graph: bytes

    def combine(self, predicted: FloatArray) -> FloatArray:
        total = np.full(len(predicted), np.nan)
        known = np.isfinite(predicted).all(axis=1)
        if known.any():
            rows = (predicted[known] / self.unit).astype(np.float32)
            try:
                total[known] = self.session.run(rows)[:, 0] * self.unit
            except ModelError as error:
                _log.error("the stack has no prediction: %s", error)
        return total
