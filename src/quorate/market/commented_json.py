"""JSON with comments and trailing commas, as Freqtrade's configurations are written."""

from __future__ import annotations

import re
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
    # Comments and commas are replaced by blanks, so that line and column of an error are those of the file.
    plain = _COMMENT.sub(lambda found: _blank(found[0]), text)
    plain = _TRAILING_COMMA.sub(_without_comma, plain)
    try:
        # Freqtrade reads the last of keys that occur twice.
        return parse_json(plain, repeated_keys=True)
    except InvalidJSONError as error:
        raise SettingsError(
            f"read {name}",
            found=str(error),
            expected="JSON, in which comments and trailing commas are allowed",
        ) from error


def _blank(text: str) -> str:
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _without_comma(found: re.Match[str]) -> str:
    """Replace a comma after a value by a blank; a comma after nothing is kept, and is an error."""
    after_value = found.string[: found.start()].rstrip()[-1:] not in ("", "[", "{", ",", ":")
    return " " if found[0] == "," and after_value else found[0]
