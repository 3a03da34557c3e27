"""quorate.toml and the environment, into typed settings.

The file is the one named by --config or QUORATE_CONFIG, else ./quorate.toml if there is one. The environment comes
before the file: QUORATE_VOTE__FLOOR=0.72 sets `floor` of the section `[vote]`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from quorate.core.errors import SettingsError, close_match
from quorate.core.settings import Settings

PREFIX = "QUORATE_"
CONFIG_VARIABLE = "QUORATE_CONFIG"
DEFAULT_FILE = Path("quorate.toml")


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force.

    Args:
        path: the settings file; None for QUORATE_CONFIG or ./quorate.toml.
        environment: variables to read; None for the process's own.

    Raises:
        SettingsError: a file that cannot be read, an unknown key (the close match is named), a wrong type or range.
    """
    environment = os.environ if environment is None else environment
    variables = {name: value for name, value in environment.items() if name.startswith(PREFIX) and "__" in name}
    named = path or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    file = named or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    if file is None and not variables:
        return Settings()
    values: dict[str, Any] = {}
    if file is not None:
        values = _read_toml(file)
        _refuse_unknown(values, Settings, str(file))
    for name, value in variables.items():
        nested = _nested(_keys(name), _read_value(name, value))
        _refuse_unknown(nested, Settings, f"the environment variable {name}")
        values = _merge(values, nested)
    return _validate(values, str(file), {".".join(_keys(name)): name for name in variables})


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"read the settings {path}", found=error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"read the settings {path}", found=str(error), expected="a TOML file") from error


def _keys(variable: str) -> list[str]:
    return variable.removeprefix(PREFIX).lower().split("__")


def _read_value(variable: str, text: str) -> Any:
    """A text as it is; a list as TOML has it, since no text says one."""
    if not text.startswith("["):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"read the environment variable {variable}", found=repr(text), expected="a list, such as [4, 2, 1]"
        ) from error


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    tree: Any = value
    for key in reversed(keys):
        tree = {key: tree}
    return dict(tree)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def _refuse_unknown(values: Mapping[str, Any], section: type, source: str, where: tuple[str, ...] = ()) -> None:
    """Walk the tables beside the dataclasses; the first key that no section has is refused."""
    hints = get_type_hints(section)
    known = [field.name for field in fields(section)]
    for key, value in values.items():
        if key not in known:
            raise SettingsError(
                f"use {source}",
                found=f"the unknown key '{'.'.join((*where, key))}'",
                expected=f"one of {', '.join(known)}" + (f" in [{'.'.join(where)}]" if where else ""),
                remedy=close_match(key, known),
            )
        if is_dataclass(hints[key]) and isinstance(value, Mapping):
            _refuse_unknown(value, cast("type", hints[key]), source, (*where, key))


def _validate(values: dict[str, Any], file: str, variables: Mapping[str, str]) -> Settings:
    """The typed settings; a wrong one is told with where it came from, `file` or one of the variables."""
    # Imported here: a process that keeps the defaults, as most live ones do, never pays for it.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Settings).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, SettingsError):
            raise cause from error
        where = ".".join(str(part) for part in first["loc"])
        source = next((name for key, name in variables.items() if f"{where}.".startswith(f"{key}.")), file)
        raise SettingsError(
            f"use the setting {where} from {source}", found=repr(first["input"]), expected=first["msg"]
        ) from error


def known_keys(section: type = Settings, where: tuple[str, ...] = ()) -> Iterable[str]:
    """Every setting's dotted name, for documentation and completeness tests."""
    hints = get_type_hints(section)
    for field in fields(section):
        hint = hints[field.name]
        if is_dataclass(hint):
            yield from known_keys(cast("type", hint), (*where, field.name))
        else:
            yield ".".join((*where, field.name))
