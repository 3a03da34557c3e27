"""Why a signal is what it is, in a sentence with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Signal
from quorate.ensemble.voting.calibrated_policy import GATES
from quorate.ensemble.voting.policies import quorum_count
from quorate.ensemble.voting.vote import NAMING_QUORUM
from quorate.serving.dashboard.formatting import figure, whole

_SENTENCES: Mapping[str, str] = {
    "conflict": "The votes conflict: no side has both the most members and the most weight",
    "no_votes": "No member voted",
    "fallback_rules": "No model is available; the fallback rules decided",
    "calibrated": "The calibrated policy acts",
    "closed": "The policy is closed",
    "predicted_return": "The stack predicts a return above the costs",
    "within_cost": "The predicted return does not pay for the costs",
    "member_missing": "A member that the stack was fitted with is missing",
}


def reason(signal: Signal, policy: VoteSettings, members: int) -> str:
    """The rule that decided, as a sentence.

    Args:
        signal: the decision.
        policy: settings of the vote that made it.
        members: number of the bundle's members, loaded or not.
    """
    agreeing = max(Counter(vote.action for vote in signal.votes).values(), default=0)
    quorum = quorum_count(policy.quorum, members)
    match signal.rule:
        case "vote" if signal.action.name == "HOLD":
            return f"{agreeing} of {members} members vote HOLD"
        case "vote":
            return f"{agreeing} of {members} members agree"
        case "no_quorum" if signal.policy != "calibrated" and policy.quorum_of == "independent":
            share = f"{whole(policy.quorum)} of the independent votes of {members}"
            return f"{agreeing} of {members} members agree, worth less than {share}"
        case "no_quorum" if signal.policy != "calibrated":
            return f"{agreeing} of {members} members agree; the quorum is {quorum}"
        case "volatility_gate" if signal.volatility is None:
            return "The volatility is unknown"
        case "volatility_gate":
            return (
                f"Volatility {figure(signal.volatility, 'odds')} is above {whole(policy.volatility_limit)}: "
                f"needs a score of {whole(policy.volatility_base)}, has {whole(signal.base)}"
            )
        case "below_floor":
            floor = policy.lowered_floor if agreeing < quorum_count(NAMING_QUORUM, members) else policy.floor
            return f"Confidence {whole(signal.confidence)} is below the floor of {whole(floor)}"
    sentence = _SENTENCES.get(signal.rule) or GATES.get(signal.rule) or signal.rule
    return sentence[:1].upper() + sentence[1:]
