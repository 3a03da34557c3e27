"""Equity, drawdown and trades of a paper account, as pages and plots show them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.types import FloatArray, IntArray

if TYPE_CHECKING:
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.trading.account.trade import Trade
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
        hold_usd: (n,) float64 equal amounts of each market, bought at the first open, after costs and funding where it
            is known; NaN on bars that are not compared; None where none is.
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


def equity_points(result: BacktestResult, hold: EquityCurve | None = None) -> EquityPoints:
    """Equity and drawdown at every bar.

    Args:
        result: of the account.
        hold: buy and hold on some of its bars; None where it is not known.
    """
    from quorate.evaluation.metrics.trades import account_curve

    known = None
    if hold is not None:
        place = np.searchsorted(result.time, hold.time)
        within = place < len(result.time)
        if within.all() and np.array_equal(result.time[place], hold.time):
            known = np.full(len(result.time), np.nan)
            known[place] = hold.equity
    return EquityPoints(
        start_usd=result.start_equity_usd,
        bars=len(result.time),
        time=result.time,
        equity_usd=result.equity_usd,
        drawdown=account_curve(result).drawdown,
        hold_usd=known,
    )


@dataclass(frozen=True, slots=True)
class MarketResult:
    """Closed trades of one market.

    Attributes:
        trades, wins: number of them; a win has a net result above 0.
        net_usd: their net result.
        cost_usd: fees, slippage and funding paid in them.
    """

    symbol: str
    trades: int
    wins: int
    net_usd: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class DayResult:
    """One UTC day of an account.

    Attributes:
        day: such as "2026-05-01".
        change_usd, change: of the equity, open positions included; the share is of the equity at the day's start.
        trades, wins: trades closed on this day.
    """

    day: str
    change_usd: float
    change: float
    trades: int
    wins: int


def market_results(result: BacktestResult) -> list[MarketResult]:
    """The closed trades by market, the best net result first."""
    found: dict[str, list[Trade]] = {}
    for trade in result.trades:
        found.setdefault(trade.symbol, []).append(trade)
    rows = [
        MarketResult(
            symbol=symbol,
            trades=len(trades),
            wins=sum(trade.net_usd > 0 for trade in trades),
            net_usd=sum(trade.net_usd for trade in trades),
            cost_usd=sum(trade.gross_usd - trade.net_usd for trade in trades),
        )
        for symbol, trades in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.net_usd, row.symbol))


def day_results(result: BacktestResult, last: int) -> list[DayResult]:
    """The newest days of an account, the newest first; one without a bar is as at the end of the day before.

    Args:
        result: of the account.
        last: how many.
    """
    from quorate.evaluation.metrics.trades import account_curve

    if not len(result.time):
        return []
    daily = account_curve(result).daily()
    before = np.concatenate([[result.start_equity_usd], daily.equity[:-1]])
    closed: dict[int, list[Trade]] = {}
    for trade in result.trades:
        closed.setdefault(trade.exit_time // DAY_MS, []).append(trade)
    rows = []
    for row in range(max(0, len(daily.time) - last), len(daily.time)):
        trades = closed.get(int(daily.time[row]) // DAY_MS, [])
        change = float(daily.equity[row] - before[row])
        rows.append(
            DayResult(
                day=iso_ms(int(daily.time[row]))[:10],
                change_usd=change,
                change=change / float(before[row]) if before[row] else 0.0,
                trades=len(trades),
                wins=sum(trade.net_usd > 0 for trade in trades),
            )
        )
    return rows[::-1]


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
