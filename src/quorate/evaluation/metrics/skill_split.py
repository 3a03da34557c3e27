"""Skill divided into volatility and direction.

The log-loss of a row is that of "the price moves or not" plus, where it moved, that of the side given a move. Skill
against class shares therefore is the sum of two parts: what scores know of volatility, and what they know of direction.
A part below 0 costs what the other one gains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from quorate.core.types import CLASS_NAMES, Action, FloatArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification import ClassArray, row_log_loss
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

#: The model that knows nothing but volatility; others are compared with it wherever it was evaluated.
LOG_HAR = "log_har"


class PartLosses(NamedTuple):
    """Each row's log-loss and its two parts, nats; NaN for abstentions.

    Attributes:
        whole: (n,) -ln of the score of the true class.
        volatility: (n,) -ln P(move) where the price moved, -ln P(HOLD) elsewhere.
        direction: (n,) -ln of the true side's share of P(move) where the price moved, 0 elsewhere.
    """

    whole: FloatArray
    volatility: FloatArray
    direction: FloatArray

    @classmethod
    def of(cls, y: ClassArray, scores: FloatArray) -> PartLosses:
        """Divide the log-loss of (n, 3) scores for (n,) classes."""
        moves = scores[:, Action.SELL] + scores[:, Action.BUY]
        folded = np.stack([moves, scores[:, Action.HOLD], moves]).T
        whole, volatility = row_log_loss(y, scores), row_log_loss(y, folded)
        return cls(whole, volatility, whole - volatility)


class SkillParts(NamedTuple):
    """Parts of the skill; their sum is the skill. NaN where the skill is."""

    volatility: float
    direction: float


def skill_parts(y: ClassArray, scores: FloatArray, shares: FloatArray) -> SkillParts:
    """Parts of the skill of (n, 3) scores, none an abstention, against (n, 3) class shares."""
    if classification.why_no_skill(y, shares):
        return SkillParts(np.nan, np.nan)
    own, reference = PartLosses.of(y, scores), PartLosses.of(y, shares)
    whole = float(reference.whole.mean())
    volatility = float((reference.volatility - own.volatility).mean()) / whole
    return SkillParts(volatility, float((reference.direction - own.direction).mean()) / whole)


def split_figures(y: ClassArray, scores: FloatArray, shares: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Both parts of the skill with their intervals, JSON-safe.

    Under `vs_span` are the skill and its parts against the class shares of these rows themselves: what remains when the
    prior is allowed to know how volatile the span was. Intervals do not estimate those shares anew.

    Args:
        y: (n,) classes.
        scores: (n, 3), none an abstention.
        shares: (n, 3) prior of each row.
        blocks: of these rows.
    """
    losses = PartLosses.of(y, scores)
    figures = Figures()
    _add_parts(figures, losses, PartLosses.of(y, shares), blocks, classification.why_no_skill(y, shares))
    span = Figures()
    own = np.bincount(np.asarray(y, np.intp), minlength=len(CLASS_NAMES)) / max(1, len(y))
    table = np.broadcast_to(own, (len(y), len(CLASS_NAMES)))
    why = classification.why_no_skill(y, table) and ("no vote" if not len(y) else "every row is of one class")
    reference = PartLosses.of(y, table)
    span.add("skill", None if why else classification.skill_of(losses.whole, reference.whole), why)
    apart = None if why else blocks.interval(1 - blocks.ratios(losses.whole, reference.whole))
    span.add_interval("skill_ci", apart, why or _few(blocks))
    _add_parts(span, losses, reference, blocks, why)
    return {**figures.to_json(), "vs_span": span.to_json()}


def _add_parts(figures: Figures, own: PartLosses, reference: PartLosses, blocks: TimeBlocks, why: str) -> None:
    """Add both parts of the skill against a reference; `why` there is none, "" if there is."""
    for name, before, after in zip(SkillParts._fields, reference[1:], own[1:], strict=True):
        gained = before - after
        figures.add(name, None if why else float(gained.mean()) / float(reference.whole.mean()), why)
        resampled = None if why else blocks.interval(blocks.ratios(gained, reference.whole))
        figures.add_interval(f"{name}_ci", resampled, why or _few(blocks))


def _few(blocks: TimeBlocks) -> str:
    return f"{blocks.count} blocks of time are too few"


def only_volatility(models: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Models whose log-loss is not below that of log-HAR with its whole interval, JSON-safe.

    Args:
        models: name -> figures as of `split_figures` under `skill`, with the difference to log-HAR.

    Returns:
        `models`, their names, and `about`, one sentence, "" if there are none; None where log-HAR was not evaluated.
    """
    apart = {name: found["skill"]["vs_log_har"] for name, found in models.items() if "vs_log_har" in found["skill"]}
    if not apart:
        return None
    intervals = {name: difference["log_loss_ci"] for name, difference in apart.items()}
    no_better = [name for name, ends in intervals.items() if ends is not None and ends[1] >= 0]
    return {"models": no_better, "about": _sentence(no_better)}


def _sentence(names: Sequence[str]) -> str:
    """What is said of such models.

    >>> _sentence(["ensemble", "xgboost"])
    'ensemble and xgboost: not better than log_har by the interval, so they know nothing but volatility.'
    """
    if not names:
        return ""
    named = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    they = "they know" if len(names) > 1 else "it knows"
    return f"{named}: not better than log_har by the interval, so {they} nothing but volatility."
