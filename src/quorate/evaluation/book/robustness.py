"""The book under worse conditions: later fills, higher costs, without its best month and its best markets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from quorate.book.panel.daily_panel import DAY_BARS
from quorate.book.portfolio.returns import returns_by_bar
from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.performance import performance

#: Variant -> what it is.
VARIANTS = {
    "at_bars": "all fills at the open of a 4-hour bar, on time: the one to compare a bar's delay with",
    "one_bar_late": "all fills a 4-hour bar later",
    "without_band": "every target followed, at bars: a band makes weights depend on their path, so figures scatter",
    "without_band_one_bar_late": "every target followed, a 4-hour bar later",
    "by_bar_one_bar_late": "only the sleeves that decide by bar, a 4-hour bar later",
    "one_day_late": "all fills a day later",
    "daily_one_day_late": "only the sleeves that decide by day, a day later",
    "costs_doubled": "twice the fee and twice the slippage",
    "without_best_month": "the calendar month of the largest return left out",
    "without_best_markets": "the markets of the largest net results never held: chosen afterwards, so it lies too low",
}


def robustness(case: BookCase) -> dict[str, dict[str, Any]]:
    """Variant -> figures; those of the whole book where a variant does not apply."""
    weights, costs = case.weights, case.costs
    doubled = replace(costs, taker_fee=2 * costs.taker_fee, slippage=2 * costs.slippage)
    found = {"at_bars": _at_bars(case, case.settings, 0), "one_bar_late": _at_bars(case, case.settings, 1)}
    if case.settings.band or case.settings.step < 1:
        followed = replace(case.settings, band=0.0, step=1.0)
        found["without_band"] = _at_bars(case, followed, 0)
        found["without_band_one_bar_late"] = _at_bars(case, followed, 1)
    if weights.by_bar:
        found["by_bar_one_bar_late"] = case.figures(case.returns(weights, delay_bars=1))
    found["one_day_late"] = case.figures(case.returns(weights, delay_days=1, delay_bars=DAY_BARS))
    if weights.by_bar:
        found["daily_one_day_late"] = case.figures(case.returns(weights, delay_days=1))
    found["costs_doubled"] = case.figures(case.returns(weights, costs=doubled))
    month = case.span.time.astype("datetime64[ms]").astype("datetime64[M]")
    best = best_month(case.whole.net[case.days], month[case.days])
    rest = case.days & (month != best) if best is not None else case.days
    found["without_best_month"] = {
        **performance(case.whole, rest, case.span.time, case.options),
        "month": None if best is None else str(best),
    }
    markets = best_markets(case, case.options.best_markets)
    kept = np.ones(len(case.panel.symbols), np.bool_)
    kept[markets] = False
    found["without_best_markets"] = {
        **case.figures(case.returns(case.only_markets(kept))),
        "markets": [case.panel.symbols[market] for market in markets],
    }
    return found


def _at_bars(case: BookCase, settings: BookSettings, delay: int) -> dict[str, Any]:
    returns = returns_by_bar(case.weights, case.panel, case.outcomes, settings, case.costs, delay_bars=delay)
    return case.figures(returns)


def best_month(net: FloatArray, month: np.ndarray[Any, np.dtype[np.datetime64]]) -> np.datetime64 | None:
    """The month of the largest sum of (days,) returns; None without a day."""
    names, place = np.unique(month, return_inverse=True)
    return names[np.argmax(np.bincount(place, net))] if len(names) else None


def best_markets(case: BookCase, count: int) -> list[int]:
    """Columns of the markets of the largest net results, of those that gained."""
    totals = case.by_market[case.days].sum(axis=0)
    order = np.argsort(-totals, kind="stable")[:count]
    return [int(market) for market in order if totals[market] > 0]
