"""Bodies of records as canonical JSON: sorted keys, no spaces, ASCII, floats to the last bit.

Fields with a column of their own (time, symbol, order_id) are not in the body. NaN is null in the fields that may be
NaN (`records.NAN_FIELDS`) and refused elsewhere; infinity is always refused. A field with a default may be missing in a
body of an older version; an unknown field is an error.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from typing import Any, cast

from quorate.core.errors import JournalError
from quorate.trading.journal.codec import MisfitError, json_object, members
from quorate.trading.journal.records import RECORDS, Record

COLUMNS = ("time", "symbol", "order_id")

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def _refuse_constant(name: str) -> Any:
    raise MisfitError(name, "a finite number")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def encode(record: Record) -> str:
    """The body of a record.

    Raises:
        JournalError: an unknown kind, or a value that does not fit its field.

    >>> from quorate.trading.journal.records import MovedRecord
    >>> encode(MovedRecord(time=0, symbol="BTC/USDT:USDT", stop=0.1))
    '{"stop":0.1}'
    """
    kind: Any = RECORDS.get(record.kind)
    if type(record) != kind:  # noqa: E721  (not a subclass)
        raise JournalError(
            f"write a record of the kind '{record.kind}'", found=type(record).__name__, expected=", ".join(RECORDS)
        )
    try:
        values = members(kind).encode(record)
        for name in COLUMNS:
            values.pop(name, None)
        return _encoder.encode(values)
    except MisfitError as wrong:
        raise JournalError(
            f"write the record {record.key}", found=f"{wrong.where or 'it'} = {wrong.found}", expected=wrong.expected
        ) from wrong
    except (ValueError, TypeError) as error:
        raise JournalError(
            f"write the record {record.key}", found=str(error), expected="values that JSON can represent"
        ) from error


def decode(kind: str, time: int, symbol: str | None, order_id: str | None, body: str) -> Record:
    """The record of a body and its columns.

    Raises:
        JournalError: an unknown kind or field, a missing field, or a value that does not fit.
    """
    record: Any = RECORDS.get(kind)
    if record is None:
        raise JournalError(
            "read the journal",
            found=f"a record of the unknown kind '{kind}'",
            expected=f"one of {', '.join(RECORDS)}",
            remedy="The journal was written by another version of Quorate: read it with that one.",
        )
    try:
        values = json_object(_parse(body))
        inside = len(values)
        with_column = _columns(record)
        columns = (time, symbol, order_id)
        for place in with_column:
            values[COLUMNS[place]] = columns[place]
        _require_new(len(values) - inside, len(with_column))
        return cast("Record", members(record).decode(values))
    except MisfitError as wrong:
        raise JournalError(
            "read the journal",
            found=f"{kind}.{wrong.where}: {wrong.found}" if wrong.where else f"{kind}: {wrong.found}",
            expected=wrong.expected,
            remedy="The journal was written by another version of Quorate, or altered.",
        ) from wrong
    except ValueError as error:  # JSONDecodeError, and whole numbers of thousands of digits
        raise JournalError("read the journal", found=f"{kind}: {error}", expected="JSON") from error
    except RecursionError as error:
        raise JournalError(
            "read the journal", found=f"{kind}: lists and objects nested too deeply", expected="a flat body"
        ) from error


def _parse(body: str) -> Any:
    value, end = _decoder.raw_decode(body)
    if end != len(body):
        raise MisfitError(repr(body[end : end + 20]), "nothing after the object")
    return value


def _require_new(added: int, columns: int) -> None:
    if added != columns:
        raise MisfitError(f"one of {', '.join(COLUMNS)} in the body", "it in its column only")


@cache
def _columns(record: Any) -> tuple[int, ...]:
    """Indices of the columns that are fields of the record."""
    names = {field.name for field in fields(record)}
    return tuple(place for place, name in enumerate(COLUMNS) if name in names)
