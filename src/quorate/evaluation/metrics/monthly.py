"""Skill and account figures by calendar month (UTC)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.equity import EquityCurve
from quorate.evaluation.metrics.skill_periods import skill_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.trading.account.trade import Trade


def skill_by_month(
    sample: LabelledPredictions, models: Mapping[str, FloatArray], prior: FloatArray, blocks: TimeBlocks
) -> list[dict[str, Any]]:
    """Skill over the class prior of each model by calendar month (UTC), JSON-safe; months without labels are left out.

    Args:
        sample: labelled rows.
        models: name -> (n, 3) scores; NaN rows are abstentions.
        prior: (3,) class shares of the training rows, or (n, 3).
        blocks: of the sample's times.
    """
    shares = classification.prior_scores(prior, len(sample))
    reference = classification.row_log_loss(sample.y, shares)
    losses = {name: classification.row_log_loss(sample.y, scores) for name, scores in models.items()}
    month = _month(sample.time)
    table = []
    for own in np.unique(month):
        rows = np.asarray(month == own)
        part = blocks.select(rows)
        skills = {}
        for name, loss in losses.items():
            skills[name] = skill_figures(sample.y[rows], loss[rows], shares[rows], reference[rows], part)
        table.append({"month": str(own), "rows": int(rows.sum()), "models": skills})
    return table


def money_by_month(account: EquityCurve, hold: EquityCurve | None, trades: Sequence[Trade]) -> list[dict[str, Any]]:
    """Return, maximum drawdown and closed trades of each calendar month (UTC), JSON-safe.

    The drawdown is below the highest equity since the start of the month. Months without bars are left out.
    """
    month = _month(account.time)
    closed = _month(np.array([trade.exit_time for trade in trades], np.int64))
    won = np.array([trade.net_usd > 0 for trade in trades], np.bool_)
    before, held_before = account.start_usd, None if hold is None else hold.start_usd
    table = []
    for own in np.unique(month):
        equity = account.equity[month == own]
        peak = np.maximum(np.maximum.accumulate(equity), before)
        of_month = np.asarray(closed == own)
        n, wins = int(of_month.sum()), int(won[of_month].sum()) if len(won) else 0
        figures = Figures()
        wiped = "the account was wiped out"
        figures.add("total_return", float(equity[-1]) / before - 1 if before > 0 else None, wiped)
        figures.add("max_drawdown", float((1 - equity / peak).max()) if before > 0 else None, wiped)
        figures.add("n", n)
        figures.add("win_rate", wins / n if n else None, "no trade")
        held = np.empty(0) if hold is None else hold.equity[_month(hold.time) == own]
        if held_before is not None and held.size:
            figures.add("buy_and_hold", float(held[-1]) / held_before - 1)
            held_before = float(held[-1])
        else:
            figures.add("buy_and_hold", None, "no candles to hold")
        table.append({"month": str(own), **figures.to_json()})
        before = float(equity[-1])
    return table


def _month(time: IntArray) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """(n,) calendar month of each time in ms (UTC)."""
    return np.asarray(time, np.int64).astype("datetime64[ms]").astype("datetime64[M]")
