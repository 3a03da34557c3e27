"""Votes of members that are benched: kept apart before the vote is counted, and beside the signal after it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, Signal, Vote
from quorate.ensemble.bundle.calibration_file import Calibration
from quorate.ensemble.inference.bench import Bench, apart, mode_without

MemberVotes = list[Vote | Abstention]


class Shadow(NamedTuple):
    """What the benched members of one market would have voted, and how many loaded ones are benched."""

    votes: tuple[Vote, ...]
    benched: int


def keep_apart(
    votes_of: Sequence[MemberVotes], bench: Bench, closes: Sequence[int], loaded: Collection[str]
) -> tuple[list[MemberVotes], list[Shadow]]:
    """Each market's votes, with abstentions in place of those of benched members, and what these would have voted.

    Args:
        votes_of: of each market.
        bench: of the bundle.
        closes: when the bar of each market closes, ms.
        loaded: members that are loaded.
    """
    counted, shadows = [], []
    for votes, close in zip(votes_of, closes, strict=True):
        benched = bench.at(close)
        own, shadow = apart(votes, benched)
        counted.append(own)
        shadows.append(Shadow(shadow, sum(model in loaded for model in benched)))
    return counted, shadows


def put_beside(
    signals: Sequence[Signal], shadows: Sequence[Shadow], calibration: Calibration, settings: VoteSettings
) -> list[Signal]:
    """The signals with what benched members would have voted, and with the mode without them.

    Args:
        signals: of each market.
        shadows: likewise.
        calibration: of the bundle.
        settings: weights of the vote.
    """
    calibrated = calibration.calibrate_votes([list(shadow.votes) for shadow in shadows], settings)
    return [
        replace(
            signal,
            mode=mode_without(signal.mode, shadow.benched),
            benched=tuple(vote for vote in votes if isinstance(vote, Vote)),
        )
        for signal, shadow, (votes, _) in zip(signals, shadows, calibrated, strict=True)
    ]
