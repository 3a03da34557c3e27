"""Random entries with the same turnover: how much of a result is what any account would have got that traded so much.

Each draw makes as many entries as the account did, in the same symbols and on the same sides, at random bars. They are
placed so that the account can take them: never twice in a symbol at a time and, where there is room, never in more
symbols than it has slots even if every position lasts as long as it may. What differs is the time alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.settings import EvaluationSettings
from quorate.core.types import Action, BoolArray, DecisionFrame, FloatArray, IntArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.strategies import by_rule
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.equity import EquityCurve, sharpe
from quorate.evaluation.metrics.trades import account_curve, net_returns
from quorate.trading.backtest.backtest_result import BacktestResult

# Rules of a frame that say that nobody decided on a bar.
_SILENT = ("no_votes", "training_span")

_FIGURES = ("n", "win_rate", "expectancy_bps", "profit_factor", "net_usd", "total_return", "sharpe", "max_drawdown")


@dataclass(frozen=True, slots=True, eq=False)
class RandomAccounts:
    """The drawn accounts together, at the end of every bar.

    Attributes:
        middle: median equity over the draws.
        low, high: (n,) the middle range of it, USD.
    """

    middle: EquityCurve
    low: FloatArray
    high: FloatArray


def random_accounts(
    result: BacktestResult, frames: Mapping[str, DecisionFrame], venue: BacktestSetup
) -> tuple[BacktestResult, ...]:
    """As many accounts as the settings say; none where the judged one did not trade.

    Args:
        result: of the account that is judged.
        frames: its decisions; entries are drawn among bars on which a model voted.
        venue: where it traded.
    """
    entries = [(trade.symbol, trade.side) for trade in result.trades]
    settings = venue.settings.evaluation
    field = _Field(frames, venue)
    return tuple(
        venue.trade(field.draw(entries, np.random.default_rng([settings.seed, number])))
        for number in range(settings.draws if entries else 0)
    )


def crowd(accounts: Sequence[BacktestResult], confidence: float) -> RandomAccounts | None:
    """The drawn accounts' equity; None where nothing was drawn."""
    if not accounts:
        return None
    worth = np.array([account.equity_usd for account in accounts])  # (draws, n)
    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(worth, [tail, 0.5, 1 - tail], axis=0)
    return RandomAccounts(EquityCurve(accounts[0].time, middle, accounts[0].start_equity_usd), low, high)


def chance_figures(
    result: BacktestResult, accounts: Sequence[BacktestResult], settings: EvaluationSettings
) -> dict[str, Any]:
    """Mean and middle range of every figure over the draws, JSON-safe.

    `worse` is the share of draws with a lower figure than the account's: near 1, chance does not explain it.

    Args:
        result: of the account that is judged.
        accounts: of `random_accounts`.
        settings: how wide the middle range is.
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
    about = f"mean and middle range of {draws} accounts with as many entries on each symbol and side, at random bars"
    return {"about": about, **figures.to_json(), "worse": worse}


class _Field:
    """The bars of every symbol on which an entry can be drawn."""

    def __init__(self, frames: Mapping[str, DecisionFrame], venue: BacktestSetup) -> None:
        self._frames = frames
        self._slots = venue.settings.account.positions
        self._held = venue.holding_bars
        step = timeframe_ms(next(iter(frames.values())).timeframe)
        first = min(int(frame.time[0]) for frame in frames.values())
        self._bar: dict[str, IntArray] = {symbol: (frame.time - first) // step for symbol, frame in frames.items()}
        self._open: dict[str, BoolArray] = {}
        for symbol, frame in frames.items():
            candles = venue.candles[symbol].between(venue.start, venue.end)
            filled = np.isin(frame.time + step, candles.time)
            self._open[symbol] = filled & ~np.isin(frame.rule, _SILENT) & np.isfinite(frame.volatility)
        self._bars = 1 + max(int(bar[-1]) for bar in self._bar.values())

    def draw(self, entries: list[tuple[str, int]], generator: np.random.Generator) -> dict[str, DecisionFrame]:
        """Frames with every entry at a random bar.

        One for which there is no room left if all last as long as they may is put where its symbol is free: the
        account takes it if a slot is free all the same, since most positions end earlier.
        """
        action = {symbol: np.full(len(frame), Action.HOLD, np.int8) for symbol, frame in self._frames.items()}
        taken = {symbol: ~free for symbol, free in self._open.items()}
        # A position decided at bar i is held from bar i + 1 to i + held, and gives its slot back at the next open.
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
            symbol: by_rule(frame, action[symbol], np.ones(len(frame)), "random")
            for symbol, frame in self._frames.items()
        }


def _trade_figures(result: BacktestResult) -> dict[str, float]:
    """The figures without intervals; NaN where there is none."""
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
