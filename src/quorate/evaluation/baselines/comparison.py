"""Figures of a baseline strategy, on the same rows and by the same account settings as the ensemble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray
from quorate.evaluation.baselines.strategies import BaselineStrategy
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.trades import trade_figures


def baseline_figures(
    baseline: BaselineStrategy, score: Callable[[FloatArray], Mapping[str, Any]], settings: EvaluationSettings
) -> dict[str, Any]:
    """Description, metrics of the scores, and under `trades` the account's figures, JSON-safe.

    For a baseline without scores the only metric is the accuracy of its decisions.

    Args:
        baseline: decisions and trades.
        score: (n, 3) scores on the sample's rows -> metrics.
        settings: of the intervals.
    """
    figures = Figures()
    if baseline.scores is None:
        right = baseline.sample.action == baseline.sample.y
        figures.add("n", len(right))
        figures.add("accuracy", float(right.mean()) if len(right) else None, "no rows")
    scored = figures.to_json() if baseline.scores is None else score(baseline.scores)
    return {"about": baseline.about, **scored, "trades": trade_figures(baseline.result, settings)}
