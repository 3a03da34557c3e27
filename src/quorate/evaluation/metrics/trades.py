"""Trade statistics: win rate, expectancy, profit factor, costs, exposure; by market, side and exit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray
from quorate.core.wilson import wilson
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.equity import EquityCurve, equity_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

_BASIS_POINTS = 1e4


def account_curve(result: BacktestResult) -> EquityCurve:
    """Equity curve of the backtest's account."""
    return EquityCurve(result.time, result.equity_usd, result.start_equity_usd)


def net_returns(result: BacktestResult) -> FloatArray:
    """(trades,) net result over position value at entry, a fraction."""
    return np.array([trade.net_return for trade in result.trades], np.float64)


def trade_figures(result: BacktestResult, settings: EvaluationSettings) -> dict[str, Any]:
    """All figures of a backtest, JSON-safe; a missing value is null, with the reason under `missing`.

    A win is a trade with a net result above 0. Rates, returns and the drawdown are fractions, the drawdown positive.
    `expectancy_bps` is the mean of net result over position value at entry. `turnover_per_day` is the value bought and
    sold over mean equity. `exposure` is the share of bars with an open position. In `costs`, fees and slippage are
    amounts paid; funding is the amount received, negative when paid. Intervals resample days of entry, except
    `win_rate_ci`, which is Wilson's for independent trades; `win_rate_by_day_ci` is its resampled counterpart.
    """
    figures = _counted(result, settings)
    money = equity_figures(account_curve(result), settings).to_json()
    missing = {**figures.pop("missing", {}), **money.pop("missing", {})}
    return {
        **figures,
        **money,
        "costs": {"fee_usd": result.fee_usd, "slippage_usd": result.slippage_usd, "funding_usd": result.funding_usd},
        "sides": {
            "long": sum(trade.side > 0 for trade in result.trades),
            "short": sum(trade.side < 0 for trade in result.trades),
        },
        "exits": dict(Counter(str(trade.reason) for trade in result.trades).most_common()),
        "refused": {str(reason): count for reason, count in result.refused.items()},
        "funding_unknown": list(result.funding_unknown),
        "mark_missing": list(result.mark_missing),
        **({"missing": missing} if missing else {}),
    }


def _counted(result: BacktestResult, settings: EvaluationSettings) -> dict[str, Any]:
    net = np.array([trade.net_usd for trade in result.trades], np.float64)
    returns = _BASIS_POINTS * net_returns(result)
    wins, losses, n = net[net > 0], net[net < 0], len(net)
    blocks = TimeBlocks(np.array([trade.entry_time for trade in result.trades], np.int64), settings)
    none = "no trade"
    few = f"trades on {blocks.count} days only" if n else none
    no_loss = "no losing trade" if n else none

    figures = Figures()
    figures.add("n", n)
    figures.add("wins", len(wins))
    figures.add("losses", len(losses))
    figures.add("win_rate", len(wins) / n if n else None, none)
    figures.add_interval("win_rate_ci", wilson(len(wins), n, settings.confidence), none)
    figures.add_interval("win_rate_by_day_ci", blocks.interval(blocks.means((net > 0).astype(np.float64))), few)
    figures.add("expectancy_bps", float(returns.mean()) if n else None, none)
    figures.add_interval("expectancy_bps_ci", blocks.interval(blocks.means(returns)), few)
    figures.add("expectancy_usd", float(net.mean()) if n else None, none)
    figures.add_interval("expectancy_usd_ci", blocks.interval(blocks.means(net)), few)
    won, lost = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    figures.add("profit_factor", float(wins.sum() / -losses.sum()) if len(losses) else None, no_loss)
    factor = blocks.interval(blocks.ratios(won, lost)) if len(losses) else None
    figures.add_interval("profit_factor_ci", factor, few if len(losses) else no_loss)
    both = bool(len(wins) and len(losses))
    one_sided = no_loss if not len(losses) else "no winning trade"
    figures.add("reward_risk", float(wins.mean() / -losses.mean()) if both else None, one_sided)
    ratios = blocks.means(np.where(net > 0, net, np.nan)) / blocks.means(np.where(net < 0, -net, np.nan))
    figures.add_interval("reward_risk_ci", blocks.interval(ratios) if both else None, few if both else one_sided)
    figures.add("largest_loss_usd", float(-losses.min()) if len(losses) else 0.0)
    figures.add("largest_win_usd", float(wins.max()) if len(wins) else 0.0)
    figures.add("gross_usd", float(result.gross_usd))
    figures.add("net_usd", float(result.net_usd))
    figures.add("turnover_per_day", _turnover_per_day(result), "no bars, or no equity left")
    figures.add("exposure", float(result.exposure))
    return figures.to_json()


def _turnover_per_day(result: BacktestResult) -> float | None:
    traded = sum(trade.quantity * (trade.entry_price + trade.exit_price) for trade in result.trades)
    days = len(account_curve(result).daily().time)
    mean = float(result.equity_usd.mean()) if days else 0.0
    return traded / mean / days if mean > 0 else None


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
    hours = np.array([trade.exit_time - trade.entry_time for trade in trades], np.float64) / HOUR_MS
    n, wins = len(net), int((net > 0).sum())
    ends = wilson(wins, n, settings.confidence)
    return {
        "name": name,
        "n": n,
        "wins": wins,
        "win_rate": wins / n,
        "win_rate_ci": None if ends is None else list(ends),
        "expectancy_bps": _BASIS_POINTS * float(np.mean([trade.net_return for trade in trades])),
        "net_usd": float(net.sum()),
        "best_usd": float(net.max()),
        "worst_usd": float(net.min()),
        "mean_hours": float(hours.mean()),
        "longest_hours": float(hours.max()),
    }
