"""A record's body as canonical JSON: keys sorted, no spaces, ASCII, every float to its last bit.

Fields that have a column of their own (time, symbol, order_id) are not in the body. NaN is refused, but for the fields
that may be NaN (`records.NAN_FIELDS`), which are null; infinity is always refused. A field that a class gained later
may be missing in an old body where it has a default; a field that a class does not know is an error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from quorate.core.errors import JournalError
from quorate.trading.journal.records import NAN_FIELDS, RECORDS, Record

COLUMNS = ("time", "symbol", "order_id")

Convert = Callable[[Any], Any]


class _Wrong(ValueError):  # noqa: N818  (never leaves this file)
    """A value that does not fit; says what was found and expected."""

    def __init__(self, found: str, expected: str, where: str = "") -> None:
        self.found, self.expected, self.where = found, expected, where
        super().__init__(found)

    def inside(self, name: str) -> _Wrong:
        return _Wrong(self.found, self.expected, f"{name}.{self.where}" if self.where else name)


class Codec(NamedTuple):
    """Both ways between a value and what JSON has."""

    encode: Convert
    decode: Convert


_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def _refuse_constant(name: str) -> Any:
    raise _Wrong(name, "a finite number")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def encode(record: Record) -> str:
    """The body of a record.

    Raises:
        JournalError: a kind the journal does not know, or a value that does not fit its field.

    >>> from quorate.trading.journal.records import Moved
    >>> encode(Moved(time=0, symbol="BTC/USDT:USDT", stop=0.1))
    '{"stop":0.1}'
    """
    kind: Any = RECORDS.get(record.kind)
    if kind is not type(record):
        raise JournalError(
            f"write a record of the kind '{record.kind}'", found=type(record).__name__, expected=", ".join(RECORDS)
        )
    try:
        values = _members(kind).encode(record)
        for name in COLUMNS:
            values.pop(name, None)
        return _encoder.encode(values)
    except _Wrong as wrong:
        raise JournalError(
            f"write the record {record.key}", found=f"{wrong.where or 'it'} = {wrong.found}", expected=wrong.expected
        ) from wrong
    except (ValueError, TypeError) as error:
        raise JournalError(
            f"write the record {record.key}", found=str(error), expected="values that JSON has"
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
            remedy="It was written by another version of Quorate: read it with that one.",
        )
    try:
        values = _object(_decoder.decode(body))
        known = _columns(record)
        values["time"] = time
        if "symbol" in known:
            values["symbol"] = symbol
        if "order_id" in known:
            values["order_id"] = order_id
        return cast("Record", _members(record).decode(values))
    except _Wrong as wrong:
        raise JournalError(
            "read the journal",
            found=f"{kind}.{wrong.where}: {wrong.found}" if wrong.where else f"{kind}: {wrong.found}",
            expected=wrong.expected,
            remedy="It was written by another version of Quorate, or altered.",
        ) from wrong
    except json.JSONDecodeError as error:
        raise JournalError("read the journal", found=f"{kind}: {error}", expected="JSON") from error


@cache
def _columns(record: Any) -> frozenset[str]:
    return frozenset(field.name for field in fields(record)) & frozenset(COLUMNS)


@cache
def _members(owner: Any) -> Codec:
    """A dataclass or a NamedTuple as a JSON object."""
    hints = get_type_hints(owner)
    if is_dataclass(owner):
        names = tuple(field.name for field in fields(owner))
        required = frozenset(
            field.name for field in fields(owner) if field.default is MISSING and field.default_factory is MISSING
        )
    else:
        names = owner._fields
        required = frozenset(names) - owner._field_defaults.keys()
    nan = NAN_FIELDS.get(owner, frozenset())
    codecs = tuple((name, _nan_or_float if name in nan else _codec(hints[name])) for name in names)
    encoders = tuple((name, codec.encode) for name, codec in codecs)
    decoders = tuple((name, codec.decode) for name, codec in codecs)

    def encode(value: Any) -> dict[str, Any]:
        if type(value) is not owner:
            raise _Wrong(repr(value), owner.__name__)
        written = {}
        name = ""
        try:
            for name, convert in encoders:
                written[name] = convert(getattr(value, name))
        except _Wrong as wrong:
            raise wrong.inside(name) from None
        return written

    def decode(value: Any) -> Any:
        given = _object(value)
        read = {}
        name = ""
        try:
            for name, convert in decoders:
                if name in given:
                    read[name] = convert(given[name])
        except _Wrong as wrong:
            raise wrong.inside(name) from None
        missing = required - read.keys()
        if missing:
            raise _Wrong(f"no field '{min(missing)}'", f"all of {', '.join(names)}")
        if len(read) != len(given):
            raise _Wrong(f"the unknown field '{min(given.keys() - read.keys())}'", f"only {', '.join(names)}")
        return owner(**read)

    return Codec(encode, decode)


def _codec(hint: Any) -> Codec:
    """The codec of a field's type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Literal:
        return _choice(arguments)
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _optional(_codec(inner))
    if origin is tuple:
        many = arguments[-1] is Ellipsis
        return _many(_codec(arguments[0])) if many else _fixed(tuple(_codec(argument) for argument in arguments))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_codec(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return _enum(hint)
    return _members(hint)


def _exactly(kind: type, name: str) -> Codec:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise _Wrong(repr(value), name)
        return value

    return Codec(check, check)


def _write_float(value: Any) -> float:
    # numpy's float64 is a float; its integers are not, and have no place in a price.
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise _Wrong(repr(value), "a finite number")
    number = float(value)
    if not math.isfinite(number):
        raise _Wrong(repr(number), "a finite number")
    return number


def _read_float(value: Any) -> float:
    if type(value) is float and value - value == 0:
        return value
    raise _Wrong(repr(value), "a finite number")


def _write_nan_or_float(value: Any) -> float | None:
    return None if isinstance(value, float) and math.isnan(value) else _write_float(value)


def _read_nan_or_float(value: Any) -> float:
    return math.nan if value is None else _read_float(value)


def _json(value: Any) -> Any:
    """Whatever JSON has, a tuple as a list; the only type that says nothing about what is inside."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _write_float(value)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, Mapping) and all(type(name) is str for name in value):
        return {name: _json(item) for name, item in value.items()}
    raise _Wrong(repr(value), "what JSON has")


_nan_or_float = Codec(_write_nan_or_float, _read_nan_or_float)

_PLAIN: dict[Any, Codec] = {
    int: _exactly(int, "a whole number"),
    bool: _exactly(bool, "true or false"),
    str: _exactly(str, "a text"),
    float: Codec(_write_float, _read_float),
    Any: Codec(_json, _json),
}


def _choice(known: tuple[Any, ...]) -> Codec:
    allowed = frozenset(known)

    def check(value: Any) -> Any:
        if type(value) is not str or value not in allowed:
            raise _Wrong(repr(value), f"one of {', '.join(known)}")
        return value

    return Codec(check, check)


def _enum(kind: type[IntEnum]) -> Codec:
    by_name = dict(kind.__members__)

    def encode(value: Any) -> str:
        if not isinstance(value, kind):
            raise _Wrong(repr(value), kind.__name__)
        return value.name

    def decode(value: Any) -> IntEnum:
        try:
            return by_name[value]
        except (KeyError, TypeError):
            raise _Wrong(repr(value), f"one of {', '.join(by_name)}") from None

    return Codec(encode, decode)


def _optional(inner: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else inner.encode(value),
        lambda value: None if value is None else inner.decode(value),
    )


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise _Wrong(repr(value), "a JSON object")
    return value


def _list(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise _Wrong(repr(value), "a list")
    return value


def _many(inner: Codec) -> Codec:
    return Codec(
        lambda value: [inner.encode(item) for item in _list(value, tuple)],
        lambda value: tuple([inner.decode(item) for item in _list(value, list)]),
    )


def _fixed(inner: tuple[Codec, ...]) -> Codec:
    def sized(value: Any, kind: type) -> Any:
        if len(_list(value, kind)) != len(inner):
            raise _Wrong(repr(value), f"a list of {len(inner)}")
        return zip(inner, value, strict=True)

    return Codec(
        lambda value: [codec.encode(item) for codec, item in sized(value, tuple)],
        lambda value: tuple(codec.decode(item) for codec, item in sized(value, list)),
    )


def _mapping(inner: Codec) -> Codec:
    def encode(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not all(type(name) is str for name in value):
            raise _Wrong(repr(value), "a mapping of names")
        return {name: inner.encode(item) for name, item in value.items()}

    def decode(value: Any) -> dict[str, Any]:
        return {name: inner.decode(item) for name, item in _object(value).items()}

    return Codec(encode, decode)
