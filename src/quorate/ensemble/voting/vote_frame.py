"""The consensus vote on every bar of a frame: the rules of `vote.py`, in the same order, on arrays.

Property tests compare the two bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from quorate.core.errors import VoteError
from quorate.core.types import Action, ActionArray, FloatArray, TextArray
from quorate.ensemble.voting.any_policy import AnyPolicy, policy_named, vote_settings
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.closed_policy import CLOSED, ClosedPolicy
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.member_votes import counted_votes
from quorate.ensemble.voting.policies import CLASSIC, TOLERANCE, VOLATILITY_HOLD, quorum_count
from quorate.ensemble.voting.vote import BOOST, CONFLICT, NAMING_QUORUM, NO_BOOST, consensus_name


class Decisions(NamedTuple):
    """Decisions on n bars: the fields of `Signal` as (n,) arrays.

    `side` is BUY or SELL, the side that a calibrated policy considered; None for the vote.
    """

    action: ActionArray
    confidence: FloatArray
    base: FloatArray
    consensus: TextArray
    rule: TextArray
    side: ActionArray | None = None


def decide_frame(
    scores: Mapping[str, FloatArray],
    volatility: FloatArray,
    *,
    policy: AnyPolicy | str | None = None,
    members: int | None = None,
    limit: FloatArray | None = None,
    probabilities: FloatArray | None = None,
    calibrated: Mapping[str, FloatArray] | None = None,
) -> Decisions:
    """Count the votes on n bars.

    Args:
        scores: model -> (n, 3) scores in class order; a row with a value that is not finite is an abstention.
        volatility: (n,) volatility_20 as a fraction; not finite closes the gate on that bar.
        policy: quorum, floor, gate and weights, or another policy, or the name of one; default: the classic policy.
        members: number of models in the manifest, loaded or not; default: the number of models in `scores`.
        limit: (n,) of a calibrated policy's prediction sets; None for the initial limit.
        probabilities: (n, 3) calibrated probabilities of the ensemble, by which a calibrated policy decides; None to
            compute them from the scores.
        calibrated: model -> (n, 3) calibrated probabilities, by which a model votes in the consensus policy; it votes
            by its scores where it has none, or NaN.

    Raises:
        VoteError: arrays of different lengths, scores outside 0 to 1, fewer members than models, or no such policy.
    """
    if isinstance(policy, str):
        policy = policy_named(policy)
    if isinstance(policy, ClosedPolicy):
        classic = decide_frame(scores, volatility, policy=policy.vote, members=members)
        return classic._replace(
            action=np.full(len(volatility), Action.HOLD, np.int8),
            rule=np.where(classic.rule == "no_votes", classic.rule, CLOSED),
        )
    if isinstance(policy, CalibratedPolicy):
        if probabilities is None:
            probabilities = policy.ensemble(mean_scores(scores, policy.vote))
        classic = decide_frame(scores, volatility, policy=policy.vote, members=members)
        voters = np.sum([np.isfinite(table).all(axis=1) for table in scores.values()], axis=0)
        decided = policy.decide_frame(probabilities, voters, len(scores) if members is None else members, limit)
        return classic._replace(
            action=decided.action,
            confidence=decided.confidence,
            rule=decided.rule,
            side=decided.side,
            consensus=np.char.replace(classic.consensus, VOLATILITY_HOLD, ""),
        )
    policy = policy or CLASSIC
    rules, given_move = vote_settings(policy), isinstance(policy, ConsensusPolicy)
    n = len(scores) if members is None else members
    bars = len(volatility)
    if n < len(scores):
        raise VoteError("count the votes", found=f"{len(scores)} models", expected=f"at most {n}, the members")

    # 1. Sums and counts by class, models added in order as in the scalar vote.
    sums, weighted = np.zeros((bars, 3)), np.zeros((bars, 3))
    counts = np.zeros((bars, 3), dtype=np.int64)
    rows = np.arange(bars)
    for model, table in scores.items():
        if table.shape != (bars, 3):
            raise VoteError(
                f"count the votes of {model}", found=f"scores of shape {table.shape}", expected=f"({bars}, 3)"
            )
        action, score = counted_votes(table, (calibrated or {}).get(model), given_move=given_move)
        voted = np.isfinite(score)
        if ((score[voted] < 0) | (score[voted] > 1)).any():
            raise VoteError(
                f"count the votes of {model}", found="a score outside 0 to 1", expected="scores from 0 to 1"
            )
        weight = rules.weight(model)
        at = rows[voted], action[voted]
        sums[at] += weight
        weighted[at] += weight * score[voted]
        counts[at] += 1
    winner = np.argmax(sums, axis=1)
    others = np.argsort(np.arange(3)[None, :] == winner[:, None], axis=1, kind="stable")[:, :2]
    winning_sum, agreeing = sums[rows, winner], counts[rows, winner]
    tied = (winning_sum[:, None] - np.take_along_axis(sums, others, 1) <= TOLERANCE).any(axis=1)
    outvoted = (agreeing[:, None] <= np.take_along_axis(counts, others, 1)).any(axis=1)
    conflict = tied | outvoted

    # 2. and 3. Base, consensus and boost, the latter two looked up by the number of agreeing models.
    boosts = NO_BOOST if given_move else BOOST
    base = np.divide(weighted[rows, winner], winning_sum, out=np.zeros(bars), where=~conflict)
    names = np.array([CONFLICT] + [consensus_name(k, n) for k in range(1, n + 1)])
    multiplier, cap = np.array([(0.0, 0.0)] + [boosts[name] for name in names[1:]]).T
    found = np.where(conflict, 0, agreeing)
    consensus = names[found]
    confidence = np.minimum(cap[found], base * multiplier[found])

    # 4. to 6. Each rule applies to bars that no earlier rule has decided.
    acting = np.isin(winner, (Action.SELL, Action.BUY))
    no_quorum = agreeing < quorum_count(rules.quorum, n)
    known = np.isfinite(volatility)
    calm = known & (volatility <= rules.volatility_limit + TOLERANCE)
    shut = acting & ~calm & (~known | (base < rules.volatility_base - TOLERANCE))
    lowered = agreeing < quorum_count(NAMING_QUORUM, n)
    floor = np.where(lowered, rules.lowered_floor, rules.floor) - TOLERANCE
    below = acting & (confidence < floor)
    no_votes = counts.sum(axis=1) == 0
    rule = np.select(
        [no_votes, conflict, no_quorum, shut, below],
        ["no_votes", "conflict", "no_quorum", "volatility_gate", "below_floor"],
        default="vote",
    )
    gated = rule == "volatility_gate"
    return Decisions(
        action=np.where(rule == "vote", winner, Action.HOLD).astype(np.int8),
        confidence=confidence,
        base=base,
        consensus=np.where(gated, np.char.add(consensus, VOLATILITY_HOLD), consensus),
        rule=rule,
    )
