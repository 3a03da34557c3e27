"""Every tried configuration of a search for weights, as lines of the trial log."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from quorate.ensemble.evidence.days import day_means, day_numbers
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.evaluation.statistics.trial_log import Trial
from quorate.lifecycle.weights.comparison import WeightComparison, json_strength

VERB = "weights"


def predictions_hash(rows: MemberPredictions) -> str:
    """SHA-256 of the labels, the times and the scores, in hexadecimal."""
    digest = hashlib.sha256()
    for name in ("time", "symbol", "fold", "y"):
        digest.update(np.ascontiguousarray(getattr(rows, name)).tobytes())
    for model, scores in rows.members.items():
        digest.update(model.encode())
        digest.update(np.ascontiguousarray(scores).tobytes())
    return digest.hexdigest()


def weight_trials(
    comparison: WeightComparison, choices: Mapping[str, Any], *, time: str, code: str, data: str
) -> list[Trial]:
    """A trial for each scheme on the tested rows, and for each strength that was tried inside earlier ones.

    The returns of a scheme are the mean net returns by day of the classic vote with its weights. Strengths tried inside
    have a log-loss only.

    Args:
        comparison: the search.
        choices: what distinguishes it from others: members, markets, span, folds.
        time: of the search, ISO 8601.
        code: version of the program.
        data: hash of the predictions.
    """
    tested = comparison.nested.tested
    costs = {"costs": asdict(comparison.settings.costs), "weights": asdict(comparison.settings.weights)}
    day, days = day_numbers(tested.time)

    def trial(name: str, own: Mapping[str, Any], moments: Moments, headline: Mapping[str, Any]) -> Trial:
        configuration = {"kind": VERB, **choices, **costs, **own}
        return Trial(time, code, VERB, name, configuration, data, tested.synthetic, moments, headline)

    unknown = Moments(float("nan"), 0, float("nan"), float("nan"))
    made = []
    for row in comparison.rows:
        name = row["scheme"]
        moments = unknown
        if name in comparison.actions:
            moments = Moments.of(day_means(comparison.net_returns(name), day, days))
        headline = {"log_loss": row["log_loss"], "vote_log_loss": row["vote_log_loss"], "kept": row["kept"]}
        made.append(trial(f"{name} weights", {"scheme": name}, moments, headline))
    for tried in comparison.nested.tried:
        own = {"scheme": tried.scheme, "strength": json_strength(tried.strength), "fold": tried.fold}
        part = "all rows" if tried.fold is None else f"fold {tried.fold + 1}"
        name = f"{tried.scheme} weights, strength {tried.strength:g}, {part}"
        made.append(trial(name, own, unknown, {"inner_log_loss": tried.loss, "rows": tried.rows}))
    return made
