"""The stack: members that predict returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.core.settings.models import LightGBMSettings, ModelSettings, XGBoostSettings
from quorate.core.settings.section import Section


def _models() -> ModelSettings:
    return ModelSettings(
        xgboost=XGBoostSettings(trees=300), lightgbm=LightGBMSettings(trees=500, learning_rate=0.05, patience=50)
    )


@dataclass(frozen=True, slots=True)
class StackSettings(Section):
    """Its members' own figures, where they differ from the vote's."""

    models: ModelSettings = field(default_factory=_models)
