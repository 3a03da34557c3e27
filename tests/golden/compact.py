"""Documents small enough to be stored: of long lists a few elements, and one digest for each column of all of them.

A digest is a text: what the column holds, the first 16 hexadecimal digits of the SHA-256 of its places and values, and
for floats the sum of their absolute values:

    float 1f0e... 1234.5    some value is a float
    id 1f0e...              some value names something by its content: a bundle, data, settings
    exact 1f0e...           anything else
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

#: The key that marks a list that is stored so.
LIST = "long list"

_LONGEST = 12
_SHOWN = 4

#: What names something by its content: 16 hexadecimal digits a bundle, data or settings, 64 a file.
ID = re.compile(r"\b(?:[0-9a-f]{16}|[0-9a-f]{64})\b")


def compact(node: Any) -> Any:
    """The document, with every list of more than 12 elements as its length, a few of them and digests of all.

    >>> short = compact(list(range(100)))[LIST]
    >>> short["length"], short["elements"]
    (100, {'0': 0, '33': 33, '66': 66, '99': 99})
    >>> short["columns"]
    {'': 'exact dd96f86ae37fd89e'}
    >>> compact([1, 2])
    [1, 2]
    """
    if isinstance(node, dict):
        return {key: compact(value) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    if len(node) <= _LONGEST:
        return [compact(value) for value in node]
    places = sorted({round(number * (len(node) - 1) / (_SHOWN - 1)) for number in range(_SHOWN)})
    columns: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for place, value in enumerate(node):
        for column, where, leaf in _leaves(value, "", str(place)):
            columns[column].append((where, leaf))
    return {
        LIST: {
            "length": len(node),
            "elements": {str(place): compact(node[place]) for place in places},
            "columns": {name: _digest(values) for name, values in sorted(columns.items())},
        }
    }


def _leaves(node: Any, column: str, where: str) -> Iterator[tuple[str, str, Any]]:
    """Column, place and value of every leaf; what is empty is a leaf too."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from _leaves(value, f"{column}.{key}", where)
    elif isinstance(node, list) and node:
        for place, value in enumerate(node):
            yield from _leaves(value, f"{column}[]", f"{where},{place}")
    else:
        yield column, where, node


def _digest(values: list[tuple[str, Any]]) -> str:
    text = "\n".join(f"{where} {json.dumps(value, ensure_ascii=False)}" for where, value in values)
    digits = sha256(text.encode()).hexdigest()[:16]
    floats = [abs(value) for _, value in values if isinstance(value, float)]
    if floats:
        return f"float {digits} {math.fsum(floats)!r}"
    named = any(isinstance(value, str) and ID.search(value) for _, value in values)
    return f"id {digits}" if named else f"exact {digits}"
