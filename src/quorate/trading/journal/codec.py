"""Conversion of values to JSON and back, by the types of a class's fields.

Floats keep their last bit. NaN is null in the fields that may be NaN (`records.NAN_FIELDS`) and refused elsewhere, as
is infinity. Values that do not fit their type are refused, both ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from quorate.trading.journal.records import NAN_FIELDS

Convert = Callable[[Any], Any]


class MisfitError(ValueError):
    """A value that does not fit its type: what was found, what was expected, in which field."""

    def __init__(self, found: str, expected: str, where: str = "") -> None:
        self.found, self.expected, self.where = found, expected, where
        super().__init__(found)

    def inside(self, name: str) -> MisfitError:
        return MisfitError(self.found, self.expected, f"{name}.{self.where}" if self.where else name)


class Codec(NamedTuple):
    """Conversion of a value to JSON and back."""

    encode: Convert
    decode: Convert


@cache
def members(owner: Any) -> Codec:
    """Codec of a dataclass or NamedTuple as a JSON object."""
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

    def encode(value: Any) -> dict[str, Any]:
        if type(value) is not owner:
            raise MisfitError(repr(value), owner.__name__)
        written = {}
        name = ""
        try:
            for name, convert in encoders:
                written[name] = convert(getattr(value, name))
        except MisfitError as wrong:
            raise wrong.inside(name) from None
        return written

    # Bodies of one version have their keys in one order: a plan for each order is made once.
    orders: dict[tuple[str, ...], tuple[tuple[str, Convert], ...]] = {}

    def decode(value: Any) -> Any:
        given = tuple(json_object(value))
        plan = orders.get(given)
        if plan is None:
            plan = orders[given] = order(given)
        try:
            if len(plan) == len(names):
                return owner(*[convert(value[name]) for name, convert in plan])
            return owner(**{name: convert(value[name]) for name, convert in plan})
        except MisfitError:
            for name, convert in plan:
                try:
                    convert(value[name])
                except MisfitError as wrong:
                    raise wrong.inside(name) from None
            raise

    def order(given: tuple[str, ...]) -> tuple[tuple[str, Convert], ...]:
        unknown, missing = set(given) - set(names), required - set(given)
        if unknown:
            raise MisfitError(f"the unknown field '{min(unknown)}'", f"only {', '.join(names)}")
        if missing:
            raise MisfitError(f"no field '{min(missing)}'", f"all of {', '.join(names)}")
        return tuple((name, codec.decode) for name, codec in codecs if name in given)

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
    return members(hint)


def _exactly(kind: type, name: str) -> Codec:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise MisfitError(repr(value), name)
        return value

    return Codec(check, check)


def _write_float(value: Any) -> float:
    # numpy's float64 is a float; its integers are no int, and no valid price.
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise MisfitError(repr(value), "a finite number")
    try:
        number = float(value)
    except OverflowError:
        raise MisfitError("a whole number that no float can hold", "a finite number") from None
    if not math.isfinite(number):
        raise MisfitError(repr(number), "a finite number")
    return number


def _read_float(value: Any) -> float:
    if type(value) is float and value - value == 0:
        return value
    if type(value) is int:
        try:
            return float(value)  # PostgreSQL writes large floats as whole numbers
        except OverflowError:
            pass
    raise MisfitError(repr(value), "a finite number")


def _write_nan_or_float(value: Any) -> float | None:
    return None if isinstance(value, float) and math.isnan(value) else _write_float(value)


def _read_nan_or_float(value: Any) -> float:
    return math.nan if value is None else _read_float(value)


def _json(value: Any) -> Any:
    """Any JSON value, with tuples as lists; the type of fields whose content is not typed."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _write_float(value)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, Mapping) and all(type(name) is str for name in value):
        return {name: _json(item) for name, item in value.items()}
    raise MisfitError(repr(value), "a JSON value")


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
            raise MisfitError(repr(value), f"one of {', '.join(known)}")
        return value

    return Codec(check, check)


def _enum(kind: type[IntEnum]) -> Codec:
    by_name = dict(kind.__members__)

    def encode(value: Any) -> str:
        if not isinstance(value, kind):
            raise MisfitError(repr(value), kind.__name__)
        return value.name

    def decode(value: Any) -> IntEnum:
        try:
            return by_name[value]
        except (KeyError, TypeError):
            raise MisfitError(repr(value), f"one of {', '.join(by_name)}") from None

    return Codec(encode, decode)


def _optional(inner: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else inner.encode(value),
        lambda value: None if value is None else inner.decode(value),
    )


def json_object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise MisfitError(repr(value), "a JSON object")
    return value


def _list(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise MisfitError(repr(value), "a list")
    return value


def _many(inner: Codec) -> Codec:
    write, read = inner
    return Codec(
        lambda value: [write(item) for item in _list(value, tuple)],
        lambda value: tuple([read(item) for item in _list(value, list)]),
    )


def _fixed(inner: tuple[Codec, ...]) -> Codec:
    size = len(inner)
    writes, reads = [codec.encode for codec in inner], [codec.decode for codec in inner]

    def sized(value: Any, kind: type) -> Any:
        if len(_list(value, kind)) != size:
            raise MisfitError(repr(value), f"a list of {size}")
        return value

    return Codec(
        lambda value: [write(item) for write, item in zip(writes, sized(value, tuple), strict=True)],
        lambda value: tuple([read(item) for read, item in zip(reads, sized(value, list), strict=True)]),
    )


def _mapping(inner: Codec) -> Codec:
    def encode(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not all(type(name) is str for name in value):
            raise MisfitError(repr(value), "a mapping of names")
        return {name: inner.encode(item) for name, item in value.items()}

    def decode(value: Any) -> dict[str, Any]:
        return {name: inner.decode(item) for name, item in json_object(value).items()}

    return Codec(encode, decode)
