"""History of an account from its journal: decisions, trades and equity, in the form of a backtest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from quorate.core.types import DecisionFrame
from quorate.trading.account.currency import currencies
from quorate.trading.account.order import Refusal
from quorate.trading.account.position import Trade
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.journal import Entry, records


@dataclass(slots=True)
class AccountHistory:
    """The records of one account by kind.

    Attributes:
        started: starts of sessions, oldest first.
        written_at: wall clock in ms of the newest record.
        closes: valuations at the close of a bar, in order.
        exposed: number of opens after which a position was held.
        trades: closed positions, in order.
        refused: number of refused orders, by reason.
        decided: symbol -> decisions in order.
        notices: notices of the feed.
        moves: of guards and ladder.
    """

    started: list[records.StartedRecord] = field(default_factory=list)
    written_at: int = 0
    closes: list[records.ValuedRecord] = field(default_factory=list)
    exposed: int = 0
    trades: list[Trade] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    decided: dict[str, list[records.DecidedRecord]] = field(default_factory=lambda: defaultdict(list))
    notices: list[records.FeedRecord] = field(default_factory=list)
    moves: list[records.GuardMovedRecord | records.LadderMovedRecord] = field(default_factory=list)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> AccountHistory:
        """The history of a whole journal."""
        history = cls()
        for _, written_at, record in entries:
            history.written_at = max(history.written_at, written_at)
            history.add(record)
        return history

    def add(self, record: records.Record) -> None:
        """Add a record."""
        match record:
            case records.StartedRecord():
                self.started.append(record)
            case records.ValuedRecord(phase="close"):
                self.closes.append(record)
            case records.ValuedRecord():
                self.exposed += bool(record.marks)
            case records.ClosedRecord(trade=trade):
                self.trades.append(trade)
            case records.RefusedRecord(reason=reason):
                self.refused[reason] += 1
            case records.DecidedRecord(symbol=symbol):
                self.decided[symbol].append(record)
            case records.FeedRecord():
                self.notices.append(record)
            case records.GuardMovedRecord() | records.LadderMovedRecord():
                self.moves.append(record)

    @property
    def synthetic(self) -> bool:
        """Whether some session traded synthetic candles."""
        return any(started.synthetic for started in self.started)

    def result(self) -> BacktestResult:
        """Trades and equity; open positions count in the equity only."""
        first, last = self.started[0], self.started[-1]
        time = np.array([valued.time for valued in self.closes], np.int64)
        equity = np.array([valued.equity_usd for valued in self.closes], np.float64)
        for array in (time, equity):
            array.setflags(write=False)
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
        return [self._frame(symbol, decided) for symbol, decided in sorted(self.decided.items())]

    def _frame(self, symbol: str, decided: list[records.DecidedRecord]) -> DecisionFrame:
        def column(name: str, kind: type) -> Any:
            return np.array([getattr(record, name) for record in decided], kind)

        return DecisionFrame(
            symbol=symbol,
            timeframe=self.started[-1].timeframe,
            time=column("time", np.int64),
            action=column("action", np.int8),
            confidence=column("confidence", np.float64),
            base=column("base", np.float64),
            consensus=column("consensus", np.str_),
            rule=column("rule", np.str_),
            volatility=column("volatility", np.float64),
            synthetic=self.synthetic,
        )
