"""Every policy on the same bars, signal by signal: how often it acts, how often that pays, and what each gate removed.

Signals are measured as in `signals.py`, without an account, so that those a gate removed can be measured too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.voting.calibrated_policy import CALIBRATED
from quorate.ensemble.voting.calibrated_policy import GATES as CALIBRATED_GATES
from quorate.evaluation.baselines.configurations import policies, revoted
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.signal_outcomes import KEPT, Signals
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

    `coverage` is the share of bars with a known future on which it acts; `net_bps` the mean of its signals after costs.
    A policy that never signals says so under `silent`, with the threshold at which it would.

    Args:
        frames: symbol -> decisions with the members' scores.
        calibrated: the same bars as the calibrated policy decides them; None where nothing was calibrated.
        candles: of the bars, and of what came after them.
        target: whose horizon a signal lasts.
        settings: of the vote, the costs and the evaluation.
        members: configured.
        in_force: name of the policy that decides.
        would_act_at: the least net return at which the calibrated policy would have given a signal while it was fitted.
    """
    costs, how = settings.costs, settings.evaluation
    rows = []
    for name, policy in policies(settings.vote).items():
        decided = revoted(frames, policy, members)
        found = Signals.of(decided, candles, target, policy, members, costs, how)
        rows.append(_row(name, found, found.gates(), KEPT, _highest_stopped(found), "confidence"))
    if calibrated is not None:
        found = Signals.asked(calibrated, candles, target, costs, how)
        gates = found.gates(CALIBRATED, CALIBRATED_GATES)
        rows.append(_row(CALIBRATED, found, gates, CALIBRATED, would_act_at, "net return expected"))
    return [{"in_force": row["policy"] == in_force, **row} for row in _first(rows, in_force)]


def _first(rows: Sequence[dict[str, Any]], in_force: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["policy"] != in_force)


def _row(
    name: str, found: Signals, gates: list[dict[str, Any]], kept: str, threshold: float | None, of: str
) -> dict[str, Any]:
    own = {key: value for key, value in gates[0].items() if key not in ("rule", "about", "share")}
    silent = None
    if not own["n"]:
        silent = f"it never signals; it would at a {of} of " + ("nothing" if threshold is None else f"{threshold:.4f}")
    figures = Figures()
    figures.add("coverage", float((found.rule == kept).sum()) / found.bars if found.bars else None, "no bars")
    return {"policy": name, **figures.to_json(), **own, "silent": silent, "gates": gates[1:]}


def _highest_stopped(found: Signals) -> float | None:
    """The highest confidence that the floor alone stopped; None where other gates stopped all."""
    stopped = found.confidence[np.asarray(found.rule == "below_floor")]
    return float(stopped.max()) if len(stopped) else None
