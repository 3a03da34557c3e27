"""The body of the one loop: the account, and what may stop it, from a bar's open to its close.

Backtest and paper trading both drive a desk, bar by bar in order of time: `opening`, then `closing`. With guards or a
listener, everything that happens is a record, in the order in which it happens; in a plain backtest nothing is said,
and nothing is slower for it.

What the guards ask for takes effect in memory at once. A session shows nothing of it before the records of the step are
in its journal, and forgets the step where they cannot be written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from quorate.core.types import Action
from quorate.trading.account import events
from quorate.trading.account.account import Account, BarOf
from quorate.trading.account.order import Order, Refusal
from quorate.trading.guards import GuardMove, Guards
from quorate.trading.journal import records
from quorate.trading.journal.order_id import order_id
from quorate.trading.ladder import Ladder, LadderMove

RecordSink = Callable[[records.Record], None]


class BarInputs(NamedTuple):
    """What the guards hear of a decision.

    Attributes:
        base: mean score of the agreeing models, before the boost.
        volatility: volatility_20 as a fraction; NaN where unknown.
        record: what is written down of it; None in a backtest.
    """

    symbol: str
    action: Action
    base: float
    volatility: float
    record: records.DecidedRecord | None = None


class TradingEngine:
    """One account at work.

    Args:
        account: what is traded.
        length_ms: of a bar.
        strategy: whose orders these are; part of their names.
        guards: what may stop entries; None for nothing.
        ladder: what says how much may be used; None for the account's own settings.
        tell: is told every record; None where nobody listens.

    Attributes:
        pending: orders for the next open, the best first.
        listened: number of the newest human request that was dealt with.
        time, phase: of the bars at hand.
        numbers: how many of a kind there were at this bar.
        settled: symbols whose settlements at this bar's open have been paid.
        unlimited: the account's settings without the ladder.
    """

    def __init__(
        self,
        account: Account,
        length_ms: int,
        *,
        strategy: str = "quorate",
        guards: Guards | None = None,
        ladder: Ladder | None = None,
        tell: RecordSink | None = None,
    ) -> None:
        self.account, self.guards, self.ladder = account, guards, ladder
        self.pending: list[Order] = []
        self.listened = 0
        self.length_ms, self._strategy = length_ms, strategy
        self._tell: RecordSink = tell or _nobody
        self._watched = tell is not None or guards is not None
        self.time = -1
        self.phase: records.Phase = "open"
        self.numbers: Counter[str] = Counter()
        self._why = ""
        self.unlimited = account.settings
        if ladder is not None:
            account.settings = ladder.limits(account.settings)
        self.settled: set[str] = set()
        if self._watched:
            account.tell = self._happened

    def name(self, order: Order) -> str:
        """The order's id: the same decision always makes the same one."""
        return order_id(self._strategy, order.symbol, order.decided, order.side)

    def enter(self, time: int, phase: records.Phase) -> None:
        """Turn to the open or the close of the bars at `time`."""
        if time != self.time:
            self.numbers.clear()
            self.settled.clear()
        self.time, self.phase = time, phase

    def number(self, what: str) -> int:
        """0 for the first of its kind at this bar, then 1 ..."""
        number = self.numbers[what]
        self.numbers[what] += 1
        return number

    def opening(self, time: int, bar_of: BarOf, refusal: Refusal | None = None) -> None:
        """The open of the bars at `time`: funding, time exits, and the pending orders.

        Args:
            time: open time in ms.
            bar_of: the bar at `time` of a symbol, of which no more than the open has to be known.
            refusal: why nothing may be entered at this open; None where it may.
        """
        self.enter(time, "open")
        orders, self.pending = self.pending, []
        self.account.at_open(time, bar_of, self._admitted(orders, refusal) if self._watched else orders)
        self._value()

    def closing(
        self, time: int, bar_of: BarOf, gone: Iterable[str] = (), heard: Sequence[BarInputs] = (), valid: int = 0
    ) -> None:
        """The close of the bars at `time`: funding, stops, targets, liquidations, valuation; then the guards' turn.

        Args:
            time: open time in ms.
            bar_of: the bar at `time` of a symbol.
            gone: markets without a further bar: what is open there ends, at the bar's close or the last known price.
            heard: the decisions on these bars.
            valid: members that voted on them.
        """
        self.enter(time, "close")
        self.account.at_close(time, bar_of)
        for symbol in gone:
            position = self.account.positions.get(symbol)
            if position is not None:
                bar = bar_of(symbol)
                self.account.close(symbol, time, position.mark if bar is None else bar.close, "end")
        for one in heard:
            self.listen(one)
        self._value(valid if heard else None)

    def settle_late(self, bar_of: BarOf) -> None:
        """Settlements at the bars' open that were not known then, for positions that were open before it."""
        for symbol, position in self.account.positions.items():
            bar = bar_of(symbol)
            if bar is not None and position.entry_time < self.time and symbol not in self.settled:
                for rate, price in bar.settled_at_open:
                    self.account.settle(symbol, rate, price)

    def propose(self, orders: Iterable[Order]) -> None:
        """Orders for the next open, the best first; those that the guards stop already are refused at once."""
        for order in orders:
            why = self._against(order.symbol, order.decided + self.length_ms)
            if why is None:
                self.pending.append(order)
                self._tell(records.IntentRecord(order.decided, self.name(order), order))
            else:
                self._refuse(order, "guarded", why)

    def listen(self, heard: BarInputs) -> None:
        """Let the guards hear of a decision on a bar of this time."""
        if heard.record is not None:
            self._tell(heard.record)
        if self.guards is not None:
            self.moved(self.guards.measured(heard.symbol, self.time, heard.volatility))
            if heard.action != Action.HOLD:
                self.moved(self.guards.signalled(self.time, heard.base))

    def moved(self, moves: Iterable[GuardMove]) -> None:
        """Write down what the guards ask for, and let it take effect; a halt moves the ladder too."""
        for move in moves:
            number = self.number(f"guard:{move.guard}:{move.symbol or ''}")
            self._tell(
                records.GuardMovedRecord(
                    time=self.time,
                    guard=move.guard,
                    symbol=move.symbol,
                    number=number,
                    before=move.before,
                    after=move.after,
                    reason=move.reason,
                    until=move.until,
                )
            )
            if self.guards is not None:
                self.guards.apply(move)
                if self.ladder is not None:
                    self.climbed(self.ladder.guarded(self.time, self.guards.mode))

    def climbed(self, moves: Iterable[LadderMove]) -> None:
        """Write down the ladder's moves, and let them take effect on the next orders."""
        for move in moves:
            number = self.number("ladder")
            self._tell(records.LadderMovedRecord(self.time, number, move.before, move.after, move.reason))
            if self.ladder is not None:
                self.ladder.apply(move)
                self.account.settings = self.ladder.limits(self.unlimited)

    def _admitted(self, orders: Iterable[Order], refusal: Refusal | None) -> Iterator[Order]:
        """The orders that may be filled now. Asked for one by one, after the exits: a loss may have tripped a guard."""
        for order in orders:
            if order.decided + self.length_ms != self.time:
                self._refuse(order, "no_next_bar")
            elif refusal is not None:
                self._refuse(order, refusal)
            elif (why := self._against(order.symbol, self.time)) is not None:
                self._refuse(order, "guarded", why)
            else:
                yield order

    def _against(self, symbol: str, time: int) -> str | None:
        """What the guards have against an entry."""
        if self.guards is None:
            return None
        verdict = self.guards.may_enter(symbol, time)
        return None if verdict.allowed else verdict.why

    def _refuse(self, order: Order, reason: Refusal, why: str = "") -> None:
        self._why = why
        self.account.refuse(order, reason)
        self._why = ""

    def _value(self, valid: int | None = None) -> None:
        """The account's value after a phase, for the guards and for who listens."""
        if not self._watched:
            return
        equity = self.account.equity_usd
        marks = {
            symbol: records.Mark(position.mark, position.funding_known, position.mark_known)
            for symbol, position in self.account.positions.items()
        }
        cash = self.account.cash_usd
        self._tell(records.ValuedRecord(self.time, self.phase, equity, cash, marks, valid, self.listened))
        if self.guards is not None:
            self.moved(self.guards.valued(self.time, equity))
            if valid is not None:
                self.moved(self.guards.counted(self.time, valid))

    def _happened(self, event: events.AccountEvent) -> None:
        """An event of the account, as a record."""
        match event:
            case events.Refused(order, reason):
                self._tell(records.RefusedRecord(self.time, order.symbol, self.name(order), reason, self._why))
            case events.Filled(order, size, time, entry):
                self._tell(records.FilledRecord(time, order.symbol, self.name(order), order, size, entry))
            case events.Settled(symbol, rate, price, cash):
                if self.phase == "open":
                    self.settled.add(symbol)
                number = self.number(f"settled:{symbol}:{self.phase}")
                self._tell(records.SettledRecord(self.time, symbol, self.phase, number, rate, price, cash))
            case events.Moved(symbol, stop):
                self._tell(records.MovedRecord(self.time, symbol, stop))
            case events.Closed(trade, fill):
                name = order_id(self._strategy, trade.symbol, trade.decided, trade.side)
                self._tell(records.ClosedRecord(self.time, name, trade, fill))
                if self.ladder is not None:
                    self.ladder.closed(trade)
                if self.guards is not None:
                    self.moved(self.guards.closed(trade))


def _nobody(_: records.Record) -> None:
    """Listens to nothing."""
