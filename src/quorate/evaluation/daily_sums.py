"""Sums of each day from which the watch for drift makes its windows: rows in cells of features, and outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.types import Float32Array, FloatArray, IntArray
from quorate.ensemble.voting.member_votes import top_class
from quorate.evaluation.metrics.classification import ClassArray, prior_scores, row_correct, row_log_loss, voted
from quorate.evaluation.statistics.quantile_cells import QuantileCells, largest_gap, shares_of, stability_index

#: Bins of the winning class's probability, for the calibration error.
BINS = 10


def known_days(time: IntArray) -> tuple[IntArray, int]:
    """(n,) number of each row's UTC day among the days that have rows, and how many these are.

    Args:
        time: (n,) open times in ms.
    """
    days, place = np.unique(np.asarray(time, np.int64) // DAY_MS, return_inverse=True)
    return place.astype(np.int64), len(days)


def daily_counts(features: Sequence[QuantileCells], X: Float32Array, day: IntArray, days: int) -> FloatArray:
    """(days, F, k) float64: rows of each day in each cell of each feature; k is the most cells of a feature.

    Args:
        features: cells of each column.
        X: (n, F), finite.
        day: (n,) day of each row, from 0.
        days: number of days.
    """
    most = max(map(len, features))
    counts = np.zeros((days, len(features), most))
    for column, cells in enumerate(features):
        flat = day * most + cells.place(X[:, column].astype(np.float64))
        counts[:, column] = np.bincount(flat, minlength=days * most).reshape(days, most)
    return counts


def daily_outcomes(y: ClassArray, probabilities: FloatArray, prior: FloatArray, day: IntArray, days: int) -> FloatArray:
    """(days, 3 + bins) float64 sums of each day: rows, log-loss, log-loss of the prior, and in each bin of the winning
    class's probability the probability less 1 where it was right.

    Args:
        y: (n,) classes.
        probabilities: (n, 3); NaN rows are left out.
        prior: (3,) class shares of the training rows, or (n, 3).
        day: (n,) day of each row, from 0.
        days: number of days.
    """
    shares = prior_scores(prior, len(y))
    rows = voted(probabilities)
    y, probabilities, day, shares = y[rows], probabilities[rows], day[rows], shares[rows]
    top, correct = top_class(probabilities)[1], row_correct(y, probabilities)
    place = np.clip(np.ceil(top * BINS).astype(np.int64) - 1, 0, BINS - 1)
    sums = np.empty((days, 3 + BINS))
    for column, values in enumerate((np.ones(len(y)), row_log_loss(y, probabilities), row_log_loss(y, shares))):
        sums[:, column] = np.bincount(day, values, days)
    sums[:, 3:] = np.bincount(day * BINS + place, top - correct, days * BINS).reshape(days, BINS)
    return sums


def feature_distances(known: FloatArray, windows: FloatArray) -> FloatArray:
    """(looks, 2 F) stability indices and then largest gaps, of (days, F, k) known counts and (looks, F, k) windows."""
    expected, found = shares_of(known.sum(axis=0)), shares_of(windows)
    return np.concatenate([stability_index(expected, found), largest_gap(expected, found)], axis=-1)


def skill_of_sums(sums: FloatArray) -> FloatArray:
    """(...,) skill over the prior of (..., 3 + bins) sums; NaN without rows."""
    return 1 - _ratio(sums[..., 1], sums[..., 2])


def error_of_sums(sums: FloatArray) -> FloatArray:
    """(...,) expected calibration error of (..., 3 + bins) sums; NaN without rows."""
    return _ratio(np.abs(sums[..., 3:]).sum(axis=-1), sums[..., 0])


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))
