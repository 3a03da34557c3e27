"""Everything that is measured of one run, on one card: the JSON of `quorate evaluate` and the curves behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, Candles, DecisionFrame, FloatArray, Funding
from quorate.evaluation import metrics
from quorate.evaluation.baselines import always_hold, buy_and_hold
from quorate.evaluation.comparison import difference, rival_figures
from quorate.evaluation.criteria import criteria
from quorate.evaluation.decisions import decision_figures
from quorate.evaluation.equity import EquityCurve, equity_figures
from quorate.evaluation.figures import Figures
from quorate.evaluation.performance import account_curve, net_returns, trade_figures
from quorate.evaluation.rivals import Rival
from quorate.evaluation.sample import Sample
from quorate.evaluation.significance import TimeBlocks
from quorate.trading.result import BacktestResult

SCORES_NOTE = "raw scores, weighted over the members that voted: neither calibrated nor the vote's confidence"


@dataclass(frozen=True, slots=True, eq=False)
class Scorecard:
    """The figures of one run and what the plots need beside them.

    Attributes:
        figures: JSON-safe; the document of `quorate evaluate --json`.
        account: equity of the backtest; None when nothing was traded.
        hold: equity of buy-and-hold on the same bars; None without candles.
        trade_returns: (trades,) net result over the position's value, fraction.
        trade_usd: (trades,) net result.
    """

    figures: dict[str, Any]
    account: EquityCurve | None
    hold: EquityCurve | None
    trade_returns: FloatArray
    trade_usd: FloatArray

    @property
    def synthetic(self) -> bool:
        """Some number here was made from the synthetic market."""
        return bool(self.figures["synthetic"])


def scorecard(
    sample: Sample,
    prior: FloatArray,
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult | None = None,
    candles: Mapping[str, Candles] | None = None,
    funding: Mapping[str, Funding | None] | None = None,
    settings: Settings | None = None,
    rivals: Mapping[str, Rival] | None = None,
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
    """
    chosen = Settings() if settings is None else settings
    blocks = TimeBlocks(sample.time, chosen.evaluation)
    together = sample.ensemble(chosen.vote)
    # The prior is judged where the ensemble voted, so that both have the same rows.
    spoke = metrics.voted(together)
    flat = np.where(spoke[:, None], metrics.prior_scores(prior, len(sample)), np.nan)
    shares = flat[spoke].mean(axis=0) if prior.ndim > 1 and spoke.any() else np.atleast_2d(prior)[0]
    decisions = decision_figures(frames.values())
    trades = None if result is None else trade_figures(result, chosen.evaluation)
    hold = _hold_curve(frames, candles, funding, result, chosen)
    baselines = {
        "prior": {
            **score_figures(sample, flat, prior, blocks),
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
            rival, lambda scores: score_figures(sample, scores, prior, blocks), chosen.evaluation
        )
        if rival.scores is not None:
            apart[name] = difference(sample, together, rival.scores, blocks)
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
        "members": {name: score_figures(sample, scores, prior, blocks) for name, scores in sample.members.items()},
        "ensemble": {
            "scores": SCORES_NOTE,
            **score_figures(sample, together, prior, blocks),
            "reliability": _reliability(sample, together, chosen.evaluation.bins),
            "confusion": _confusion(sample, together),
        },
        "baselines": baselines,
        "differences": apart,
        "decisions": decisions,
        "trades": {"n": 0} if trades is None else trades,
        "per_symbol": _per_symbol(sample, together, frames, result),
        "criteria": criteria(decisions, trades, chosen.criteria),
    }
    return Scorecard(
        figures=figures,
        account=None if result is None else account_curve(result),
        hold=hold,
        trade_returns=np.empty(0) if result is None else net_returns(result),
        trade_usd=np.array([] if result is None else [trade.net_usd for trade in result.trades], np.float64),
    )


def score_figures(sample: Sample, scores: FloatArray, prior: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Every metric of one model's scores (n, 3) with its interval, JSON-safe.

    `n` counts the rows it voted on and `abstained` the others; skill is against the prior on its own rows.

    Args:
        sample: the labelled rows.
        scores: (n, 3), NaN rows where it abstained.
        prior: (3,) class shares of the training rows, or (n, 3).
        blocks: over the sample's times.
    """
    rows = metrics.voted(scores)
    y, own = sample.y[rows], scores[rows]
    part = blocks.select(rows)
    loss = metrics.row_log_loss(y, own)
    reference = metrics.row_log_loss(y, metrics.prior_scores(prior, len(sample))[rows])
    known = np.isfinite(sample.forward_return[rows])
    lean, returns = metrics.lean(own)[known], sample.forward_return[rows][known]
    areas = [part.areas(y == action, own[:, action]) for action in range(len(CLASS_NAMES))]
    none = "it never voted"
    unclassed = "not every class occurs" if len(y) else none
    flat = "does not vary" if len(y) else none
    few = none if not len(y) or blocks.enough else f"{blocks.count} blocks of time are too few"

    figures = Figures()
    figures.add("n", len(y))
    figures.add("abstained", len(sample) - len(y))
    figures.add("log_loss", metrics.log_loss(y, own), none)
    figures.add_interval("log_loss_ci", part.interval(part.means(loss)), few)
    figures.add("brier", metrics.brier(y, own), none)
    figures.add_interval("brier_ci", part.interval(part.means(metrics.row_brier(y, own))), few)
    figures.add("accuracy", metrics.accuracy(y, own), none)
    figures.add_interval("accuracy_ci", part.interval(part.means(metrics.row_correct(y, own))), few)
    figures.add("auc", metrics.auc(y, own), unclassed)
    figures.add_interval("auc_ci", part.interval(np.mean(areas, axis=0)), unclassed if blocks.enough else few)
    figures.add("skill_vs_prior", metrics.skill_vs_prior(y, own, prior), none)
    figures.add_interval("skill_vs_prior_ci", part.interval(1 - part.ratios(loss, reference)), few)
    figures.add("rank_ic", metrics.rank_ic(own, sample.forward_return[rows]), flat)
    figures.add_interval(
        "rank_ic_ci", part.interval(part.select(known).correlations(lean, returns)), flat if blocks.enough else few
    )
    figures.add("ece", metrics.ece(y, own, blocks.settings.bins), none)
    right = metrics.row_correct(y, own)
    errors = part.calibration_errors(own.max(axis=1, initial=0.0), right, blocks.settings.bins)
    figures.add_interval("ece_ci", part.interval(errors), few)
    return figures.to_json()


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


def _reliability(sample: Sample, scores: FloatArray, bins: int) -> list[dict[str, Any]]:
    table = metrics.reliability(sample.y, scores, bins)
    return [
        {"low": float(low), "high": float(high), "score": float(score), "correct": float(correct), "rows": int(rows)}
        for low, high, score, correct, rows in zip(
            table.low, table.high, table.score, table.correct, table.rows, strict=True
        )
        if rows
    ]


def _confusion(sample: Sample, scores: FloatArray) -> dict[str, Any]:
    """Counts by what happened (rows) and what was said (columns): the largest mean score, and the vote's decision."""
    rows = metrics.voted(scores)
    said = np.argmax(scores[rows], axis=1) if rows.any() else np.empty(0, np.intp)
    return {
        "classes": list(CLASS_NAMES),
        "largest_score": metrics.confusion(sample.y[rows], said).tolist(),
        "decision": metrics.confusion(sample.y, sample.action).tolist(),
    }


def _per_symbol(
    sample: Sample, scores: FloatArray, frames: Mapping[str, DecisionFrame], result: BacktestResult | None
) -> list[dict[str, Any]]:
    """One row per symbol: rows, log-loss, accuracy, signals, trades, wins, net result."""
    trades = [] if result is None else list(result.trades)
    table = []
    for place, symbol in enumerate(sample.symbols):
        rows = sample.symbol == place
        own = [trade.net_usd for trade in trades if trade.symbol == symbol]
        figures = Figures()
        figures.add("rows", int(rows.sum()))
        figures.add("log_loss", metrics.log_loss(sample.y[rows], scores[rows]), "no voted row")
        figures.add("accuracy", metrics.accuracy(sample.y[rows], scores[rows]), "no voted row")
        figures.add("signals", int((frames[symbol].action != 1).sum()) if symbol in frames else 0)
        figures.add("trades", len(own))
        figures.add("wins", sum(usd > 0 for usd in own))
        figures.add("net_usd", float(sum(own)))
        table.append({"symbol": symbol, **figures.to_json()})
    return table
