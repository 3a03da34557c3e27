"""Accounts with and without a panel of language models on the same bars, in pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from quorate.core.clock import YEAR_DAYS
from quorate.core.settings import EvaluationSettings
from quorate.core.types import DecisionFrame, FloatArray
from quorate.core.wilson import wilson
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.equity import sharpe
from quorate.evaluation.metrics.trades import account_curve, net_returns, trade_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.trading.backtest.backtest_result import BacktestResult

# Figures of each account in the comparison, with their intervals where they have one.
_FIGURES = ("n", "wins", "losses", "win_rate", "expectancy_bps", "sharpe", "max_drawdown", "net_usd")


def panel_comparison(
    judged: BacktestResult,
    ordinary: BacktestResult,
    frames: Mapping[str, DecisionFrame],
    shares: Mapping[str, FloatArray],
    usd: float,
    settings: EvaluationSettings,
) -> dict[str, Any]:
    """Figures of both accounts, their differences, and what became of the ordinary account's entries; JSON-safe.

    Differences are with the panel less without it. Intervals resample days, of entry for trades, in pairs. The entries
    are those that the ordinary account filled: the account with the panel may fill others in the room that a veto
    leaves. `kept_apart` is the share of losing entries that the panel vetoed less that of the others: above 0, its
    vetoes find losers rather than entries in general.

    Args:
        judged: backtest with the panel.
        ordinary: backtest of the same decisions without it.
        frames: symbol -> the decisions.
        shares: symbol -> (n,) share of the ordinary stake that the panel left of each decision.
        usd: cost of the replies.
        settings: of the intervals.
    """
    return {
        "with": _account(judged, settings),
        "without": _account(ordinary, settings),
        "difference": _differences(judged, ordinary, settings),
        "entries": _entries(ordinary, frames, shares, settings),
        "usd": usd,
        "net_after_replies_usd": judged.net_usd - usd,
    }


def _account(result: BacktestResult, settings: EvaluationSettings) -> dict[str, Any]:
    found = trade_figures(result, settings)
    return {key: found[key] for name in _FIGURES for key in (name, f"{name}_ci") if key in found}


def _differences(judged: BacktestResult, ordinary: BacktestResult, settings: EvaluationSettings) -> dict[str, Any]:
    figures = Figures()
    both = [*judged.trades, *ordinary.trades]
    with_panel = np.arange(len(both)) < len(judged.trades)
    blocks = TimeBlocks(np.array([trade.entry_time for trade in both], np.int64), settings)
    won = np.array([trade.net_usd > 0 for trade in both], np.float64)
    earned = 1e4 * np.concatenate([net_returns(judged), net_returns(ordinary)])
    missing = "an account has no trade"
    known = bool(judged.trades) and bool(ordinary.trades)
    for name, values in (("win_rate", won), ("expectancy_bps", earned)):
        parts = [np.where(own, values, np.nan) for own in (with_panel, ~with_panel)]
        point = float(np.nanmean(parts[0]) - np.nanmean(parts[1])) if known else None
        figures.add(name, point, missing)
        interval = blocks.interval(blocks.means(parts[0]) - blocks.means(parts[1])) if known else None
        figures.add_interval(f"{name}_ci", interval, f"trades on {blocks.count} days only" if known else missing)
    daily = [account_curve(result).daily_returns() for result in (judged, ordinary)]
    short = "an account lost everything, or less than two days"
    same = len(daily[0]) == len(daily[1]) >= 2
    days = TimeBlocks(account_curve(ordinary).daily().time if same else np.empty(0, np.int64), settings)
    apart = sharpe(daily[0]) - sharpe(daily[1]) if same else math.nan
    figures.add("sharpe", apart if math.isfinite(apart) else None, short)
    sampled = _sharpes(days, daily[0]) - _sharpes(days, daily[1]) if same else np.empty(0)
    figures.add_interval("sharpe_ci", days.interval(sampled) if same else None, short)
    growth = 1e4 * (daily[0] - daily[1]) if same else np.empty(0)
    figures.add("daily_return_bps", float(growth.mean()) if same else None, short)
    figures.add_interval("daily_return_bps_ci", days.interval(days.means(growth)) if same else None, short)
    figures.add("max_drawdown", account_curve(judged).max_drawdown - account_curve(ordinary).max_drawdown)
    return figures.to_json()


def _sharpes(days: TimeBlocks, returns: FloatArray) -> FloatArray:
    """(resamples,) annualised Sharpe ratio of daily returns."""
    n, mean = len(returns), days.means(returns)
    variance = np.maximum(days.means(returns**2) - mean**2, 0.0) * n / (n - 1)
    spread = np.sqrt(variance)
    ratio = np.divide(mean * math.sqrt(YEAR_DAYS), spread, out=np.full(len(mean), np.nan), where=spread > 0)
    return np.asarray(ratio)


def _entries(
    ordinary: BacktestResult,
    frames: Mapping[str, DecisionFrame],
    shares: Mapping[str, FloatArray],
    settings: EvaluationSettings,
) -> dict[str, Any]:
    """What the panel left of the entries that the ordinary account filled, by their outcome."""
    rows = [int(np.searchsorted(frames[trade.symbol].time, trade.decided)) for trade in ordinary.trades]
    left = np.array([shares[trade.symbol][row] for trade, row in zip(ordinary.trades, rows, strict=True)], np.float64)
    lost = np.array([trade.net_usd < 0 for trade in ordinary.trades], np.bool_)
    vetoed = left == 0
    blocks = TimeBlocks(np.array([trade.entry_time for trade in ordinary.trades], np.int64), settings)
    figures = Figures()
    removed = np.where(vetoed, 1.0, 0.0)
    parts = []
    for name, own in (("losing", lost), ("other", ~lost)):
        n, gone = int(own.sum()), int((own & vetoed).sum())
        figures.add(name, n)
        figures.add(f"{name}_removed", gone)
        figures.add(f"{name}_removed_share", gone / n if n else None, f"no {name} entry")
        figures.add_interval(f"{name}_removed_ci", wilson(gone, n, settings.confidence), f"no {name} entry")
        parts.append(np.where(own, removed, np.nan))
    known = bool(lost.any()) and not bool(lost.all())
    missing = "entries of one outcome only"
    apart = float(np.nanmean(parts[0]) - np.nanmean(parts[1])) if known else None
    figures.add("kept_apart", apart, missing)
    interval = blocks.interval(blocks.means(parts[0]) - blocks.means(parts[1])) if known else None
    figures.add_interval("kept_apart_ci", interval, f"trades on {blocks.count} days only" if known else missing)
    figures.add("mean_share", float(left.mean()) if len(left) else None, "no entry")
    return figures.to_json()
