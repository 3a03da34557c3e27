"""The consensus vote on every bar of a frame: the rules of `vote.py`, in the same order, on arrays.

Property tests compare the two bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from quorate.core.errors import VoteError
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, IntArray, TextArray, finite_rows
from quorate.ensemble.voting.any_policy import AnyPolicy, policy_named, vote_settings
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.closed_policy import CLOSED, ClosedPolicy
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.ensemble.voting.independence import has_independent_quorum
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.member_votes import counted_votes
from quorate.ensemble.voting.policies import CLASSIC, TOLERANCE, VOLATILITY_HOLD, quorum_count
from quorate.ensemble.voting.vote import BOOST, CONFLICT, NAMING_QUORUM, NO_BOOST, consensus_name

_Number = TypeVar("_Number", np.float64, np.int64)

# In the order in which they apply; the last where none does.
_RULES = ("no_votes", "conflict", "no_quorum", "volatility_gate", "below_floor", "vote")


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
        members: number of models that vote, loaded or not; default: the number of models in `scores`. Where `scores`
            has more models, as of an ensemble whose voting members change, at most so many have scores on a bar.
        limit: (n,) of a calibrated policy's prediction sets; None for the initial limit.
        probabilities: (n, 3) calibrated probabilities of the ensemble, by which a calibrated policy decides; None to
            compute them from the scores.
        calibrated: model -> (n, 3) calibrated probabilities, by which a model votes in the consensus policy; it votes
            by its scores where it has none, or NaN.

    Raises:
        VoteError: arrays of different lengths, scores outside 0 to 1, more votes on a bar than members, or no such
            policy.
    """
    if isinstance(policy, str):
        policy = policy_named(policy)
    if isinstance(policy, ClosedPolicy):
        classic, _ = _count_votes(scores, volatility, policy.vote, members)
        return classic._replace(
            action=np.full(len(volatility), Action.HOLD, np.int8),
            rule=np.where(classic.rule == "no_votes", classic.rule, CLOSED),
        )
    if isinstance(policy, CalibratedPolicy):
        if probabilities is None:
            probabilities = policy.ensemble(mean_scores(scores, policy.vote))
        classic, agreeing = _count_votes(scores, volatility, policy.vote, members)
        voters = np.sum([finite_rows(table) for table in scores.values()], axis=0)
        decided = policy.decide_frame(probabilities, voters, len(scores) if members is None else members, limit)
        return classic._replace(
            action=decided.action,
            confidence=decided.confidence,
            rule=decided.rule,
            side=decided.side,
            consensus=_consensus_names(len(scores) if members is None else members)[agreeing],
        )
    return _count_votes(scores, volatility, policy or CLASSIC, members, calibrated)[0]


def _consensus_names(members: int) -> TextArray:
    """Name of the consensus by the number of agreeing members; that of a conflict first."""
    return np.array([CONFLICT] + [consensus_name(agreeing, members) for agreeing in range(1, members + 1)])


def _count_votes(
    scores: Mapping[str, FloatArray],
    volatility: FloatArray,
    policy: VoteSettings | ConsensusPolicy,
    members: int | None,
    calibrated: Mapping[str, FloatArray] | None = None,
) -> tuple[Decisions, IntArray]:
    """The decisions of a policy that counts votes, and the number of agreeing members, 0 where they conflict.

    See `decide_frame`.

    Classes are columns of their own, (3, n): numpy goes through three long columns many times as fast as through many
    rows of three.
    """
    rules, given_move = vote_settings(policy), isinstance(policy, ConsensusPolicy)
    n = len(scores) if members is None else members
    bars = len(volatility)
    # 1. Sums and counts by class, models added in order as in the scalar vote.
    sums, weighted = np.zeros((3, bars)), np.zeros((3, bars))
    counts = np.zeros((3, bars), dtype=np.int64)
    chosen: dict[str, ActionArray] = {}  # model -> (n,) its vote, -1 where it abstains; where names matter
    for model, table in scores.items():
        if table.shape != (bars, 3):
            raise VoteError(
                f"count the votes of {model}", found=f"scores of shape {table.shape}", expected=f"({bars}, 3)"
            )
        action, score = counted_votes(table, (calibrated or {}).get(model), given_move=given_move)
        if ((score < 0) | (score > 1)).any():
            raise VoteError(
                f"count the votes of {model}", found="a score outside 0 to 1", expected="scores from 0 to 1"
            )
        weight, voted = rules.weight(model), np.isfinite(score)
        value = np.where(voted, weight * score, 0.0)
        if rules.quorum_of == "independent":
            chosen[model] = np.where(voted, action, np.int8(-1))
        for side in range(len(Action)):
            own = voted & (action == side)
            sums[side] += weight * own
            weighted[side] += value * own
            counts[side] += own
    if n < len(scores) and (most := int(counts.sum(axis=0).max(initial=0))) > n:
        raise VoteError("count the votes", found=f"{most} votes on a bar", expected=f"at most {n}, the members")
    sell, hold, buy = sums
    # Of equal sums the first class wins. What holds for it is selected by arithmetic, which is exact here, since a
    # choice by masks takes numpy several times as long.
    not_sell = ~((sell >= hold) & (sell >= buy))
    won = (~not_sell, not_sell & (hold >= buy), not_sell & (hold < buy))
    winner = won[Action.HOLD] + 2 * won[Action.BUY].astype(np.int8)
    winning_sum = np.maximum(np.maximum(sell, hold), buy)
    second_sum = np.maximum(np.minimum(sell, hold), np.minimum(np.maximum(sell, hold), buy))
    agreeing, most_others = _of_winner(counts, won), np.zeros(bars, np.int64)
    for side in range(len(Action)):
        most_others = np.maximum(most_others, counts[side] * ~won[side])
    conflict = (winning_sum - second_sum <= TOLERANCE) | (agreeing <= most_others)

    # 2. and 3. Base, consensus and boost, the latter two looked up by the number of agreeing models.
    boosts = NO_BOOST if given_move else BOOST
    base = np.divide(_of_winner(weighted, won), winning_sum, out=np.zeros(bars), where=~conflict)
    names = _consensus_names(n).tolist()
    multiplier, cap = np.array([(0.0, 0.0)] + [boosts[name] for name in names[1:]]).T
    found = np.where(conflict, 0, agreeing)
    confidence = np.minimum(cap[found], base * multiplier[found])

    # 4. to 6. Each rule applies to bars that no earlier rule has decided.
    acting = winner != Action.HOLD
    if rules.quorum_of == "members":
        no_quorum = agreeing < quorum_count(rules.quorum, n)
    else:
        no_quorum = _lacks_independence(chosen, winner, n, rules)
    known = np.isfinite(volatility)
    calm = known & (volatility <= rules.volatility_limit + TOLERANCE)
    shut = acting & ~calm & (~known | (base < rules.volatility_base - TOLERANCE))
    lowered = agreeing < quorum_count(NAMING_QUORUM, n)
    floor = np.where(lowered, rules.lowered_floor, rules.floor) - TOLERANCE
    below = acting & (confidence < floor)
    no_votes = (counts[0] + counts[1] + counts[2]) == 0
    rule = np.full(bars, len(_RULES) - 1)
    for place, holds in reversed(list(enumerate((no_votes, conflict, no_quorum, shut, below)))):
        rule[holds] = place
    gated = rule == _RULES.index("volatility_gate")
    consensus = np.array([*names, *(name + VOLATILITY_HOLD for name in names)])[found + len(names) * gated]
    acted = rule == len(_RULES) - 1
    action = np.where(acted, winner, np.int8(Action.HOLD))
    return Decisions(action, confidence, base, consensus, np.array(_RULES)[rule]), found


def _lacks_independence(
    chosen: Mapping[str, ActionArray], winner: ActionArray, members: int, rules: VoteSettings
) -> BoolArray:
    """(n,) whether those that agree are worth too few independent votes; each set of members is judged once.

    Of more models than members, those that voted on a bar are the known ones there.
    """
    names = list(chosen)
    columns = np.stack(list(chosen.values()), axis=1) if names else np.zeros((len(winner), 0), np.int8)
    known = (columns >= 0) | (len(names) <= members)
    sets, of = np.unique(np.hstack([columns == winner[:, None], known]), axis=0, return_inverse=True)
    lacking = [
        not has_independent_quorum(
            [name for name, own in zip(names, row, strict=False) if own],
            [name for name, own in zip(names, row[len(names) :], strict=True) if own],
            members,
            rules,
        )
        for row in sets
    ]
    return np.array(lacking, np.bool_)[of.reshape(-1)]


def _of_winner(columns: npt.NDArray[_Number], won: tuple[BoolArray, ...]) -> npt.NDArray[_Number]:
    """(n,) value of the class that won, of (3, n) finite columns and (n,) masks of the classes."""
    sell, hold, buy = (column * chosen for column, chosen in zip(columns, won, strict=True))
    return np.asarray(sell + hold + buy, columns.dtype)
