"""Limits of JSON documents that others may have written."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.untrusted_json import InvalidJSONError, parse_json, read_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(values)
def test_what_the_writer_of_the_standard_library_wrote_is_read_as_it_was(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("[1e999]", "1e999, which is not finite"),
        ("[-1E+0400]", "not finite"),
        ("1" * 400 + ".5", "not finite"),
        ("[NaN]", "NaN in place of a number"),
        ("[-Infinity]", "-Infinity in place of a number"),
        ("9" * 309, "309 digits"),
        ("9" * 5000, "5000 digits"),
        ("[" * 65 + "]" * 65, "more than 64"),
        ("[" * 200_000, "more than 64"),
        ('{"a":' * 100_000, "more than 64"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' twice"),
        (r'["\ud800"]', "half of a surrogate pair"),
        (r'{"\udfff": 1}', "half of a surrogate pair"),
        (b"\xff\xfe[\x001\x00]\x00", "byte 1 is not UTF-8"),
        (b'["\xe9"]', "byte 3 is not UTF-8"),
        ("", "line 1, column 1"),
        ("{}\n x", "line 2, column 2"),
    ],
)
def test_documents_outside_the_limits(document, found):
    with pytest.raises(InvalidJSONError, match=found):
        parse_json(document)


def test_limits_are_inclusive_and_a_mark_and_whole_pairs_are_read():
    assert parse_json("[" * 64 + "]" * 64)
    assert parse_json("9" * 308) == int("9" * 308)
    assert parse_json("1e308") == 1e308
    assert parse_json("1e-999") == 0.0
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]
    assert parse_json(r'"\ud83d\ude00"') == "\U0001f600"
    assert parse_json('{"a": 1, "a": 2}', repeated_keys=True) == {"a": 2}
    with pytest.raises(InvalidJSONError, match="4 bytes, more than 3"):
        parse_json(b"[10]", most_bytes=3)


def test_texts_that_hold_brackets_have_no_depth():
    assert parse_json(json.dumps(["[" * 500])) == ["[" * 500]


def test_files(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b'{"a": 1}')
    assert read_json(path) == {"a": 1}
    with pytest.raises(OSError, match="more than 7"):
        read_json(path, most_bytes=7)
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path)


@given(st.text() | st.binary())
def test_no_other_error(document):
    with suppress(InvalidJSONError):
        parse_json(document)
