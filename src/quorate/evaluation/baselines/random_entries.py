"""Random entries baseline: accounts with as many entries as the evaluated one, at random bars.

Each draw makes the same number of entries in the same symbols and on the same sides; only their times are random. They
are placed so that the account can take them: never twice in one symbol at a time and, if there is room, never in more
symbols than there are position slots, even if every position is held for its maximum duration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.settings import EvaluationSettings
from quorate.core.types import NO_DECISION, Action, BoolArray, DecisionFrame, FloatArray, IntArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.strategies import rule_frame
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.equity import EquityCurve, sharpe
from quorate.evaluation.metrics.trades import account_curve, net_returns
from quorate.trading.backtest.backtest_result import BacktestResult

_FIGURES = ("n", "win_rate", "expectancy_bps", "profit_factor", "net_usd", "total_return", "sharpe", "max_drawdown")


@dataclass(frozen=True, slots=True, eq=False)
class EquityBand:
    """Distribution of equity over the random accounts, at the close of every bar.

    Attributes:
        middle: median over the draws.
        low, high: (n,) ends of the central range, USD.
    """

    middle: EquityCurve
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, time: IntArray, equity: FloatArray, start_usd: float, confidence: float) -> Self:
        """Median and central `confidence` range of (draws, n) equity at (n,) bars, at least one draw."""
        tail = (1 - confidence) / 2
        low, middle, high = np.quantile(equity, [tail, 0.5, 1 - tail], axis=0)
        return cls(EquityCurve(time, middle, start_usd), low, high)


def random_accounts(
    result: BacktestResult, frames: Mapping[str, DecisionFrame], setup: BacktestSetup
) -> tuple[BacktestResult, ...]:
    """All `random_draws`, as many as `evaluation.draws`."""
    return tuple(random_draws(result, frames, setup, setup.settings.evaluation.draws))


def random_draws(
    result: BacktestResult, frames: Mapping[str, DecisionFrame], setup: BacktestSetup, draws: int
) -> Iterator[BacktestResult]:
    """Backtests of random entries, one after the other; none if the evaluated account did not trade.

    Args:
        result: of the evaluated account.
        frames: its decisions; entries are drawn among bars on which a model voted.
        setup: of its backtest.
        draws: number of accounts; the first are the same whatever their number.
    """
    entries = [(trade.symbol, trade.side) for trade in result.trades]
    if not entries:
        return
    bars, seed = _EntryBars(frames, setup), setup.settings.evaluation.seed
    for number in range(draws):
        yield setup.trade(bars.draw(entries, np.random.default_rng([seed, number])))


def equity_band(accounts: Sequence[BacktestResult], confidence: float) -> EquityBand | None:
    """Median and central `confidence` range of the accounts' equity; None without accounts."""
    if not accounts:
        return None
    equity = np.array([account.equity_usd for account in accounts])
    return EquityBand.of(accounts[0].time, equity, accounts[0].start_equity_usd, confidence)


def random_entry_figures(
    result: BacktestResult, accounts: Sequence[BacktestResult], settings: EvaluationSettings
) -> dict[str, Any]:
    """Mean and central range of every figure over the draws, JSON-safe.

    `worse` is the share of draws with a lower figure than the evaluated account's; near 1, random entries do not
    explain the result.

    Args:
        result: of the evaluated account.
        accounts: of `random_accounts`.
        settings: `confidence` is the size of the central range.
    """
    drawn = [_trade_figures(account) for account in accounts]
    draws = len(drawn)
    own = _trade_figures(result)
    figures = Figures()
    figures.add("draws", draws)
    tail = (1 - settings.confidence) / 2
    for name in _FIGURES:
        values = np.array([figure[name] for figure in drawn], np.float64)
        known = values[np.isfinite(values)]
        why = "the account did not trade" if not draws else "no draw has one"
        figures.add(name, float(known.mean()) if known.size else None, why)
        ends = np.quantile(known, [tail, 1 - tail]) if known.size else None
        figures.add_interval(f"{name}_ci", None if ends is None else (float(ends[0]), float(ends[1])), why)
    worse = {
        name: float(np.mean([figure[name] < own[name] for figure in drawn])) if draws else None
        for name in ("expectancy_bps", "total_return", "sharpe")
    }
    about = f"mean and central range of {draws} accounts with as many entries of each symbol and side, at random bars"
    return {"about": about, **figures.to_json(), "worse": worse}


class _EntryBars:
    """Bars of every symbol on which an entry can be drawn."""

    def __init__(self, frames: Mapping[str, DecisionFrame], setup: BacktestSetup) -> None:
        self._frames = frames
        self._slots = setup.settings.account.positions
        self._held = setup.holding_bars
        step = timeframe_ms(next(iter(frames.values())).timeframe)
        first = min(int(frame.time[0]) for frame in frames.values())
        self._bar: dict[str, IntArray] = {symbol: (frame.time - first) // step for symbol, frame in frames.items()}
        self._open: dict[str, BoolArray] = {}
        for symbol, frame in frames.items():
            candles = setup.candles[symbol].between(setup.start, setup.end)
            filled = np.isin(frame.time + step, candles.time)
            self._open[symbol] = filled & ~np.isin(frame.rule, NO_DECISION) & np.isfinite(frame.volatility)
        self._bars = 1 + max(int(bar[-1]) for bar in self._bar.values())

    def draw(self, entries: list[tuple[str, int]], generator: np.random.Generator) -> dict[str, DecisionFrame]:
        """Frames with every entry at a random bar.

        If no bar has a free slot under maximum holding times, the entry is put at any bar on which its symbol is free:
        most positions end earlier, so the account may have a slot nevertheless.
        """
        action = {symbol: np.full(len(frame), Action.HOLD, np.int8) for symbol, frame in self._frames.items()}
        taken = {symbol: ~free for symbol, free in self._open.items()}
        # A position decided at bar i is held from bar i + 1 to i + held; its slot is free again at the next open.
        held = np.zeros(self._bars + self._held + 1, np.int64)
        full = np.zeros(self._bars, np.bool_)
        for place in generator.permutation(len(entries)).tolist():
            symbol, side = entries[place]
            bars = self._bar[symbol]
            free = np.flatnonzero(~taken[symbol] & ~full[bars])
            if not free.size:
                free = np.flatnonzero(~taken[symbol])
            if not free.size:
                continue
            row = int(generator.choice(free))
            at = int(bars[row])
            action[symbol][row] = Action.BUY if side > 0 else Action.SELL
            taken[symbol] |= np.abs(bars - at) < self._held
            held[at + 1 : at + 1 + self._held] += 1
            for bar in (np.flatnonzero(held[at + 1 : at + 1 + self._held] >= self._slots) + at + 1).tolist():
                full[max(0, bar - self._held) : bar] = True
        return {
            symbol: rule_frame(frame, action[symbol], np.ones(len(frame)), "random")
            for symbol, frame in self._frames.items()
        }


def _trade_figures(result: BacktestResult) -> dict[str, float]:
    """Figures without intervals; NaN if undefined."""
    net = np.array([trade.net_usd for trade in result.trades], np.float64)
    returns, curve = net_returns(result), account_curve(result)
    lost = -float(net[net < 0].sum())
    return {
        "n": float(len(net)),
        "win_rate": float((net > 0).mean()) if len(net) else np.nan,
        "expectancy_bps": 1e4 * float(returns.mean()) if len(net) else np.nan,
        "profit_factor": float(net[net > 0].sum()) / lost if lost > 0 else np.nan,
        "net_usd": float(net.sum()),
        "total_return": curve.total_return,
        "sharpe": sharpe(curve.daily_returns()),
        "max_drawdown": curve.max_drawdown,
    }
