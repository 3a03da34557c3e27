"""Start-up is recovery: the journal's records, done again in order on a fresh desk, are the account as it was."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from quorate.core.clock import format_ms
from quorate.core.errors import JournalError
from quorate.core.types import Action
from quorate.trading.account import events
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import GuardMove
from quorate.trading.journal import Entry, records
from quorate.trading.ladder import LadderMove


@dataclass(slots=True)
class Recovered:
    """How far an account had come.

    Attributes:
        started: the newest session's beginning; None for an account that never began.
        began: the first bar of the account in ms; None likewise.
        valued: the last step that was completed; None before the first.
        requests: what people asked for and no step has dealt with yet, by number.
        seq: number of the last record.
        seen: market -> its newest bar that was here and decided on, in ms.
    """

    started: records.StartedRecord | None = None
    began: int | None = None
    valued: records.ValuedRecord | None = None
    requests: dict[int, records.HumanRecord] = field(default_factory=dict)
    seq: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def next_step(self, length_ms: int) -> tuple[int, records.Phase] | None:
        """The bar and phase that come after the last completed step; None for an account that never began."""
        if self.valued is None:
            return None if self.began is None else (self.began, "open")
        if self.valued.phase == "open":
            return self.valued.time, "close"
        return self.valued.time + length_ms, "open"


def redo(desk: TradingEngine, entries: Iterable[Entry], known: Recovered | None = None) -> Recovered:
    """Do again what the journal says, on a desk that stands where the entries begin.

    Guards and ladder are told what they were told then, and moved as it was written down, so they end up as they were.
    What they ask for on the way is in the journal already; where today's limits are others than those of then, it is
    not, and is not asked again: nobody is halted for what was allowed.

    Raises:
        JournalError: the account that comes out is not the one the journal says it was.
        TradingError: records that cannot follow each other.
    """
    state = known or Recovered()
    for seq, _, record in entries:
        state.seq = seq
        match record:
            case records.StartedRecord():
                state.started = record
                state.began = record.time if state.began is None else state.began
            case records.HumanRecord():
                state.requests[seq] = record
            case records.ValuedRecord():
                _value(desk, record, seq)
                state.valued = record
                state.requests = {known: asked for known, asked in state.requests.items() if known > record.heard}
            case _:
                if isinstance(record, records.DecidedRecord):
                    state.seen[record.symbol] = record.time
                _redo(desk, record)
    if desk.guards is not None:
        desk.guards.forget()
    return state


def peek(entries: Iterable[Entry]) -> tuple[records.StartedRecord | None, Iterable[Entry]]:
    """The account's very first beginning, and all the entries again; None for a journal without one."""
    remaining = iter(entries)
    first: list[Entry] = []
    for entry in remaining:
        first.append(entry)
        if isinstance(entry.record, records.StartedRecord):
            return entry.record, chain(first, remaining)
    return None, first


def _redo(desk: TradingEngine, record: records.Record) -> None:
    """Let one record take effect again."""
    account, guards, ladder = desk.account, desk.guards, desk.ladder
    match record:
        case records.DecidedRecord(time=time, symbol=symbol, action=action, base=base, volatility=volatility):
            desk.enter(time, "close")
            if guards is not None:
                guards.measured(symbol, time, math.nan if volatility is None else volatility)
                if action != Action.HOLD:
                    guards.signalled(time, base)
        case records.IntentRecord(order=order):
            desk.pending.append(order)
        case records.RefusedRecord(order_id=name, reason=reason):
            _drop(desk, name)
            account.refused[reason] += 1  # type: ignore[index]  # what was written down is a reason
        case records.FilledRecord(time=time, order_id=name, order=order, size=size, entry=entry):
            _drop(desk, name)
            account.apply(events.Filled(order, size, time, entry))
        case records.SettledRecord(time=time, symbol=symbol, phase=phase):
            desk.enter(time, phase)
            desk.number(f"settled:{symbol}:{phase}")
            if phase == "open":
                desk.settled.add(symbol)
            account.apply(events.Settled(symbol, record.rate, record.price, record.cash_usd))
        case records.MovedRecord(symbol=symbol, stop=stop):
            account.apply(events.Moved(symbol, stop))
        case records.ClosedRecord(trade=trade, exit=fill):
            account.apply(events.Closed(trade, fill))
            if ladder is not None:
                ladder.closed(trade)
            if guards is not None:
                guards.closed(trade)
        case records.GuardMovedRecord():
            _move_guard(desk, record)
        case records.LadderMovedRecord(time=time, before=before, after=after, reason=reason):
            desk.enter(time, desk.phase)
            desk.number("ladder")
            if ladder is not None:
                ladder.apply(LadderMove(before, after, time, reason))
                account.settings = ladder.limits(desk.unlimited)
        case records.FeedRecord(time=time, notice=notice, symbol=about):
            desk.enter(time, desk.phase)
            desk.number(f"feed:{notice}:{about or ''}")


def _move_guard(desk: TradingEngine, record: records.GuardMovedRecord) -> None:
    desk.enter(record.time, desk.phase)
    desk.number(f"guard:{record.guard}:{record.symbol or ''}")
    if desk.guards is None:
        return
    move = GuardMove(
        guard=record.guard,  # type: ignore[arg-type]  # an unknown one is refused by `apply`
        before=record.before,
        after=record.after,
        time=record.time,
        reason=record.reason,
        symbol=record.symbol,
        until=record.until,
    )
    desk.guards.apply(move)
    if desk.ladder is not None:
        desk.ladder.guarded(record.time, desk.guards.mode)


def _value(desk: TradingEngine, record: records.ValuedRecord, seq: int) -> None:
    """Value the positions as they were, and hold the account against what was written of it."""
    desk.enter(record.time, record.phase)
    desk.listened = record.heard
    for symbol, mark in record.marks.items():
        desk.account.value(symbol, mark.price, funding_known=mark.funding_known, mark_known=mark.mark_known)
    # An intent is tried at the next open or never.
    if record.phase == "open":
        desk.pending.clear()
    found = (desk.account.cash_usd, desk.account.equity_usd, sorted(desk.account.positions))
    expected = (record.cash_usd, record.equity_usd, sorted(record.marks))
    if found != expected:
        raise JournalError(
            f"rebuild the account at {format_ms(record.time)} from the journal",
            found=f"cash {found[0]!r}, equity {found[1]!r}, positions {', '.join(found[2]) or 'none'}",
            expected=f"cash {expected[0]!r}, equity {expected[1]!r}, positions {', '.join(expected[2]) or 'none'}, "
            f"as record {seq} says",
            remedy="The journal was altered, or written by another version of Quorate.",
        )
    if desk.guards is not None:
        desk.guards.valued(record.time, record.equity_usd)
        if record.valid is not None:
            desk.guards.counted(record.time, record.valid)


def _drop(desk: TradingEngine, name: str) -> None:
    """Without the order of this id, which has become something."""
    desk.pending = [order for order in desk.pending if desk.name(order) != name]
