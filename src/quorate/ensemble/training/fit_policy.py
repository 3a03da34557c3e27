"""Fitting of the calibration and the policy on members' scores, on rows that no scoring member was fitted on.

The evidence is the scores out of fold over the whole training span (`out_of_fold`): each candidate for the policy is
measured there by day, with maps, mean returns and prediction sets of earlier stretches (`cross_fitting`), and the best
is judged against the best of as many without merit (`evidence`). The choosing slice follows all of these rows, and
nothing is fitted on it but the level of the prediction sets, at last: where the evidence does not justify acting, or
the whole ensemble contradicts it there, the bundle is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import ActionArray, FloatArray, Policy
from quorate.ensemble.bundle.calibration_file import UNCALIBRATED, Calibration
from quorate.ensemble.calibration.conformal import Conformal, fit_conformal
from quorate.ensemble.calibration.map_selection import NO_MAP, FittedMap, ProbabilityMap, choose_map
from quorate.ensemble.calibration.temperature import UNCHANGED
from quorate.ensemble.evidence.class_returns import class_returns
from quorate.ensemble.evidence.days import day_numbers
from quorate.ensemble.evidence.evidence import Candidate, Evidence, Requirements, candidate, judge
from quorate.ensemble.training.candidates import (
    Considered,
    SignalOutcome,
    calibrated_candidates,
    grid,
    never_acting,
    signal_outcome,
    would_act_at,
)
from quorate.ensemble.training.cross_fitting import CrossFitted, cross_fit
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.training.out_of_fold import stretch_numbers
from quorate.ensemble.voting.any_policy import AnyPolicy
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.vote_frame import decide_frame

ENSEMBLE = "ensemble"


@dataclass(frozen=True, slots=True, eq=False)
class FittedPolicy:
    """The calibration of an ensemble and the policy in force.

    Attributes:
        calibration: probability maps and the calibrated policy; empty if there were too few rows.
        policy: the policy in force.
        correlation: of the members' errors, by pair.
        report: how both were fitted and chosen; JSON values, for the manifest.
    """

    calibration: Calibration = UNCALIBRATED
    policy: Policy = "closed"
    correlation: Mapping[str, float] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)


def fit_policy(
    calibrate: HoldoutScores,
    choose: HoldoutScores,
    settings: Settings,
    members: int,
    out_of_fold: HoldoutScores | None = None,
    left_out: Mapping[str, str] | None = None,
) -> FittedPolicy:
    """Fit the calibration, and choose the policy by the evidence.

    Args:
        calibrate: the calibration slice, scored by the members of the bundle.
        choose: the choosing slice, likewise; all other labels end before it.
        settings: of the vote, the calibration, the prediction sets, the policy and the costs.
        members: number of members in the manifest.
        out_of_fold: rows before the choosing slice, scored by members fitted on earlier rows only. None, or without a
            member: the evidence is the calibration slice, on which no member was fitted either.
        left_out: member -> why it was not scored out of fold.
    """
    calibrate, choose = calibrate.in_time(), choose.in_time()
    refitted = out_of_fold is not None and bool(out_of_fold.scores)
    rows = out_of_fold.in_time() if out_of_fold is not None and refitted else calibrate
    covered = rows.members if refitted else members
    maps, lacking = _fit_maps(rows, calibrate, choose, settings)
    cost = 2 * (settings.costs.taker_fee + settings.costs.slippage)
    evidence = _evidence(rows, settings, covered, cost)
    # Of members that were not scored out of fold, on the calibration slice.
    correlation = {**calibrate.error_correlations(), **rows.error_correlations()}
    settings = replace(settings, vote=replace(settings.vote, correlation=correlation))
    calibrated, profitable = None, False
    if ENSEMBLE in maps:
        calibrated, profitable = _calibrated_policy(maps[ENSEMBLE], rows, settings, covered, cost)
    of_members = {name: one.map for name, one in maps.items() if name != ENSEMBLE}
    later = _outcomes(choose, Calibration(of_members, lacking, calibrated), settings, members, cost)
    if calibrated is not None:
        calibrated = _with_level(calibrated, choose, settings)
    calibration = Calibration(of_members, lacking, calibrated)
    evidence = _confirmed(evidence, later, profitable)
    policy, why = _in_force(evidence, calibrated, settings, lacking)
    report: dict[str, Any] = {
        "rows": {"calibrate": len(calibrate), "choose": len(choose), "out_of_fold": len(rows) if refitted else 0},
        "maps": {
            name: {
                "kind": one.kind,
                "weight": one.weight,
                "rows": one.rows,
                "judged": one.compared,
                "days": one.days,
                "log_loss": dict(one.losses),
            }
            for name, one in maps.items()
        },
        "lacking": lacking,
        "policy": policy,
        "why": why,
        "evidence": {**evidence.to_json(), "members": sorted(rows.scores), "left_out": dict(left_out or {})},
        "later": {name: outcome.to_json() for name, outcome in later.items()},
    }
    if calibrated is not None:
        reached = would_act_at(calibrated, _probabilities(calibrated.ensemble, rows, settings), rows.voters, covered)
        report |= {"calibrated": calibrated.to_json(), "would_act_at": reached}
    return FittedPolicy(calibration, policy, correlation, report)


def _fit_maps(
    rows: HoldoutScores, calibrate: HoldoutScores, choose: HoldoutScores, settings: Settings
) -> tuple[dict[str, FittedMap], dict[str, str]]:
    """Maps of all members and of the ensemble, and why one could not be fitted.

    The map of a member that was not scored out of fold is fitted on the calibration slice. A map that makes the scores
    of the bundle's own members worse on the choosing slice is not used.
    """
    fitted: dict[str, FittedMap] = {}
    lacking: dict[str, str] = {}
    sources = {name: (rows if name in rows.scores else calibrate) for name in calibrate.scores}
    tables = {name: source.scores[name] for name, source in sources.items()}
    if rows.scores and calibrate.scores:
        sources[ENSEMBLE], tables[ENSEMBLE] = rows, mean_scores(rows.voting, settings.vote)
    for name, scores in tables.items():
        source = sources[name]
        found = choose_map(scores, source.y, source.time, source.span_end, settings.calibration)
        if isinstance(found, str):
            lacking[name] = found
            continue
        own = mean_scores(choose.voting, settings.vote) if name == ENSEMBLE else choose.scores[name]
        fitted[name] = found if _not_worse(found.map, own, choose) else _unchanged(found, scores)
    return fitted, lacking


def _not_worse(found: ProbabilityMap, scores: FloatArray, rows: HoldoutScores) -> bool:
    """Whether a map has no larger log-loss on some rows than their scores; also without rows."""
    known = np.flatnonzero(np.isfinite(scores).all(axis=1))
    if found is UNCHANGED or not len(known):
        return True
    place = (np.arange(len(known)), rows.y[known])
    return float(np.log(found(scores[known])[place]).mean()) >= float(np.log(UNCHANGED(scores[known])[place]).mean())


def _unchanged(fitted: FittedMap, scores: FloatArray) -> FittedMap:
    """The comparison of a map that is not used."""
    out_of_fold = np.where(np.isfinite(fitted.out_of_fold), UNCHANGED(scores), np.nan)
    return replace(fitted, map=UNCHANGED, kind=NO_MAP, weight=0.0, out_of_fold=out_of_fold)


def _evidence(rows: HoldoutScores, settings: Settings, members: int, cost: float) -> Evidence:
    """Judge all candidates on the rows that have earlier ones."""
    found = None
    if rows.scores and len(rows):
        found = cross_fit(rows, stretch_numbers(rows.time, settings.policy.folds), settings, cost)
    if found is None:
        return Evidence("closed", "closed: no row out of fold to choose a policy on", (), 0, 0, 0, None)
    own = found.rows
    day, days = day_numbers(own.time)
    votes = _votes_by_stretch(found, settings, members)
    candidates: list[Candidate] = [
        *(candidate(name, name, action, own.forward_return, day, days, cost) for name, action in votes.items()),
        *calibrated_candidates(
            found.considered, grid(found.considered, sets=True), own.forward_return, day, days, cost
        ),
    ]
    return judge(candidates, _requirements(settings), settings.train.seed)


def _votes_by_stretch(found: CrossFitted, settings: Settings, members: int) -> dict[Policy, ActionArray]:
    """`_votes` of each stretch, with the correlations of errors before it."""
    parts = []
    for rows, correlation in found.parts:
        own = replace(settings, vote=replace(settings.vote, correlation=correlation))
        calibrated = {name: table[rows] for name, table in found.calibrated.items()}
        parts.append(_votes(found.rows.rows(rows), calibrated, own, members))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _votes(
    rows: HoldoutScores, calibrated: Mapping[str, FloatArray], settings: Settings, members: int
) -> dict[Policy, ActionArray]:
    """The policies that need no thresholds -> (n,) their decisions; `calibrated` are the members' probabilities."""
    policies: dict[Policy, AnyPolicy] = {"classic": settings.vote, CONSENSUS: ConsensusPolicy(settings.vote)}
    return {
        name: decide_frame(rows.voting, rows.volatility, policy=policy, members=members, calibrated=calibrated).action
        for name, policy in policies.items()
    }


def _requirements(settings: Settings) -> Requirements:
    wanted = settings.policy
    return Requirements(wanted.days, wanted.signals, wanted.sides)


def _calibrated_policy(
    ensemble: FittedMap, rows: HoldoutScores, settings: Settings, members: int, cost: float
) -> tuple[CalibratedPolicy, bool]:
    """The calibrated policy with thresholds, and whether these have a profit on the rows.

    The thresholds are the pair of the grid with the largest studentised mean over days. Without one that may be chosen
    and has a profit, the policy must not act: its least net return is above all expected returns of the rows.
    """
    sets = fit_conformal(ensemble.out_of_fold, rows.y, settings.conformal.miss, settings.conformal.rate)
    policy = CalibratedPolicy(
        vote=settings.vote,
        ensemble=ensemble.map,
        returns=class_returns(rows.forward_return, rows.y, rows.time),
        cost=cost,
        conformal=sets,
    )
    probabilities = _probabilities(ensemble.map, rows, settings)
    limit = sets.track(probabilities, rows.y, rows.time, rows.span_end).limit
    found = Considered.of(policy, probabilities, rows.voters, members, limit)
    pairs = grid(found, sets=True)
    if not pairs:
        return never_acting(policy, found), False
    day, days = day_numbers(rows.time)
    candidates = list(calibrated_candidates(found, pairs, rows.forward_return, day, days, cost))
    best = judge(candidates, _requirements(settings), settings.train.seed).best
    if best is None or not np.nanmean(candidates[best].values) > 0:
        return never_acting(policy, found), False
    return pairs[best].apply(policy), True


def _probabilities(ensemble: ProbabilityMap, rows: HoldoutScores, settings: Settings) -> FloatArray:
    return ensemble(mean_scores(rows.voting, settings.vote))


def _with_level(policy: CalibratedPolicy, choose: HoldoutScores, settings: Settings) -> CalibratedPolicy:
    """The policy with its prediction sets adapted to the choosing slice."""
    sets: Conformal | None = policy.conformal
    if sets is None or not len(choose) or not choose.scores:
        return policy
    probabilities = _probabilities(policy.ensemble, choose, settings)
    return replace(
        policy, conformal=replace(sets, level=sets.track(probabilities, choose.y, choose.time, choose.span_end).level)
    )


def _outcomes(
    choose: HoldoutScores, calibration: Calibration, settings: Settings, members: int, cost: float
) -> dict[str, SignalOutcome]:
    """What the signals of each policy earned on the choosing slice, by the members of the bundle."""
    if not len(choose) or not choose.scores:
        return {}
    votes = _votes(choose, calibration.frame(choose.scores), settings, members)
    found: dict[str, SignalOutcome] = {
        name: signal_outcome(action, choose.forward_return, cost) for name, action in votes.items()
    }
    calibrated = calibration.policy
    if calibrated is not None:
        decided = calibrated.decide_frame(_probabilities(calibrated.ensemble, choose, settings), choose.voters, members)
        found["calibrated"] = signal_outcome(decided.action, choose.forward_return, cost)
    return found


def _confirmed(evidence: Evidence, later: Mapping[str, SignalOutcome], profitable: bool) -> Evidence:
    """The evidence, closed where the choosing slice or the thresholds fitted on all rows contradict it."""
    outcome = later.get(evidence.policy)
    if outcome is not None and outcome.signals and not outcome.net_return > 0:
        return evidence.closed(
            f"out of fold {evidence.text}, but on the later choosing slice the whole ensemble earned "
            f"{1e4 * outcome.net_return:.1f} bps on {outcome.signals} signals"
        )
    if evidence.policy == "calibrated" and not profitable:
        return evidence.closed(f"out of fold {evidence.text}, but no thresholds have a profit on all rows")
    return evidence


def _in_force(
    evidence: Evidence, calibrated: CalibratedPolicy | None, settings: Settings, lacking: Mapping[str, str]
) -> tuple[Policy, str]:
    """The policy in force, and why."""
    wanted = settings.policy.name
    if wanted == "chosen":
        return evidence.policy, evidence.text.removeprefix(f"{evidence.policy}: ")
    if wanted == "calibrated" and calibrated is None:
        return "closed", f"calibrated was asked for, but there are {lacking.get(ENSEMBLE, 'no scores')}"
    return wanted, "asked for by the settings"
