"""JSON with comments and trailing commas, as Freqtrade's configurations are written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from quorate.core.errors import SettingsError
from quorate.core.untrusted_json import InvalidJSONError, parse_json

# A string, or what is skipped: comments, and a comma before the end of a list or an object.
_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[\]}}])")


def parse_commented_json(text: str, name: str) -> Any:
    """Parse JSON with // and /* */ comments and trailing commas.

    Raises:
        SettingsError: invalid JSON, with line and column.

    >>> parse_commented_json('{"a": [1, 2,], /* of the user */ "b": "//no comment", } // end', "config.json")
    {'a': [1, 2], 'b': '//no comment'}
    """
    try:
        # Freqtrade reads the last of keys that occur twice.
        return parse_json(_plain(text), repeated_keys=True)
    except InvalidJSONError as error:
        raise SettingsError(
            f"read {name}",
            found=str(error),
            expected="JSON, in which comments and trailing commas are allowed",
        ) from error


def set_value(text: str, keys: Sequence[str], value: Any) -> str:
    r"""Set one value in a document of objects; every other character, comments included, stays.

    Args:
        text: valid, as `parse_commented_json` takes it; an object.
        keys: of the value, from the outermost object inwards. Where the last one is missing, it is added; where an
            outer one is, it is added with the others as its value.
        value: any JSON value.

    >>> print(set_value('{"a": {"b": 1, /* mine */ "c": 2}}', ("a", "b"), "x"))
    {"a": {"b": "x", /* mine */ "c": 2}}
    >>> print(set_value('{\n    "a": 1 // mine\n}', ("b", "c"), True))
    {
        "a": 1, // mine
        "b": {
            "c": true
        }
    }
    """
    plain = _plain(text)
    begin = _skip(plain, 0)
    end_of_value = len(text)
    for depth, key in enumerate(keys):
        if plain[begin] != "{":  # no object: it is replaced by one
            return f"{text[:begin]}{_written(_nested(keys[depth:], value), depth)}{text[end_of_value:]}"
        members = _members(plain, begin)
        if key not in members:
            member = f"{json.dumps(key)}: {_written(_nested(keys[depth + 1 :], value), depth + 1)}"
            return _with_member(text, plain, begin, members, f"\n{'    ' * (depth + 1)}{member}\n{'    ' * depth}")
        begin, end_of_value = members[key]
    return f"{text[:begin]}{_written(value, len(keys))}{text[end_of_value:]}"


def _plain(text: str) -> str:
    """The document with blanks in place of comments and trailing commas, so that every position is the text's."""
    return _TRAILING_COMMA.sub(_without_comma, _COMMENT.sub(lambda found: _blank(found[0]), text))


def _members(plain: str, begin: int) -> dict[str, tuple[int, int]]:
    """Key -> beginning and end of its value, of the object that begins at a position; the last of equal keys counts."""
    found: dict[str, tuple[int, int]] = {}
    decoder = json.JSONDecoder()
    place = _skip(plain, begin + 1)
    while plain[place] != "}":
        key, place = decoder.raw_decode(plain, place)
        value = _skip(plain, _skip(plain, place) + 1)  # behind the colon
        _, end = decoder.raw_decode(plain, value)
        found[key] = value, end
        place = _skip(plain, end)
        if plain[place] == ",":
            place = _skip(plain, place + 1)
    return found


def _with_member(text: str, plain: str, begin: int, members: dict[str, tuple[int, int]], added: str) -> str:
    """The document with a member at the end of the object that begins at a position, behind its comments."""
    last = max((end for _, end in members.values()), default=begin + 1)
    close = _skip(plain, last)
    kept = text[last:close].rstrip()
    comma = "," if members and "," not in _COMMENT.sub(lambda found: _blank(found[0]), kept) else ""
    return f"{text[:last]}{comma}{kept}{added}{text[close:]}"


def _nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _skip(plain: str, place: int) -> int:
    """Position of the next character that is not blank."""
    while plain[place] in " \t\r\n":
        place += 1
    return place


def _written(value: Any, depth: int) -> str:
    return json.dumps(value, indent=4).replace("\n", "\n" + "    " * depth)


def _blank(text: str) -> str:
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _without_comma(found: re.Match[str]) -> str:
    """Replace a comma after a value by a blank; a comma after nothing is kept, and is an error."""
    after_value = found.string[: found.start()].rstrip()[-1:] not in ("", "[", "{", ",", ":")
    return " " if found[0] == "," and after_value else found[0]
