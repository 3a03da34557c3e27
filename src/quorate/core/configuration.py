"""Settings read from quorate.toml and from the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from quorate.core.arguments import path_of, require_type
from quorate.core.errors import SettingsError, close_match
from quorate.core.redaction import register_document, register_environment
from quorate.core.regular_files import read_regular_text
from quorate.core.sections.extensible import ExtensibleSection, other_section, own_names, section_names
from quorate.core.sections.section import Section
from quorate.core.sections.sources import PREFIX, settings_file, settings_variables
from quorate.core.settings import Settings

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_MOST_BYTES = 4 << 20


def load_settings(path: Path | str | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from a TOML file and the environment; what neither sets has its default.

    The environment takes precedence: `QUORATE_VOTE__FLOOR=0.72` sets `floor` in the section `[vote]`.

    Args:
        path: the settings file; None for the file named by the variable QUORATE_CONFIG, else ./quorate.toml where
            there is one.
        environment: variables to read instead of the process's own.

    Raises:
        SettingsError: a file that cannot be read, an unknown section or key (with the close match), a value of the
            wrong type or out of range.

    >>> load_settings(environment={"QUORATE_VOTE__FLOOR": "0.72"}).vote.floor
    0.72
    """
    if path is not None:
        path_of("read the settings", "path", path, "the path of a TOML file")
    if environment is None:
        environment = os.environ
    require_type("read the settings", "environment", environment, Mapping, "a mapping from variable to text")
    variables = settings_variables(environment)
    file = Path(path) if path else settings_file(environment)
    if file is None and not variables:
        return Settings()
    values: dict[str, Any] = {}
    if file is not None:
        values = _read_toml(file)
        register_document(values)
        _refuse_unknown(values, Settings, str(file))
        values = _with_paths(values, Settings, file.absolute().parent)
    register_environment(variables)
    for name, value in variables.items():
        nested = _nested(_keys(name), _read_value(name, value))
        _refuse_unknown(nested, Settings, f"the environment variable {name}")
        values = _merge(values, nested)
    values = _with_presets(values, Settings)
    return _validate(values, str(file), {".".join(_keys(name)): name for name in variables})


def setting_sources(section: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What sets the keys of a section: key -> the variable's name, or the path of the file; defaults are left out.

    Args:
        section: its name, such as "vote".
        environment: variables to read instead of the process's own.

    Raises:
        SettingsError: a file that cannot be read.

    >>> setting_sources("vote", {"QUORATE_VOTE__FLOOR": "0.3"})
    {'floor': 'QUORATE_VOTE__FLOOR'}
    """
    if environment is None:
        environment = os.environ
    file = settings_file(environment)
    table = {} if file is None else _read_toml(file).get(section, {})
    found = dict.fromkeys(table, str(file)) if isinstance(table, Mapping) else {}
    for name in settings_variables(environment):
        where, key = (*_keys(name), "")[:2]
        if where == section:
            found[key] = name
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return _parse_toml(read_regular_text(path, _MOST_BYTES))
    except OSError as error:
        raise SettingsError(
            f"read the settings {path}", found=error.strerror or str(error), expected="a TOML file"
        ) from error
    except ValueError as error:  # UnicodeDecodeError and those of `_parse_toml`
        raise SettingsError(f"read the settings {path}", found=str(error), expected="a TOML file") from error


def _parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML document, with or without a byte order mark.

    Raises:
        ValueError: not TOML, nested too deeply, or a number that no setting can have.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise ValueError("lists and tables nested too deeply") from error
    except OverflowError as error:
        raise ValueError(f"a number out of range ({error})") from error


def _keys(variable: str) -> list[str]:
    return variable.removeprefix(PREFIX).lower().split("__")


def _read_value(variable: str, text: str) -> Any:
    """The text itself; text that begins with [ is read as a TOML list."""
    if not text.startswith("["):
        return text
    try:
        return _parse_toml(f"value = {text}")["value"]
    except ValueError as error:
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
    """Raise for the first key that is not a field of its section."""
    hints = _hints(section)
    for key, value in values.items():
        if key in own_names(section):
            kind = hints[key]
        elif issubclass(section, ExtensibleSection) and key in section_names(section):
            kind = other_section(section, key)
        else:
            known = section_names(section)
            raise SettingsError(
                f"use {source}",
                found=f"the unknown key '{'.'.join((*where, key))}'",
                expected=f"one of {', '.join(known)}" + (f" in [{'.'.join(where)}]" if where else ""),
                remedy=close_match(key, known),
            )
        if is_dataclass(kind) and isinstance(value, Mapping):
            _refuse_unknown(value, cast("type", kind), source, (*where, key))


def _with_paths(values: Mapping[str, Any], section: type[Section], folder: Path) -> dict[str, Any]:
    """Resolve relative paths of files against the folder of the settings file."""
    hints, found = _hints(cast("type", section)), dict(values)
    for key, value in values.items():
        if is_dataclass(hints.get(key)) and isinstance(value, Mapping):
            found[key] = _with_paths(value, cast("type[Section]", hints[key]), folder)
        elif key in section.paths and isinstance(value, list):
            found[key] = [
                str(folder / Path(one).expanduser()) if isinstance(one, str) and not section.is_inline(one) else one
                for one in value
            ]
    return found


def _with_presets(values: Mapping[str, Any], section: type[Section]) -> dict[str, Any]:
    """The values on top of those of the presets that they choose."""
    hints, found = _hints(cast("type", section)), dict(values)
    for setting, choices in section.presets.items():
        chosen = values.get(setting)
        if isinstance(chosen, str):
            found = _merge(choices.get(chosen, {}), found)
    for key, value in found.items():
        if is_dataclass(hints.get(key)) and isinstance(value, Mapping):
            found[key] = _with_presets(value, cast("type[Section]", hints[key]))
    return found


def _validate(values: Mapping[str, Any], file: str, variables: Mapping[str, str]) -> Settings:
    """The typed settings; an error names where the value came from, `file` or one of the variables."""
    # Imported here: a process that keeps the defaults, as most live ones do, does not need it.
    from pydantic import ValidationError

    def convert(section: type, value: Any, where: tuple[str, ...]) -> Any:
        try:
            return _adapter(section).validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            cause = first.get("ctx", {}).get("error")
            if isinstance(cause, SettingsError):
                raise cause from error
            key = ".".join(map(str, (*where, *first["loc"])))
            source = next((name for set_key, name in variables.items() if f"{key}.".startswith(f"{set_key}.")), file)
            raise SettingsError(
                f"use the setting {key} from {source}", found=repr(first["input"]), expected=first["msg"]
            ) from error

    def build(section: type, table: Mapping[str, Any], where: tuple[str, ...]) -> Any:
        """The section, whose sections are built first; those of other packages are in `others`."""
        hints = _hints(section)
        found: dict[str, Any] = {}
        others: dict[str, Any] = {}
        only_sections = True
        for key, value in table.items():
            if key not in own_names(section):
                others[key] = convert(other_section(cast("Any", section), key), value, (*where, key))
            elif is_dataclass(hints[key]) and isinstance(value, Mapping):
                found[key] = build(cast("type", hints[key]), value, (*where, key))
            else:
                found[key], only_sections = value, False
        if others:
            found["others"] = others
        # A schema of all settings takes 30 ms to make: those of the sections that are set take one each.
        return section(**found) if only_sections else convert(section, found, where)

    settings: Settings = build(Settings, values, ())
    return settings


@cache
def _hints(section: type) -> Mapping[str, Any]:
    """Field -> type of a section."""
    return get_type_hints(section)


@cache
def _adapter(section: type) -> TypeAdapter[Any]:
    """The schema of a section, for pydantic."""
    from pydantic import TypeAdapter

    return TypeAdapter(section)


def known_keys(section: type = Settings, where: tuple[str, ...] = ()) -> Iterable[str]:
    """Every setting's dotted name, for documentation and completeness tests; without those of other packages."""
    hints = _hints(section)
    for name in own_names(section):
        if is_dataclass(hints[name]):
            yield from known_keys(cast("type", hints[name]), (*where, name))
        else:
            yield ".".join((*where, name))
