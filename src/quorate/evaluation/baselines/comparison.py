"""The ensemble against its rivals, on the same rows and by the same account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray
from quorate.evaluation.baselines.strategies import BaselineStrategy
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.trades import trade_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.diebold_mariano import by_period, diebold_mariano


def rival_figures(
    rival: BaselineStrategy, score: Callable[[FloatArray], Mapping[str, Any]], settings: EvaluationSettings
) -> dict[str, Any]:
    """How it decides, its scores' figures, and under `trades` its account's, JSON-safe.

    One that has no scores is asked for its decisions' accuracy alone: the share of rows on which it said what happened.

    Args:
        rival: what it decided and traded.
        score: (n, 3) scores on the sample's rows -> figures.
        settings: of intervals.
    """
    figures = Figures()
    if rival.scores is None:
        right = rival.sample.action == rival.sample.y
        figures.add("n", len(right))
        figures.add("accuracy", float(right.mean()) if len(right) else None, "no rows")
    scored = figures.to_json() if rival.scores is None else score(rival.scores)
    return {"about": rival.about, **scored, "trades": trade_figures(rival.result, settings)}


def difference(
    sample: LabelledPredictions, ours: FloatArray, theirs: FloatArray, blocks: TimeBlocks, horizon: int = 1
) -> dict[str, Any]:
    """Ours less theirs in mean log-loss, on the rows where both voted; below 0, ours is better.

    The interval resamples both together: what is hard for one on some day is hard for the other too. `statistic` and
    `p_value` are Diebold and Mariano's, over the mean difference of each bar.

    Args:
        sample: the labelled rows.
        ours: (n, 3) scores.
        theirs: likewise.
        blocks: over the sample's times.
        horizon: bars that a label reaches over.
    """
    rows = classification.voted(ours) & classification.voted(theirs)
    y = sample.y[rows]
    apart = classification.row_log_loss(y, ours[rows]) - classification.row_log_loss(y, theirs[rows])
    part = blocks.select(rows)
    none = "no row with both votes"
    few = none if not len(y) else f"{blocks.count} blocks of time are too few"
    figures = Figures()
    figures.add("n", len(y))
    figures.add("log_loss", float(np.mean(apart)) if len(y) else None, none)
    figures.add_interval("log_loss_ci", part.interval(part.means(apart)), few)
    test = diebold_mariano(by_period(apart, sample.time[rows]), horizon)
    figures.add("statistic", test.statistic, test.why)
    figures.add("p_value", test.p_value, test.why)
    return figures.to_json()
