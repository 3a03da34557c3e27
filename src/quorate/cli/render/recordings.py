"""The panel of language models as text: its recordings, and the check of its providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from quorate.cli.output import print_line, print_rows
from quorate.core.clock import format_ms
from quorate.workflows.panel_check import TIMEFRAMES

if TYPE_CHECKING:
    from quorate.llm.client import Asked
    from quorate.llm.recordings import Recording
    from quorate.workflows.panel_check import PanelCheck
    from quorate.workflows.recordings import RecordedReplies, RecordingPlan

# Reasons that are listed; a model that writes nonsense has many.
_MOST_REASONS = 5
_REASON = 160
_FORMS = {"schema": "JSON schema", "object": "JSON object", "plain": "plain prompt"}


def plan_lines(plan: RecordingPlan) -> Iterator[str]:
    """What would be asked, and what that can cost."""
    span = "" if plan.start is None or plan.end is None else f", {format_ms(plan.start)} to {format_ms(plan.end)}"
    yield f"{plan.bars} bars{span}, {plan.timeframe}; decisions of {plan.bundle}"
    for role, model in plan.models.items():
        yield f"  {role}: {model}"
    known = f"; {plan.recorded} are recorded already" if plan.recorded else ""
    known += f"; {plan.without_prompt} have too few bars before them" if plan.without_prompt else ""
    yield f"{plan.questions} questions, at most ${plan.usd:.4f} with one request each{known}"
    for model, count in plan.knowable.items():
        yield f"CONTAMINATED: {count} questions are about bars that {model} may know from its training data"


def show_recorded(found: RecordedReplies) -> None:
    """Print what was recorded."""
    if found.synthetic:
        print_line("SYNTHETIC")
    if not found.plan.questions:
        print_line(f"nothing to ask: {found.plan.recorded} replies on {found.plan.bars} bars are recorded already")
        return
    print_line(
        f"{found.replies} replies and {sum(found.abstentions.values())} abstentions recorded in {found.folder}, "
        f"{sum(found.failures.values())} questions without a reply; ${found.usd:.6f}, {found.seconds:.0f} s"
    )
    _reasons("abstentions", found.abstentions)
    _reasons("without a reply", found.failures)
    if found.stopped is not None:
        left = found.plan.questions - found.replies - sum(found.abstentions.values())
        print_line(f"stopped: {found.stopped}; {left} questions are left, which the same command asks")


def show_recording(recording: Recording) -> None:
    """Print one recording."""
    document = shown(recording)
    reply = document.pop("reply") or {}
    raw = document.pop("raw")
    rows = [(name, "" if value is None else str(value)) for name, value in document.items()]
    rows += [(name, str(value)) for name, value in reply.items() if name not in document]
    print_rows("", ("recording", ""), rows, prose=True)
    print_line("received:")
    print_line(raw)


def shown(recording: Recording) -> dict[str, Any]:
    """The document of one recording."""
    return {"id": recording.key.digest, **recording.to_json()}


def _reasons(title: str, reasons: Mapping[str, int]) -> None:
    for reason, count in list(reasons.items())[:_MOST_REASONS]:
        short = reason if len(reason) <= _REASON else f"{reason[:_REASON]}..."
        print_line(f"  {title}, {count}: {short}")
    if len(reasons) > _MOST_REASONS:
        print_line(f"  {title}: {len(reasons) - _MOST_REASONS} other reasons")


def show_check(found: PanelCheck) -> None:
    """Print what each role's provider answered, and what the panel costs."""
    for role, asked in found.asked.items():
        for line in _check_lines(role, asked):
            print_line(line)
    print_line(f"today the panel cost ${found.usd_today:.4f} of at most ${found.usd_per_day:g}")
    a_day = ", ".join(f"${found.usd_a_day(timeframe):.4f} at {timeframe}" for timeframe in TIMEFRAMES)
    print_line(f"as these replies cost, a market costs at most {a_day} a day, with an entry on every bar")


def _check_lines(role: str, asked: Asked) -> Iterator[str]:
    where = f"{role}: {asked.model} of {asked.provider}"
    figures = f"{asked.seconds:.2f} s, ${asked.usd:.6f}, {asked.requests} requests"
    if asked.reply is None:
        yield f"{where} abstains ({figures})"
        yield f"  {asked.reason}"
        return
    tokens = f"{asked.tokens_in} + {asked.tokens_out} tokens"
    yield f"{where}: {asked.reply.direction.name} {asked.reply.confidence:.0%} ({figures}, {tokens})"
    yield f"  answers by {_FORMS[asked.form]}: {asked.reply.reasoning or 'no reasoning'}"
