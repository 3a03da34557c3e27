"""Naive baselines: the class prior, always HOLD, and buy and hold."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.scale_changes import scale_change_bars
from quorate.core.settings import CostSettings
from quorate.core.types import CLASS_NAMES, Action, Candles, FloatArray, Funding
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.classification import ClassArray
from quorate.evaluation.metrics.equity import EquityCurve


def class_prior(y: ClassArray) -> FloatArray:
    """(3,) class shares of the training labels.

    Raises:
        EvaluationError: no label.

    >>> class_prior(np.array([0, 1, 1, 2])).tolist()
    [0.25, 0.5, 0.25]
    """
    if not len(y):
        raise EvaluationError("compute the class prior", found="no label", expected="the training rows' labels")
    return np.bincount(np.asarray(y, np.intp), minlength=len(CLASS_NAMES)) / len(y)


def always_hold(y: ClassArray) -> dict[str, Any]:
    """Figures of predicting HOLD with a score of 1 on every row, JSON-safe; it never trades."""
    figures = Figures()
    held = float(np.mean(y == Action.HOLD)) if len(y) else None
    figures.add("n", len(y))
    figures.add("log_loss", None, "infinite if wrong")
    figures.add("brier", None if held is None else 2 * (1 - held), "no rows")
    figures.add("accuracy", held, "no rows")
    return {**figures.to_json(), "trades": {"n": 0, "total_return": 0.0, "max_drawdown": 0.0}}


def buy_and_hold(
    candles: Mapping[str, Candles],
    start_usd: float,
    costs: CostSettings,
    funding: Mapping[str, Funding | None] | None = None,
) -> EquityCurve:
    """Equity of equal amounts in every symbol, bought at its first open and sold at its last close.

    Taker fee and slippage are paid on both sides. Before a symbol's first bar and after its last its share is held in
    cash. Where the price scale changes (`core.scale_changes`), a position is sold at the last close before and bought
    again at the first open after. There is no leverage and no rebalancing. With `funding`, a position pays each
    settlement after its entry on the value at that bar's open; symbols without settlements pay none.

    Args:
        candles: symbol -> bars of the run, at least one each.
        start_usd: equity at the start.
        costs: fee and slippage, fractions a side.
        funding: symbol -> settlements.

    Raises:
        EvaluationError: no symbol, or one without a bar.
    """
    empty = [symbol for symbol, bars in candles.items() if not len(bars)]
    if not candles or empty:
        raise EvaluationError(
            "buy and hold", found=f"no bars of {', '.join(empty)}" if empty else "no symbol", expected="bars to hold"
        )
    time = np.unique(np.concatenate([bars.time for bars in candles.values()]))
    worth = np.zeros(len(time))
    for symbol, bars in candles.items():
        growth = _growth(bars, costs, (funding or {}).get(symbol))
        last = np.searchsorted(bars.time, time, side="right") - 1
        worth += np.where(last >= 0, growth[last], 1.0)
    return EquityCurve(time, start_usd * worth / len(candles), start_usd)


def _growth(bars: Candles, costs: CostSettings, funding: Funding | None) -> FloatArray:
    """(n,) value at each close of an investment of 1 at the first open, sold and bought again at changes of scale."""
    edges = [0, *scale_change_bars(bars, bars.timeframe).tolist(), len(bars)]
    growth, worth = np.empty(len(bars)), 1.0
    for first, last in pairwise(edges):
        growth[first:last] = worth * _held(bars[first:last], costs, funding)
        worth = float(growth[last - 1])
    return growth


def _held(bars: Candles, costs: CostSettings, funding: Funding | None) -> FloatArray:
    """(n,) value at each close of an investment of 1, bought at the first open and sold at the last close."""
    entry = bars.open[0] * (1 + costs.slippage)
    gained = bars.close - entry
    if funding is not None:
        place = np.searchsorted(bars.time, funding.time, side="right") - 1
        # A settlement is due on what is held at that time: not at the entry itself, and not after the last bar.
        due = (funding.time > bars.time[0]) & (place < len(bars)) & (funding.time <= bars.time[-1])
        paid = np.bincount(place[due], funding.rate[due] * bars.open[place[due]], len(bars))
        gained = gained - np.cumsum(paid)
    growth = 1 - costs.taker_fee + gained / entry
    sold = bars.close[-1] * (1 - costs.slippage)
    growth[-1] -= (bars.close[-1] - sold + costs.taker_fee * sold) / entry
    return np.asarray(growth)
