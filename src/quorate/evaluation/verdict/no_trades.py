"""Why decisions led to no trade, and what a lower floor would have done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.core.text.plural import counted
from quorate.core.types import NO_DECISION
from quorate.ensemble.voting.calibrated_policy import CALIBRATED
from quorate.ensemble.voting.calibrated_policy import GATES as CALIBRATED_GATES
from quorate.ensemble.voting.closed_policy import CLOSED
from quorate.ensemble.voting.consensus_policy import CONSENSUS
from quorate.evaluation.verdict.wording import bps

# Rules of the classic and the consensus policy, where no confidence reached the floor.
_NO_SIDE = "no BUY or SELL had the quorum and passed the volatility gate"
_OF_STACKS = {"within_cost", "member_missing"}
_UNDECIDED = {
    "no_votes": "no member voted",
    "training_span": "the bars are in the training span",
    "before_series": "the bars come before the first bundle of the series",
}


def why_no_signal(
    rules: Mapping[str, int], *, floor: float | None = None, highest: float | None = None, because: str = ""
) -> str:
    """The clause that says why no bar was BUY or SELL.

    Args:
        rules: rule that decided -> number of bars, of decisions that are all HOLD; see `Signal.rule`.
        floor: of the policy, where it has one.
        highest: largest confidence of a BUY or SELL that only the floor stopped; None where there was none.
        because: why the policy is closed, where it is.

    >>> why_no_signal({"below_floor": 3, "vote": 7}, floor=0.69, highest=0.679)
    'the highest confidence was 0.679, the floor is 0.69'
    >>> why_no_signal({"no_votes": 24})
    'no member voted on any bar'
    """
    bars = sum(rules.values())
    if not bars:
        return "there is no bar to decide"
    decided = {rule: count for rule, count in rules.items() if rule not in NO_DECISION}
    if not decided:
        rule = max(rules, key=lambda one: rules[one])
        return "no member voted on any bar" if rule == "no_votes" else _UNDECIDED[rule]
    if set(decided) <= _OF_STACKS:
        return "no predicted return exceeded the costs of a trade"
    if set(decided) == {CLOSED}:
        return f"the policy is closed, because {because}" if because else "the policy is closed"
    gates = {rule: count for rule, count in decided.items() if rule in CALIBRATED_GATES or rule == CLOSED}
    if gates and not {"vote", "below_floor", "volatility_gate", "conflict"} & set(decided):
        return _by_gates(gates, bars)
    if highest is None:
        return _NO_SIDE
    # Rounded down: a confidence below the floor never looks as if it reached it.
    return f"the highest confidence was {int(highest * 1000 + 1e-9) / 1000:.3f}, the floor is {floor or 0:.2f}"


def hindsight(floors: Mapping[str, Any] | None, policy: str) -> str:
    """What the highest floor with signals would have done on the same bars; empty where no floor decides.

    Args:
        floors: the key `floors` of an evaluation, with `nearest`.
        policy: name of the policy that decided; of a closed one, the vote that it shows is taken.
    """
    if floors is None or policy == CALIBRATED:
        return ""
    found = floors["policies"][CONSENSUS if policy == CONSENSUS else "classic"]
    row = next((one for one in found["floors"] if one["floor"] == floors["floor"] and one["signals"]), None)
    row = found.get("nearest") if row is None else row
    if row is None:
        return ""
    return (
        f"At a floor of {row['floor']:.2f} it would have been {counted(row['signals'], 'signal')} at "
        f"{bps(row, 'net_bps')} each, after costs: hindsight on these bars, not a reason to lower it."
    )


def training_verdict(floors: Mapping[str, Any] | None, policy: str) -> str:
    """What the vote would have done with its floor on the rows that chose the policy; empty without them.

    Args:
        floors: the entry `floors` of a bundle's metrics.
        policy: name of the policy that the bundle decides by.
    """
    if floors is None or policy == CALIBRATED:
        return ""
    found = floors["policies"][CONSENSUS if policy == CONSENSUS else "classic"]
    highest = found["highest_confidence"]
    own = next(row for row in found["floors"] if row["floor"] == floors["floor"])
    where = f"On {counted(floors['bars'], 'bar')} that none of the members was fitted on"
    if own["signals"]:
        made = f"{counted(own['signals'], 'signal')} at {bps(own, 'net_bps')} each, after costs"
        return f"{where}, the vote with a floor of {floors['floor']:.2f} gave {made}."
    if highest is None:
        return f"{where}, {_NO_SIDE}."
    why = why_no_signal({"below_floor": floors["bars"]}, floor=floors["floor"], highest=highest)
    return f"{where}, the vote gave no signal: {why}."


def _by_gates(gates: Mapping[str, int], bars: int) -> str:
    """The gates of the calibrated policy, the one that stopped most bars first."""
    shares = sorted(gates.items(), key=lambda item: -item[1])
    named = {**CALIBRATED_GATES, CLOSED: "the policy was closed"}
    texts = [f"{named[rule]} ({100 * count / bars:.0f} % of the bars)" for rule, count in shares]
    return "; ".join(texts)
