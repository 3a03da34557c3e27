"""Write docs/settings.md from core/sections/: every setting, its default, its values, and the comment beside it.

Run: python docs/settings_page.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from quorate.core.configuration import known_keys
from quorate.workflows.settings_schema import settings_schema

INTRODUCTION = """# Settings

All settings with their defaults. They are read from the file named by `--config` or `QUORATE_CONFIG`, else from
`quorate.toml` in the working folder. Environment variables override the file: `QUORATE_VOTE__FLOOR=0.72` sets
`vote.floor`. An unknown key is an error that names the closest match. A trained bundle keeps the vote it was trained
with: see [another floor, quorum or weights](vote.md#another-floor-quorum-or-weights).

```toml
[vote]
floor = 0.72

[models.lightgbm]
trees = 400
```

Values are fractions unless the name says otherwise.

## In an editor

Editors that know JSON schemas, such as those with Taplo (Even Better TOML in VS Code), check `quorate.toml` while you
write it, and show and complete its settings. Write the schema beside the file, and name it in the file's first line:

    quorate settings schema > quorate.schema.json

```toml
#:schema ./quorate.schema.json
[vote]
floor = 0.72
```

It also has the sections of other packages that are installed.

## In Python

`quorate.load_settings()` reads the same file and variables, `quorate.load_settings("other.toml")` another file, and
`quorate.Settings()` has the defaults:

```python
from dataclasses import replace

import quorate
from quorate.core.settings import VoteSettings

settings = replace(quorate.Settings(), vote=VoteSettings(floor=0.72))
```

## Sections of other packages

A package adds a section by an entry point of the group `quorate.settings`: its name is the section's, its value a
frozen dataclass with a default for every field. The section is checked like any other, in the file and in the
environment, and `settings.section("NAME")` returns it. Your own model has its section in `[models.NAME]`, where
`self.settings.section("NAME")` finds it, and bundles record it; `examples/outside_member` is such a package:

```toml
[project.entry-points."quorate.models"]
centroid = "quorate_centroid:Centroid"

[project.entry-points."quorate.settings"]
"models.centroid" = "quorate_centroid:CentroidSettings"
```
"""

STACK_MODELS = """\
Members of a stack have the settings of [`models`](#models), in `[stack.models.NAME]`, with the same
defaults but for these:
"""

# Longer collections are counted instead of shown.
_SHOWN = 6


def page() -> str:
    """The whole page."""
    sections = settings_schema()["properties"]
    known = set(known_keys())
    parts = [INTRODUCTION]
    for name in dict.fromkeys(key.split(".")[0] for key in known_keys()):
        parts += _section(name, sections[name], known)
    return "\n".join(parts)


def _section(name: str, schema: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    yield f"## {name}\n"
    if about := schema.get("description"):
        yield f"{about}\n"
    own = {key: one for key, one in _settings(name, schema) if key in known and not key.startswith("stack.models.")}
    for place, group in groupby(own, key=lambda key: key.rpartition(".")[0]):
        if place != name:
            yield f"### {place}\n"
        yield _table({key: own[key] for key in group})
    if name == "stack":
        members = dict(_settings("models", settings_schema()["properties"]["models"]))
        yield STACK_MODELS
        yield _table(
            {
                key: one
                for key, one in _settings(name, schema)
                if key.startswith("stack.models.") and one["default"] != members[key.removeprefix("stack.")]["default"]
            }
        )


def _settings(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Dotted name -> schema of every setting in a section and in the sections within it."""
    for key, one in schema["properties"].items():
        if "properties" in one:
            yield from _settings(f"{name}.{key}", one)
        else:
            yield f"{name}.{key}", one


def _table(settings: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        f"| `{key}` | `{_shown(one['default'])}` | {_cell(one.get('description', ''))}{_values(one)} |"
        for key, one in settings.items()
    ]
    return "\n".join(["| setting | default | |", "|---|---|---|", *rows, ""])


def _shown(default: Any) -> str:
    """A default as TOML has it."""
    if isinstance(default, Mapping):
        return "{" + ", ".join(f"{key} = {_shown(value)}" for key, value in default.items()) + "}"
    if isinstance(default, list) and len(default) > _SHOWN:
        return f"{len(default)} names"
    return json.dumps(default, ensure_ascii=False)


def _values(schema: Mapping[str, Any]) -> str:
    """Choices or range, in brackets after the description; the default shows the type of the others."""
    if choices := schema.get("enum"):
        return f" ({', '.join(f'`{choice}`' for choice in choices)})"
    return f" ({schema['minimum']:,} to {schema['maximum']:,})" if "minimum" in schema else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (Path(__file__).parent / "settings.md").write_text(page(), encoding="utf-8")
