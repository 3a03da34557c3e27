"""Decisions of a bundle's vote on every bar of a market, from its members' scores."""

from __future__ import annotations

from collections.abc import Mapping

from quorate.core.types import Candles, DecisionFrame, FloatArray, Policy
from quorate.ensemble.bundle.calibration_file import Calibration
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.voting.any_policy import AnyPolicy
from quorate.ensemble.voting.vote_frame import decide_frame


def vote_decisions(
    candles: Candles,
    scores: Mapping[str, FloatArray],
    volatility: FloatArray,
    *,
    members: int,
    manifest: Manifest,
    calibration: Calibration,
    policies: Mapping[Policy, AnyPolicy],
    decides: Policy,
    sets: bool,
) -> DecisionFrame:
    """The decision at each of n bars.

    Args:
        candles: n bars of one market.
        scores: member -> (n, 3); NaN rows are abstentions.
        volatility: (n,) volatility_20 as a fraction.
        members: number of members that vote, loaded or not; at most so many have scores on a bar.
        manifest: of the bundle.
        calibration: of the bundle.
        policies: that the bundle has.
        decides: the policy in force.
        sets: compute prediction sets even if that policy does not use them.
    """
    probabilities, limit = calibration.ensemble(scores, manifest.policy), None
    if probabilities is not None and (sets or decides == "calibrated"):
        labels = RECIPES[manifest.recipe].make_target(manifest.target).label(candles)
        limit = calibration.limit(probabilities, labels, candles.time)
    calibrated = calibration.frame(scores)
    decisions = decide_frame(
        scores,
        volatility,
        policy=policies[decides],
        members=members,
        limit=limit,
        probabilities=probabilities,
        calibrated=calibrated,
    )
    return DecisionFrame(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        time=candles.time,
        action=decisions.action,
        confidence=decisions.confidence,
        base=decisions.base,
        consensus=decisions.consensus,
        rule=decisions.rule,
        volatility=volatility,
        scores=scores,
        synthetic=candles.synthetic or manifest.synthetic,
        policy=decides,
        probabilities=probabilities,
        calibrated=calibrated,
        limit=limit,
        side=decisions.side,
    )
