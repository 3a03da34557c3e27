"""Decisions judged: traded, scored, and put beside everything they could be mistaken for. A walk and a bundle alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quorate.core.settings import Settings
from quorate.core.types import DecisionFrame, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.configurations import Configuration, in_force, vote_candidates
from quorate.evaluation.baselines.policy_comparison import policy_rows
from quorate.evaluation.baselines.random_entries import random_accounts
from quorate.evaluation.baselines.strategies import BaselineStrategy, model_rival, momentum_rival, rules_rival
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.reliability import probability_figures
from quorate.evaluation.scorecard import Scorecard, scorecard
from quorate.targets import ForwardClass
from quorate.trading.backtest.backtest_result import BacktestResult

# (what is going on, steps done, steps in all)
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class SingleModel:
    """A model that is judged by itself beside the ensemble.

    Attributes:
        scores: symbol -> (bars, 3), row by row with the ensemble's frame.
        about: what it is, in a phrase.
    """

    scores: Mapping[str, FloatArray]
    about: str


def judge(
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult,
    venue: BacktestSetup,
    prior: Callable[[LabelledPredictions], FloatArray],
    settings: Settings,
    members: Sequence[str],
    beside: Mapping[str, SingleModel],
    tell: Tell = lambda *_: None,
    *,
    calibrated: Mapping[str, DecisionFrame] | None = None,
    would_act_at: float | None = None,
) -> Scorecard:
    """The scorecard of decisions, their rivals' and everyone else's that could have been chosen.

    Args:
        frames: symbol -> decisions with the members' scores.
        result: what they brought.
        venue: where all trade: the same bars, costs and account.
        prior: the labelled rows -> class shares of the rows that were trained on, (3,) or (n, 3).
        settings: the vote's policy and the target that were decided by, and of the evaluation.
        members: of the ensemble, loaded or not.
        beside: name -> a model that is not the ensemble: a baseline, or the best member.
        tell: progress.
        calibrated: what the calibrated policy decides on the same bars; None where nothing is calibrated.
        would_act_at: the least net return at which it would have given a signal while it was fitted.
    """
    target, policy = settings.target, settings.vote
    label = ForwardClass(target.horizon, target.band)
    sample = LabelledPredictions.of(frames, venue.candles, label)

    def alone(name: str, model: SingleModel) -> BaselineStrategy:
        return model_rival(name, model.scores, frames, venue, target, len(members), policy, model.about)

    rivals = {
        "momentum": momentum_rival(frames, venue, target),
        "rules": rules_rival(frames, venue, target),
        **{name: alone(name, model) for name, model in beside.items()},
    }
    tell("trading the baselines", len(rivals), len(rivals))
    accounts = random_accounts(result, frames, venue)
    tell("trading at random", 1, 1)
    chosen = vote_candidates(frames, result, venue, policy, members, settings.evaluation.floors, calibrated)
    single = {name: _single(name, frames, venue, settings, len(members)) for name in members if len(members) > 1}
    candidates = [
        *chosen,
        *(_lonely(name, [name], own) for name, own in single.items() if own is not None),
        *(_lonely(name, list(members) if name == "best_member" else [name], rivals[name].result) for name in beside),
    ]
    tell("trading the alternatives", len(candidates), len(candidates))
    shares = prior(sample)
    card = scorecard(
        sample,
        shares,
        frames,
        result,
        venue.candles,
        venue.funding,
        settings,
        rivals,
        candidates,
        accounts,
        len(members),
    )
    name = in_force(frames, policy)
    card.figures["signals_by_policy"] = policy_rows(
        frames, calibrated, venue.candles, label, settings, len(members), in_force=name, would_act_at=would_act_at
    )
    card.figures["probabilities"] = probability_figures(frames, venue.candles, label, sample, shares, settings)
    return card


def _single(
    name: str, frames: Mapping[str, DecisionFrame], venue: BacktestSetup, settings: Settings, members: int
) -> BacktestResult | None:
    """One member's own account; None where it never could vote."""
    own = {symbol: frame.scores[name] for symbol, frame in frames.items() if name in frame.scores}
    if len(own) < len(frames):
        return None
    return model_rival(name, own, frames, venue, settings.target, members, settings.vote, name).result


def _lonely(name: str, members: list[str], result: BacktestResult) -> Configuration:
    how = "best_member" if name == "best_member" else "alone"
    return Configuration(f"{name} alone" if how == "alone" else name, {"members": members, "combine": how}, result)
