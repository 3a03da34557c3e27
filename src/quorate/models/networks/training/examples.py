"""Training examples of the networks: windows that are copied batch by batch."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from quorate.core.types import FloatArray, IntArray
from quorate.features.windows import Sequences
from quorate.models.input_checks import Matrix


class Examples(Protocol):
    """Training examples by batch."""

    def __len__(self) -> int: ...

    def batch(self, rows: IntArray) -> tuple[Tensor, Tensor, Tensor | None]:
        """Inputs, targets and weights (None for 1 each) of (b,) rows."""


class WindowExamples:
    """Windows with their targets and weights.

    Args:
        X: (B, L, F) float32, or lazy windows that share their bars.
        target: (B,) int64 classes, or (B, 1) float32.
        weight: (B,), None for 1 each.
        rows: of X to use; None for all.
    """

    def __init__(self, X: Matrix, target: Tensor, weight: FloatArray | None, rows: IntArray | None = None) -> None:
        self._X = X
        self._target = target
        self._weight = None if weight is None else torch.from_numpy(weight.astype(np.float32))
        self._rows = np.arange(len(X)) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, rows: IntArray) -> tuple[Tensor, Tensor, Tensor | None]:
        """(b, L, F) float32 inputs, (b,) or (b, 1) targets, (b,) weights."""
        selected = self._rows[rows]
        # Indexed by an array, both kinds of X give a copy, which torch may write to.
        inputs = torch.from_numpy(self._X[selected])
        index = torch.from_numpy(selected)
        return inputs, self._target[index], None if self._weight is None else self._weight[index]

    def digest(self) -> str:
        """SHA-256 of rows, windows, targets and weights, in hexadecimal."""
        digest = hashlib.sha256(self._rows.tobytes())
        if isinstance(self._X, Sequences):
            digest.update(self._X.digest().encode())
        else:
            digest.update(repr(self._X.shape).encode())
            digest.update(np.ascontiguousarray(self._X).data)
        digest.update(self._target.numpy().tobytes())
        if self._weight is not None:
            digest.update(self._weight.numpy().tobytes())
        return digest.hexdigest()


def newest_bars(X: Matrix) -> FloatArray:
    """(B, F) float64, the last bar of each window."""
    return np.asarray(X.newest if isinstance(X, Sequences) else X[:, -1], dtype=np.float64)
