"""What all sections of the settings share."""

from __future__ import annotations

from typing import Any, ClassVar

from quorate.core.errors import SettingsError


def require(section: str, name: str, value: float, low: float, high: float) -> None:
    """Refuse a value out of range.

    Raises:
        SettingsError: naming the setting, the value and the range.
    """
    if not low <= value <= high:
        raise SettingsError(
            f"use the setting {section}.{name}", found=repr(value), expected=f"a value from {low:g} to {high:g}"
        )


class Section:
    """Shared by all sections: unknown keys are refused when read from a file."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
