"""Signals as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.core.clock import format_ms
from quorate.core.types import CLASS_NAMES
from quorate.workflows.results.headline import closed_text

if TYPE_CHECKING:
    from quorate.trading.entry_panel import PanelVote
    from quorate.workflows.results import MarketSignal, MarketSignals


def show(result: MarketSignals) -> None:
    """A few lines a market; stale data and missing members on standard error."""
    for each in result:
        show_signal(each)
    if result.effective_votes is not None:
        count = len(result.status)
        output.print_line(f"the votes of {count} members are worth {result.effective_votes:.1f} independent ones")
    if result.stale:
        output.note(f"data is stale: the newest closed bar opened at {format_ms(result.newest)}")
    if result.mode != "full":
        missing = [member for member, loaded in result.status.items() if not loaded]
        out = {gone.model for each in result for gone in each.signal.abstentions if gone.benched} - set(missing)
        voting = f"{len(result.status) - len(missing) - len(out)} of {len(result.status)} members"
        reasons = [f"these could not be loaded: {', '.join(missing)}"] if missing else []
        reasons += [f"these are benched: {', '.join(sorted(out))}"] if out else []
        output.note(f"mode {result.mode}, {voting}: {'; '.join(reasons)}")


def show_signal(each: MarketSignal) -> None:
    """The decision, the votes and the probabilities that it rests on, and the abstentions."""
    made = each.signal
    notes = [
        "" if each.trained_symbol else "not a training symbol",
        "INSIDE THE TRAINING SPAN" if each.in_training_span else "",
        "SYNTHETIC" if each.synthetic else "",
    ]
    tail = "".join(f" ({text})" for text in notes if text)
    when = format_ms(each.time)
    output.print_line(f"{made.symbol} {when}  {made.action.name} {made.confidence:.0%} by {made.rule}{tail}")
    output.print_line(f"  {made.line()}")
    if made.probabilities is not None:
        shares = ", ".join(f"{name} {p:.0%}" for name, p in zip(CLASS_NAMES, made.probabilities, strict=True))
        output.print_line(f"  probabilities: {shares}; decided by the {made.policy} policy")
    if made.closed_because:
        output.print_line(f"  {closed_text(made.closed_because)}")
    for abstention in made.abstentions:
        output.print_line(f"  {abstention.model} abstains: {abstention.reason}")
    if each.panel is not None:
        _show_panel(each.panel)


def _show_panel(vote: PanelVote) -> None:
    """The panel's judgement, and what each role replied."""
    mark = " (CONTAMINATED)" if vote.contaminated else ""
    side = "no reply" if vote.direction is None else f"{vote.direction.name} {vote.confidence:.0%}"
    output.print_line(f"  panel: {vote.strength}, {side}; {vote.share:.0%} of the ordinary stake{mark}")
    for reply in vote.view.get("replies", ()):
        said = f"{reply['direction']} {reply['confidence']:.0%}"
        output.print_line(f"    {reply['role']} ({reply['model']}): {said}. {reply['reasoning']}")
    for abstention in vote.view.get("abstentions", ()):
        output.print_line(f"    {abstention['role']} abstains: {abstention['reason']}")
