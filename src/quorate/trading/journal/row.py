"""Rows of records and accounts in the tables."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from quorate.core.errors import JournalError
from quorate.trading.journal.canonical_json import decode, encode
from quorate.trading.journal.records import Record

# Characters that a database may not store: control characters, and halves of surrogate pairs.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MOST_MS = 2**53


class Row(NamedTuple):
    """Columns of a record; the journal adds the account and the time of writing."""

    time_ms: int
    kind: str
    key: str
    symbol: str | None
    order_id: str | None
    body: str


class AccountRow(NamedTuple):
    """An account as it was created.

    Attributes:
        created: wall clock in ms.
        settings_hash, bundle_id: of its first session.
    """

    name: str
    created: int
    settings_hash: str
    bundle_id: str


def to_row(record: Record) -> Row:
    """The row of a record.

    Raises:
        JournalError: a value that does not fit its field.
    """
    body = encode(record)
    symbol: Any = getattr(record, "symbol", None)
    order_id: Any = getattr(record, "order_id", None)
    key = record.key
    for text in (key, symbol or "", order_id or ""):
        if _UNFIT.search(text):
            raise JournalError(
                f"write the record {key!r}", found=repr(text), expected="a name without control characters"
            )
    if abs(record.time) > _MOST_MS:
        raise JournalError(f"write the record {key}", found=f"the time {record.time}", expected="milliseconds")
    return Row(record.time, record.kind, key, symbol, order_id, body)


def from_row(seq: int, row: Row) -> Record:
    """The record of a row.

    Raises:
        JournalError: a row that cannot be decoded, or whose key does not match its content; with its number.
    """
    try:
        record = decode(row.kind, row.time_ms, row.symbol, row.order_id, row.body)
    except JournalError as error:
        raise JournalError(
            f"read row {seq} of the journal", found=error.found, expected=error.expected, remedy=error.remedy
        ) from error
    if record.key != row.key:
        raise JournalError(
            f"read row {seq} of the journal",
            found=f"the key '{row.key}'",
            expected=f"'{record.key}', the key of its content",
            remedy="The journal was altered: restore a backup.",
        )
    return record
