"""Recovery at start-up: replaying the journal's records on a new engine rebuilds the account."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from quorate.core.clock import format_ms
from quorate.core.errors import JournalError
from quorate.trading.account import events
from quorate.trading.account.trade import Trade
from quorate.trading.drift_state import DriftState
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import GuardMove, TradeClosed, decision_events, valuation_events
from quorate.trading.journal import Entry, records
from quorate.trading.ladder import LadderMove
from quorate.trading.paper.record_checks import RecordChecks


@dataclass(slots=True)
class Recovered:
    """Progress of an account.

    Attributes:
        started: start of the newest session; None for an account without one.
        began: open time in ms of the account's first bar; None for an account without a session.
        valued: valuation of the last completed step; None before the first.
        requests: requests of people that no step has applied yet, by number.
        seq: number of the last record.
        seen: market -> open time in ms of its newest bar with a decision.
        checks: of the records to come; None before the first.
        benched: benched member -> reason, as of the newest bar.
        selected: names of the members that are chosen to vote, sorted, as of the newest bar; empty where all vote.
    """

    started: records.StartedRecord | None = None
    began: int | None = None
    valued: records.ValuedRecord | None = None
    requests: dict[int, records.HumanRecord] = field(default_factory=dict)
    seq: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    checks: RecordChecks | None = None
    benched: dict[str, str] = field(default_factory=dict)
    selected: tuple[str, ...] = ()

    def next_step(self, length_ms: int) -> tuple[int, records.Phase] | None:
        """Bar and phase after the last completed step; None for an account without a session."""
        if self.valued is None:
            return None if self.began is None else (self.began, "open")
        if self.valued.phase == "open":
            return self.valued.time, "close"
        return self.valued.time + length_ms, "open"


def redo(engine: TradingEngine, entries: Iterable[Entry], known: Recovered | None = None) -> Recovered:
    """Replay the records of a journal on an engine in the state before them.

    Guards and ladder receive the same events as when the records were written, and the moves of the records. The moves
    that they request meanwhile are in the journal already, or would not have been requested under the limits at that
    time, and are discarded.

    Args:
        engine: in the state before the entries.
        entries: in order.
        known: progress before the entries; None for a new account.

    Raises:
        JournalError: the rebuilt account differs from the one that the journal describes.
        TradingError: records that cannot follow each other.
    """
    state = known or Recovered()
    checks = state.checks or RecordChecks.of(engine)
    for seq, _, record in entries:
        state.seq = seq
        checks.check(seq, record)
        match record:
            case records.StartedRecord():
                state.started = record
                checks = checks.started(seq, record)
                state.began = record.time if state.began is None else state.began
            case records.HumanRecord():
                state.requests[seq] = record
            case records.ValuedRecord():
                _value(engine, record, seq)
                state.valued = record
                state.requests = {number: known for number, known in state.requests.items() if number > record.heard}
            case records.BenchMovedRecord():
                _move_bench(state, record)
            case records.SelectedRecord():
                _move_selection(state, record)
            case _:
                if isinstance(record, records.DecidedRecord):
                    state.seen[record.symbol] = record.time
                _redo(engine, record)
    state.checks = checks
    if engine.guards is not None:
        engine.guards.discard_pending()
    return state


def peek(entries: Iterable[Entry]) -> tuple[records.StartedRecord | None, Iterable[Entry]]:
    """The start of the account's first session, and all entries; None for a journal without a session."""
    remaining = iter(entries)
    first: list[Entry] = []
    for entry in remaining:
        first.append(entry)
        if isinstance(entry.record, records.StartedRecord):
            return entry.record, chain(first, remaining)
    return None, first


def _redo(engine: TradingEngine, record: records.Record) -> None:
    """Replay one record."""
    account, guards, ladder = engine.account, engine.guards, engine.ladder
    match record:
        case records.DecidedRecord(time=time, symbol=symbol, action=action, base=base, volatility=volatility):
            engine.begin(time, "close")
            if guards is not None:
                known = math.nan if volatility is None else volatility
                for event in decision_events(time, symbol, action, base, known):
                    guards.on(event)
        case records.IntentRecord(order=order):
            engine.pending.append(order)
        case records.RefusedRecord(order_id=order_id, reason=reason):
            _drop(engine, order_id)
            account.refused[reason] += 1  # type: ignore[index]  # a journal has known reasons only
        case records.FilledRecord(time=time, order_id=order_id, order=order, size=size, entry=entry):
            _drop(engine, order_id)
            account.apply(events.Filled(order, size, time, entry))
        case records.SettledRecord(time=time, symbol=symbol, phase=phase):
            engine.begin(time, phase)
            engine.next_number(f"settled:{symbol}:{phase}")
            if phase == "open":
                engine.settled.add(symbol)
            liquidation = record.liquidation_price
            if liquidation is None:
                liquidation = account.settlement(symbol, record.rate, record.price).liquidation_price
            account.apply(events.Settled(symbol, record.rate, record.price, record.cash_usd, liquidation))
        case records.MovedRecord(symbol=symbol, stop=stop):
            account.apply(events.Moved(symbol, stop))
        case records.ClosedRecord(trade=trade, exit=fill):
            account.apply(events.Closed(trade, fill))
            _count(engine, trade)
        case records.TargetRecord(order=order):
            engine.pending_targets.append(order)
        case records.UnfilledRecord(order=order, quantity=quantity, reason=reason):
            account.apply(events.Unfilled(order, quantity, reason))  # type: ignore[arg-type]  # known reasons only
        case records.IncreasedRecord(time=time, order=order, fill=fill, quantity=quantity, holding=holding):
            account.apply(events.Increased(order, time, fill, quantity, holding))
        case records.ReducedRecord(order=order, trade=trade, exit=fill, holding=holding):
            account.apply(events.Reduced(order, trade, fill, holding))
            _count(engine, trade)
        case records.GuardMovedRecord():
            _move_guard(engine, record)
        case records.LadderMovedRecord(time=time, before=before, after=after, reason=reason):
            engine.begin(time, engine.phase)
            engine.next_number("ladder")
            if ladder is not None:
                ladder.apply(LadderMove(before, after, time, reason))
                account.settings = ladder.limits(engine.unlimited)
        case records.DriftMovedRecord(time=time, after=alarm, stake_factor=factor, reason=reason):
            engine.begin(time, engine.phase)
            engine.next_number("drift")
            engine.drift = DriftState(alarm, factor, reason)
        case records.FeedRecord(time=time, notice=notice, symbol=market):
            engine.begin(time, engine.phase)
            engine.next_number(f"feed:{notice}:{market or ''}")


def _count(engine: TradingEngine, trade: Trade) -> None:
    """Count a closed trade for the ladder and the guards."""
    if engine.ladder is not None:
        engine.ladder.on_trade(trade)
    if engine.guards is not None:
        engine.guards.on(TradeClosed.of(trade))


def _move_guard(engine: TradingEngine, record: records.GuardMovedRecord) -> None:
    engine.begin(record.time, engine.phase)
    engine.next_number(f"guard:{record.guard}:{record.symbol or ''}")
    if engine.guards is None:
        return
    move = GuardMove(
        guard=record.guard,
        before=record.before,
        after=record.after,
        time=record.time,
        reason=record.reason,
        symbol=record.symbol,
        until=record.until,
    )
    engine.guards.apply(move)
    if engine.ladder is not None:
        engine.ladder.on_guard_mode(record.time, engine.guards.mode)


def _move_bench(state: Recovered, record: records.BenchMovedRecord) -> None:
    """Bench a member, or let it vote again.

    Raises:
        JournalError: it is benched already, or votes already.
    """
    if record.benched == (record.model in state.benched):
        raise JournalError(
            f"rebuild the account at {format_ms(record.time)} from the journal",
            found=f"benched {record.benched!r} of {record.model} in record {state.seq} ({record.kind})",
            expected=repr(not record.benched),
            remedy="The journal was altered, or written by another version of Quorate.",
        )
    if record.benched:
        state.benched[record.model] = record.reason
    else:
        del state.benched[record.model]


def _move_selection(state: Recovered, record: records.SelectedRecord) -> None:
    """Let other members vote.

    Raises:
        JournalError: others voted before than the record says.
    """
    if record.before != state.selected:
        raise JournalError(
            f"rebuild the account at {format_ms(record.time)} from the journal",
            found=f"votes of {', '.join(record.before) or 'all'} before record {state.seq} ({record.kind})",
            expected=f"those of {', '.join(state.selected) or 'all'}",
            remedy="The journal was altered, or written by another version of Quorate.",
        )
    state.selected = record.after


def _value(engine: TradingEngine, record: records.ValuedRecord, seq: int) -> None:
    """Restore the valuation of the positions, and compare the account with the record."""
    engine.begin(record.time, record.phase)
    engine.last_request = record.heard
    engine.peak_usd = max(engine.peak_usd, record.equity_usd)
    for symbol, mark in record.marks.items():
        engine.account.value(symbol, mark.price, funding_known=mark.funding_known, mark_known=mark.mark_known)
    # Orders and targets are valid for the next open only.
    if record.phase == "open":
        engine.pending.clear()
        engine.pending_targets.clear()
    found = (engine.account.cash_usd, engine.account.equity_usd, sorted(engine.account.positions))
    expected = (record.cash_usd, record.equity_usd, sorted(record.marks))
    if found != expected:
        raise JournalError(
            f"rebuild the account at {format_ms(record.time)} from the journal",
            found=f"cash {found[0]!r}, equity {found[1]!r}, positions {', '.join(found[2]) or 'none'}",
            expected=f"cash {expected[0]!r}, equity {expected[1]!r}, positions {', '.join(expected[2]) or 'none'}, "
            f"as in record {seq}",
            remedy="The journal was altered, or written by another version of Quorate.",
        )
    if engine.guards is not None:
        gross = engine.account.gross if engine.account.cross else None
        for event in valuation_events(record.time, record.equity_usd, record.valid, gross):
            engine.guards.on(event)


def _drop(engine: TradingEngine, order_id: str) -> None:
    """Remove a pending order that was filled or refused."""
    engine.pending = [order for order in engine.pending if engine.order_id(order) != order_id]
