"""Robustness checks of a result: single symbols, weeks, sides, the market, low volatility."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from market_neutral import NeutralPortfolio, rank_ics
from perpetuals import STEP, Perpetuals
from signal_metrics import BASIS_POINTS, BLOCKS, DAY_STEPS, Signal, money_figures, rank_figures, traded

from quorate.core.clock import DAY_MS
from quorate.core.types import FloatArray
from quorate.evaluation import TimeBlocks

_LIQUID = 60  # symbols
_GROUPS = 3  # of volatility
_LEFT_OUT = 3  # best symbols


def check_robustness(market: Perpetuals, signal: Signal, hold: int) -> dict[str, Any]:
    """All robustness checks of a signal, in basis points a day of the gross exposure."""
    held = traded(market, signal, hold)
    liquid = signal.without(market.volume_rank >= _LIQUID)
    alike = grouped_by_volatility(market, signal)
    return {
        "hold": hold,
        "whole": money_figures(held),
        "symbols": _by_symbol(market, signal, held, hold),
        "weeks": _by_week(held),
        "months": _by_month(held),
        "market": _beside_market(market, held),
        "most_traded_symbols": {
            "symbols": _LIQUID,
            **rank_figures(market, liquid),
            **_net(traded(market, liquid, hold)),
        },
        "among_equal_volatility": {
            "groups": _GROUPS,
            **rank_figures(market, alike),
            **_net(traded(market, alike, hold)),
        },
        "likeness": {name: _likeness(market, signal, values) for name, values in plain_signals(market).items()},
        "wider": {"share": 0.3, **_net(traded(market, signal, hold, share=0.3))},
    }


def plain_signals(market: Perpetuals) -> dict[str, FloatArray]:
    """Signals without a model."""
    return {
        "reversal of 24 h": -market.column("change_24"),
        "reversal of 4 h": -market.column("change_4"),
        "momentum of 96 h": market.column("change_96"),
        "low volatility": -market.column("volatility_7d"),
    }


def grouped_by_volatility(market: Perpetuals, signal: Signal) -> Signal:
    """Ranks within terciles of volatility, which removes the effect of low volatility."""
    volatility = market.column("volatility_7d")
    found = np.full(signal.values.shape, np.nan)
    for row, values in enumerate(signal.values):
        present = np.flatnonzero(np.isfinite(values) & np.isfinite(volatility[row]))
        group = np.argsort(np.argsort(volatility[row, present])) * _GROUPS // max(1, len(present))
        for number in range(_GROUPS):
            own = present[group == number]
            found[row, own] = (np.argsort(np.argsort(values[own])) + 0.5) / max(1, len(own))
    return replace(signal, values=found)


def _likeness(market: Perpetuals, signal: Signal, other: FloatArray) -> float:
    """Mean rank correlation of two signals over the symbols of each bar."""
    evaluated = market.time >= signal.start
    return float(np.nanmean(rank_ics(signal.values[evaluated], other[evaluated])))


def _net(held: NeutralPortfolio) -> dict[str, Any]:
    figures = money_figures(held)
    return {name: figures[name] for name in ("gross_bp", "turnover", "net_bp", "net_bp_ci")}


def _by_symbol(market: Perpetuals, signal: Signal, held: NeutralPortfolio, hold: int) -> dict[str, Any]:
    """Result of each symbol before costs, and the net result without the best symbols (chosen with hindsight)."""
    first = int(np.searchsorted(market.time, held.time[0]))
    earned = np.nan_to_num(market.earned(STEP)[first : first + len(held.time)], nan=0.0)
    contributed = (held.weights * earned).sum(axis=0) / len(held.time) * DAY_STEPS * BASIS_POINTS
    order = np.argsort(-contributed)
    best = order[:_LEFT_OUT]
    left = traded(market, signal.without((slice(None), best)), hold)
    return {
        "best": {market.symbols[place]: float(contributed[place]) for place in order[:5]},
        "worst": {market.symbols[place]: float(contributed[place]) for place in order[-5:]},
        "share_positive": float((contributed > 0).mean()),
        "without_the_best": {"left_out": _LEFT_OUT, **_net(left)},
    }


def _by_week(held: NeutralPortfolio) -> dict[str, Any]:
    _, place = np.unique(held.time // (7 * DAY_MS), return_inverse=True)
    weeks = np.bincount(place, held.net) * BASIS_POINTS
    days = len(held.daily())
    return {
        "weeks": len(weeks),
        "share_positive": float((weeks > 0).mean()),
        "best_bp": float(weeks.max()),
        "worst_bp": float(weeks.min()),
        "net_bp_without_the_best": float((weeks.sum() - weeks.max()) / max(1.0, days - 7.0)),
    }


def _by_month(held: NeutralPortfolio) -> dict[str, float]:
    steps: dict[str, list[float]] = defaultdict(list)
    for time, net in zip(held.time.tolist(), held.net.tolist(), strict=True):
        steps[datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m")].append(net)
    return {month: float(np.mean(nets)) * DAY_STEPS * BASIS_POINTS for month, nets in steps.items()}


def _beside_market(market: Perpetuals, held: NeutralPortfolio) -> dict[str, Any]:
    """Beta to the equally weighted market, and the result without it."""
    first = int(np.searchsorted(market.time, held.time[0]))
    around = np.nanmean(market.earned(STEP)[first : first + len(held.time)], axis=1)
    net, market_days = held.daily(), _daily(held, around)
    deviation = market_days - market_days.mean()
    beta = float(deviation @ net / (deviation @ deviation))
    blocks = TimeBlocks(held.time, BLOCKS)
    rest = blocks.means(held.net - beta * around) * DAY_STEPS * BASIS_POINTS
    return {
        "market_bp": float(around.mean()) * DAY_STEPS * BASIS_POINTS,
        "beta": beta,
        "net_bp_beside": float((held.net - beta * around).mean()) * DAY_STEPS * BASIS_POINTS,
        "net_bp_beside_ci": blocks.interval(rest),
        "rising_days_bp": float(net[market_days > 0].mean()) * BASIS_POINTS,
        "falling_days_bp": float(net[market_days <= 0].mean()) * BASIS_POINTS,
        "long_beside_market_bp": float((held.long - 0.5 * around).mean()) * DAY_STEPS * BASIS_POINTS,
        "short_beside_market_bp": float((held.short + 0.5 * around).mean()) * DAY_STEPS * BASIS_POINTS,
    }


def _daily(held: NeutralPortfolio, values: FloatArray) -> FloatArray:
    _, place = np.unique(held.time // DAY_MS, return_inverse=True)
    return np.bincount(place, values)
