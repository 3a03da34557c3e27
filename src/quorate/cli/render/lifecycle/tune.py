"""A study as lines and tables for a terminal: the verdict first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.lifecycle.tune.result import TuneResult

_TRIAL = ("trial", "skill, %", "spans", "seconds", "end", "choices")


def show(found: TuneResult) -> None:
    """The verdict, how far the search is, the best trials, and what the winner changes."""
    document, counts = found.document, found.document["trials"]
    marked = document["synthetic"]
    output.print_line(("[SYNTHETIC] " if marked else "") + document["verdict"])
    if document.get("already_judged"):
        output.print_line("The study was judged before; later bars judge a study once, and nothing was searched again.")
    spans, question = document["spans"], document["question"]
    output.print_line(
        f"{counts['ended']} trials: {counts['complete']} complete, {counts['pruned']} ended early, "
        f"{counts['failed']} failed; {document['spent_minutes']} minutes in {document['study']}"
    )
    output.print_line(
        f"Question: the return over {question['horizon']} bars, band {question['band']}; "
        f"searched {spans['from'][:10]} to {spans['judge'][0][:10]}, judged until {spans['judge'][1][:10]}."
    )
    if document.get("repeated"):
        output.print_line(f"Interrupted trials that were begun again: {document['repeated']}.")
    if document.get("cut_line"):
        output.print_line("Cut off: an incomplete last line of the journal.")
    before = document["as_they_are"]
    shown = [] if before is None else [("as they are", before)]
    shown += [(str(trial["trial"]), trial) for trial in document["best"] if trial != before]
    output.print_rows("Best trials", _TRIAL, [_row(name, trial) for name, trial in shown], synthetic=marked, prose=True)
    judgement = document["judgement"]
    if judgement is not None:
        output.print_rows("Skill", ("", "as they are", "winner", "gain", "interval"), _skills(judgement))
        if judgement["earlier_judgements"]:
            output.print_line(
                f"WARNING: the trial log has {judgement['earlier_judgements']} earlier judgements on these later bars."
            )
    if document["changed"]:
        rows = [(name, _value(each["before"]), _value(each["after"])) for name, each in document["changed"].items()]
        output.print_rows("What the winner changes", ("setting", "as it is", "winner"), rows)
    if found.snippet is not None:
        output.print_line("For quorate.toml:")
        print(found.snippet, end="")


def _row(name: str, trial: Mapping[str, Any]) -> tuple[str, ...]:
    choices = ", ".join(f"{choice} {_value(value)}" for choice, value in trial["choices"].items())
    skill = "n/a" if trial["skill"] is None else f"{100 * trial['skill']:+.3f}"
    return (name, skill, str(trial["spans"]), f"{trial['seconds']:.1f}", trial["end"], choices)


def _skills(judgement: Mapping[str, Any]) -> Sequence[tuple[str, ...]]:
    ends = judgement["gain_later_ci"]
    interval = "n/a" if ends is None else f"{100 * ends[0]:+.3f} to {100 * ends[1]:+.3f}"
    rows = []
    for part, between in (("search", ""), ("later", interval)):
        figures = (judgement[f"skill_{part}_before"], judgement[f"skill_{part}"], judgement[f"gain_{part}"])
        rows.append((f"{part}, %", *(f"{100 * figure:+.3f}" for figure in figures), between))
    return rows


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
