"""Metrics of a stack, its members, and the baselines of predicting zero and the mean, on the same rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.measure import Measure
from quorate.targets import Dataset

ZERO, MEAN, STACKED = "predict_zero", "predict_mean", "stack"


def part_figures(
    measure: Measure,
    dataset: Dataset,
    rows: IntArray,
    members: Sequence[str],
    predicted: FloatArray,
    stacked: FloatArray,
    mean: FloatArray,
    round_trip: float,
) -> dict[str, dict[str, Any]]:
    """Metrics of each member, the stack and both baselines; `acts` is the share of rows beyond the cost.

    Args:
        measure: metrics of (n,) predicted returns.
        dataset: that the rows belong to.
        rows: (n,) row numbers.
        members: in the order of the columns.
        predicted: (n, m) predictions of the members.
        stacked: (n,) predictions of the stack.
        mean: (n,) or (1,) mean return of the rows of the fit.
        round_trip: cost that a predicted return must exceed to be acted on, a fraction.
    """
    outputs = dict(zip(members, predicted.T, strict=True))
    outputs |= {STACKED: stacked, ZERO: np.zeros(len(rows)), MEAN: np.broadcast_to(mean, len(rows))}
    y, time, forward_return = dataset.y[rows], dataset.time[rows], dataset.forward_return[rows]
    return {
        name: {**measure(y, column, mean, time, forward_return), "acts": float((np.abs(column) > round_trip).mean())}
        for name, column in outputs.items()
    }


def improvement(own: float, other: float) -> float:
    """Relative reduction of an error against another: above 0 is better, below 0 worse. NaN if the other is 0.

    >>> improvement(1.4, 1.5) > 0, improvement(1.578, 1.433) < 0
    (True, True)
    """
    return 1 - own / other if other > 0 else math.nan


def improvements(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Relative reduction of the stack's RMSE against each other's; None where either is not known."""
    own = figures[STACKED].get("rmse")
    found = {}
    for name, row in figures.items():
        if name != STACKED:
            known = own is not None and row.get("rmse")
            found[name] = improvement(float(own), float(row["rmse"])) if known and own is not None else None
    return found
