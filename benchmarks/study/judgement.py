"""What a signal is worth: skill, rank correlation, and what is left of it after costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from perpetuals import STEP, Perpetuals

from quorate.core.clock import HOUR_MS
from quorate.core.settings import CostSettings, EvaluationSettings
from quorate.core.types import FloatArray
from quorate.evaluation import TimeBlocks, WalkResult
from quorate.evaluation.metrics.classification import auc, lean, row_log_loss
from quorate.evaluation.neutral import NeutralPortfolio, neutral_portfolio, rank_ics

# Symbols move together and positions last for days: intervals resample whole weeks.
BLOCKS = EvaluationSettings(block_hours=7 * 24, resamples=1_000)
COSTS = CostSettings()
SIDE_COST = COSTS.taker_fee + COSTS.slippage  # 7 basis points a side, 14 for in and out
DAY_STEPS = 24 // STEP
BASIS_POINTS = 1e4
SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Signal:
    """A number for every symbol and bar, from the first bar that is judged on.

    Attributes:
        values: (T, S); NaN before `start` and where there is none.
        start: ms.
        horizon: hours that it looks ahead.
    """

    values: FloatArray
    start: int
    horizon: int

    @classmethod
    def of(cls, market: Perpetuals, walked: WalkResult, model: str, horizon: int) -> Signal:
        """Score of BUY less that of SELL."""
        return cls(market.table(lean(walked.scores[model])), walked.start, horizon)

    def without(self, place: Any) -> Signal:
        """Without some symbols or cells."""
        values = self.values.copy()
        values[place] = np.nan
        return Signal(values, self.start, self.horizon)


def traded(market: Perpetuals, signal: Signal, hold: int, share: float = SHARE) -> NeutralPortfolio:
    """Long its top tenth, short its bottom tenth, until the last bar from which the horizon is known."""
    rows = _judged(market, signal)
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
    """Mean rank correlation with what follows, with its interval."""
    rows = _judged(market, signal)
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
    """Log-loss against the class prior of each fold's training rows, and areas under the ROC curve."""
    rows = walked.rows
    judged = np.concatenate([walked.judged(step, model) for step in walked.steps])
    y, scores = rows.y[judged], walked.scores[model][judged]
    loss, prior = row_log_loss(y, scores), row_log_loss(y, walked.prior[judged])
    blocks = TimeBlocks(rows.time[judged], BLOCKS)
    skill = blocks.interval(1 - blocks.means(loss) / blocks.means(prior))
    folds = []
    for step in walked.steps:
        own = np.isin(judged, step.test)
        folds.append(float(1 - loss[own].mean() / prior[own].mean()))
    return {
        "rows": len(judged),
        "trained": [len(step.train) for step in walked.steps],
        "log_loss": float(loss.mean()),
        "prior_log_loss": float(prior.mean()),
        "skill": float(1 - loss.mean() / prior.mean()),
        "skill_ci": skill,
        "skill_by_fold": folds,
        "auc": auc(y, scores),
    }


def row_losses(walked: WalkResult, model: str) -> FloatArray:
    """(n,) log-loss of every judged row, NaN elsewhere."""
    found = np.full(len(walked.rows), np.nan)
    for step in walked.steps:
        judged = walked.judged(step, model)
        found[judged] = row_log_loss(walked.rows.y[judged], walked.scores[model][judged])
    return found


def sided_figures(market: Perpetuals, walked: WalkResult, signal: Signal) -> dict[str, Any]:
    """The tenth of the bars on which the score leans most, traded one by one with the market in it.

    How much is most is taken from the fold before, so that the first fold trades nothing. `beside_market_bp` is what is
    left when the mean of all symbols over the same hours is taken off.
    """
    rows = _judged(market, signal)
    time, values, earned = market.time[rows], signal.values[rows], market.earned(signal.horizon)[rows]
    around = np.nanmean(earned, axis=1, keepdims=True)
    side = np.zeros(values.shape)
    for before, step in zip(walked.steps, walked.steps[1:], strict=False):
        past = np.abs(values[(time >= before.start) & (time < before.end)])
        least = np.nanquantile(past, 1 - SHARE)
        own = (time >= step.start) & (time < step.end)
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


def _judged(market: Perpetuals, signal: Signal) -> slice:
    """Rows of the tables from the signal's start to the last whose horizon ends in the span."""
    last = market.end - (1 + signal.horizon) * HOUR_MS
    first, end = np.searchsorted(market.time, [signal.start, last])
    return slice(int(first), int(end))
