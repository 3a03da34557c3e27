"""The result of a search as a document and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.lifecycle.snippet_file import write_snippet
from quorate.lifecycle.tune.judge import verdict_of
from quorate.lifecycle.tune.snippet import changed, settings_snippet
from quorate.lifecycle.tune.spans import StudySpans
from quorate.lifecycle.tune.trial_state import EndedTrial, as_they_are, best_of

#: Trials that are shown, best first.
SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False)
class TuneResult:
    """A study so far: its trials, and the judgement of its winner once the search has ended.

    Attributes:
        document: JSON-safe; the document of `quorate tune --json`.
    """

    document: Mapping[str, Any]

    @property
    def snippet(self) -> str | None:
        """Settings for quorate.toml; None where the winner is not kept."""
        text: str | None = self.document["snippet"]
        return text

    def write_settings(self, path: Path | str) -> bool:
        """Write the settings to a file, if the winner is kept; whether it was written.

        Raises:
            DataError: the file cannot be written.
        """
        return write_snippet(path, self.snippet)


def as_document(
    about: Mapping[str, Any],
    trials: Sequence[EndedTrial],
    judgement: Mapping[str, Any] | None,
    state: Mapping[str, Any],
) -> dict[str, Any]:
    """The document of a study.

    Args:
        about: what the study is, as its folder has it.
        trials: that ended, in order.
        judgement: of the winner; None while there is none.
        state: folder, budget, what was repeated, provenance.
    """
    first: dict[str, Any] = about["as_they_are"]
    before, best = as_they_are(list(trials), first), best_of(list(trials))
    improved = before is not None and best is not None and best.number != before.number
    kept = judgement is not None and judgement["kept"]
    own = None if judgement is None else {n: each["after"] for n, each in changed(judgement["choices"], first).items()}
    spans = about["spans"]
    return {
        "verdict": verdict_of(judgement, len(trials), improved=improved),
        "kept": bool(kept),
        **state,
        "members": about["members"],
        "symbols": about["symbols"],
        "timeframe": about["timeframe"],
        "question": about["question"],
        "spans": spans,
        "synthetic": about["synthetic"],
        "trials": {
            "ended": len(trials),
            "complete": sum(each.end == "complete" for each in trials),
            "pruned": sum(each.end == "pruned" for each in trials),
            "failed": sum(each.end == "failed" for each in trials),
        },
        "space": about["space"],
        "as_they_are": None if before is None else before.to_json(),
        "best": [each.to_json() for each in ranked(trials)[:SHOWN]],
        "judgement": None if judgement is None else dict(judgement),
        "changed": None if judgement is None else changed(judgement["choices"], first),
        "snippet": settings_snippet(own, _about(judgement)) if kept and own and judgement is not None else None,
    }


def ranked(trials: Sequence[EndedTrial]) -> list[EndedTrial]:
    """Trials with a skill, best first: complete ones before those that were ended early, by test spans."""
    scored = [each for each in trials if each.skill is not None]
    return sorted(scored, key=lambda each: (-each.spans, -(each.skill or 0.0), each.number))


def spans_document(spans: StudySpans, end: int) -> dict[str, Any]:
    """The spans of a study, JSON-safe."""
    return {
        "from": iso_ms(spans.start),
        "folds": [[iso_ms(begin), iso_ms(last)] for begin, last in spans.folds],
        "judge": [iso_ms(spans.judge[0]), iso_ms(end)],
        "embargo_hours": spans.embargo_ms / 3_600_000,
    }


def _about(judgement: Mapping[str, Any]) -> str:
    return (
        f"found by quorate tune; judged once on {judgement['from'][:10]} to {judgement['to'][:10]}: "
        f"{100 * judgement['gain_later']:+.2f} % of the log-loss of the class shares"
    )
