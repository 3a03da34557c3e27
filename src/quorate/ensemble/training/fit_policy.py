"""Fitting of the calibration and the policy on members' scores, on rows that no member was fitted on.

The probability maps, the classes' mean returns and the prediction sets are fitted on the calibration slice. On the
choosing slice, which follows it, the thresholds of the calibrated policy are fitted and the policy is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from quorate.core.settings import Settings, VoteSettings
from quorate.core.types import CLASS_NAMES, Policy
from quorate.ensemble.bundle.calibration_file import UNCALIBRATED, Calibration
from quorate.ensemble.calibration.conformal import Conformal, fit_conformal
from quorate.ensemble.calibration.map_selection import FittedMap, ProbabilityMap, choose_map
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.training.thresholds import PolicyRows, fit_thresholds, signal_outcome, would_act_at
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.vote_frame import decide_frame

ENSEMBLE = "ensemble"


@dataclass(frozen=True, slots=True, eq=False)
class FittedPolicy:
    """The calibration of an ensemble and the policy in force.

    Attributes:
        calibration: probability maps and the calibrated policy; empty if there were too few rows.
        policy: the policy in force.
        report: how both were fitted and chosen; JSON values, for the manifest.
    """

    calibration: Calibration = UNCALIBRATED
    policy: Policy = "classic"
    report: Mapping[str, Any] = field(default_factory=dict)


def fit_policy(calibrate: HoldoutScores, choose: HoldoutScores, settings: Settings, members: int) -> FittedPolicy:
    """Fit the calibration on one slice, and the thresholds and the choice of the policy on the next.

    Args:
        calibrate: the calibration slice.
        choose: the choosing slice; labels of the calibration slice end before it.
        settings: of the vote, the calibration, the prediction sets, the policy and the costs.
        members: number of members in the manifest.
    """
    fitted: dict[str, FittedMap] = {}
    lacking: dict[str, str] = {}
    tables = {**calibrate.scores, ENSEMBLE: mean_scores(calibrate.scores, settings.vote)} if calibrate.scores else {}
    for name, scores in tables.items():
        result = choose_map(scores, calibrate.y, calibrate.time, calibrate.span_end, settings.calibration)
        if isinstance(result, str):
            lacking[name] = result
        else:
            fitted[name] = result
    maps: dict[str, ProbabilityMap] = {name: one.map for name, one in fitted.items() if name != ENSEMBLE}
    report: dict[str, Any] = {
        "rows": {"calibrate": len(calibrate), "choose": len(choose)},
        "maps": {
            name: {"kind": one.kind, "rows": one.rows, "judged": one.compared, "log_loss": dict(one.losses)}
            for name, one in fitted.items()
        },
        "lacking": lacking,
    }
    if ENSEMBLE not in fitted:
        wanted = _in_force(settings, "classic")
        decides: Policy = "classic" if wanted == "calibrated" else wanted
        return FittedPolicy(Calibration(maps, lacking), decides, {**report, "policy": decides})
    policy = _initial_policy(fitted[ENSEMBLE], calibrate, settings)
    policy, chosen, reasons = _choose(policy, choose, settings, members)
    report |= {"policy": chosen, "calibrated": policy.to_json(), **reasons}
    return FittedPolicy(Calibration(maps, lacking, policy), chosen, report)


def _initial_policy(ensemble: FittedMap, rows: HoldoutScores, settings: Settings) -> CalibratedPolicy:
    """The calibrated policy without thresholds."""
    sell, hold, buy = (float(rows.forward_return[rows.y == place].mean()) for place in range(len(CLASS_NAMES)))
    sets = settings.conformal
    return CalibratedPolicy(
        vote=settings.vote,
        ensemble=ensemble.map,
        returns=(sell, hold, buy),
        cost=2 * (settings.costs.taker_fee + settings.costs.slippage),
        conformal=fit_conformal(ensemble.out_of_fold, rows.y, sets.miss, sets.rate),
    )


def _choose(
    policy: CalibratedPolicy, rows: HoldoutScores, settings: Settings, members: int
) -> tuple[CalibratedPolicy, Policy, dict[str, Any]]:
    """The calibrated policy with thresholds fitted on all rows, the policy in force, and the reasons.

    The policies are compared on the later half of the rows, with thresholds fitted on the earlier half. The calibrated
    policy is chosen if its net return less one standard error exceeds both that of the classic policy and 0.
    """
    wanted = settings.policy
    if not len(rows):
        return policy, _in_force(settings, "classic"), {"why": "no row to choose a policy on"}
    in_time = np.argsort(rows.time, kind="stable")
    rows = rows.rows(in_time)
    policy_rows, conformal = _policy_rows(policy, rows, settings.vote, members)
    times = np.unique(rows.time)
    middle = times[len(times) // 2]
    early, late = policy_rows.rows(rows.span_end < middle), policy_rows.rows(rows.time >= middle)
    tried, _ = fit_thresholds(policy, early, wanted.signals)
    action = tried.decide_frame(late.probabilities, late.voters, members, late.limit).action
    calibrated = signal_outcome(action, late.forward_return, late.block, policy.cost)
    later = rows.rows(rows.time >= middle)
    votes = decide_frame(later.scores, later.volatility, policy=settings.vote, members=members)
    classic = signal_outcome(votes.action, late.forward_return, late.block, policy.cost)
    to_beat = max(0.0, classic.net_return) if classic.signals else 0.0
    if calibrated.signals < wanted.signals:
        better, why = False, f"calibrated gave {calibrated.signals} signals, of at least {wanted.signals}"
    elif calibrated.net_return - calibrated.error <= to_beat:
        better, why = False, "less one standard error, calibrated earned no more than classic, or than doing nothing"
    else:
        better, why = True, "less one standard error, calibrated earned more than classic, and more than its costs"
    fitted, in_sample = fit_thresholds(replace(policy, conformal=conformal), policy_rows, wanted.signals)
    reasons = {
        "why": why if wanted.name == "chosen" else "asked for by the settings",
        "on": "the later half of the choosing slice, thresholds from the earlier",
        "worth": {"classic": classic.to_json(), "calibrated": calibrated.to_json()},
        "thresholds": {**in_sample.to_json(), "on": "the whole choosing slice: fitted there, so these figures flatter"},
        "would_act_at": would_act_at(policy, policy_rows),
    }
    return fitted, _in_force(settings, "calibrated" if better else "classic"), reasons


def _in_force(settings: Settings, chosen: Policy) -> Policy:
    return chosen if settings.policy.name == "chosen" else settings.policy.name


def _policy_rows(
    policy: CalibratedPolicy, rows: HoldoutScores, vote: VoteSettings, members: int
) -> tuple[PolicyRows, Conformal | None]:
    """Rows for fitting thresholds, and the prediction sets adapted to these rows; rows are in order of time."""
    probabilities = policy.ensemble(mean_scores(rows.scores, vote))
    voters = np.sum([np.isfinite(table).all(axis=1) for table in rows.scores.values()], axis=0)
    limit, conformal = None, policy.conformal
    if conformal is not None:
        tracked = conformal.track(probabilities, rows.y, rows.time, rows.span_end)
        limit, conformal = tracked.limit, replace(conformal, level=tracked.level)
    # Overlapping labels are not independent: a block is as long as the longest label.
    length = max(1, int((rows.span_end - rows.time).max()))
    return PolicyRows(probabilities, voters, rows.forward_return, rows.time // length, limit, members), conformal
