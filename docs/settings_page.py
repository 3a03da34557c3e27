"""Write docs/settings.md from core/sections/: every setting, its default, and the comment beside it.

Run: python docs/settings_page.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.core import settings
from quorate.core.configuration import known_keys

INTRODUCTION = """# Settings

All settings with their defaults. They are read from the file named by `--config` or `QUORATE_CONFIG`, else from
`quorate.toml` in the working folder. Environment variables override the file: `QUORATE_VOTE__FLOOR=0.72` sets
`vote.floor`. An unknown key is an error that names the closest match.

```toml
[vote]
floor = 0.72

[models.lightgbm]
trees = 400
```

Values are fractions unless the name says otherwise.

In Python, `quorate.load_settings()` reads the same file and variables, `quorate.load_settings("other.toml")` another
file, and `quorate.Settings()` has the defaults:

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

## Sections of Quorate

| setting | default | |
|---|---|---|
"""

# Longer collections are counted instead of shown.
_SHOWN = 6


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join(map(_row, known_keys())) + "\n"


def _row(key: str) -> str:
    section: Any = settings.Settings()
    *path, name = key.split(".")
    for part in path:
        section = getattr(section, part)
    return f"| `{key}` | `{_shown(getattr(section, name))}` | {_comment(type(section), name)} |"


def _comment(section: type, name: str) -> str:
    """Comment of a field, in its own class or in the one that it is inherited from."""
    for kind in section.__mro__[:-1]:
        found = re.search(rf"^    {name}: .*  # (.*)$", inspect.getsource(kind), flags=re.MULTILINE)
        if found:
            return found[1]
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(dict(value))
    if isinstance(value, tuple | frozenset) and len(value) > _SHOWN:
        return f"{len(value)} names"
    return str(value)


if __name__ == "__main__":
    (Path(__file__).parent / "settings.md").write_text(page(), encoding="utf-8")
