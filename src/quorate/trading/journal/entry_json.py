"""Entries of a journal as JSON."""

from __future__ import annotations

import json
from typing import Any

from quorate.core.clock import iso_ms
from quorate.trading.journal.canonical_json import encode
from quorate.trading.journal.journal import Entry


def to_json(entry: Entry) -> dict[str, Any]:
    """The columns, with times as text, and the body as stored.

    >>> from quorate.trading.journal.records import MovedRecord
    >>> to_json(Entry(7, 0, MovedRecord(3_600_000, "BTC/USDT:USDT", 0.5)))["body"]
    {'stop': 0.5}
    """
    record = entry.record
    return {
        "seq": entry.seq,
        "written_at": iso_ms(entry.written_at),
        "time": iso_ms(record.time),
        "kind": record.kind,
        "key": record.key,
        "symbol": getattr(record, "symbol", None),
        "order_id": getattr(record, "order_id", None),
        "body": json.loads(encode(record)),
    }
