"""Paired difference in log-loss of two models on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.core.types import FloatArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.diebold_mariano import by_period, diebold_mariano


def log_loss_difference(
    sample: LabelledPredictions,
    scores: FloatArray,
    other: FloatArray,
    blocks: TimeBlocks,
    horizon: int = 1,
    *,
    why_not: str = "",
) -> dict[str, Any]:
    """Mean log-loss of `scores` minus that of `other` on rows with both votes, JSON-safe; below 0 `scores` is better.

    The interval resamples both models together, since the same days are difficult for both. `statistic` and `p_value`
    are of the Diebold-Mariano test, of the mean difference of each bar.

    Args:
        sample: labelled rows.
        scores: (n, 3) of the one model; NaN rows are abstentions.
        other: (n, 3) of the other.
        blocks: of the sample's times.
        horizon: bars that a label spans.
        why_not: why the two cannot be compared; all figures but `n` are then missing.
    """
    rows = classification.voted(scores) & classification.voted(other)
    y = sample.y[rows]
    apart = classification.row_log_loss(y, scores[rows]) - classification.row_log_loss(y, other[rows])
    part = blocks.select(rows)
    none = "no row with both votes"
    few = none if not len(y) else f"{blocks.count} blocks of time are too few"
    figures = Figures()
    figures.add("n", len(y))
    if why_not:
        for name in ("log_loss", "log_loss_ci", "statistic", "p_value"):
            figures.add(name, None, why_not)
        return figures.to_json()
    figures.add("log_loss", float(np.mean(apart)) if len(y) else None, none)
    figures.add_interval("log_loss_ci", part.interval(part.means(apart)), few)
    test = diebold_mariano(by_period(apart, sample.time[rows]), horizon)
    figures.add("statistic", test.statistic, test.why)
    figures.add("p_value", test.p_value, test.why)
    return figures.to_json()
