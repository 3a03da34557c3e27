"""Signals of the newest bars from the votes of their members; for frames see `vote_decisions.py`."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.core.clock import timeframe_ms
from quorate.core.types import Mode, Signal
from quorate.ensemble.bundle.calibration_file import Calibration
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.bench import Bench
from quorate.ensemble.inference.benched_votes import keep_apart, put_beside
from quorate.ensemble.inference.members import Members
from quorate.ensemble.voting.any_policy import AnyPolicy
from quorate.ensemble.voting.vote import decide
from quorate.features import Bars, Inputs


def vote_signals(
    inputs: Sequence[Inputs],
    volatilities: Sequence[float],
    newest: Sequence[Bars],
    *,
    members: Members,
    manifest: Manifest,
    calibration: Calibration,
    policy: AnyPolicy,
    bench: Bench,
    mode: Mode,
) -> list[Signal]:
    """The decision at the newest bar of each market; each member runs once on the batch of all of them.

    Args:
        inputs: features of each market.
        volatilities: volatility_20 of each market's newest bar, a fraction.
        newest: bars of each market, up to the one that is decided.
        members: that vote.
        manifest: of the bundle.
        calibration: of the members' scores.
        policy: that decides.
        bench: whose votes do not count.
        mode: of the bundle.
    """
    votes_of, shadows = members.votes(inputs), None
    count = bench.membership.count(members.order)
    if bench.spans or count < len(members):
        closes = [int(bars.time[-1]) + timeframe_ms(manifest.timeframe) for bars in newest]
        votes_of, shadows = keep_apart(votes_of, bench, closes, members)
    calibrated = calibration.calibrate_votes(votes_of, manifest.policy)
    signals = [
        decide(
            votes,
            volatility,
            policy=policy,
            members=count,
            mode=mode,
            symbol=bars.symbol,
            time=int(bars.time[-1]),
            probabilities=probabilities,
        )
        for (votes, probabilities), volatility, bars in zip(calibrated, volatilities, newest, strict=True)
    ]
    return signals if shadows is None else put_beside(signals, shadows, calibration, manifest.policy)
