"""The two ways of making an ensemble from the same models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from quorate.core.clock import timeframe_ms

if TYPE_CHECKING:
    from quorate.core.settings import ModelSettings, Settings, TargetSettings
    from quorate.core.types import Candles
    from quorate.models import Task
    from quorate.targets import Target

RecipeName = Literal["vote", "stack"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What its members learn, and who they are unless others are named.

    Attributes:
        task: of every member.
        target: name of the kind of target, as the manifest has it.
        models: registered names, in order.
    """

    name: RecipeName
    task: Task
    target: str
    models: tuple[str, ...]

    def horizon(self, settings: TargetSettings) -> int:
        """Bars that a label looks ahead."""
        return settings.horizon if self.task == "class" else settings.return_horizon

    def make_target(self, settings: TargetSettings) -> Target:
        """What its members learn to predict."""
        from quorate.targets import ForwardClass, ForwardReturn  # here, because who only predicts needs no labels

        if self.task == "class":
            return ForwardClass(settings.horizon, settings.band)
        return ForwardReturn(settings.return_horizon)

    def features(self, settings: Settings) -> str:
        """Name of the feature set that its members read."""
        return settings.train.features if self.name == "vote" else settings.stack.features

    def first_bar(self, panel: Mapping[str, Candles], start: int | None, settings: Settings) -> int | None:
        """The first bar that may give a row, ms: `start`, or after a stack's warm-up counted from there on."""
        if self.name == "vote" or not settings.stack.warmup_bars:
            return start
        opened = [candles.between(start) for candles in panel.values()]
        first = min((int(candles.time[0]) for candles in opened if len(candles)), default=start)
        timeframe = next(iter(panel.values())).timeframe
        return None if first is None else first + settings.stack.warmup_bars * timeframe_ms(timeframe)

    def model_settings(self, settings: Settings) -> ModelSettings:
        """The members' settings: the stack's trees are more and slower."""
        return settings.models if self.name == "vote" else settings.stack.models


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe("vote", "class", "ForwardClass", ("xgboost", "lightgbm", "nhits", "patchtst")),
            Recipe("stack", "return", "ForwardReturn", ("lstm", "lightgbm", "xgboost")),
        )
    }
)
