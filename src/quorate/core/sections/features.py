"""Columns of a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section


@dataclass(frozen=True, slots=True)
class FeatureSettings(Section):
    """Where columns that are not in the catalogue come from; `train.features = "core14+name"` reads them."""

    paths: ClassVar[tuple[str, ...]] = ("modules",)

    modules: tuple[str, ...] = ()  # Python files with columns of your own, relative to the folder of quorate.toml

    def __post_init__(self) -> None:
        if isinstance(self.modules, str):
            raise SettingsError(
                "use the setting features.modules", found=repr(self.modules), expected="a list of files"
            )
        object.__setattr__(
            self, "modules", tuple(self.modules)
        )  # a list from Python: feature sets are kept by settings
