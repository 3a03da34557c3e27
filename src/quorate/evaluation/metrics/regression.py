"""How good forecasts of a return are: beside predicting nothing at all, which is harder to beat than it sounds.

`y` and `predicted` are (n,) fractions. NaN rule: a row whose prediction is not finite is an abstention and is left out;
each baseline is judged on the rows of its rival.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.classification import average_ranks
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.diebold_mariano import by_period, diebold_mariano


def rmse(y: FloatArray, predicted: FloatArray) -> float:
    """Root of the mean squared error, a fraction.

    >>> rmse(np.array([0.01, -0.01]), np.array([0.0, 0.0]))
    0.01
    """
    return math.sqrt(_mean(_squared(y, predicted)))


def mae(y: FloatArray, predicted: FloatArray) -> float:
    """Mean absolute error, a fraction."""
    return _mean(np.abs(y - predicted))


def r2_vs_zero(y: FloatArray, predicted: FloatArray) -> float:
    """1 - squared error over that of predicting zero: 1 is perfect, 0 no better than saying nothing; may be below 0.

    Campbell and Thompson (2008) with zero in place of the past mean: of returns the mean is the harder one to know.

    >>> y = np.array([0.02, -0.01])
    >>> r2_vs_zero(y, y), r2_vs_zero(y, np.zeros(2))
    (1.0, 0.0)
    """
    rows = np.isfinite(predicted)
    below = float((y[rows] ** 2).sum())
    return 1 - float(_squared(y, predicted)[rows].sum()) / below if below > 0 else math.nan


def return_figures(
    y: FloatArray,
    predicted: FloatArray,
    time: IntArray,
    blocks: TimeBlocks,
    *,
    horizon: int,
) -> dict[str, Any]:
    """Every metric of one model's returns with its interval, JSON-safe.

    `against_zero` is the Diebold-Mariano test of its squared error against predicting zero, averaged over the symbols
    of a bar; a statistic below 0 says that it is better than zero.

    Args:
        y: (n,) what the return was, finite.
        predicted: (n,) what was predicted; NaN where it abstained.
        time: (n,) int64 open times in ms.
        blocks: over those times.
        horizon: bars that a return reaches over.

    Raises:
        EvaluationError: lengths that differ, or a return that is not finite.
    """
    if not len(y) == len(predicted) == len(time) or not np.isfinite(y).all():
        raise EvaluationError(
            "judge predicted returns",
            found=f"{len(y)} returns ({int((~np.isfinite(y)).sum())} not finite), {len(predicted)} predictions",
            expected="a finite return for every prediction",
        )
    rows = np.asarray(np.isfinite(predicted))
    part, own, said = blocks.select(rows), y[rows], predicted[rows]
    squared, absolute, nothing = (own - said) ** 2, np.abs(own - said), own**2
    none = "it never predicted"
    few = none if not len(own) or blocks.enough else f"{blocks.count} blocks of time are too few"
    varies = len(own) > 2 and bool(np.ptp(said) > 0) and bool(np.ptp(own) > 0)
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
    figures.add("r2_vs_zero", r2_vs_zero(own, said), none if not len(own) else "every return is 0")
    figures.add_interval("r2_vs_zero_ci", part.interval(1 - part.ratios(squared, nothing)), few)
    figures.add("rank_ic", _correlation(average_ranks(said), average_ranks(own)) if varies else None, flat)
    ranks = part.interval(part.correlations(said, own)) if varies else None
    figures.add_interval("rank_ic_ci", ranks, few if varies else flat)
    test = diebold_mariano(by_period(squared - nothing, time[rows]), horizon)
    figures.add("against_zero", test.statistic, test.why)
    figures.add("against_zero_p", test.p_value, test.why)
    return figures.to_json()


def return_baselines(
    y: FloatArray, mean: float, time: IntArray, blocks: TimeBlocks, *, horizon: int
) -> dict[str, dict[str, Any]]:
    """Predicting zero, and predicting the mean return of the training rows, on the same rows.

    Args:
        y: (n,) what the return was.
        mean: of the training rows' returns, a fraction.
        time: (n,) int64 open times in ms.
        blocks: over those times.
        horizon: bars that a return reaches over.
    """
    return {
        name: return_figures(y, np.full(len(y), value), time, blocks, horizon=horizon)
        for name, value in (("predict_zero", 0.0), ("predict_mean", mean))
    }


def _squared(y: FloatArray, predicted: FloatArray) -> FloatArray:
    return np.asarray((y - predicted) ** 2)


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))
