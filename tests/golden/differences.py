"""Where two documents differ, to the last bit or within what another machine may do to them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from golden.compact import ID, LIST

#: exact: to the last bit. close: floats within 1e-9 of each other, ids by where they occur and not by what they are,
#: without what rounding alone may turn. outline: only keys of a document and the length of a list.
Mode = Literal["exact", "close", "outline"]

_ABSOLUTE, _RELATIVE = 1e-12, 1e-9

#: Key -> relative tolerance of what lies below it. An optimiser stops a step sooner or later: maps from scores to
#: probabilities move in the eighth digit, a logistic regression on some processors in the sixth. The probability of
#: overfitting counts ranks of accounts, some of which differ by rounding alone.
LOOSE = {"probabilities": 1e-6, "plots": 1e-6, "logistic": math.inf, "overfitting": math.inf}

_KEY = re.compile(r"[^.\[\]]*")
_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


_MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two documents differ.

    Attributes:
        path: keys and places from the root.
        before, after: what stands there.
    """

    path: str
    before: Any
    after: Any

    def wording(self, *, words: bool = False) -> bool:
        """Both are sentences with the same numbers in the same order; with `words`, single words are sentences too.

        >>> Difference("", "3 of 4 members agree", "3 members of 4 agree").wording()
        True
        >>> Difference("", "3 of 4 members agree", "3 of 5 members agree").wording()
        False
        """
        if not all(isinstance(text, str) and (words or " " in text) for text in (self.before, self.after)):
            return False
        return _NUMBER.findall(self.before) == _NUMBER.findall(self.after)

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.before)} -> {_shown(self.after)}"


def differences(before: Any, after: Any, mode: Mode = "exact") -> list[Difference]:
    """Every place where `after` is not what `before` was.

    >>> [str(found) for found in differences({"a": 1, "b": [2.0]}, {"a": 1, "b": [2.5], "c": None})]
    ['b[0]: 2.0 -> 2.5', 'c: nothing -> null']
    >>> differences({"a": 1.0}, {"a": 1.0 + 1e-12}, "close"), len(differences({"a": 1.0}, {"a": 1}, "close"))
    ([], 1)
    """
    if mode == "outline":
        return list(_compare(_outline(before), _outline(after), "", 0.0))
    if mode == "close":
        before, after = _by_occurrence(before), _by_occurrence(after)
    return list(_compare(before, after, "", 0.0 if mode == "exact" else _RELATIVE))


def _compare(before: Any, after: Any, path: str, tolerance: float) -> Iterator[Difference]:
    if tolerance == math.inf and not (before is _MISSING or after is _MISSING):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            where = f"{path}.{key}" if path else key
            # The key may be that of a column of a long list, with all the keys that lead there.
            loose = max(tolerance, *(LOOSE.get(part, 0.0) for part in _KEY.findall(key))) if tolerance else 0.0
            yield from _compare(before.get(key, _MISSING), after.get(key, _MISSING), where, loose)
    elif isinstance(before, list) and isinstance(after, list):
        for place, (one, other) in enumerate(zip_longest(before, after, fillvalue=_MISSING)):
            yield from _compare(one, other, f"{path}[{place}]", tolerance)
    elif not (_same(before, after) or (tolerance and _close(before, after, tolerance))):
        yield Difference(path, before, after)


def _same(before: Any, after: Any) -> bool:
    # 1, 1.0 and True are equal in Python and are three things in JSON; so are 0.0 and -0.0.
    return type(before) is type(after) and repr(before) == repr(after)


def _close(before: Any, after: Any, tolerance: float) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return math.isclose(before, after, rel_tol=tolerance, abs_tol=_ABSOLUTE)
    if isinstance(before, str) and isinstance(after, str):
        (kind, *rest), (other, *others) = before.split(" "), after.split(" ")
        if kind == other == "float" and len(rest) == len(others) == 2:
            return math.isclose(float(rest[1]), float(others[1]), rel_tol=tolerance, abs_tol=_ABSOLUTE)
        return kind == other == "id" and len(rest) == len(others) == 1
    return False


def _by_occurrence(document: Any) -> Any:
    """The document with `<id 1>`, `<id 2>` ... for ids in the order in which they occur."""
    known: dict[str, str] = {}

    def replace(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: value if key == "columns" else replace(value) for key, value in node.items()}
        if isinstance(node, list):
            return [replace(value) for value in node]
        if isinstance(node, str):
            return ID.sub(lambda found: known.setdefault(found[0], f"<id {len(known) + 1}>"), node)
        return node

    return replace(document)


def _outline(document: Any) -> Any:
    if isinstance(document, dict):
        return {"length": document[LIST]["length"]} if LIST in document else sorted(document)
    return {"length": len(document)} if isinstance(document, list) else type(document).__name__


def _shown(value: Any) -> str:
    if value is _MISSING:
        return repr(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."
