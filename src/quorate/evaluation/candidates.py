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
from quorate.ensemble.policy import POLICIES
from quorate.ensemble.vote_frame import decide_frame
from quorate.evaluation.decisions import decision_figures
from quorate.evaluation.deflation import Moments
from quorate.evaluation.performance import account_curve, trade_figures
from quorate.evaluation.venue import Venue
from quorate.trading.result import BacktestResult

# What a deployment may have that is none of the policies by name.
CONFIGURED = "configured"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One configuration and its account.

    Attributes:
        name: in tables.
        choice: what sets it apart from its neighbours, JSON-safe: members, policy, how they are combined.
        result: what it traded.
    """

    name: str
    choice: Mapping[str, Any]
    result: BacktestResult

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
    venue: Venue,
    configured: VoteSettings,
    members: Sequence[str],
    floors: Sequence[float],
) -> tuple[Candidate, ...]:
    """The ensemble under every policy, then under the policy in force with other floors; the judged one first.

    Args:
        frames: the judged decisions, with the members' scores.
        result: what they brought.
        venue: where all trade.
        configured: the policy in force.
        members: of the ensemble, loaded or not.
        floors: to be tried.
    """
    wanted = policies(configured)
    in_force = next(iter(wanted))
    wanted |= {f"floor {floor:.2f}": replace(configured, floor=floor) for floor in floors if floor != configured.floor}
    made = []
    for name, policy in wanted.items():
        choice = {"members": list(members), "combine": "vote", "policy": policy_json(policy)}
        own = result if name == in_force else venue.trade(revoted(frames, policy, len(members)))
        made.append(Candidate(name, choice, own))
    return tuple(made)


def revoted(frames: Mapping[str, DecisionFrame], policy: VoteSettings, members: int) -> dict[str, DecisionFrame]:
    """The same scores, counted under another policy."""
    counted = {}
    for symbol, frame in frames.items():
        said = decide_frame(frame.scores, frame.volatility, policy=policy, members=members)
        counted[symbol] = replace(
            frame,
            action=said.action,
            confidence=said.confidence,
            base=said.base,
            consensus=said.consensus,
            rule=said.rule,
        )
    return counted


def policy_figures(
    frames: Mapping[str, DecisionFrame],
    candidates: Sequence[Candidate],
    configured: VoteSettings,
    members: int,
    settings: EvaluationSettings,
) -> dict[str, Any]:
    """Policy -> what it asks for, how it decided and what it earned, JSON-safe; the one in force first."""
    results = {candidate.name: candidate.result for candidate in candidates}
    found = {}
    for place, (name, policy) in enumerate(policies(configured).items()):
        if name not in results:
            continue
        decided = frames if not place else revoted(frames, policy, members)
        said = decision_figures(decided.values(), settings)
        found[name] = {
            "in_force": not place,
            "policy": policy_json(policy),
            "coverage": said["coverage"],
            "mean_confidence": said["mean_confidence"],
            "actions": said["actions"],
            "trades": trade_figures(results[name], settings),
        }
    return found


def policy_json(policy: VoteSettings) -> dict[str, Any]:
    """A policy as a plain document."""
    # asdict copies values deeply, which a read-only mapping refuses.
    return {**asdict(replace(policy, weights={})), "weights": dict(policy.weights)}


def return_matrix(candidates: Sequence[Candidate]) -> tuple[FloatArray, tuple[str, ...]]:
    """(days, N) daily returns of those whose account lived through all of the run, and their names."""
    days = max((len(candidate.returns) for candidate in candidates), default=0)
    whole = [candidate for candidate in candidates if len(candidate.returns) == days > 0]
    table = np.column_stack([candidate.returns for candidate in whole]) if whole else np.empty((0, 0))
    return table, tuple(candidate.name for candidate in whole)
