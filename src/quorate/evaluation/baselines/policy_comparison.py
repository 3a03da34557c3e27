"""Comparison of policies by their signals on the same bars: coverage, win rate, and what each gate removed.

Signals are measured as in `metrics/signal_outcomes.py`, without an account, so that removed ones are measured too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quorate.core.settings import Settings, VoteSettings
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.voting.calibrated_policy import CALIBRATED
from quorate.ensemble.voting.calibrated_policy import GATES as CALIBRATED_GATES
from quorate.ensemble.voting.closed_policy import CLOSED
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.evaluation.baselines.configurations import apply_policy, policies
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.signal_outcomes import CLOSED_GATES, KEPT, Signals
from quorate.targets import Target


def policy_rows(
    frames: Mapping[str, DecisionFrame],
    calibrated: Mapping[str, DecisionFrame] | None,
    candles: Mapping[str, Candles],
    target: Target,
    settings: Settings,
    members: int,
    *,
    in_force: str,
    would_act_at: float | None = None,
) -> list[dict[str, Any]]:
    """One document for each policy, JSON-safe; the one in force first.

    `coverage` is the share of bars with a known outcome that have a signal; `net_bps` the mean outcome after costs. For
    a policy without signals, `silent` says how far it was from giving one.

    Args:
        frames: symbol -> decisions with the members' scores.
        calibrated: symbol -> decisions of the calibrated policy on the same bars; None if there is none.
        candles: symbol -> candles of the frame's bars and after them.
        target: whose horizon a signal is held.
        settings: of the vote, the costs and the evaluation.
        members: number of members of the ensemble.
        in_force: name of the policy that decides.
        would_act_at: highest threshold on the expected net return at which the calibrated policy gives a signal on the
            rows it was fitted on, without its other gates; None if it gives none.
    """
    costs, evaluation = settings.costs, settings.evaluation

    def voted(name: str, policy: VoteSettings | ConsensusPolicy) -> dict[str, Any]:
        decided = apply_policy(frames, policy, members)
        found = Signals.of_vote(decided, candles, target, policy, members, costs, evaluation)
        return _row(name, found, found.gates(), KEPT, _highest_removed(found), "confidence")

    rows = [voted(name, policy) for name, policy in policies(settings.vote).items()]
    if calibrated is not None:
        found = Signals.of_calibrated(calibrated, candles, target, costs, evaluation)
        gates = found.gates(CALIBRATED, CALIBRATED_GATES)
        rows.append(_row(CALIBRATED, found, gates, CALIBRATED, would_act_at, "expected net return"))
    rows.append(voted(CONSENSUS, ConsensusPolicy(settings.vote)))
    if in_force == CLOSED:
        found = Signals.of_vote(frames, candles, target, settings.vote, members, costs, evaluation)
        rows.append(_row(CLOSED, found, found.gates(KEPT, CLOSED_GATES), KEPT, None, "confidence: it is closed"))
    return [{"in_force": row["policy"] == in_force, **row} for row in _first(rows, in_force)]


def _first(rows: Sequence[dict[str, Any]], in_force: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["policy"] != in_force)


def _row(
    name: str, found: Signals, gates: list[dict[str, Any]], kept: str, threshold: float | None, of: str
) -> dict[str, Any]:
    own = {key: value for key, value in gates[0].items() if key not in ("rule", "about", "share")}
    silent = None
    if not own["n"]:
        silent = f"no signal at any {of}"
        if threshold is not None:
            silent = f"no signal; highest {of} {threshold:.4f}"
    figures = Figures()
    figures.add("coverage", float((found.rule == kept).sum()) / found.bars if found.bars else None, "no bars")
    return {"policy": name, **figures.to_json(), **own, "silent": silent, "gates": gates[1:]}


def _highest_removed(found: Signals) -> float | None:
    """Highest confidence that the floor removed; None if other gates removed all signals."""
    removed = found.confidence[np.asarray(found.rule == "below_floor")]
    return float(removed.max()) if len(removed) else None
