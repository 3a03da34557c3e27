"""Settings of own feature columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quorate.core.sections.section import Section, file_list


@dataclass(frozen=True, slots=True)
class FeatureSettings(Section):
    """Files with feature columns beside the catalogue; `train.features = "core14+name"` uses them."""

    paths: ClassVar[tuple[str, ...]] = ("modules",)

    modules: tuple[str, ...] = ()  # Python files with columns of your own, relative to the folder of quorate.toml

    def __post_init__(self) -> None:
        # Hashable, since feature sets are cached by settings.
        object.__setattr__(self, "modules", file_list("features.modules", self.modules))
