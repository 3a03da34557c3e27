"""Base class of the sections, and the check of a range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from quorate.core.arguments import NUMBER, TEXT, require_types
from quorate.core.errors import SettingsError


def require(section: str, name: str, value: float, low: float, high: float) -> None:
    """Check that a value is in its range, ends included.

    Raises:
        SettingsError: it is not; the message names the setting, the value and the range.
    """
    if not NUMBER.accepts(value) or not low <= value <= high:
        raise SettingsError(
            f"use the setting {section}.{name}",
            found=repr(value),
            expected=f"a value from {_plain(low)} to {_plain(high)}",
        )


def _plain(number: float) -> str:
    """The number in the shortest form that is exact."""
    return short if float(short := f"{number:g}") == number else f"{number:.15g}"


def file_list(setting: str, files: Any) -> tuple[str, ...]:
    """The files of a setting as a tuple; a list from Python becomes hashable.

    Raises:
        SettingsError: a single file instead of a list.
    """
    if isinstance(files, str):
        raise SettingsError(f"use the setting {setting}", found=repr(files), expected="a list of files")
    return tuple(files)


class Section:
    """Base of all sections: pydantic refuses unknown keys.

    Attributes:
        paths: settings that are lists of files; relative ones start at the folder of the settings file.
        presets: setting -> its value -> settings of this section that it sets where nothing else does.
    """

    paths: ClassVar[tuple[str, ...]] = ()
    presets: ClassVar[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {}
    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    @classmethod
    def is_inline(cls, text: str) -> bool:
        """Whether an entry of a list of files is a value itself and not a file; the sections that allow it say so."""
        require_types("read a list of files", text=(text, TEXT))
        return False
