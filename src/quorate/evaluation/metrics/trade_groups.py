"""Trades by market, by side and by exit: count, win rate, mean and total result, time held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from quorate.core.settings import EvaluationSettings
from quorate.core.wilson import wilson
from quorate.trading.account.position import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

_HOUR_MS = 3_600_000


def trade_groups(result: BacktestResult, settings: EvaluationSettings) -> dict[str, list[dict[str, Any]]]:
    """`symbols`, `sides` and `exits`: a row a group, most trades first; JSON-safe. Empty lists without trades.

    A row has `name`, `n`, `wins`, `win_rate` with Wilson's interval, `expectancy_bps` (mean of net result over position
    value at entry), `net_usd`, `best_usd` and `worst_usd` of single trades, and `mean_hours` and `longest_hours` held.
    """
    kinds: dict[str, Callable[[Trade], str]] = {
        "symbols": lambda trade: trade.symbol,
        "sides": lambda trade: "long" if trade.side > 0 else "short",
        "exits": lambda trade: str(trade.reason),
    }
    return {kind: _groups(result.trades, name_of, settings) for kind, name_of in kinds.items()}


def _groups(
    trades: Sequence[Trade], name_of: Callable[[Trade], str], settings: EvaluationSettings
) -> list[dict[str, Any]]:
    by_name: dict[str, list[Trade]] = {}
    for trade in trades:
        by_name.setdefault(name_of(trade), []).append(trade)
    rows = [_row(name, group, settings) for name, group in by_name.items()]
    return sorted(rows, key=lambda row: (-row["n"], row["name"]))


def _row(name: str, trades: Sequence[Trade], settings: EvaluationSettings) -> dict[str, Any]:
    net = np.array([trade.net_usd for trade in trades], np.float64)
    hours = np.array([trade.exit_time - trade.entry_time for trade in trades], np.float64) / _HOUR_MS
    n, wins = len(net), int((net > 0).sum())
    ends = wilson(wins, n, settings.confidence)
    return {
        "name": name,
        "n": n,
        "wins": wins,
        "win_rate": wins / n,
        "win_rate_ci": None if ends is None else list(ends),
        "expectancy_bps": 1e4 * float(np.mean([trade.net_return for trade in trades])),
        "net_usd": float(net.sum()),
        "best_usd": float(net.max()),
        "worst_usd": float(net.min()),
        "mean_hours": float(hours.mean()),
        "longest_hours": float(hours.max()),
    }
