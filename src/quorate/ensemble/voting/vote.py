"""The consensus vote on one bar.

A pure function of votes, volatility and policy. `vote_frame.py` applies the same rules to arrays of bars.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from quorate.core.arguments import MAPPING, TEXT, WHOLE, Kind, require_type, require_types
from quorate.core.errors import VoteError
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, Action, Mode, Signal, Vote
from quorate.ensemble.voting.any_policy import POLICY_TYPES, AnyPolicy, policy_name, policy_named, vote_settings
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.closed_policy import ClosedPolicy
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy, vote_given_move
from quorate.ensemble.voting.independence import has_independent_quorum
from quorate.ensemble.voting.mean_scores import mean_vote
from quorate.ensemble.voting.policies import CLASSIC, TOLERANCE, VOLATILITY_HOLD, quorum_count

CONFLICT = "conflict_resolved_to_hold"
# Names of a consensus always refer to this share of the members, whatever quorum is set.
NAMING_QUORUM = 0.75

# consensus -> (multiplier of the base, cap of the confidence)
BOOST: Mapping[str, tuple[float, float]] = {
    "unanimous": (1.2, 0.95),
    "strong": (1.1, 0.85),
    "split": (0.8, 1.0),
    "weak": (0.6, 1.0),
}

# In the consensus policy the confidence is the base.
NO_BOOST: Mapping[str, tuple[float, float]] = dict.fromkeys(BOOST, (1.0, 1.0))


def consensus_name(agreeing: int, members: int) -> str:
    """Name of the consensus of `agreeing` of `members` models.

    >>> [consensus_name(k, 4) for k in (1, 2, 3, 4)]
    ['weak', 'split', 'strong', 'unanimous']
    """
    if agreeing == members >= 4:
        return "unanimous"
    if agreeing >= 2 and agreeing >= quorum_count(NAMING_QUORUM, members):
        return "strong"
    return "split" if agreeing >= 2 else "weak"


def loaded_mode(loaded: int, members: int) -> Mode:
    """Full if every member is loaded, partial if at least two are, else none.

    >>> loaded_mode(4, 4), loaded_mode(2, 4), loaded_mode(1, 4)
    ('full', 'partial', 'none')
    """
    if loaded == members > 0:
        return "full"
    return "partial" if loaded >= 2 else "none"


def decide(
    votes: Iterable[Vote | Abstention],
    volatility: float | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    policy: AnyPolicy | str | None = None,
    members: int | None = None,
    mode: Mode | None = None,
    symbol: str = "",
    time: int | None = None,
    probabilities: tuple[float, float, float] | None = None,
) -> Signal:
    """Count the votes on one bar.

    Args:
        votes: votes and abstentions, each model once. A vote whose score is not finite counts as an abstention.
        volatility: volatility_20 as a fraction. Missing or not finite closes the gate: no BUY, no SELL.
        weights: weight by model, which replaces the policy's; a weight of the vote itself replaces both.
        policy: quorum, floor and gate, or another policy, or the name of one; default: the classic policy.
        members: number of models in the manifest, loaded or not; default: the number of votes and abstentions.
        mode: how many members are loaded; default: derived from the votes.
        symbol: of the signal.
        time: of the signal: open time of the bar, ms.
        probabilities: calibrated probabilities of the ensemble, by which a calibrated policy decides; None to compute
            them from the votes' scores.

    Returns:
        The signal. A HOLD keeps its confidence, except in a conflict, where it is 0.

    Raises:
        VoteError: a model votes twice, a score is outside 0 to 1, a weight is not positive, more votes than members, no
            such policy, or a vote without the three scores that the consensus policy counts.

    >>> decide([Vote(m, Action.BUY, 0.9) for m in ("xgboost", "lightgbm", "nhits", "patchtst")], 0.02).line()
    'unanimous | xgb:BUY 90%, lgbm:BUY 90%, nhits:BUY 90%, patchtst:BUY 90% | vol:2.00%'
    """
    _require_types(volatility, weights, policy, members, mode, symbol, time, probabilities)
    counted, abstained = _separate(_checked(votes))
    if isinstance(policy, str):
        policy = policy_named(policy)
    n = len(counted) + len(abstained) if members is None else members
    if isinstance(policy, CalibratedPolicy):
        classic = _count(counted, abstained, volatility, weights, policy.vote, n, mode, symbol, time, None)
        if probabilities is None:
            probabilities = _probabilities(counted, policy)
        return policy.decide(classic, probabilities, n)
    if isinstance(policy, ClosedPolicy):
        return policy.close(
            _count(counted, abstained, volatility, weights, policy.vote, n, mode, symbol, time, probabilities)
        )
    return _count(counted, abstained, volatility, weights, policy or CLASSIC, n, mode, symbol, time, probabilities)


def _count(
    counted: list[Vote],
    abstained: list[Abstention],
    volatility: float | None,
    weights: Mapping[str, float] | None,
    policy: VoteSettings | ConsensusPolicy,
    n: int,
    mode: Mode | None,
    symbol: str,
    time: int | None,
    probabilities: tuple[float, float, float] | None,
) -> Signal:
    """`decide` by the classic or the consensus policy, from arguments that have been checked; `n` members."""
    rules, boosts = vote_settings(policy), BOOST
    if isinstance(policy, ConsensusPolicy):
        counted, boosts = [vote_given_move(vote) for vote in counted], NO_BOOST
    if n < len(counted) + len(abstained):
        raise VoteError(
            "count the votes",
            found=f"{len(counted) + len(abstained)} votes and abstentions",
            expected=f"at most {n}, the members",
        )
    known_volatility = volatility if volatility is not None and math.isfinite(volatility) else None

    def signal(action: Action, confidence: float, consensus: str, rule: str, base: float) -> Signal:
        return Signal(
            action=action,
            confidence=confidence,
            consensus=consensus,
            rule=rule,
            base=base,
            volatility=known_volatility,
            votes=tuple(counted),
            abstentions=tuple(abstained),
            mode=loaded_mode(len(counted), n) if mode is None else mode,
            symbol=symbol,
            time=time,
            policy=policy_name(policy),
            probabilities=probabilities,
        )

    # 1. The class with the largest sum of weights wins if it also has the most votes.
    sums, weighted, counts = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0, 0, 0]
    for vote in counted:
        weight = _weight(vote, weights, rules)
        sums[vote.action] += weight
        weighted[vote.action] += weight * vote.score
        counts[vote.action] += 1
    winner = max(Action, key=lambda action: sums[action])
    others = [action for action in Action if action != winner]
    tied = any(sums[winner] - sums[other] <= TOLERANCE for other in others)
    if tied or any(counts[winner] <= counts[other] for other in others):
        return signal(Action.HOLD, 0.0, CONFLICT, "conflict" if counted else "no_votes", 0.0)

    # 2. and 3. Base, consensus, and the boost of the classic policy.
    agreeing = counts[winner]
    base = weighted[winner] / sums[winner]
    consensus = consensus_name(agreeing, n)
    multiplier, cap = boosts[consensus]
    confidence = min(cap, base * multiplier)

    # 4. Quorum.
    if rules.quorum_of == "members":
        lacking = agreeing < quorum_count(rules.quorum, n)
    else:
        names = [vote.model for vote in counted if vote.action == winner]
        known = [vote.model for vote in counted] + [abstention.model for abstention in abstained]
        lacking = not has_independent_quorum(names, known, n, rules)
    if lacking:
        return signal(Action.HOLD, confidence, consensus, "no_quorum", base)
    if winner == Action.HOLD:
        return signal(Action.HOLD, confidence, consensus, "vote", base)

    # 5. The volatility gate uses the base: after the boost, agreement alone would open it.
    calm = known_volatility is not None and known_volatility <= rules.volatility_limit + TOLERANCE
    if not calm and (known_volatility is None or base < rules.volatility_base - TOLERANCE):
        return signal(Action.HOLD, confidence, consensus + VOLATILITY_HOLD, "volatility_gate", base)

    # 6. Floor.
    lowered = agreeing < quorum_count(NAMING_QUORUM, n)
    if confidence < (rules.lowered_floor if lowered else rules.floor) - TOLERANCE:
        return signal(Action.HOLD, confidence, consensus, "below_floor", base)
    return signal(winner, confidence, consensus, "vote", base)


def _probabilities(votes: Iterable[Vote | Abstention], policy: CalibratedPolicy) -> tuple[float, float, float] | None:
    mean = mean_vote(votes, policy.vote)
    if mean is None:
        return None
    sell, hold, buy = policy.ensemble(np.array([mean]))[0].tolist()
    return sell, hold, buy


_NUMBER = (float, int, np.integer, np.floating)
_ATTEMPTED = "count the votes"
_VOTES = 'votes and abstentions, such as [quorate.Vote("xgboost", quorate.Action.BUY, 0.78)]'


def _require_types(
    volatility: Any, weights: Any, policy: Any, members: Any, mode: Any, symbol: Any, time: Any, probabilities: Any
) -> None:
    """Refuse arguments of other types. On the live path: words for an error are made only where there is one."""
    if not (
        (volatility is None or isinstance(volatility, _NUMBER))
        and (weights is None or isinstance(weights, Mapping))
        and (policy is None or isinstance(policy, POLICY_TYPES))
        and (members is None or isinstance(members, int))
        and (mode is None or isinstance(mode, str))
        and isinstance(symbol, str)
        and (time is None or isinstance(time, (int, np.integer)))
        and (probabilities is None or isinstance(probabilities, tuple))
    ):
        require_types(
            _ATTEMPTED,
            volatility=(volatility, Kind(_NUMBER, "a fraction, such as 0.02").optional),
            weights=(weights, MAPPING.optional),
            policy=(policy, Kind(POLICY_TYPES, "the settings of a vote, a policy or its name").optional),
            members=(members, WHOLE.optional),
            mode=(mode, TEXT.optional),
            symbol=(symbol, TEXT),
            time=(time, WHOLE.optional),
            probabilities=(probabilities, Kind((tuple,), "a tuple of the values of SELL, HOLD and BUY").optional),
        )


def _checked(votes: Iterable[Vote | Abstention]) -> list[Vote | Abstention]:
    """The votes, each of which has checked its own fields."""
    if not isinstance(votes, list):
        votes = list(require_type(_ATTEMPTED, "votes", votes, Iterable, _VOTES))
    for vote in votes:
        if not isinstance(vote, (Vote, Abstention)):
            require_type(_ATTEMPTED, "votes", vote, (Vote, Abstention), _VOTES)
    return votes


def _separate(votes: Iterable[Vote | Abstention]) -> tuple[list[Vote], list[Abstention]]:
    """Votes, and abstentions, which include votes whose score is not finite."""
    counted: list[Vote] = []
    abstained: list[Abstention] = []
    seen: set[str] = set()
    for vote in votes:
        if vote.model in seen:
            raise VoteError("count the votes", found=f"{vote.model} twice", expected="each model once")
        seen.add(vote.model)
        if isinstance(vote, Abstention):
            abstained.append(vote)
        elif not math.isfinite(vote.score):
            abstained.append(Abstention(vote.model, f"score is {vote.score}"))
        elif not 0 <= vote.score <= 1:
            raise VoteError(
                f"count the vote of {vote.model}", found=f"score {vote.score}", expected="a score from 0 to 1"
            )
        else:
            counted.append(vote)
    return counted, abstained


def _weight(vote: Vote, weights: Mapping[str, float] | None, policy: VoteSettings) -> float:
    if vote.weight is not None:
        weight = vote.weight
    elif weights is not None and vote.model in weights:
        weight = weights[vote.model]
    else:
        weight = policy.weight(vote.model)
    if not (isinstance(weight, _NUMBER) and math.isfinite(weight) and weight > 0):
        raise VoteError(f"weigh the vote of {vote.model}", found=f"weight {weight!r}", expected="a positive number")
    return weight
