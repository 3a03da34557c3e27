"""Sections of a scorecard's document, one function each."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.types import CLASS_NAMES
from quorate.ensemble.voting.closed_policy import CLOSED
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.evaluation.baselines.comparison import baseline_figures
from quorate.evaluation.baselines.configurations import policy_figures
from quorate.evaluation.baselines.naive import always_hold
from quorate.evaluation.baselines.random_entries import random_entry_figures
from quorate.evaluation.criteria import criteria
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification_report import confusion_json, prior_figures, reliability_json
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.equity import equity_figures
from quorate.evaluation.metrics.market_groups import skill_by_group, volume_groups
from quorate.evaluation.metrics.monthly import money_by_month, skill_by_month
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.evaluation.metrics.signal_outcomes import Signals
from quorate.evaluation.metrics.skill_split import LOG_HAR, only_volatility
from quorate.evaluation.metrics.trades import trade_figures
from quorate.evaluation.scorecard_inputs import ScorecardInputs
from quorate.evaluation.selection_bias import deflation_figures, overfitting_figures
from quorate.targets import ForwardClass

SCORES_NOTE = "mean raw scores of the members that voted, weighted; neither calibrated nor the vote's confidence"


def document(inputs: ScorecardInputs) -> dict[str, Any]:
    """The whole document, JSON-safe. The order of its keys is the order of the sections."""
    decisions = decision_figures(inputs.frames.values(), inputs.settings.evaluation)
    trades = None if inputs.result is None else trade_figures(inputs.result, inputs.settings.evaluation)
    members = {name: inputs.score(scores) for name, scores in inputs.sample.members.items()}
    of_all = ensemble(inputs)
    return {
        **header(inputs),
        "members": members,
        "ensemble": of_all,
        "only_volatility": only_volatility({"ensemble": of_all, **members}),
        "baselines": baselines(inputs),
        "differences": differences(inputs),
        "decisions": decisions,
        "policies": policy_figures(inputs.configurations, inputs.settings),
        **signals(inputs),
        "skill_by_month": monthly_skill(inputs),
        "skill_by_group": grouped_skill(inputs),
        "trades": {"n": 0} if trades is None else trades,
        "money_by_month": monthly_account(inputs),
        **selection_bias(inputs),
        "per_symbol": symbols(inputs),
        "criteria": criteria(decisions, trades, inputs.settings.criteria),
    }


def header(inputs: ScorecardInputs) -> dict[str, Any]:
    """Size and span of the sample, and how intervals are computed."""
    sample, evaluation = inputs.sample, inputs.settings.evaluation
    synthetic = any(frame.synthetic for frame in inputs.frames.values())
    absent = classification.absent_classes(inputs.prior)
    return {
        "synthetic": synthetic or bool(inputs.result and inputs.result.synthetic),
        "rows": len(sample),
        "symbols": len(sample.symbols),
        "timeframe": next((frame.timeframe for frame in inputs.frames.values()), None),
        "from": iso_ms(int(sample.time.min())) if len(sample) else None,
        "to": iso_ms(int(sample.time.max())) if len(sample) else None,
        "days": len(np.unique(sample.time // DAY_MS)),
        "intervals": {
            "confidence": evaluation.confidence,
            "resamples": evaluation.resamples,
            "block_hours": evaluation.block_hours,
            "blocks": inputs.blocks.count,
        },
        "absent_classes": list(absent),
        "warnings": [classification.absent_text(absent)] if absent else [],
    }


def ensemble(inputs: ScorecardInputs) -> dict[str, Any]:
    """Metrics, reliability diagram and confusion matrices of the ensemble's mean scores."""
    return {
        "scores": SCORES_NOTE,
        **inputs.score(inputs.ensemble),
        "reliability": reliability_json(inputs.sample, inputs.ensemble, inputs.settings.evaluation.bins),
        "confusion": confusion_json(inputs.sample, inputs.ensemble),
    }


def baselines(inputs: ScorecardInputs) -> dict[str, Any]:
    """Class prior, always HOLD, buy and hold, the baseline strategies, and random entries."""
    evaluation = inputs.settings.evaluation
    found: dict[str, Any] = {"prior": _prior(inputs), "always_hold": always_hold(inputs.sample.y[inputs.voted])}
    if inputs.hold is not None:
        unknown = [symbol for symbol in inputs.frames if ":" in symbol and (inputs.funding or {}).get(symbol) is None]
        found["buy_and_hold"] = {**equity_figures(inputs.hold, evaluation).to_json(), "funding_unknown": unknown}
    for name, baseline in inputs.baselines.items():
        found[name] = baseline_figures(baseline, inputs.score, evaluation)
    if inputs.random_accounts is not None and inputs.result is not None:
        found["random"] = random_entry_figures(inputs.result, inputs.random_accounts, evaluation)
    return found


def _prior(inputs: ScorecardInputs) -> dict[str, Any]:
    """Metrics of the class prior on the rows on which the ensemble voted, and its mean class shares."""
    scores, prior = inputs.prior_scores(), inputs.prior
    shares = scores[inputs.voted].mean(axis=0) if prior.ndim > 1 and inputs.voted.any() else np.atleast_2d(prior)[0]
    return {
        **prior_figures(inputs.sample, scores, prior, inputs.blocks, inputs.settings.target.horizon),
        "shares": {name: float(share) for name, share in zip(CLASS_NAMES, shares, strict=True)},
    }


def differences(inputs: ScorecardInputs) -> dict[str, Any]:
    """Log-loss of the ensemble minus that of each baseline strategy with scores."""
    horizon = inputs.settings.target.horizon
    return {
        name: log_loss_difference(inputs.sample, inputs.ensemble, baseline.scores, inputs.blocks, horizon)
        for name, baseline in inputs.baselines.items()
        if baseline.scores is not None
    }


def signals(inputs: ScorecardInputs) -> dict[str, Any]:
    """Signals of the vote: what its gates removed, and win rate by share; empty if another policy decided.

    A closed policy shows the vote: it has the win rates, and no gate.
    """
    # Gates of the calibrated and the closed policy are in `signals_by_policy`.
    settings = inputs.settings
    decided = {frame.policy for frame in inputs.frames.values() if frame.scores}
    if inputs.candles is None or len(decided) != 1 or not decided <= {"classic", CONSENSUS, CLOSED}:
        return {"gates": [], "coverage": []}
    policy = ConsensusPolicy(settings.vote) if decided == {CONSENSUS} else settings.vote
    target = ForwardClass(settings.target.horizon, settings.target.band)
    found = Signals.of_vote(
        inputs.frames, inputs.candles, target, policy, inputs.members, settings.costs, settings.evaluation
    )
    return {"gates": [] if decided == {CLOSED} else found.gates(), "coverage": found.coverage()}


def monthly_skill(inputs: ScorecardInputs) -> list[dict[str, Any]]:
    """Skill of the ensemble and its members by month."""
    models = {"ensemble": inputs.ensemble, **inputs.sample.members}
    return skill_by_month(inputs.sample, models, inputs.prior, inputs.blocks)


def grouped_skill(inputs: ScorecardInputs) -> list[dict[str, Any]]:
    """Skill of the ensemble, its members and log-HAR by group of markets; empty without candles of three markets."""
    models = {"ensemble": inputs.ensemble, **inputs.sample.members}
    if inputs.log_har is not None:
        models[LOG_HAR] = inputs.log_har
    groups = volume_groups(inputs.frames, inputs.candles or {})
    return skill_by_group(inputs.sample, models, inputs.prior, inputs.blocks, groups)


def monthly_account(inputs: ScorecardInputs) -> list[dict[str, Any]]:
    """The account by month; empty without a backtest."""
    if inputs.account is None or inputs.result is None:
        return []
    return money_by_month(inputs.account, inputs.hold, inputs.result.trades)


def selection_bias(inputs: ScorecardInputs) -> dict[str, Any]:
    """Selection bias among the configurations of this run; empty without any."""
    configurations = inputs.configurations
    if not configurations:
        return {}
    sharpes = [configuration.moments.sharpe for configuration in configurations]
    counted = f"the {len(configurations)} configurations of this run"
    return {
        "deflation": deflation_figures(configurations[0].moments, sharpes, counted),
        "overfitting": overfitting_figures(configurations),
    }


def symbols(inputs: ScorecardInputs) -> list[dict[str, Any]]:
    """One row a symbol: rows, log-loss, accuracy, signals, trades, wins, net result."""
    sample, trades = inputs.sample, [] if inputs.result is None else list(inputs.result.trades)
    table = []
    for place, symbol in enumerate(sample.symbols):
        rows = sample.symbol == place
        y, scores = sample.y[rows], inputs.ensemble[rows]
        net = [trade.net_usd for trade in trades if trade.symbol == symbol]
        figures = Figures()
        figures.add("rows", int(rows.sum()))
        figures.add("log_loss", classification.log_loss(y, scores), "no row with a vote")
        figures.add("accuracy", classification.accuracy(y, scores), "no row with a vote")
        figures.add("signals", int((inputs.frames[symbol].action != 1).sum()) if symbol in inputs.frames else 0)
        figures.add("trades", len(net))
        figures.add("wins", sum(usd > 0 for usd in net))
        figures.add("net_usd", float(sum(net)))
        table.append({"symbol": symbol, **figures.to_json()})
    return table
