"""Schema of manifest.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class MappingOf(NamedTuple):
    """A mapping with arbitrary keys and values of one kind."""

    kind: Any


_NUMBER = (int, float)
_TEXT_OR_NONE = (str, type(None))

# A type or a tuple of types; [kind] is a list of that kind, {name: kind} a mapping with at least these keys.
MANIFEST: Mapping[str, Any] = {
    "id": str,
    "recipe": str,
    "features": {"set": str, "names": [str], "hash": str},
    "target": {"kind": str, "horizon": int},
    "policy": {
        "weights": MappingOf(_NUMBER),
        "quorum": _NUMBER,
        "quorum_of": str,
        "correlation": MappingOf(_NUMBER),
        "floor": _NUMBER,
    },
    "decides": str,
    "symbols": [str],
    "timeframe": str,
    "synthetic": bool,
    "training_span": {"from": str, "to": str},
    "fitted_until": str,
    "used_until": str,
    "rows": MappingOf(int),
    "class_prior": [_NUMBER],
    "members": [{"model": str, "native": _TEXT_OR_NONE, "graph": _TEXT_OR_NONE, "failure": _TEXT_OR_NONE}],
    "metrics": MappingOf(dict),
    "settings": MappingOf((dict, str)),  # a text: the bundle at whose weights networks began
    "versions": MappingOf(str),
    "files": MappingOf(str),
}

# User-defined columns, in the mapping "features" of bundles that have them.
OWN_COLUMNS = [{"name": str, "warmup": int, "module": str, "digest": str}]

# Pretrained weights, in the mapping "pretrained" of bundles that have members with any.
PRETRAINED = MappingOf(
    {
        **dict.fromkeys(("name", "version", "licence", "digest"), str),
        **dict.fromkeys(("cutoff", "released"), _TEXT_OR_NONE),
    }
)


def schema_mismatch(value: Any, kind: Any = MANIFEST, where: str = "") -> str | None:
    """Describe the first value of a document that does not fit the schema; None if all of it fits.

    >>> schema_mismatch({"a": [1, "2"]}, {"a": [int]})
    "a.1 is '2'"
    """
    if isinstance(kind, list):
        parts = list(enumerate(value)) if isinstance(value, list) else None
        kinds = dict.fromkeys(range(len(parts or ())), kind[0])
    elif isinstance(kind, MappingOf):
        parts = list(value.items()) if isinstance(value, dict) else None
        kinds = {key: kind.kind for key, _ in parts or ()}
    elif isinstance(kind, Mapping):
        parts = [(key, value.get(key)) for key in kind] if isinstance(value, dict) else None
        kinds = dict(kind)
    else:
        return None if isinstance(value, kind) else f"{where} is {value!r}"
    if parts is None:
        return f"{where or 'all of it'} is {value!r}"
    for key, part in parts:
        found = schema_mismatch(part, kinds[key], f"{where}.{key}".lstrip("."))
        if found is not None:
            return found
    return None
