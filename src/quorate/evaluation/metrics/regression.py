"""Metrics of predicted returns, and the baselines of predicting zero and the mean.

`y` and `predicted` are (n,) fractions. NaN rule: a row whose prediction is not finite is an abstention and is ignored.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.diebold_mariano import by_period, diebold_mariano
from quorate.evaluation.statistics.rank_correlation import average_ranks, rank_correlation


def r2_vs_zero(y: FloatArray, predicted: FloatArray) -> float:
    """R2 against predicting zero: 1 is perfect, 0 no better than zero; may be negative. NaN if every return is 0.

    Source: Campbell and Thompson (2008), with zero in place of the historical mean.

    >>> y = np.array([0.02, -0.01])
    >>> r2_vs_zero(y, y), r2_vs_zero(y, np.zeros(2))
    (1.0, 0.0)
    """
    rows = np.isfinite(predicted)
    below = float((y[rows] ** 2).sum())
    return 1 - float(((y - predicted) ** 2)[rows].sum()) / below if below > 0 else math.nan


def return_figures(
    y: FloatArray,
    predicted: FloatArray,
    time: IntArray,
    blocks: TimeBlocks,
    *,
    horizon: int,
) -> dict[str, Any]:
    """All metrics of one model's predicted returns with their intervals, JSON-safe.

    `against_zero` is the Diebold-Mariano statistic of its squared error against predicting zero, averaged over the
    symbols of each bar; below 0 the model is better.

    Args:
        y: (n,) actual returns, finite.
        predicted: (n,) predicted returns; NaN for an abstention.
        time: (n,) int64 open times in ms.
        blocks: of those times.
        horizon: bars that a return spans.

    Raises:
        EvaluationError: the lengths differ, or a return is not finite.
    """
    if not len(y) == len(predicted) == len(time) or not np.isfinite(y).all():
        raise EvaluationError(
            "evaluate predicted returns",
            found=f"{len(y)} returns ({int((~np.isfinite(y)).sum())} not finite), {len(predicted)} predictions",
            expected="a finite return for every prediction",
        )
    rows = np.asarray(np.isfinite(predicted))
    part, own, forecast = blocks.select(rows), y[rows], predicted[rows]
    squared, absolute, of_zero = (own - forecast) ** 2, np.abs(own - forecast), own**2
    none = "no prediction"
    few = none if not len(own) or blocks.enough else f"{blocks.count} blocks of time are too few"
    varies = len(own) > 2 and bool(np.ptp(forecast) > 0) and bool(np.ptp(own) > 0)
    flat = "does not vary" if len(own) else none
    figures = Figures()
    figures.add("n", len(own))
    figures.add("abstained", len(y) - len(own))
    figures.add("rmse", math.sqrt(_mean(squared)), none)
    figures.add_interval("rmse_ci", part.interval(np.sqrt(part.means(squared))), few)
    figures.add("mse", _mean(squared), none)
    figures.add_interval("mse_ci", part.interval(part.means(squared)), few)
    figures.add("mae", _mean(absolute), none)
    figures.add_interval("mae_ci", part.interval(part.means(absolute)), few)
    figures.add("r2_vs_zero", r2_vs_zero(own, forecast), none if not len(own) else "every return is 0")
    figures.add_interval("r2_vs_zero_ci", part.interval(1 - part.ratios(squared, of_zero)), few)
    ranks = average_ranks(forecast), average_ranks(own)
    figures.add("rank_ic", rank_correlation(*ranks) if varies else None, flat)
    resampled = part.interval(part.correlations(*ranks)) if varies else None
    figures.add_interval("rank_ic_ci", resampled, few if varies else flat)
    test = diebold_mariano(by_period(squared - of_zero, time[rows]), horizon)
    figures.add("against_zero", test.statistic, test.why)
    figures.add("against_zero_p", test.p_value, test.why)
    return figures.to_json()


def return_baselines(
    y: FloatArray, mean: float, time: IntArray, blocks: TimeBlocks, *, horizon: int
) -> dict[str, dict[str, Any]]:
    """Baselines on the same rows: predicting zero, and predicting the mean return of the training rows.

    Args:
        y: (n,) actual returns, finite.
        mean: of the training rows' returns, a fraction.
        time: (n,) int64 open times in ms.
        blocks: of those times.
        horizon: bars that a return spans.
    """
    return {
        name: return_figures(y, np.full(len(y), value), time, blocks, horizon=horizon)
        for name, value in (("predict_zero", 0.0), ("predict_mean", mean))
    }


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
