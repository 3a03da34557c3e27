"""Everything that is measured of one run, on one card: the JSON of `quorate evaluate` and the curves behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, Candles, DecisionFrame, FloatArray, Funding
from quorate.evaluation.baselines.comparison import difference, rival_figures
from quorate.evaluation.baselines.configurations import Configuration, policy_figures
from quorate.evaluation.baselines.naive import always_hold, buy_and_hold
from quorate.evaluation.baselines.random_entries import RandomAccounts, chance_figures, crowd
from quorate.evaluation.baselines.strategies import BaselineStrategy
from quorate.evaluation.criteria import criteria
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification_report import confusion_json, reliability_json, score_figures
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.equity import EquityCurve, equity_figures
from quorate.evaluation.metrics.monthly import money_by_month, skill_by_month
from quorate.evaluation.metrics.signal_outcomes import Signals
from quorate.evaluation.metrics.trades import account_curve, net_returns, trade_figures
from quorate.evaluation.selection_bias import deflation_figures, overfitting_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets import ForwardClass
from quorate.trading.backtest.backtest_result import BacktestResult

SCORES_NOTE = "raw scores, weighted over the members that voted: neither calibrated nor the vote's confidence"


@dataclass(frozen=True, slots=True, eq=False)
class Scorecard:
    """The figures of one run and what the plots need beside them.

    Attributes:
        figures: JSON-safe; the document of `quorate evaluate --json`.
        sample: the labelled rows that scores were judged on.
        account: equity of the backtest; None when nothing was traded.
        hold: equity of buy-and-hold on the same bars; None without candles.
        curves: rival -> equity of its account, on the same bars.
        crowd: equity of the accounts that trade at random; None where nothing was drawn.
        trade_returns: (trades,) net result over the position's value, fraction.
        trade_usd: (trades,) net result.
        candidates: configurations that were traded on the same bars, the judged one first.
    """

    figures: dict[str, Any]
    sample: LabelledPredictions
    account: EquityCurve | None
    hold: EquityCurve | None
    curves: Mapping[str, EquityCurve]
    crowd: RandomAccounts | None
    trade_returns: FloatArray
    trade_usd: FloatArray
    candidates: tuple[Configuration, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Some number here was made from the synthetic market."""
        return bool(self.figures["synthetic"])


def scorecard(
    sample: LabelledPredictions,
    prior: FloatArray,
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult | None = None,
    candles: Mapping[str, Candles] | None = None,
    funding: Mapping[str, Funding | None] | None = None,
    settings: Settings | None = None,
    rivals: Mapping[str, BaselineStrategy] | None = None,
    candidates: Sequence[Configuration] = (),
    accounts: Sequence[BacktestResult] | None = None,
    members: int | None = None,
) -> Scorecard:
    """Judge scores, decisions and trades of one run beside their baselines.

    Args:
        sample: labelled rows with the members' scores.
        prior: (3,) class shares of the training rows; (n, 3) where rows were trained for apart.
        frames: symbol -> decisions on every bar of the run.
        result: the backtest of these decisions, if there was one.
        candles: symbol -> candles of the run, for buy-and-hold; bars outside a symbol's frame are ignored.
        funding: symbol -> settlements, for buy-and-hold.
        settings: intervals, criteria, costs; the defaults when None.
        rivals: name -> what else decided on these bars; each joins `baselines`, and `differences` where it has scores.
        candidates: configurations that were traded on these bars, the judged one first.
        accounts: those that traded at random; None where that was not asked.
        members: of the ensemble, loaded or not; None for those that the sample names.
    """
    chosen = Settings() if settings is None else settings
    blocks = TimeBlocks(sample.time, chosen.evaluation)
    together = sample.ensemble(chosen.vote)
    # The prior is judged where the ensemble voted, so that both have the same rows.
    spoke = classification.voted(together)
    flat = np.where(spoke[:, None], classification.prior_scores(prior, len(sample)), np.nan)
    shares = flat[spoke].mean(axis=0) if prior.ndim > 1 and spoke.any() else np.atleast_2d(prior)[0]
    horizon, size = chosen.target.horizon, len(sample.members) if members is None else members
    decisions = decision_figures(frames.values(), chosen.evaluation)
    trades = None if result is None else trade_figures(result, chosen.evaluation)
    hold = _hold_curve(frames, candles, funding, result, chosen)
    baselines = {
        "prior": {
            **score_figures(sample, flat, prior, blocks, horizon),
            "shares": {name: float(share) for name, share in zip(CLASS_NAMES, shares, strict=True)},
        },
        "always_hold": always_hold(sample.y[spoke]),
    }
    if hold is not None:
        unpaid = [symbol for symbol in frames if ":" in symbol and (funding or {}).get(symbol) is None]
        baselines["buy_and_hold"] = {
            **equity_figures(hold, chosen.evaluation).to_json(),
            "funding_unknown": unpaid,
        }
    apart = {}
    for name, rival in (rivals or {}).items():
        baselines[name] = rival_figures(
            rival, lambda scores: score_figures(sample, scores, prior, blocks, horizon), chosen.evaluation
        )
        if rival.scores is not None:
            apart[name] = difference(sample, together, rival.scores, blocks, horizon)
    if accounts is not None and result is not None:
        baselines["random"] = chance_figures(result, accounts, chosen.evaluation)
    account = None if result is None else account_curve(result)
    signals = _signals(frames, candles, chosen, size)
    models = {"ensemble": together, **sample.members}
    figures = {
        "synthetic": any(frame.synthetic for frame in frames.values()) or bool(result and result.synthetic),
        "rows": len(sample),
        "symbols": len(sample.symbols),
        "timeframe": next((frame.timeframe for frame in frames.values()), None),
        "from": iso_ms(int(sample.time.min())) if len(sample) else None,
        "to": iso_ms(int(sample.time.max())) if len(sample) else None,
        "days": len(np.unique(sample.time // DAY_MS)),
        "intervals": {
            "confidence": chosen.evaluation.confidence,
            "resamples": chosen.evaluation.resamples,
            "block_hours": chosen.evaluation.block_hours,
            "blocks": blocks.count,
        },
        "members": {
            name: score_figures(sample, scores, prior, blocks, horizon) for name, scores in sample.members.items()
        },
        "ensemble": {
            "scores": SCORES_NOTE,
            **score_figures(sample, together, prior, blocks, horizon),
            "reliability": reliability_json(sample, together, chosen.evaluation.bins),
            "confusion": confusion_json(sample, together),
        },
        "baselines": baselines,
        "differences": apart,
        "decisions": decisions,
        "policies": policy_figures(candidates, chosen.evaluation),
        "gates": [] if signals is None else signals.gates(),
        "coverage": [] if signals is None else signals.coverage(),
        "skill_by_month": skill_by_month(sample, models, prior, blocks),
        "trades": {"n": 0} if trades is None else trades,
        "money_by_month": [] if account is None or result is None else money_by_month(account, hold, result.trades),
        **_luck(candidates),
        "per_symbol": _per_symbol(sample, together, frames, result),
        "criteria": criteria(decisions, trades, chosen.criteria),
    }
    return Scorecard(
        figures=figures,
        sample=sample,
        account=account,
        hold=hold,
        curves={name: account_curve(rival.result) for name, rival in (rivals or {}).items()},
        crowd=crowd(accounts or (), chosen.evaluation.confidence),
        trade_returns=np.empty(0) if result is None else net_returns(result),
        trade_usd=np.array([] if result is None else [trade.net_usd for trade in result.trades], np.float64),
        candidates=tuple(candidates),
    )


def _luck(candidates: Sequence[Configuration]) -> dict[str, Any]:
    """What choosing among the candidates may have added; the command line deflates by all that were ever tried."""
    if not candidates:
        return {}
    sharpes = [candidate.moments.sharpe for candidate in candidates]
    counted = f"the {len(candidates)} configurations of this run"
    return {
        "deflation": deflation_figures(candidates[0].moments, sharpes, counted),
        "overfitting": overfitting_figures(candidates),
    }


def _signals(
    frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles] | None, settings: Settings, members: int
) -> Signals | None:
    # What the calibrated policy's gates removed is told policy by policy.
    if candles is None or not any(frame.scores and frame.side is None for frame in frames.values()):
        return None
    target = ForwardClass(settings.target.horizon, settings.target.band)
    return Signals.of(frames, candles, target, settings.vote, members, settings.costs, settings.evaluation)


def _hold_curve(
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles] | None,
    funding: Mapping[str, Funding | None] | None,
    result: BacktestResult | None,
    settings: Settings,
) -> EquityCurve | None:
    """Buy-and-hold over exactly the bars that were decided on."""
    spans = {
        symbol: candles[symbol].between(int(frame.time[0]), int(frame.time[-1]) + 1)
        for symbol, frame in frames.items()
        if candles is not None and symbol in candles and len(frame)
    }
    if not spans:
        return None
    start = settings.account.equity_usd if result is None else result.start_equity_usd
    return buy_and_hold(spans, start, settings.costs, funding)


def _per_symbol(
    sample: LabelledPredictions, scores: FloatArray, frames: Mapping[str, DecisionFrame], result: BacktestResult | None
) -> list[dict[str, Any]]:
    """One row per symbol: rows, log-loss, accuracy, signals, trades, wins, net result."""
    trades = [] if result is None else list(result.trades)
    table = []
    for place, symbol in enumerate(sample.symbols):
        rows = sample.symbol == place
        own = [trade.net_usd for trade in trades if trade.symbol == symbol]
        figures = Figures()
        figures.add("rows", int(rows.sum()))
        figures.add("log_loss", classification.log_loss(sample.y[rows], scores[rows]), "no voted row")
        figures.add("accuracy", classification.accuracy(sample.y[rows], scores[rows]), "no voted row")
        figures.add("signals", int((frames[symbol].action != 1).sum()) if symbol in frames else 0)
        figures.add("trades", len(own))
        figures.add("wins", sum(usd > 0 for usd in own))
        figures.add("net_usd", float(sum(own)))
        table.append({"symbol": symbol, **figures.to_json()})
    return table
