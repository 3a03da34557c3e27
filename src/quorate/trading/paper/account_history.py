"""History of an account from its journal: decisions, trades and equity, in the form of a backtest."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from quorate.core.types import DecisionFrame
from quorate.trading.account.currency import currencies
from quorate.trading.account.order import Refusal
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.journal import Entry, records
from quorate.trading.paper.decided_bars import DecidedBars

#: A record of what limits entries, or votes.
Move = (
    records.GuardMovedRecord
    | records.LadderMovedRecord
    | records.DriftMovedRecord
    | records.BenchMovedRecord
    | records.SelectedRecord
)


@dataclass(slots=True)
class AccountHistory:
    """The records of one account by kind.

    Attributes:
        started: starts of sessions, oldest first.
        written_at: wall clock in ms of the newest record.
        close_times, close_equities: ms and USD of the valuations at the close of a bar, in order.
        exposed: number of opens after which a position was held.
        trades: closed positions and parts of them, in order.
        refused: number of refused orders and of unfilled targets, by reason.
        decided: symbol -> its decisions.
        notices: notices of the feed.
        moves: of guards, ladder, drift, the bench and the members that vote.
    """

    started: list[records.StartedRecord] = field(default_factory=list)
    written_at: int = 0
    close_times: array[int] = field(default_factory=lambda: array("q"))
    close_equities: array[float] = field(default_factory=lambda: array("d"))
    exposed: int = 0
    trades: list[Trade] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    decided: dict[str, DecidedBars] = field(default_factory=dict)
    notices: list[records.FeedRecord] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Add the entry that follows those before."""
        self.written_at = max(self.written_at, entry.written_at)
        match entry.record:
            case records.StartedRecord() as record:
                self.started.append(record)
            case records.ValuedRecord(phase="close") as record:
                self.close_times.append(record.time)
                self.close_equities.append(record.equity_usd)
            case records.ValuedRecord(marks=marks):
                self.exposed += bool(marks)
            case records.ClosedRecord(trade=trade) | records.ReducedRecord(trade=trade):
                self.trades.append(trade)
            case records.RefusedRecord(reason=reason) | records.UnfilledRecord(reason=reason):
                self.refused[reason] += 1
            case records.DecidedRecord(symbol=symbol) as record:
                if symbol not in self.decided:
                    self.decided[symbol] = DecidedBars(symbol)
                self.decided[symbol].add(record)
            case records.FeedRecord() as record:
                self.notices.append(record)
            case (
                records.GuardMovedRecord()
                | records.LadderMovedRecord()
                | records.DriftMovedRecord()
                | records.BenchMovedRecord()
                | records.SelectedRecord()
            ) as record:
                self.moves.append(record)

    @property
    def synthetic(self) -> bool:
        """Whether some session traded synthetic candles."""
        return any(started.synthetic for started in self.started)

    def result(self) -> BacktestResult:
        """Trades and equity; open positions count in the equity only."""
        first, last = self.started[0], self.started[-1]
        time = np.array(self.close_times, np.int64)
        equity = np.array(self.close_equities, np.float64)
        for column in (time, equity):
            column.setflags(write=False)
        return BacktestResult(
            timeframe=last.timeframe,
            symbols=last.symbols,
            currency=currencies(last.symbols),
            start_equity_usd=float(cast("dict[str, Any]", first.settings)["account"]["equity_usd"]),
            trades=tuple(self.trades),
            time=time,
            equity_usd=equity,
            exposure=self.exposed / len(time) if len(time) else 0.0,
            refused={cast("Refusal", reason): count for reason, count in sorted(self.refused.items())},
            synthetic=self.synthetic,
            funding_unknown=tuple(sorted({trade.symbol for trade in self.trades if not trade.funding_known})),
            mark_missing=tuple(sorted({trade.symbol for trade in self.trades if not trade.mark_known})),
        )

    def frames(self) -> list[DecisionFrame]:
        """The decisions as one frame per market, without the members' scores."""
        timeframe, synthetic = self.started[-1].timeframe, self.synthetic
        return [decided.frame(timeframe, synthetic=synthetic) for _, decided in sorted(self.decided.items())]
