"""The consensus policy: the quorum and the gates of the vote, on the direction given a move.

A class score is P(move) x P(up | move). Three classes share it out, so that few bars have a class of 0.69. Given a move
the base rate of a side is 50 %, and a confidence of 69 % says that of 100 such moves 69 go that way.

1. Each member votes by its probabilities of SELL, HOLD and BUY, or by its raw scores where it is not calibrated: HOLD
   where P(HOLD) exceeds 0.5 or it has no side, else the larger side, whose score is its share of P(move).
2. These votes are counted, named and gated as by the classic policy: weights, ties, quorum, volatility gate, floor.
3. Agreement multiplies nothing: confidence is the base, the weighted mean score of the agreeing members.

`decide` counts one bar, `decide_frame` many, with the same bits. The votes of a signal are those that were counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from quorate.core.errors import VoteError
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Vote
from quorate.ensemble.voting.member_votes import move_action

#: Name of the policy.
CONSENSUS: Final = "consensus"


@dataclass(frozen=True, slots=True)
class ConsensusPolicy:
    """The consensus policy.

    Attributes:
        vote: weights, quorum, gate and floor.
    """

    vote: VoteSettings


def vote_given_move(vote: Vote) -> Vote:
    """The vote of a member by the direction given a move; its scores and probabilities are kept.

    Raises:
        VoteError: it has no scores of SELL, HOLD and BUY, or they are not from 0 to 1.
    """
    raw = vote.scores if vote.scores is not None else vote.probabilities
    if raw is None:
        raise VoteError(
            f"count the vote of {vote.model} by the consensus policy",
            found="the score of one class",
            expected="scores or probabilities of SELL, HOLD and BUY",
            remedy=f'Give all three: quorate.Vote("{vote.model}", action, score, scores=(sell, hold, buy)).',
        )
    scores = raw if vote.probabilities is None else vote.probabilities
    if not all(0 <= score <= 1 for score in (*scores, *raw)):
        raise VoteError(
            f"count the vote of {vote.model} by the consensus policy",
            found=f"the scores {raw} and the probabilities {vote.probabilities}",
            expected="scores and probabilities from 0 to 1",
        )
    action, score = move_action(scores, raw)
    return replace(vote, action=action, score=score)
