"""Messages about records of a journal."""

from __future__ import annotations

import math
from typing import Any

from quorate.core.clock import iso_ms
from quorate.trading.account.currency import in_currency
from quorate.trading.journal.records import (
    BenchMovedRecord,
    ClosedRecord,
    DriftMovedRecord,
    FilledRecord,
    GuardMovedRecord,
    IncreasedRecord,
    LadderMovedRecord,
    Record,
    ReducedRecord,
    SelectedRecord,
)

#: Kinds of records of which there may be a message.
MESSAGE_KINDS: tuple[type[Record], ...] = (
    FilledRecord,
    IncreasedRecord,
    ReducedRecord,
    ClosedRecord,
    GuardMovedRecord,
    LadderMovedRecord,
    DriftMovedRecord,
    BenchMovedRecord,
    SelectedRecord,
)


def has_message(record: Record) -> bool:
    """Whether there is a message about a record."""
    if isinstance(record, GuardMovedRecord):
        return "HALTED" in (record.before, record.after)
    return isinstance(record, MESSAGE_KINDS)


def message(record: Record, account: str, currency: str = "USD") -> dict[str, Any] | None:
    """The message about a record; None for records without one.

    There are messages about entries, exits, changes of positions by target, halts, re-armed guards, moves of the
    ladder, drift, the bench and the members that vote. `text` is one line, as chat programs show it, with amounts in
    the `currency` of the account; numbers that are not finite are null.
    """
    if not has_message(record):
        return None
    match record:
        case FilledRecord(symbol=symbol, order=order, size=size, entry=entry):
            side = "long" if order.side > 0 else "short"
            content: dict[str, Any] = {
                "event": "filled",
                "text": (
                    f"{symbol}: {side} {size.quantity:g} at {entry.price:g}, stop {size.stop:g}, target {size.target:g}"
                ),
                "symbol": symbol,
                "side": side,
                "quantity": size.quantity,
                "price": entry.price,
                "leverage": size.leverage,
                "margin_usd": size.margin_usd,
                "stop": size.stop,
                "target": size.target,
                "confidence": order.confidence,
                "order_id": record.order_id,
            }
        case IncreasedRecord(symbol=symbol, fill=fill, quantity=quantity, holding=holding):
            side = "long" if record.order.quantity > 0 else "short"
            content = {
                "event": "increased",
                "text": f"{symbol}: {side} {quantity:g} more at {fill.price:g}, {holding.size.quantity:g} held",
                "symbol": symbol,
                "side": side,
                "quantity": quantity,
                "price": fill.price,
                "held": holding.size.quantity,
                "order_id": record.order_id,
            }
        case ReducedRecord(symbol=symbol, trade=trade, holding=holding):
            content = {
                "event": "reduced",
                "text": (
                    f"{symbol}: {trade.quantity:g} less at {trade.exit_price:g}, {holding.size.quantity:g} held, "
                    f"{trade.net_usd:+,.2f} USD"
                ),
                **trade.to_json(),
                "held": holding.size.quantity,
                "order_id": record.order_id,
            }
        case ClosedRecord(trade=trade):
            content = {
                "event": "closed",
                "text": f"{trade.symbol}: closed at {trade.exit_price:g} ({trade.reason}), {trade.net_usd:+,.2f} USD",
                **trade.to_json(),
                "order_id": record.order_id,
            }
        case GuardMovedRecord(guard=guard, after=after, reason=reason):
            halted = after == "HALTED"
            content = {
                "event": "halted" if halted else "rearmed",
                "text": f"{'HALTED' if halted else 'Re-armed'}: {guard}: {reason}",
                "guard": guard,
                "reason": reason,
                "until": None if record.until is None else iso_ms(record.until),
            }
        case LadderMovedRecord(before=before, after=after, reason=reason):
            content = {
                "event": "ladder",
                "text": f"Ladder: from step {before} to {after}: {reason}",
                "before": before,
                "after": after,
                "reason": reason,
            }
        case DriftMovedRecord(after=alarm, stake_factor=share, reason=reason):
            content = {
                "event": "drift",
                "text": f"Drift: {reason}; new entries with {share:.0%} of the ordinary stake",
                "alarm": alarm,
                "stake_factor": share,
                "reason": reason,
            }
        case BenchMovedRecord(model=model, benched=benched, reason=reason):
            content = {
                "event": "benched" if benched else "returned",
                "text": f"{model} is benched: {reason}" if benched else f"{model} votes again",
                "model": model,
                "reason": reason,
            }
        case SelectedRecord(after=chosen, reason=reason):
            content = {
                "event": "selected",
                "text": f"{', '.join(chosen) or 'All members'} vote: {reason}",
                "models": list(chosen),
                "reason": reason,
            }
        case _:
            return None
    content |= {name: in_currency(content[name], currency) for name in ("text", "reason") if name in content}
    unknown = {name: None for name, value in content.items() if isinstance(value, float) and not math.isfinite(value)}
    return {"account": account, "time": iso_ms(record.time), **content, **unknown}
