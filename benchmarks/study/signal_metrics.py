"""Metrics of a signal: skill, rank correlation, and the net result of its market-neutral portfolio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from market_neutral import NeutralPortfolio, neutral_portfolio, rank_ics
from perpetuals import STEP, Perpetuals

from quorate.core.clock import HOUR_MS
from quorate.core.settings import CostSettings, EvaluationSettings
from quorate.core.types import FloatArray
from quorate.evaluation import TimeBlocks, WalkResult
from quorate.evaluation.metrics.classification import auc, directional_score, row_log_loss

# Symbols move together and positions last for days: intervals resample whole weeks.
BLOCKS = EvaluationSettings(block_hours=7 * 24, resamples=1_000)
COSTS = CostSettings()
SIDE_COST = COSTS.taker_fee + COSTS.slippage  # 7 basis points a side, 14 for in and out
DAY_STEPS = 24 // STEP
BASIS_POINTS = 1e4
SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Signal:
    """One value for every symbol and bar, from the first evaluated bar on.

    Attributes:
        values: (T, S); NaN before `start` and where unknown.
        start: ms.
        horizon: hours that it predicts.
    """

    values: FloatArray
    start: int
    horizon: int

    @classmethod
    def of(cls, market: Perpetuals, walked: WalkResult, model: str, horizon: int) -> Signal:
        """Score of BUY minus score of SELL."""
        return cls(market.table(directional_score(walked.scores[model])), walked.start, horizon)

    def without(self, place: Any) -> Signal:
        """The signal with some symbols or cells set to NaN."""
        values = self.values.copy()
        values[place] = np.nan
        return Signal(values, self.start, self.horizon)


def traded(market: Perpetuals, signal: Signal, hold: int, share: float = SHARE) -> NeutralPortfolio:
    """Portfolio long the top tenth and short the bottom tenth, until the last bar with a known horizon."""
    rows = _evaluated(market, signal)
    return neutral_portfolio(
        market.time[rows],
        signal.values[rows],
        market.earned(STEP)[rows],
        hold_steps=max(1, round(hold / STEP)),
        cost=SIDE_COST,
        share=share,
        step_funding=market.paid[rows],
    )


def rank_figures(market: Perpetuals, signal: Signal) -> dict[str, Any]:
    """Mean rank correlation with the forward return, with its interval."""
    rows = _evaluated(market, signal)
    found = rank_ics(signal.values[rows], market.earned(signal.horizon)[rows])
    blocks = TimeBlocks(market.time[rows], BLOCKS)
    return {"rank_ic": float(np.nanmean(found)), "rank_ic_ci": blocks.interval(blocks.means(found))}


def money_figures(held: NeutralPortfolio) -> dict[str, Any]:
    """Basis points a day of the gross exposure; turnover in its own multiples a day."""
    blocks = TimeBlocks(held.time, BLOCKS)
    daily = held.daily()
    spread = float(daily.std(ddof=1))

    def a_day(values: FloatArray) -> float:
        return float(values.mean()) * DAY_STEPS * BASIS_POINTS

    interval = blocks.interval(blocks.means(held.net) * DAY_STEPS * BASIS_POINTS)
    return {
        "gross_bp": a_day(held.gross),
        "long_bp": a_day(held.long),
        "short_bp": a_day(held.short),
        "turnover": float(held.turnover.mean()) * DAY_STEPS,
        "cost_bp": a_day(held.cost),
        "funding_bp": a_day(held.funding),
        "funding_known": held.funding_known,
        "net_bp": a_day(held.net),
        "net_bp_ci": interval,
        "gross_bp_ci": blocks.interval(blocks.means(held.gross) * DAY_STEPS * BASIS_POINTS),
        "sharpe_day": float(daily.mean()) / spread if spread else None,
        "days": len(daily),
    }


def score_figures(walked: WalkResult, model: str) -> dict[str, Any]:
    """Log-loss and skill against the class prior of each fold's training rows, and AUC."""
    rows = walked.rows
    tested = np.concatenate([walked.evaluated(fold, model) for fold in walked.folds])
    y, scores = rows.y[tested], walked.scores[model][tested]
    loss, prior = row_log_loss(y, scores), row_log_loss(y, walked.prior[tested])
    blocks = TimeBlocks(rows.time[tested], BLOCKS)
    skill = blocks.interval(1 - blocks.means(loss) / blocks.means(prior))
    folds = []
    for fold in walked.folds:
        own = np.isin(tested, fold.test)
        folds.append(float(1 - loss[own].mean() / prior[own].mean()))
    return {
        "rows": len(tested),
        "trained": [len(fold.train) for fold in walked.folds],
        "log_loss": float(loss.mean()),
        "prior_log_loss": float(prior.mean()),
        "skill": float(1 - loss.mean() / prior.mean()),
        "skill_ci": skill,
        "skill_by_fold": folds,
        "auc": auc(y, scores),
    }


def row_losses(walked: WalkResult, model: str) -> FloatArray:
    """(n,) log-loss of every evaluated row, NaN elsewhere."""
    found = np.full(len(walked.rows), np.nan)
    for fold in walked.folds:
        tested = walked.evaluated(fold, model)
        found[tested] = row_log_loss(walked.rows.y[tested], walked.scores[model][tested])
    return found


def sided_figures(market: Perpetuals, walked: WalkResult, signal: Signal) -> dict[str, Any]:
    """The tenth of the bars with the most extreme scores, traded one by one without hedging the market.

    The threshold is taken from the fold before, so the first fold has no trade. `beside_market_bp` is the result minus
    the mean of all symbols over the same hours.
    """
    rows = _evaluated(market, signal)
    time, values, earned = market.time[rows], signal.values[rows], market.earned(signal.horizon)[rows]
    around = np.nanmean(earned, axis=1, keepdims=True)
    side = np.zeros(values.shape)
    for before, fold in zip(walked.folds, walked.folds[1:], strict=False):
        past = np.abs(values[(time >= before.start) & (time < before.end)])
        least = np.nanquantile(past, 1 - SHARE)
        own = (time >= fold.start) & (time < fold.end)
        side[own] = np.where(np.abs(values[own]) > least, np.sign(values[own]), 0.0)
    side[~np.isfinite(earned)] = 0.0
    place = np.nonzero(side)
    if not len(place[0]):
        return {"trades": 0}
    made, beside = side[place] * earned[place], side[place] * (earned - around)[place]
    blocks = TimeBlocks(time[place[0]], BLOCKS)
    return {
        "trades": len(made),
        "longs": int((side > 0).sum()),
        "gross_bp": float(made.mean()) * BASIS_POINTS,
        "gross_bp_ci": blocks.interval(blocks.means(made) * BASIS_POINTS),
        "beside_market_bp": float(beside.mean()) * BASIS_POINTS,
        "beside_market_bp_ci": blocks.interval(blocks.means(beside) * BASIS_POINTS),
    }


def _evaluated(market: Perpetuals, signal: Signal) -> slice:
    """Rows of the tables from the signal's start to the last whose horizon ends in the span."""
    last = market.end - (1 + signal.horizon) * HOUR_MS
    first, end = np.searchsorted(market.time, [signal.start, last])
    return slice(int(first), int(end))
