"""From members' scores on later rows to probabilities and a policy: what is fitted on outputs, each on rows of its own.

The calibration slice makes the maps, the classes' mean returns and the prediction sets. The slice after it fits the
calibrated policy's thresholds and chooses between the policies. No member saw either.
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
from quorate.ensemble.calibration.map_selection import Fitted, ProbabilityMap, choose_map
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.training.thresholds import PolicyChoice, fit_thresholds, worth, would_act_at
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.vote_frame import decide_frame

ENSEMBLE = "ensemble"


@dataclass(frozen=True, slots=True, eq=False)
class FittedPolicy:
    """What scores are worth, and who decides.

    Attributes:
        calibration: maps and the calibrated policy; empty where there were too few rows.
        policy: the one that decides.
        report: how both came about, JSON-safe.
    """

    calibration: Calibration = UNCALIBRATED
    policy: Policy = "classic"
    report: Mapping[str, Any] = field(default_factory=dict)


def learn(calibrate: HoldoutScores, choose: HoldoutScores, settings: Settings, members: int) -> FittedPolicy:
    """Fit the maps on one slice; thresholds, and the choice of the policy, on the slice after it.

    Args:
        calibrate: the earlier slice.
        choose: the later one; no label of the earlier reaches into it.
        settings: of the vote, the calibration, the prediction sets, the policy and the costs.
        members: in the manifest.
    """
    found: dict[str, Fitted] = {}
    lacking: dict[str, str] = {}
    tables = {**calibrate.scores, ENSEMBLE: mean_scores(calibrate.scores, settings.vote)} if calibrate.scores else {}
    for name, scores in tables.items():
        made = choose_map(scores, calibrate.y, calibrate.time, calibrate.span_end, settings.calibration)
        if isinstance(made, str):
            lacking[name] = made
        else:
            found[name] = made
    maps: dict[str, ProbabilityMap] = {name: made.map for name, made in found.items() if name != ENSEMBLE}
    report: dict[str, Any] = {
        "rows": {"calibrate": len(calibrate), "choose": len(choose)},
        "maps": {
            name: {"kind": made.kind, "rows": made.rows, "judged": made.judged, "log_loss": dict(made.losses)}
            for name, made in found.items()
        },
        "lacking": lacking,
    }
    if ENSEMBLE not in found:
        return FittedPolicy(Calibration(maps, lacking), "classic", {**report, "policy": "classic"})
    policy = _policy(found[ENSEMBLE], calibrate, settings)
    policy, chosen, reasons = _choose(policy, choose, settings, members)
    report |= {"policy": chosen, "calibrated": policy.to_json(), **reasons}
    return FittedPolicy(Calibration(maps, lacking, policy), chosen, report)


def _policy(ensemble: Fitted, rows: HoldoutScores, settings: Settings) -> CalibratedPolicy:
    """All but the thresholds."""
    sell, hold, buy = (float(rows.forward_return[rows.y == place].mean()) for place in range(len(CLASS_NAMES)))
    sets = settings.conformal
    return CalibratedPolicy(
        vote=settings.vote,
        ensemble=ensemble.map,
        returns=(sell, hold, buy),
        cost=2 * (settings.costs.taker_fee + settings.costs.slippage),
        conformal=fit_conformal(ensemble.unseen, rows.y, sets.miss, sets.rate),
    )


def _choose(
    policy: CalibratedPolicy, rows: HoldoutScores, settings: Settings, members: int
) -> tuple[CalibratedPolicy, Policy, dict[str, Any]]:
    """Thresholds on all rows, and the policy that did better on the later half, thresholds fitted on the earlier.

    Classic stays unless the calibrated policy, less one standard error, beats both it and doing nothing.
    """
    asked = settings.policy
    if not len(rows):
        return policy, _named(settings, "classic"), {"why": "no row to choose a policy on"}
    in_time = np.argsort(rows.time, kind="stable")
    rows = rows.rows(in_time)
    choice, conformal = _choice(policy, rows, settings.vote, members)
    times = np.unique(rows.time)
    middle = times[len(times) // 2]
    early, late = choice.rows(rows.span_end < middle), choice.rows(rows.time >= middle)
    tried, _ = fit_thresholds(policy, early, asked.signals)
    action = tried.judge_frame(late.probabilities, late.voters, members, late.limit).action
    calibrated = worth(action, late.forward_return, late.block, policy.cost)
    later = rows.rows(rows.time >= middle)
    plain = decide_frame(later.scores, later.volatility, policy=settings.vote, members=members)
    classic = worth(plain.action, late.forward_return, late.block, policy.cost)
    to_beat = max(0.0, classic.net_return) if classic.signals else 0.0
    if calibrated.signals < asked.signals:
        better, why = False, f"calibrated gave {calibrated.signals} signals, of at least {asked.signals}"
    elif calibrated.net_return - calibrated.error <= to_beat:
        better, why = False, "less one standard error, calibrated earned no more than classic, or than doing nothing"
    else:
        better, why = True, "less one standard error, calibrated earned more than classic, and more than its costs"
    fitted, inside = fit_thresholds(replace(policy, conformal=conformal), choice, asked.signals)
    reasons = {
        "why": why if asked.name == "chosen" else "asked for by the settings",
        "on": "the later half of the choosing slice, thresholds from the earlier",
        "worth": {"classic": classic.to_json(), "calibrated": calibrated.to_json()},
        "thresholds": {**inside.to_json(), "on": "the whole choosing slice: fitted there, so these figures flatter"},
        "would_act_at": would_act_at(policy, choice),
    }
    return fitted, _named(settings, "calibrated" if better else "classic"), reasons


def _named(settings: Settings, chosen: Policy) -> Policy:
    return chosen if settings.policy.name == "chosen" else settings.policy.name


def _choice(
    policy: CalibratedPolicy, rows: HoldoutScores, vote: VoteSettings, members: int
) -> tuple[PolicyChoice, Conformal | None]:
    """What thresholds are chosen on, and the prediction sets as far as these rows have moved them, in order of time."""
    probabilities = policy.ensemble(mean_scores(rows.scores, vote))
    voters = np.sum([np.isfinite(table).all(axis=1) for table in rows.scores.values()], axis=0)
    limit, conformal = None, policy.conformal
    if conformal is not None:
        tracked = conformal.track(probabilities, rows.y, rows.time, rows.span_end)
        limit, conformal = tracked.limit, replace(conformal, level=tracked.level)
    # Labels that overlap are one observation: a block lasts as long as the longest label.
    length = max(1, int((rows.span_end - rows.time).max()))
    return PolicyChoice(probabilities, voters, rows.forward_return, rows.time // length, limit, members), conformal
