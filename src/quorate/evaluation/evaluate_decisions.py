"""Evaluation of decisions: backtest, metrics and baselines. Used for bundles and walk-forwards alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings
from quorate.core.types import DecisionFrame, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.configurations import Configuration, in_force, vote_configurations
from quorate.evaluation.baselines.policy_comparison import policy_rows
from quorate.evaluation.baselines.random_entries import random_accounts
from quorate.evaluation.baselines.strategies import (
    SingleModel,
    momentum_strategy,
    rules_strategy,
    single_model_strategy,
)
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.agreement import agreement_figures
from quorate.evaluation.metrics.floors import ScoredBars, floor_figures
from quorate.evaluation.metrics.reliability import probability_figures
from quorate.evaluation.scorecard import Scorecard, build_scorecard
from quorate.evaluation.scorecard_inputs import ScorecardInputs
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets import ForwardClass
from quorate.trading.backtest.backtest_result import BacktestResult

# Name of the best member in `TradedDecisions.models`; it is not one fixed member.
BEST_MEMBER = "best_member"


@dataclass(frozen=True, slots=True, eq=False)
class TradedDecisions:
    """Decisions of an ensemble, their backtest, and what they are compared with.

    Attributes:
        frames: symbol -> decisions with the members' scores.
        result: their backtest.
        setup: of that backtest; all baselines are traded with it.
        members: names of all members of the ensemble, loaded or not.
        prior: labelled rows -> class shares of the training rows, (3,) or (n, 3).
        models: name -> a single model as a baseline, such as "logistic" or "best_member".
        calibrated: symbol -> decisions of the calibrated policy on the same bars; None if there is none.
        would_act_at: highest threshold on the expected net return at which the calibrated policy gives a signal on the
            rows it was fitted on; None if unknown.
        evidence: for the policies in force, see `report/evidence_table.py`; None if unknown.
        voting: number of members that vote on a bar; None for all.
    """

    frames: Mapping[str, DecisionFrame]
    result: BacktestResult
    setup: BacktestSetup
    members: Sequence[str]
    prior: Callable[[LabelledPredictions], FloatArray]
    models: Mapping[str, SingleModel] = field(default_factory=dict)
    calibrated: Mapping[str, DecisionFrame] | None = None
    would_act_at: float | None = None
    evidence: Mapping[str, Any] | None = None
    voting: int | None = None

    @property
    def count(self) -> int:
        """The n of the vote."""
        return len(self.members) if self.voting is None else self.voting


def evaluate_decisions(traded: TradedDecisions, settings: Settings, progress: Progress = silent) -> Scorecard:
    """Scorecard of decisions, of their baselines, and of the alternative configurations.

    Args:
        traded: the decisions.
        settings: target and vote policy that decided, costs, criteria, and the settings of the evaluation.
        progress: callback.

    Raises:
        EvaluationError: no frame, or a frame without its candles.
    """
    frames, setup, members = traded.frames, traded.setup, traded.members
    label = ForwardClass(settings.target.horizon, settings.target.band)
    sample = LabelledPredictions.of(frames, setup.candles, label)
    prior = traded.prior(sample)
    baselines = {
        "momentum": momentum_strategy(frames, setup, settings.target),
        "rules": rules_strategy(frames, setup, settings.target),
        **{
            name: single_model_strategy(name, model, frames, setup, settings, traded.count)
            for name, model in traded.models.items()
        },
    }
    progress("trading the baselines", len(baselines), len(baselines))
    accounts = random_accounts(traded.result, frames, setup)
    progress("trading at random", 1, 1)
    configurations = [
        *vote_configurations(
            frames,
            traded.result,
            setup,
            settings.vote,
            members,
            settings.evaluation.floors,
            traded.calibrated,
            traded.voting,
        ),
        *_single_members(traded, settings),
        *(
            _single(name, list(members) if name == BEST_MEMBER else [name], baselines[name].result)
            for name, model in traded.models.items()
            if model.directional
        ),
    ]
    progress("trading the alternatives", len(configurations), len(configurations))
    inputs = ScorecardInputs(
        sample=sample,
        prior=prior,
        frames=frames,
        result=traded.result,
        candles=setup.candles,
        funding=setup.funding,
        settings=settings,
        baselines=baselines,
        configurations=configurations,
        random_accounts=accounts,
        member_count=traded.count,
    )
    card = build_scorecard(inputs)
    card.figures["signals_by_policy"] = policy_rows(
        frames,
        traded.calibrated,
        setup.candles,
        label,
        settings,
        traded.count,
        in_force=in_force(frames, settings.vote),
        would_act_at=traded.would_act_at,
    )
    card.figures["floors"] = floor_figures(
        ScoredBars.of(frames, setup.candles, label), settings, traded.count, nearest=True
    )
    blocks = TimeBlocks(sample.time, settings.evaluation)
    card.figures["agreement"] = agreement_figures(sample.y, sample.members, blocks)
    if traded.evidence is not None:
        card.figures["evidence"] = dict(traded.evidence)
    card.figures["probabilities"] = probability_figures(frames, setup.candles, label, inputs.figures, settings)
    return card


def _single_members(traded: TradedDecisions, settings: Settings) -> list[Configuration]:
    """Each member alone, if there are several; members without scores for every symbol are left out."""
    if len(traded.members) < 2:
        return []
    found = []
    for name in traded.members:
        scores = {symbol: _whole(frame, name) for symbol, frame in traded.frames.items() if name in frame.scores}
        if len(scores) == len(traded.frames):
            model = SingleModel(scores, name)
            own = single_model_strategy(name, model, traded.frames, traded.setup, settings, traded.count)
            found.append(_single(name, [name], own.result))
    return found


def _whole(frame: DecisionFrame, name: str) -> FloatArray:
    """(n, 3) scores of a member, also on bars on which it was not chosen to vote."""
    own, others = frame.scores[name], frame.unselected.get(name)
    return own if others is None else np.where(np.isfinite(own), own, others)


def _single(name: str, members: list[str], result: BacktestResult) -> Configuration:
    how = BEST_MEMBER if name == BEST_MEMBER else "alone"
    return Configuration(f"{name} alone" if how == "alone" else name, {"members": members, "combine": how}, result)
