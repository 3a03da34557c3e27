"""Equity, drawdown and trades of a paper account, as pages and plots show them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import FloatArray, IntArray

if TYPE_CHECKING:
    from quorate.core.settings import CostSettings
    from quorate.market.source import CandleSource
    from quorate.trading.account.position import Trade
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.trading.journal import DecidedRecord, Journal


@dataclass(frozen=True, slots=True, eq=False)
class EquityPoints:
    """Equity of an account at some of its bars, beside buy and hold of its markets.

    Attributes:
        start_usd: before the first bar.
        bars: of the account in all.
        time: (n,) int64 open times in ms.
        equity_usd: (n,) float64 at the close.
        drawdown: (n,) float64 below the highest equity of any bar before, a fraction.
        hold_usd: (n,) float64 equal amounts of each market, bought at the account's first open, after costs and without
            funding; NaN on bars that were not compared yet; None without candles of the markets.
    """

    start_usd: float
    bars: int
    time: IntArray
    equity_usd: FloatArray
    drawdown: FloatArray
    hold_usd: FloatArray | None

    def sampled(self, points: int) -> Self:
        """At most so many points, each the last bar of its part of the span; the newest bar is one of them."""
        n = len(self.time)
        rows = np.unique(np.linspace(0, n - 1, min(points, n)).round().astype(np.intp)) if n else np.empty(0, np.intp)
        return replace(
            self,
            time=self.time[rows],
            equity_usd=self.equity_usd[rows],
            drawdown=self.drawdown[rows],
            hold_usd=None if self.hold_usd is None else self.hold_usd[rows],
        )

    def with_hold(self, earlier: Self | None) -> Self:
        """The same with the buy and hold of an earlier reading; NaN on the bars since then."""
        known = 0 if earlier is None else len(earlier.time)
        if earlier is None or earlier.hold_usd is None or not np.array_equal(earlier.time, self.time[:known]):
            return self
        hold = np.full(len(self.time), np.nan)
        hold[:known] = earlier.hold_usd
        return replace(self, hold_usd=hold)

    def to_json(self) -> dict[str, Any]:
        """Columns of equal length."""
        return {
            "start_equity_usd": self.start_usd,
            "bars": self.bars,
            "time": [iso_ms(time) for time in self.time.tolist()],
            "equity_usd": self.equity_usd.tolist(),
            "drawdown": self.drawdown.tolist(),
            "buy_and_hold_usd": None
            if self.hold_usd is None
            else [None if math.isnan(worth) else worth for worth in self.hold_usd.tolist()],
        }


@dataclass(frozen=True, slots=True)
class DecidedTrade:
    """A closed trade and the decision that it was entered on.

    Attributes:
        number: of its record.
        trade: the trade.
        decided: the decision; None in a journal that lacks it.
    """

    number: int
    trade: Trade
    decided: DecidedRecord | None

    def to_json(self) -> dict[str, Any]:
        """The trade as in `quorate backtest --json`, with the consensus and every vote."""
        found = self.decided
        return {
            "number": self.number,
            **self.trade.to_json(),
            "consensus": None if found is None else found.consensus,
            "rule": None if found is None else found.rule,
            "line": None if found is None else found.line,
            "votes": []
            if found is None
            else [vote.to_json() for vote in found.votes] + [forecast.to_json() for forecast in found.forecasts],
        }


def equity_points(result: BacktestResult, source: CandleSource | None, costs: CostSettings) -> EquityPoints:
    """Equity and drawdown at every bar.

    Args:
        result: of the account.
        source: of the candles to hold; None for none.
        costs: of buying and selling.

    Raises:
        DataError: candles that cannot be read.
    """
    from quorate.evaluation.metrics.trades import account_curve

    hold = None if source is None or not len(result.time) else _hold(result, source, costs)
    return EquityPoints(
        start_usd=result.start_equity_usd,
        bars=len(result.time),
        time=result.time,
        equity_usd=result.equity_usd,
        drawdown=account_curve(result).drawdown,
        hold_usd=hold,
    )


def decided_trades(journal: Journal, last: int, before: int | None) -> list[DecidedTrade]:
    """The newest closed trades with their decisions, the newest first.

    Args:
        journal: of the account.
        last: how many.
        before: only those with a smaller number.
    """
    from quorate.trading.journal import ClosedRecord, DecidedRecord, Search

    closed = [
        (entry.seq, entry.record.trade)
        for entry in reversed(journal.newest_matching(Search([ClosedRecord], before=before), last))
        if isinstance(entry.record, ClosedRecord)
    ]
    keys = [f"{DecidedRecord.kind}:{trade.symbol}:{trade.decided}" for _, trade in closed]
    decided = {entry.record.key: entry.record for entry in journal.matching(Search([DecidedRecord], keys=keys))}
    found = [(number, trade, decided.get(key)) for (number, trade), key in zip(closed, keys, strict=True)]
    return [
        DecidedTrade(number, trade, record if isinstance(record, DecidedRecord) else None)
        for number, trade, record in found
    ]


def _hold(result: BacktestResult, source: CandleSource, costs: CostSettings) -> FloatArray | None:
    """(n,) worth of buy and hold at each bar of the account; None where no market has candles of them."""
    from quorate.evaluation.baselines.naive import buy_and_hold

    first, end = int(result.time[0]), int(result.time[-1]) + 1
    known = set(source.symbols(result.timeframe))
    spans = {
        symbol: candles
        for symbol in result.symbols
        if symbol in known and len(candles := source.candles(symbol, result.timeframe, first, end))
    }
    if not spans:
        return None
    held = buy_and_hold(spans, result.start_equity_usd, costs)
    at = np.searchsorted(held.time, result.time, side="right") - 1
    return np.asarray(np.where(at >= 0, held.equity[at], result.start_equity_usd))
