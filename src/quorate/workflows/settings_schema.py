"""The settings as a JSON schema, with which editors check and complete quorate.toml."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from functools import cache
from typing import Any, cast

from quorate.core.errors import SettingsError
from quorate.core.sections.extensible import ExtensibleSection, own_names, section_names

# What a section answers to a number out of its range, see `core.sections.section.require`.
_RANGE = re.compile(r"a value from (\S+) to (\S+)")


def settings_schema() -> dict[str, Any]:
    """JSON schema (draft 7) of quorate.toml: type, default, description, choices and range of every setting.

    Sections that other installed packages add are in it. A section refuses keys that it does not know, as
    `load_settings` does; what a section checks of several settings together is not in the schema.

    Raises:
        SettingsError: a section of another package that cannot be loaded.

    >>> settings_schema()["properties"]["vote"]["properties"]["floor"]["default"]
    0.69
    """
    from quorate.core.settings import Settings

    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of Quorate",
        **_section(Settings()),
    }


def description(section: type, name: str) -> str:
    """What a setting means: the comment beside it, in its own class or in the one that it is inherited from."""
    for kind in section.__mro__[:-1]:
        found = re.search(rf"^    {name}: [^#\n]*  # (.*)$", _source(kind), flags=re.MULTILINE)
        if found:
            return found[1]
    return ""


@cache
def _source(section: type) -> str:
    return inspect.getsource(section)


def _section(section: Any) -> dict[str, Any]:
    """Schema of a section, its values the defaults."""
    kind: type = type(section)
    types = _types(kind)
    found = {
        name: _section(value) if is_dataclass(value) else _setting(section, name, types[name])
        for name, value in ((name, getattr(section, name)) for name in own_names(kind))
    }
    if isinstance(section, ExtensibleSection):
        others = [name for name in section_names(kind) if name not in found]
        found |= {name: _section(section.section(name)) for name in others}
    return {
        "type": "object",
        **({"description": about} if (about := _about(kind)) else {}),
        "properties": found,
        "additionalProperties": False,
    }


def _about(section: type) -> str:
    """First paragraph of a section's own docstring, in one line; without one, dataclasses make one of the fields."""
    text = vars(section).get("__doc__") or ""
    return "" if text.startswith(f"{section.__name__}(") else " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


@cache
def _types(section: type) -> Mapping[str, Any]:
    """Setting -> its type, as pydantic describes it."""
    from pydantic import TypeAdapter

    found = _types_of_quorate().get(section.__name__) if section.__module__.startswith("quorate.core.") else None
    found = TypeAdapter(section).json_schema() if found is None else found
    return cast("Mapping[str, Any]", found.get("properties", {}))


@cache
def _types_of_quorate() -> Mapping[str, Mapping[str, Any]]:
    """Name of each class of sections within others -> its schema: one for all takes a tenth of the time."""
    from pydantic import TypeAdapter

    from quorate.core.settings import Settings

    return cast("Mapping[str, Mapping[str, Any]]", TypeAdapter(Settings).json_schema()["$defs"])


def _setting(section: Any, name: str, kind: Mapping[str, Any]) -> dict[str, Any]:
    value = getattr(section, name)
    default = dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
    about = description(type(section), name)
    return {
        # Lists of given types, one each, are `items` in draft 7.
        **{key.replace("prefixItems", "items"): what for key, what in kind.items() if key not in ("title", "default")},
        **_range(section, name, kind.get("type")),
        "default": default,
        **({"description": about} if about else {}),
    }


def _range(section: Any, name: str, kind: Any) -> dict[str, float]:
    """Range of a number, from the error of a value that is out of it; nothing where only other settings limit it."""
    if kind not in ("number", "integer"):
        return {}
    try:
        replace(section, **{name: float("inf")})
    except SettingsError as error:
        found = _RANGE.fullmatch(error.expected)
        if found and error.attempted.endswith(f".{name}"):
            low, high = map(float, found.groups())
            # A default outside stands for something else, such as -1 for a cost that is computed.
            default = getattr(section, name)
            ends = {"minimum": min(low, default), "maximum": max(high, default)}
            return {key: int(end) if float(end).is_integer() else end for key, end in ends.items()}
    except (ValueError, TypeError, ArithmeticError):  # another package's own check, in its own words
        return {}
    return {}
