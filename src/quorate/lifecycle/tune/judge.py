"""The judgement of a winner on later bars, which no trial has read: once, against the settings as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.errors import ModelError
from quorate.core.machine import LOCAL, run_tasks
from quorate.core.sections.engine import EngineSettings
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.lifecycle.tune.score import SpanScore, SpanScorer, TrialSpan
from quorate.lifecycle.tune.space import Choices
from quorate.lifecycle.tune.spans import StudySpans
from quorate.lifecycle.tune.trial_state import EndedTrial

_LATER = 0


def score_on_later_bars(
    scorer: SpanScorer,
    spans: StudySpans,
    before: Choices,
    winner: Choices,
    workers: int,
    show: Callable[[], None],
    engine: EngineSettings = LOCAL,
) -> tuple[SpanScore, SpanScore]:
    """Scores of the settings as they are and of the winner on the later bars, both fitted on all bars before.

    Raises:
        ModelError: a member could not be fitted.
    """
    keys = {TrialSpan(0, _LATER): before, TrialSpan(1, _LATER): winner}
    found = dict(
        run_tasks(
            scorer,
            list(keys),
            workers,
            report=lambda *_: show(),
            given=lambda key: (keys[key], spans.judge),
            engine=engine,
        )
    )
    for score in found.values():
        if score.failure:
            raise ModelError(
                "judge the winner on later bars", found=score.failure, expected="members that can be fitted"
            )
    return found[TrialSpan(0, _LATER)], found[TrialSpan(1, _LATER)]


def judgement_of(
    as_is: tuple[EndedTrial, SpanScore],
    winner: tuple[EndedTrial, SpanScore],
    spans: StudySpans,
    evaluation: EvaluationSettings,
    further: Mapping[str, Any],
) -> dict[str, Any]:
    """The judgement as a JSON document. Skills are shares of the loss of the class shares that are saved.

    Args:
        as_is: trial of the settings as they are, and their score on the later bars.
        winner: likewise.
        spans: of the study.
        evaluation: of the interval, by blocks of time with all their markets.
        further: entries of the document.
    """
    (first, before), (best, after) = as_is, winner
    searched = float(best.skill or 0.0) - float(first.skill or 0.0)
    blocks = TimeBlocks(after.time, evaluation)
    saved = before.loss - after.loss
    gained = float(saved.sum()) / float(after.reference.sum())
    figures = Figures()
    figures.add("gain_later", gained)
    ends = blocks.interval(blocks.ratios(saved, after.reference))
    figures.add_interval("gain_later_ci", ends, f"{blocks.count} blocks of time are too few")
    share = 1 - gained / searched if searched > 0 else None
    figures.add("selection_share", share, "no gain in the search")
    return {
        "trial": best.number,
        "choices": best.choices,
        "from": iso_ms(spans.judge[0]),
        "to": iso_ms(spans.judge[1]),
        "rows": len(after.time),
        "days": len(np.unique(after.time // 86_400_000)),
        "confidence": evaluation.confidence,
        "skill_search_before": first.skill,
        "skill_search": best.skill,
        "gain_search": searched,
        "skill_later_before": before.skill,
        "skill_later": after.skill,
        **figures.to_json(),
        "kept": ends is not None and ends[0] > 0,
        **further,
    }


def verdict_of(judgement: Mapping[str, Any] | None, trials: int, *, improved: bool) -> str:
    """One sentence or two: what was gained in the search, what on later bars, and whether the winner is kept."""
    if judgement is None:
        if improved:
            return f"{trials} trials so far; the winner is judged on later bars when the search ends."
        return f"No trial of {trials} is better than the settings as they are, which stay."
    gain, later, ends = (judgement[name] for name in ("gain_search", "gain_later", "gain_later_ci"))
    interval = "no interval" if ends is None else f"{100 * ends[0]:+.2f} to {100 * ends[1]:+.2f}"
    share = judgement["selection_share"]
    selection = "" if share is None else f" {_selection(share)}"
    decided = "The winner is kept." if judgement["kept"] else "The winner is not kept: its interval is not above zero."
    return (
        f"Gain in the search {100 * gain:+.2f} % of the class shares' log-loss, on later bars {100 * later:+.2f} % "
        f"({interval}).{selection} {decided}"
    )


def _selection(share: float) -> str:
    if share > 1:
        return "All of the gain was selection: later bars show a loss."
    if share < 0:
        return "None of the gain was selection: later bars show more than the search."
    return f"{100 * share:.0f} % of the gain was selection."
