"""Classification metrics of one model with intervals: a section of the scorecard."""

from __future__ import annotations

from copy import deepcopy
from hashlib import blake2b
from typing import Any

import numpy as np

from quorate.core.types import CLASS_NAMES, FloatArray
from quorate.core.wilson import wilson
from quorate.ensemble.voting.member_votes import top_class
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.skill_split import split_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.diebold_mariano import by_period, diebold_mariano
from quorate.evaluation.statistics.rank_correlation import average_ranks, rank_correlation


class ScoreFigures:
    """`score_figures` of many scores on the same rows; equal scores are measured once.

    Args:
        sample: labelled rows.
        prior: (3,) class shares of the training rows, or (n, 3).
        blocks: of the sample's times.
        horizon: bars that a label spans.
    """

    def __init__(self, sample: LabelledPredictions, prior: FloatArray, blocks: TimeBlocks, horizon: int = 1) -> None:
        self.sample, self.prior, self.blocks, self.horizon = sample, prior, blocks, horizon
        self._found: dict[bytes, dict[str, Any]] = {}

    def of(self, scores: FloatArray) -> dict[str, Any]:
        """The figures of (n, 3) scores; the caller may change them."""
        content = blake2b(np.ascontiguousarray(scores, np.float64).data).digest()
        if content not in self._found:
            self._found[content] = score_figures(self.sample, scores, self.prior, self.blocks, self.horizon)
        return deepcopy(self._found[content])


def score_figures(
    sample: LabelledPredictions, scores: FloatArray, prior: FloatArray, blocks: TimeBlocks, horizon: int = 1
) -> dict[str, Any]:
    """All metrics of one model's scores with their intervals, JSON-safe.

    `n` counts the rows with a vote, `abstained` the others. Skill is against the prior on the rows with a vote.
    `against_prior` is the Diebold-Mariano statistic of the model's log-loss minus the prior's, averaged over the
    symbols of each bar; below 0 the model is better. Where rows have a class that the training rows lack, the prior's
    loss is infinite: skill, AUC and the test are missing then, with that reason. `skill` divides the skill into
    volatility and direction, see `skill_split`.

    Args:
        sample: labelled rows.
        scores: (n, 3); NaN rows are abstentions.
        prior: (3,) class shares of the training rows, or (n, 3).
        blocks: of the sample's times.
        horizon: bars that a label spans.
    """
    rows = classification.voted(scores)
    y, own = sample.y[rows], scores[rows]
    part = blocks.select(rows)
    loss = classification.row_log_loss(y, own)
    shares = classification.prior_scores(prior, len(sample))[rows]
    reference = classification.row_log_loss(y, shares)
    known = np.isfinite(sample.forward_return[rows])
    direction = average_ranks(classification.directional_score(own)[known])
    returns = average_ranks(sample.forward_return[rows][known])
    ranks = [average_ranks(own[:, action]) for action in range(len(CLASS_NAMES))]
    aucs = [part.aucs(y == action, of) for action, of in enumerate(ranks)]
    squares, right = classification.row_brier(y, own), classification.row_correct(y, own)
    none = "no vote"
    unskilled = classification.why_no_skill(y, shares)
    unforeseen = classification.unforeseen(y, shares)
    unclassed = unskilled if unforeseen else classification.why_no_auc(y)
    flat = "does not vary" if len(y) else none
    few = none if not len(y) or blocks.enough else f"{blocks.count} blocks of time are too few"

    figures = Figures()
    figures.add("n", len(y))
    figures.add("abstained", len(sample) - len(y))
    figures.add("log_loss", float(loss.mean()) if len(y) else None, none)
    figures.add_interval("log_loss_ci", part.interval(part.means(loss)), few)
    figures.add("brier", float(squares.mean()) if len(y) else None, none)
    figures.add_interval("brier_ci", part.interval(part.means(squares)), few)
    figures.add("accuracy", float(right.mean()) if len(y) else None, none)
    figures.add_interval("accuracy_ci", part.interval(part.means(right)), few)
    area = [classification.rank_auc(y == action, of) for action, of in enumerate(ranks)]
    figures.add("auc", None if unclassed else float(np.mean(area)), unclassed)
    resampled = None if unclassed else part.interval(np.mean(aucs, axis=0))
    figures.add_interval("auc_ci", resampled, unclassed or few or "a class is missing in a resample")
    figures.add("skill_vs_prior", None if unskilled else classification.skill_of(loss, reference), unskilled)
    skills = None if unskilled else part.interval(1 - part.ratios(loss, reference))
    figures.add_interval("skill_vs_prior_ci", skills, unskilled or few)
    figures.add("rank_ic", rank_correlation(direction, returns) if int(known.sum()) > 2 else None, flat)
    figures.add_interval(
        "rank_ic_ci", part.interval(part.select(known).correlations(direction, returns)), flat if blocks.enough else few
    )
    figures.add("ece", classification.ece(y, own, blocks.settings.bins), none)
    errors = part.calibration_errors(top_class(own)[1], right, blocks.settings.bins)
    figures.add_interval("ece_ci", part.interval(errors), few)
    if unforeseen or not len(y):
        figures.add("against_prior", None, unskilled)
        figures.add("against_prior_p", None, unskilled)
    else:
        test = diebold_mariano(by_period(loss - reference, sample.time[rows]), horizon)
        figures.add("against_prior", test.statistic, test.why)
        figures.add("against_prior_p", test.p_value, test.why)
    return {**figures.to_json(), "skill": split_figures(y, own, shares, part)}


def prior_figures(
    sample: LabelledPredictions, scores: FloatArray, prior: FloatArray, blocks: TimeBlocks, horizon: int = 1
) -> dict[str, Any]:
    """`score_figures` of the class prior itself; its log-loss is missing where it is infinite.

    Args:
        sample: labelled rows.
        scores: (n, 3) the prior of each row, NaN on rows to leave out.
        prior: (3,) class shares of the training rows, or (n, 3).
        blocks: of the sample's times.
        horizon: bars that a label spans.
    """
    found = score_figures(sample, scores, prior, blocks, horizon)
    rows = classification.voted(scores)
    absent = classification.unforeseen(sample.y[rows], scores[rows])
    if not absent:
        return found
    why = f"infinite: {classification.why_no_skill(sample.y[rows], scores[rows])}"
    missing = {**found.get("missing", {}), "log_loss": why, "log_loss_ci": why}
    return {**found, "log_loss": None, "log_loss_ci": None, "missing": missing}


def reliability_json(
    sample: LabelledPredictions, scores: FloatArray, bins: int, confidence: float | None = None
) -> list[dict[str, Any]]:
    """Bins of the reliability diagram that have rows, JSON-safe.

    Args:
        sample: labelled rows.
        scores: (n, 3); NaN rows are abstentions.
        bins: over 0 to 1.
        confidence: of Wilson's interval of each bin's frequency, `correct_ci`; None for none.
    """
    table = classification.reliability(sample.y, scores, bins)
    return [
        {
            "low": float(low),
            "high": float(high),
            "score": float(score),
            "correct": float(correct),
            **(
                {}
                if confidence is None
                else {"correct_ci": list(wilson(round(correct * rows), int(rows), confidence) or ())}
            ),
            "rows": int(rows),
        }
        for low, high, score, correct, rows in zip(
            table.low, table.high, table.score, table.correct, table.rows, strict=True
        )
        if rows
    ]


def _wilson(correct: float, rows: int, confidence: float) -> list[float]:
    return list(wilson(round(correct), int(rows), confidence) or ())


def confusion_json(sample: LabelledPredictions, scores: FloatArray) -> dict[str, Any]:
    """Confusion matrices, JSON-safe: true classes (rows) against the largest mean score and against the decision."""
    rows = classification.voted(scores)
    predicted = top_class(scores[rows])[0]
    return {
        "classes": list(CLASS_NAMES),
        "largest_score": classification.confusion(sample.y[rows], predicted).tolist(),
        "decision": classification.confusion(sample.y, sample.action).tolist(),
    }
