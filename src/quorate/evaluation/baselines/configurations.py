"""Alternative configurations, each backtested on the same bars with its own account.

They are the policies by name, the vote's policy with other floors, and each member alone. The closed policy is among
them only where it decided, since it never trades. The selection bias of the best of them is estimated from their daily
returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.settings import Settings, VoteSettings
from quorate.core.types import DecisionFrame, FloatArray
from quorate.ensemble.voting.any_policy import AnyPolicy, policy_name
from quorate.ensemble.voting.calibrated_policy import CALIBRATED
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.ensemble.voting.policies import POLICIES
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.criteria import criteria
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.trades import account_curve, trade_figures
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.trading.backtest.backtest_result import BacktestResult

# Name of a vote policy that is none of the named ones.
CONFIGURED = "configured"

# Name of the policy of a walk-forward whose folds selected different ones.
CHOSEN = "chosen"


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """One configuration and its backtest.

    Attributes:
        name: in tables.
        choice: what distinguishes it from the others, JSON-safe: members, policy, how members are combined.
        result: its backtest.
        frames: symbol -> its decisions, for a policy that has a row of its own in reports; else None.
    """

    name: str
    choice: Mapping[str, Any]
    result: BacktestResult
    frames: Mapping[str, DecisionFrame] | None = None

    @property
    def returns(self) -> FloatArray:
        """(days,) daily returns of the account; empty if it was wiped out."""
        return account_curve(self.result).daily_returns()

    @property
    def moments(self) -> Moments:
        """Moments of the daily returns."""
        return Moments.of(self.returns)


def policies(configured: VoteSettings) -> dict[str, VoteSettings]:
    """Vote policies by name, the configured one first, all with its weights and correlations.

    >>> list(policies(VoteSettings())), list(policies(VoteSettings(floor=0.8)))
    (['classic', 'lowered'], ['configured', 'classic', 'lowered'])
    """
    own = {name: getattr(configured, name) for name in ("weights", "default_weight", "correlation")}
    named = {name: replace(policy, **own) for name, policy in POLICIES.items()}
    same = next((name for name, policy in named.items() if policy == configured), CONFIGURED)
    others = {name: policy for name, policy in named.items() if name != same}
    return {same: configured, **others}


def vote_configurations(
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult,
    setup: BacktestSetup,
    configured: VoteSettings,
    members: Sequence[str],
    floors: Sequence[float],
    calibrated: Mapping[str, DecisionFrame] | None = None,
    voting: int | None = None,
) -> tuple[Configuration, ...]:
    """The ensemble with every policy, and with the configured vote at other floors; the evaluated one first.

    Args:
        frames: symbol -> the evaluated decisions, with the members' scores.
        result: their backtest.
        setup: of all backtests.
        configured: the vote's policy.
        members: names of all members of the ensemble, loaded or not.
        floors: alternatives to the configured floor.
        calibrated: symbol -> decisions of the calibrated policy on the same bars; None if there is none.
        voting: number of members that vote; None for all.
    """
    count = len(members) if voting is None else voting
    wanted = policies(configured)
    named, first = tuple(wanted), in_force(frames, configured)
    wanted |= {f"floor {floor:.2f}": replace(configured, floor=floor) for floor in floors if floor != configured.floor}

    def choice(policy: VoteSettings, combine: str) -> dict[str, Any]:
        return {"members": list(members), "combine": combine, "policy": policy.chosen.to_json()}

    made = []
    if first not in wanted:
        made.append(Configuration(first, choice(configured, first), result, frames))
    for name, policy in wanted.items():
        decided = frames if name == first else apply_policy(frames, policy, count)
        own = result if name == first else setup.trade(decided)
        made.append(Configuration(name, choice(policy, "vote"), own, decided if name in named else None))
    others = {CALIBRATED: calibrated}
    if first != CONSENSUS:
        others[CONSENSUS] = apply_policy(frames, ConsensusPolicy(configured), count)
    for name, by_another in others.items():
        if by_another is not None and first != name:
            made.append(Configuration(name, choice(configured, name), setup.trade(by_another), by_another))
    return tuple(made)


def in_force(frames: Mapping[str, DecisionFrame], configured: VoteSettings) -> str:
    """Name of the policy that decided these frames; "chosen" if folds selected different ones."""
    by = {frame.policy for frame in frames.values()}
    if len(by) > 1 or "mixed" in by:
        return CHOSEN
    decided = next(iter(by), "classic")
    return next(iter(policies(configured))) if decided == "classic" else decided


def apply_policy(frames: Mapping[str, DecisionFrame], policy: AnyPolicy, members: int) -> dict[str, DecisionFrame]:
    """Decide the same scores and probabilities by another policy.

    Args:
        frames: symbol -> decisions with the members' scores.
        policy: any.
        members: number of members of the ensemble.
    """
    decisions = {}
    for symbol, frame in frames.items():
        decided = decide_frame(
            frame.scores,
            frame.volatility,
            policy=policy,
            members=members,
            limit=frame.limit,
            probabilities=frame.probabilities,
            calibrated=frame.calibrated,
        )
        decisions[symbol] = replace(
            frame,
            action=decided.action,
            confidence=decided.confidence,
            base=decided.base,
            consensus=decided.consensus,
            rule=decided.rule,
            policy=policy_name(policy),
            side=decided.side,
        )
    return decisions


def policy_figures(configurations: Sequence[Configuration], settings: Settings) -> dict[str, Any]:
    """Policy -> its settings, decisions, trades and success criteria, JSON-safe; the one in force first."""
    found = {}
    for place, configuration in enumerate(configurations):
        if configuration.frames is None:
            continue
        decisions = decision_figures(configuration.frames.values(), settings.evaluation)
        trades = trade_figures(configuration.result, settings.evaluation)
        found[configuration.name] = {
            "in_force": not place,
            "policy": configuration.choice["policy"],
            "coverage": decisions["coverage"],
            "mean_confidence": decisions["mean_confidence"],
            "actions": decisions["actions"],
            "trades": trades,
            "criteria": criteria(decisions, trades, settings.criteria),
        }
    return found


def return_matrix(configurations: Sequence[Configuration]) -> tuple[FloatArray, tuple[str, ...]]:
    """(days, N) daily returns of the configurations whose account was never wiped out, and their names."""
    days = max((len(configuration.returns) for configuration in configurations), default=0)
    whole = [configuration for configuration in configurations if len(configuration.returns) == days > 0]
    table = np.column_stack([configuration.returns for configuration in whole]) if whole else np.empty((0, 0))
    return table, tuple(configuration.name for configuration in whole)
