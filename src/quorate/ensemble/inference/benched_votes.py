"""Votes that do not count, of members that are benched or not chosen: kept apart before the vote is counted, and beside
the signal after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, Mode, Signal, Vote
from quorate.ensemble.bundle.calibration_file import Calibration
from quorate.ensemble.inference.bench import Bench, apart, mode_of
from quorate.ensemble.inference.members import Members

MemberVotes = list[Vote | Abstention]


class Shadow(NamedTuple):
    """What the members of one market whose votes do not count would have voted.

    Attributes:
        benched, unselected: votes of members that are benched, and of those that are not chosen.
        left_out: abstentions of the latter.
        mode: of the members that count.
    """

    benched: tuple[Vote, ...]
    unselected: tuple[Vote, ...]
    left_out: tuple[Abstention, ...]
    mode: Mode


def keep_apart(
    votes_of: Sequence[MemberVotes], bench: Bench, closes: Sequence[int], members: Members
) -> tuple[list[MemberVotes], list[Shadow]]:
    """Each market's votes without those of members that are not chosen, and with abstentions in place of those of
    benched members; and what both would have voted.

    Args:
        votes_of: of each market.
        bench: of the bundle.
        closes: when the bar of each market closes, ms.
        members: of the bundle.
    """
    counted, shadows = [], []
    membership, order = bench.membership, members.order
    selects = membership.applies(order)
    for votes, close in zip(votes_of, closes, strict=True):
        chosen, benched = membership.at(close, order), bench.at(close)
        own, shadow = apart([vote for vote in votes if vote.model in chosen] if selects else votes, benched)
        others = [vote for vote in votes if vote.model not in chosen] if selects else []
        counted.append(own)
        shadows.append(
            Shadow(
                shadow,
                tuple(vote for vote in others if isinstance(vote, Vote)),
                tuple(Abstention(vote.model, membership.reason(close, vote.model)) for vote in others),
                mode_of(members, bench, close),
            )
        )
    return counted, shadows


def put_beside(
    signals: Sequence[Signal], shadows: Sequence[Shadow], calibration: Calibration, settings: VoteSettings
) -> list[Signal]:
    """The signals with what the others would have voted, and with the mode of those that count.

    Args:
        signals: of each market.
        shadows: likewise.
        calibration: of the bundle.
        settings: weights of the vote.
    """
    beside = [[*shadow.benched, *shadow.unselected] for shadow in shadows]
    found = []
    for signal, shadow, (calibrated, _) in zip(
        signals, shadows, calibration.calibrate_votes(beside, settings), strict=True
    ):
        votes = tuple(vote for vote in calibrated if isinstance(vote, Vote))
        found.append(
            replace(
                signal,
                mode=shadow.mode,
                abstentions=(*signal.abstentions, *shadow.left_out),
                benched=votes[: len(shadow.benched)],
                unselected=votes[len(shadow.benched) :],
            )
        )
    return found
