"""Where settings come from: a TOML file and the environment. Light: it imports no section."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PREFIX = "QUORATE_"
CONFIG_VARIABLE = "QUORATE_CONFIG"
DEFAULT_FILE = Path("quorate.toml")


def settings_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that set something: variable -> text."""
    return {name: value for name, value in environment.items() if name.startswith(PREFIX) and "__" in name}


def settings_file(environment: Mapping[str, str]) -> Path | None:
    """The file that the environment names, else ./quorate.toml where there is one."""
    named = environment.get(CONFIG_VARIABLE)
    return Path(named) if named else DEFAULT_FILE if DEFAULT_FILE.exists() else None


def anything_set() -> bool:
    """Whether a file or the environment of this process may set something; else all settings have their defaults."""
    return settings_file(os.environ) is not None or bool(settings_variables(os.environ))
