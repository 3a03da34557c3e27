"""Events of an account and of the champion, in the form in which streams send them.

    candles  new candles of served markets, and with them new signals
    bar      a step of the account is complete: equity, cash and open positions
    signal   the decision on a closed bar, with every vote
    fill     an order that was filled
    close    a position that was closed
    guard    a guard moved
    ladder   the ladder moved
    bench    a member was benched, or votes again
    select   other members were chosen to vote
    panel    a panel of language models judged an entry
    measured performance and baselines are those of this bar
    bundle   a new champion, in use or refused
    skipped  more events than are sent again were missed: read the account anew
    dropped  the stream ends, because its client reads too slowly

Events of a journal have the number of their record as their id, so that a client that comes back gets what it missed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi.sse import format_sse_event

from quorate.core.clock import iso_ms
from quorate.trading.journal import Entry, Record, records

EventKind = Literal[
    "candles",
    "bar",
    "signal",
    "fill",
    "close",
    "guard",
    "ladder",
    "drift",
    "bench",
    "select",
    "panel",
    "measured",
    "bundle",
    "skipped",
    "dropped",
]

KINDS: tuple[EventKind, ...] = get_args(EventKind)

#: Classes of records of which there is an event.
RECORDS: tuple[type[Record], ...] = (
    records.ValuedRecord,
    records.DecidedRecord,
    records.FilledRecord,
    records.ClosedRecord,
    records.GuardMovedRecord,
    records.LadderMovedRecord,
    records.DriftMovedRecord,
    records.BenchMovedRecord,
    records.SelectedRecord,
    records.PanelRecord,
)


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event; all streams share its encoded form.

    Attributes:
        kind: what happened.
        number: of its record in the journal; None for others.
        content: as sent.
    """

    kind: EventKind
    number: int | None
    content: bytes

    @classmethod
    def of(cls, kind: EventKind, data: dict[str, Any], number: int | None = None) -> LiveEvent:
        r"""Encode an event.

        >>> LiveEvent.of("ladder", {"before": 1, "after": 2}, 7).content
        b'event: ladder\ndata: {"before":1,"after":2}\nid: 7\n\n'
        """
        text = json.dumps(data, separators=(",", ":"), allow_nan=False)
        content = format_sse_event(data_str=text, event=kind, id=None if number is None else str(number))
        return cls(kind, number, content)


def candles_event(bars: Mapping[str, int]) -> LiveEvent:
    """The event of new candles.

    Args:
        bars: market -> open time of its newest bar, ms.
    """
    return LiveEvent.of("candles", {"bars": {symbol: iso_ms(time) for symbol, time in bars.items()}})


def event_of(account: str, entry: Entry) -> LiveEvent | None:
    """The event of a record; None for records without one.

    Args:
        account: name of the account.
        entry: of its journal.
    """
    match entry.record:
        case records.ValuedRecord(phase="close") as valued:
            kind: EventKind = "bar"
            found: dict[str, Any] = {
                "equity_usd": valued.equity_usd,
                "cash_usd": valued.cash_usd,
                "positions": sorted(valued.marks),
            }
        case records.DecidedRecord() as decided:
            kind, found = "signal", _signal(decided)
        case records.FilledRecord() as filled:
            kind, found = "fill", _fill(filled)
        case records.ClosedRecord(trade=trade):
            kind, found = "close", trade.to_json()
        case records.GuardMovedRecord() as moved:
            kind = "guard"
            found = {
                "guard": moved.guard,
                "symbol": moved.symbol,
                "before": moved.before,
                "after": moved.after,
                "reason": moved.reason,
                "until": None if moved.until is None else iso_ms(moved.until),
            }
        case records.LadderMovedRecord() as stepped:
            kind, found = "ladder", {"before": stepped.before, "after": stepped.after, "reason": stepped.reason}
        case records.DriftMovedRecord() as drift:
            kind = "drift"
            found = {"alarm": drift.after, "stake_factor": drift.stake_factor, "reason": drift.reason}
        case records.BenchMovedRecord() as bench:
            kind, found = "bench", {"model": bench.model, "benched": bench.benched, "reason": bench.reason}
        case records.SelectedRecord() as chosen:
            kind, found = "select", {"members": list(chosen.after), "reason": chosen.reason}
        case records.PanelRecord() as judged:
            kind, found = "panel", {"symbol": judged.symbol, **judged.vote.to_json()}
        case _:
            return None
    head = {"account": account, "number": entry.seq, "time": iso_ms(entry.record.time)}
    return LiveEvent.of(kind, {**head, **found}, entry.seq)


def _signal(record: records.DecidedRecord) -> dict[str, Any]:
    """The keys of a signal of `quorate signal --json` that the journal has."""
    return {
        "symbol": record.symbol,
        "action": record.action.name,
        "confidence": record.confidence,
        "consensus": record.consensus,
        "rule": record.rule,
        "mode": record.mode,
        "volatility": record.volatility,
        "probabilities": None if record.probabilities is None else list(record.probabilities),
        "votes": [vote.to_json() for vote in record.votes] + [forecast.to_json() for forecast in record.forecasts],
        "abstentions": [abstention.to_json() for abstention in record.abstentions],
        "line": record.line,
    }


def _fill(record: records.FilledRecord) -> dict[str, Any]:
    order, size = record.order, record.size
    return {
        "symbol": record.symbol,
        "order_id": record.order_id,
        "side": "long" if order.side > 0 else "short",
        "confidence": order.confidence,
        "quantity": size.quantity,
        "leverage": size.leverage,
        "margin_usd": size.margin_usd,
        "price": record.entry.price,
        "stop": size.stop,
        "target": size.target,
        "liquidation_price": size.liquidation_price,
    }
