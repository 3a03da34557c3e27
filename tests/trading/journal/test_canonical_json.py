"""Records to canonical JSON and back, to the last bit; invalid values are refused both ways."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import IntEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import parse_ms
from quorate.core.errors import JournalError
from quorate.core.types import Action, Vote
from quorate.trading import Order
from quorate.trading.journal import (
    RECORDS,
    DecidedRecord,
    IntentRecord,
    MovedRecord,
    Record,
    StartedRecord,
    ValuedRecord,
)
from quorate.trading.journal.canonical_json import decode, encode
from quorate.trading.journal.records import DETAIL_FIELDS, NAN_FIELDS
from quorate.trading.paper.log_lines import words

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PLAIN = {int: st.integers(-(2**53), 2**53), bool: st.booleans(), str: st.text(), float: FINITE, Any: JSON}

DECIDED = DecidedRecord(1, "A", Action.BUY, 0.8, 0.7, "strong", "vote", "line", None, "full")


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field of this type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if hint is NoneType:
        return st.none()
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[values(argument) for argument in arguments])
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(st.text(), values(arguments[1]), max_size=3)
    if issubclass(hint, IntEnum):
        return st.sampled_from(list(hint))
    return st.builds(
        hint,
        **{
            name: values(field) | st.just(math.nan) if name in NAN_FIELDS.get(hint, ()) else values(field)
            for name, field in get_type_hints(hint).items()
            if name != "kind"
        },
    )


def same(left: Any, right: Any) -> bool:
    """Equal in type and to the last bit, NaN and the sign of zero included."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left.hex() == right.hex()
    if is_dataclass(left):
        return all(same(getattr(left, field.name), getattr(right, field.name)) for field in fields(left))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def again(record: Record) -> Record:
    body = encode(record)
    symbol, order_id = getattr(record, "symbol", None), getattr(record, "order_id", None)
    return decode(record.kind, record.time, symbol, order_id, body)


@pytest.mark.parametrize("kind", RECORDS.values(), ids=RECORDS)
@given(data=st.data())
def test_every_record_comes_back_to_the_last_bit(kind, data):
    record = data.draw(values(kind))
    body = encode(record)
    assert body.isascii()
    assert json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")) == body
    back = again(record)
    assert same(back, record)
    assert encode(back) == body
    assert back.key == record.key


@pytest.mark.parametrize("kind", RECORDS.values(), ids=RECORDS)
@settings(max_examples=5)
@given(data=st.data())
def test_every_record_has_words(kind, data):
    said = words(replace(data.draw(values(kind)), time=parse_ms("2025-05-01")))
    assert said.startswith("2025-05-01 00:00 ")
    assert said != f"2025-05-01 00:00 {kind.kind}", "a sentence of its own"


def test_a_body_is_what_the_table_shows():
    record = ValuedRecord(7, "close", equity_usd=1000.1, cash_usd=990, marks={})
    written = json.loads(encode(record))
    assert written["equity_usd"] == 1000.1
    assert repr(written["cash_usd"]) == "990.0"
    assert "time" not in written
    order = Order("BTC/USDT:USDT", 1, 0, 5, 0.8, math.nan)
    assert json.loads(encode(IntentRecord(0, "a1", order)))["order"]["atr"] is None
    assert math.isnan(again(IntentRecord(0, "a1", order)).order.probability)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (math.nan, "stop = nan"),
        (math.inf, "stop = inf"),
        ("1", "stop = '1'"),
        (True, "stop = True"),
        (None, "stop = None"),
        (np.int64(1), r"stop = np.int64\(1\)"),
    ],
)
def test_a_value_that_does_not_fit_is_not_written(value, found):
    with pytest.raises(JournalError, match=f"moved:A:1.*{found}.*finite"):
        encode(MovedRecord(1, "A", value))


def test_a_float_of_numpy_is_a_float():
    assert encode(MovedRecord(1, "A", np.float64(0.1))) == '{"stop":0.1}'


def test_settings_may_hold_what_json_has_and_nothing_else():
    started = StartedRecord(0, 0, "replay", "b", "s", "vote", "1h", ("A",), settings={"vote": {"pools": (4, 2, 1)}})
    assert again(started).settings == {"vote": {"pools": [4, 2, 1]}}
    for bad in (math.nan, {1: 2}, {"a": object()}):
        with pytest.raises(JournalError, match="settings"):
            encode(replace(started, settings={"x": bad}))


def test_a_record_that_the_journal_does_not_know_is_not_written():
    @dataclass(frozen=True, slots=True)
    class Rumour(Record):
        kind = "rumour"

        @property
        def key(self):
            return "rumour:0"

    with pytest.raises(JournalError, match="'rumour'"):
        encode(Rumour(0))

    @dataclass(frozen=True, slots=True)
    class Sideways(MovedRecord):
        pass

    with pytest.raises(JournalError, match="Sideways"):
        encode(Sideways(0, "A", 1.0))


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("rumour", "{}", "unknown kind 'rumour'"),
        ("moved", '{"stop":1.0,"colour":"red"}', "unknown field 'colour'"),
        ("moved", "{}", "no field 'stop'"),
        ("moved", '{"stop":NaN}', "NaN"),
        ("moved", '{"stop":1e999}', "inf"),
        ("moved", '{"stop":"1"}', "moved.stop: '1'"),
        ("moved", '{"stop":1.0,"time":5}', "time, symbol, order_id in the body"),
        ("moved", '{"stop":1.0} ', "nothing after"),
        ("moved", "[1.0]", "JSON object"),
        ("moved", '{"stop":1.0', "delimiter"),
    ],
)
def test_a_body_that_does_not_fit_is_not_read(kind, body, said):
    with pytest.raises(JournalError, match=said):
        decode(kind, 1, "A", "a1", body)


def test_what_does_not_fit_inside_is_named():
    vote = Vote("xgboost", Action.BUY, 0.8)
    body = json.loads(encode(replace(DECIDED, votes=(vote,))))
    body["votes"][0]["score"] = "high"
    with pytest.raises(JournalError, match=r"decided.votes.score: 'high'; expected a finite number"):
        decode("decided", 1, "A", None, json.dumps(body))


def test_a_field_that_came_later_has_its_default_in_old_bodies():
    body = json.loads(encode(DECIDED))
    del body["probabilities"], body["votes"]
    assert decode("decided", 1, "A", None, json.dumps(body)) == DECIDED


def test_what_a_reader_may_leave_out_has_defaults():
    for kind, names in DETAIL_FIELDS.items():
        known = {field.name: field for field in fields(kind)}
        assert not any(known[name].default is known[name].default_factory is MISSING for name in names)


@pytest.mark.parametrize(
    "stop",
    ["9" * 400, "-" + "9" * 5000, "1e999", "-1e999", "NaN", "[" * 100_000, '{"a":' * 100_000, '"' + chr(0xD800) + '"'],
)
def test_a_hostile_body_is_an_error_of_the_journal(stop):
    with pytest.raises(JournalError, match="read the journal"):
        decode("moved", 1, "A", None, f'{{"stop":{stop}}}')


def test_a_number_that_no_float_can_hold_is_not_written():
    with pytest.raises(JournalError, match="no float can hold"):
        encode(MovedRecord(1, "A", 10**400))
