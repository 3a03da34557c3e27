"""Decisions with the account that trades them, and its closed trades as a learner sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import DecisionFrame, FloatArray, IntArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.trading.account.costs import loss_at_stop
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.sizing import CONTEXT, SHARES, frame_contexts
from quorate.trading.sizing.context import ACCOUNT


@dataclass(frozen=True, slots=True, eq=False)
class SizedTrades:
    """Closed trades with their ordinary stake, in order of their decisions.

    Attributes:
        contexts: (n, 8) float64 in the order of `CONTEXT`; the account's columns are NaN, since they depend on the
            sizes of earlier trades.
        results: (n,) net result after fees, slippage and funding, as a multiple of the loss at the stop.
        decided: (n,) int64 close in ms of the bar of the decision.
        known: (n,) int64 close in ms of the bar of the exit: earlier, the result may not be read.
    """

    contexts: FloatArray
    results: FloatArray
    decided: IntArray
    known: IntArray

    def __len__(self) -> int:
        return len(self.results)

    def closed_by(self, time: int) -> SizedTrades:
        """The trades whose result is known at a time, ms."""
        rows = self.known <= time
        return SizedTrades(self.contexts[rows], self.results[rows], self.decided[rows], self.known[rows])

    def rewards(self, aversion: float) -> FloatArray:
        """(n, 5) reward of each trade with each of `SHARES`: s z - aversion / 2 (s z)^2, z its result.

        The result of a trade with another stake is proportional to it, but for whole lots: costs are fractions of the
        value. So the reward of every share is known, not only of the one that was taken.
        """
        scaled = np.multiply.outer(self.results, np.array(SHARES))
        return np.asarray(scaled - aversion / 2 * scaled**2)


@dataclass(frozen=True, eq=False)
class SizedMarket:
    """Decisions and what trades them.

    Attributes:
        frames: symbol -> decisions.
        setup: candles, costs and account over the span of the decisions, without an overlay.
    """

    frames: Mapping[str, DecisionFrame]
    setup: BacktestSetup

    @property
    def length_ms(self) -> int:
        """Length of a bar."""
        return timeframe_ms(next(iter(self.frames.values())).timeframe)

    @cached_property
    def span(self) -> tuple[int, int]:
        """Open time of the first decision, and close of the last one, ms."""
        known = [frame for frame in self.frames.values() if len(frame)]
        first = min(int(frame.time[0]) for frame in known)
        return first, max(int(frame.time[-1]) for frame in known) + self.length_ms

    @cached_property
    def ordinary(self) -> BacktestResult:
        """The run with the ordinary stake."""
        return self.setup.trade(self.frames)

    @cached_property
    def trades(self) -> SizedTrades:
        """The closed trades of the ordinary run."""
        trades = sorted(self.ordinary.trades, key=lambda trade: (trade.decided, trade.symbol))
        rows = {symbol: frame_contexts(frame) for symbol, frame in self.frames.items()}
        contexts = np.full((len(trades), len(CONTEXT)), np.nan)
        results = np.empty(len(trades))
        for number, trade in enumerate(trades):
            place = int(np.searchsorted(self.frames[trade.symbol].time, trade.decided))
            contexts[number, : -len(ACCOUNT)] = rows[trade.symbol][place]
            loss = loss_at_stop(trade.entry_price, trade.stop, trade.side, self.setup.settings.costs)
            results[number] = trade.net_usd / (trade.quantity * loss)
        decided = np.array([trade.decided for trade in trades], np.int64) + self.length_ms
        known = np.array([trade.exit_time for trade in trades], np.int64) + self.length_ms
        return SizedTrades(contexts, results, decided, known)

    def before(self, time: int) -> SizedMarket:
        """The same market with nothing at or after a time, ms, in the run."""
        return SizedMarket(self.frames, replace(self.setup, end=time))
