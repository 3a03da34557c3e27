"""Configurations that could have been chosen instead, each traded on the same bars by an account of its own.

They are what a choice is made among: the policies by name, the policy with other floors, each member alone. Their daily
returns say how much of the best one's result is the choosing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from quorate.core.settings import EvaluationSettings, VoteSettings
from quorate.core.types import DecisionFrame, FloatArray
from quorate.ensemble.voting.calibrated_policy import CALIBRATED, CalibratedPolicy
from quorate.ensemble.voting.policies import POLICIES
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.trades import account_curve, trade_figures
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.trading.backtest.backtest_result import BacktestResult

# What a deployment may have that is none of the policies by name.
CONFIGURED = "configured"

# Policies of a walk whose folds chose differently.
CHOSEN = "chosen"


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """One configuration and its account.

    Attributes:
        name: in tables.
        choice: what sets it apart from its neighbours, JSON-safe: members, policy, how they are combined.
        result: what it traded.
        frames: symbol -> its decisions, for a policy that is told of by itself; None for what is only a candidate.
    """

    name: str
    choice: Mapping[str, Any]
    result: BacktestResult
    frames: Mapping[str, DecisionFrame] | None = None

    @property
    def returns(self) -> FloatArray:
        """(days,) the account's daily returns; empty once it was wiped out."""
        return account_curve(self.result).daily_returns()

    @property
    def moments(self) -> Moments:
        """Of the daily returns."""
        return Moments.of(self.returns)


def policies(configured: VoteSettings) -> dict[str, VoteSettings]:
    """The policy in force first, then those by name, all with its weights.

    >>> list(policies(VoteSettings())), list(policies(VoteSettings(floor=0.8)))
    (['classic', 'lowered'], ['configured', 'classic', 'lowered'])
    """
    named = {
        name: replace(policy, weights=configured.weights, default_weight=configured.default_weight)
        for name, policy in POLICIES.items()
    }
    same = next((name for name, policy in named.items() if policy == configured), CONFIGURED)
    others = {name: policy for name, policy in named.items() if name != same}
    return {same: configured, **others}


def vote_candidates(
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult,
    venue: BacktestSetup,
    configured: VoteSettings,
    members: Sequence[str],
    floors: Sequence[float],
    calibrated: Mapping[str, DecisionFrame] | None = None,
) -> tuple[Configuration, ...]:
    """The ensemble under every policy, then under the configured vote with other floors; the judged one first.

    Args:
        frames: the judged decisions, with the members' scores.
        result: what they brought.
        venue: where all trade.
        configured: the vote's policy.
        members: of the ensemble, loaded or not.
        floors: to be tried.
        calibrated: what the calibrated policy decides on the same bars; None where nothing is calibrated.
    """
    wanted = policies(configured)
    named, first = tuple(wanted), in_force(frames, configured)
    wanted |= {f"floor {floor:.2f}": replace(configured, floor=floor) for floor in floors if floor != configured.floor}

    def choice(policy: VoteSettings, combine: str) -> dict[str, Any]:
        return {"members": list(members), "combine": combine, "policy": policy_json(policy)}

    made = []
    if first not in wanted:
        made.append(Configuration(first, choice(configured, first), result, frames))
    for name, policy in wanted.items():
        decided = frames if name == first else revoted(frames, policy, len(members))
        own = result if name == first else venue.trade(decided)
        made.append(Configuration(name, choice(policy, "vote"), own, decided if name in named else None))
    if calibrated is not None and first != CALIBRATED:
        own = venue.trade(calibrated)
        made.append(Configuration(CALIBRATED, choice(configured, CALIBRATED), own, calibrated))
    return tuple(made)


def in_force(frames: Mapping[str, DecisionFrame], configured: VoteSettings) -> str:
    """What the policy that decided these frames is called; "chosen" where folds chose differently."""
    by = {frame.policy for frame in frames.values()}
    if by == {CALIBRATED}:
        return CALIBRATED
    return CHOSEN if any(frame.side is not None for frame in frames.values()) else next(iter(policies(configured)))


def revoted(
    frames: Mapping[str, DecisionFrame], policy: VoteSettings | CalibratedPolicy, members: int
) -> dict[str, DecisionFrame]:
    """The same scores and probabilities, decided under another policy."""
    counted = {}
    for symbol, frame in frames.items():
        said = decide_frame(
            frame.scores,
            frame.volatility,
            policy=policy,
            members=members,
            limit=frame.limit,
            probabilities=frame.probabilities,
        )
        counted[symbol] = replace(
            frame,
            action=said.action,
            confidence=said.confidence,
            base=said.base,
            consensus=said.consensus,
            rule=said.rule,
            policy="classic" if isinstance(policy, VoteSettings) else CALIBRATED,
            side=said.side,
        )
    return counted


def policy_figures(candidates: Sequence[Configuration], settings: EvaluationSettings) -> dict[str, Any]:
    """Policy -> what it asks for, how it decided and what it earned, JSON-safe; the one in force first."""
    found = {}
    for place, candidate in enumerate(candidates):
        if candidate.frames is None:
            continue
        said = decision_figures(candidate.frames.values(), settings)
        found[candidate.name] = {
            "in_force": not place,
            "policy": candidate.choice["policy"],
            "coverage": said["coverage"],
            "mean_confidence": said["mean_confidence"],
            "actions": said["actions"],
            "trades": trade_figures(candidate.result, settings),
        }
    return found


def policy_json(policy: VoteSettings) -> dict[str, Any]:
    """A policy as a plain document."""
    # asdict copies values deeply, which a read-only mapping refuses.
    return {**asdict(replace(policy, weights={})), "weights": dict(policy.weights)}


def return_matrix(candidates: Sequence[Configuration]) -> tuple[FloatArray, tuple[str, ...]]:
    """(days, N) daily returns of those whose account lived through all of the run, and their names."""
    days = max((len(candidate.returns) for candidate in candidates), default=0)
    whole = [candidate for candidate in candidates if len(candidate.returns) == days > 0]
    table = np.column_stack([candidate.returns for candidate in whole]) if whole else np.empty((0, 0))
    return table, tuple(candidate.name for candidate in whole)
