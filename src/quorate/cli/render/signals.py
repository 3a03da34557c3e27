"""Signals as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.core.clock import format_ms
from quorate.core.text.plural import counted
from quorate.core.types import CLASS_NAMES, Action
from quorate.ensemble.voting.calibrated_policy import GATES as CALIBRATED_GATES
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.inputs.applied_vote import overrides_text
from quorate.workflows.results.headline import closed_text

if TYPE_CHECKING:
    from quorate.core.types import Signal
    from quorate.trading.entry_panel import PanelVote
    from quorate.workflows.results import MarketSignal, MarketSignals


# Rule -> why it decided, where the policy counts votes or predicts returns.
_WHY = {
    "conflict": "no class has both most votes and most weight",
    "no_votes": "no member voted",
    "no_quorum": "fewer members agree than the quorum",
    "volatility_gate": "too volatile for the members' own scores",
    "fallback_rules": "no member is loaded: fallback rules",
    "closed": "the policy is closed",
    "within_cost": "the predicted return is within the costs",
    "member_missing": "a member of the stack is missing",
    **CALIBRATED_GATES,
}


def show(result: MarketSignals, *, explain: bool = False) -> None:
    """A few lines a market; stale data and missing members on standard error.

    Args:
        result: the signals.
        explain: with what did not decide.
    """
    if result.vote_overrides:
        output.print_line(overrides_text(result.vote_overrides))
    synthetic = all(each.synthetic for each in result)
    if synthetic:
        output.print_line(SYNTHETIC)
    for each in result:
        show_signal(each, explain=explain, marked=not synthetic)
    for because in dict.fromkeys(each.signal.closed_because for each in result if each.signal.closed_because):
        output.print_sentence(closed_text(because))
    if explain and result.effective_votes is not None:
        count = counted(len(result.status), "member")
        output.print_line(f"the votes of {count} are worth {result.effective_votes:.1f} independent ones")
    if result.stale:
        output.note(f"data is stale: the newest closed bar opened at {format_ms(result.newest)}")
    if result.mode != "full":
        missing = [member for member, loaded in result.status.items() if not loaded]
        out = {gone.model for each in result for gone in each.signal.abstentions if gone.benched} - set(missing)
        voting = f"{len(result.status) - len(missing) - len(out)} of {counted(len(result.status), 'member')}"
        reasons = [f"these could not be loaded: {', '.join(missing)}"] if missing else []
        reasons += [f"these are benched: {', '.join(sorted(out))}"] if out else []
        output.note(f"mode {result.mode}, {voting}: {'; '.join(reasons)}")


def show_signal(each: MarketSignal, *, explain: bool = False, marked: bool = True) -> None:
    """The decision, why, and the votes or the probabilities that decided it; and the abstentions.

    Args:
        each: the decision of a market.
        explain: also the probabilities where votes decided, and the votes where probabilities did.
        marked: say that the market is synthetic.
    """
    made = each.signal
    notes = [
        "" if each.trained_symbol else "not a training symbol",
        "INSIDE THE TRAINING SPAN" if each.in_training_span else "",
        "SYNTHETIC" if each.synthetic and marked else "",
    ]
    tail = "".join(f" ({text})" for text in notes if text)
    # The confidence of a HOLD that no vote decided is that of the side that was not taken.
    own = made.action != Action.HOLD or made.rule in ("vote", "fallback_rules")
    decided = f"{made.action.name} {made.confidence:.0%}" if own else made.action.name
    output.print_line(f"{made.symbol} {format_ms(each.time)}  {decided}: {_why(made)}{tail}")
    by_probability = made.policy == "calibrated" and made.probabilities is not None
    if explain or not by_probability:
        output.print_line(f"  {made.line()}")
    if made.probabilities is not None and (explain or by_probability):
        shares = ", ".join(f"{name} {p:.0%}" for name, p in zip(CLASS_NAMES, made.probabilities, strict=True))
        output.print_line(f"  probabilities: {shares}; policy {made.policy}")
    for abstention in made.abstentions:
        output.print_line(f"  {abstention.model} abstains: {abstention.reason}")
    if each.panel is not None:
        _show_panel(each.panel)


def _why(made: Signal) -> str:
    """The clause that says what decided."""
    if made.rule == "vote":
        agreeing = sum(vote.action == made.action for vote in made.votes)
        return f"{agreeing} of {counted(len(made.votes) + len(made.abstentions), 'member')}, {made.consensus}"
    if made.rule == "calibrated" and made.expected_return is not None:
        return f"{made.expected_return:+.2%} expected after costs"
    if made.rule == "predicted_return" and made.predicted_return is not None:
        return f"a return of {made.predicted_return:+.2%} is predicted"
    if made.rule == "below_return" and made.expected_return is not None:
        return f"only {made.expected_return:+.2%} expected after costs"
    if made.rule == "below_floor":
        return f"its confidence, {made.confidence:.0%}, is below the floor"
    return _WHY.get(made.rule, made.rule)


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
