"""Skill over the class prior in parts of a span: by day and by week (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification import ClassArray
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

Period = Literal["day", "week"]

# 1970-01-05 was a Monday.
_FIRST_MONDAY_MS = 4 * DAY_MS


def skill_by_period(
    sample: LabelledPredictions,
    models: Mapping[str, FloatArray],
    prior: FloatArray,
    settings: EvaluationSettings,
    period: Period,
) -> list[dict[str, Any]]:
    """Skill of each model in each day or week (from Monday) that has labels, JSON-safe.

    An interval resamples the blocks of its own period, so that a period of fewer than five blocks has none.

    Args:
        sample: labelled rows.
        models: name -> (n, 3) scores; NaN rows are abstentions.
        prior: (3,) class shares of the training rows, or (n, 3).
        settings: of the intervals.
        period: length of a part.
    """
    shares = classification.prior_scores(prior, len(sample))
    reference = classification.row_log_loss(sample.y, shares)
    losses = {name: classification.row_log_loss(sample.y, scores) for name, scores in models.items()}
    starts = period_starts(sample.time, period)
    table = []
    for start in np.unique(starts):
        rows = np.asarray(starts == start)
        blocks = TimeBlocks(sample.time[rows], settings)
        few = f"{blocks.count} blocks of time are too few"
        skills = {
            name: skill_figures(sample.y[rows], loss[rows], shares[rows], reference[rows], blocks, few)
            for name, loss in losses.items()
        }
        table.append({"from": iso_ms(int(start)), "rows": int(rows.sum()), "models": skills})
    return table


def skill_figures(
    y: ClassArray, loss: FloatArray, shares: FloatArray, reference: FloatArray, blocks: TimeBlocks, few: str = ""
) -> dict[str, Any]:
    """Skill over the prior on some rows with its interval, JSON-safe.

    Args:
        y: (n,) classes.
        loss: (n,) log-loss of a model; NaN for abstentions.
        shares: (n, 3) prior of each row.
        reference: (n,) log-loss of the prior.
        blocks: of these rows.
        few: why there is no interval where blocks are too few.
    """
    voted = np.isfinite(loss)
    below = np.where(voted, reference, np.nan)
    why = classification.why_no_skill(y[voted], shares[voted])
    figures = Figures()
    figures.add("skill_vs_prior", None if why else 1 - float(np.nansum(loss) / np.nansum(below)), why)
    interval = None if why else blocks.interval(1 - blocks.ratios(loss, below))
    figures.add_interval("skill_vs_prior_ci", interval, why or few)
    return figures.to_json()


def period_starts(time: IntArray, period: Period) -> IntArray:
    """(n,) start in ms of the UTC day, or of the week from Monday, of each time in ms.

    >>> starts = period_starts(np.array([0, 4 * DAY_MS, 10 * DAY_MS + 1]), "week")
    >>> [iso_ms(int(start))[:10] for start in starts]
    ['1969-12-29', '1970-01-05', '1970-01-05']
    """
    length, first = (DAY_MS, 0) if period == "day" else (7 * DAY_MS, _FIRST_MONDAY_MS)
    return np.asarray((np.asarray(time, np.int64) - first) // length * length + first)
