"""The two kinds of ensemble: members that vote, and members that are stacked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """Task, target and default members of a kind of ensemble.

    Attributes:
        task: of every member.
        target: name of the kind of target, as in the manifest.
        models: default members, registered names in order.
    """

    name: RecipeName
    task: Task
    target: str
    models: tuple[str, ...]

    def horizon(self, settings: TargetSettings) -> int:
        """Bars that a label looks ahead."""
        return settings.horizon if self.task == "class" else settings.return_horizon

    def make_target(self, settings: TargetSettings) -> Target:
        """The target of the members."""
        from quorate.targets import ForwardClass, ForwardReturn  # imported here: inference needs no labels

        if self.task == "class":
            return ForwardClass(settings.horizon, settings.band)
        return ForwardReturn(settings.return_horizon)

    def features(self, settings: Settings) -> str:
        """Name of the members' feature set."""
        return settings.train.features if self.name == "vote" else settings.stack.features

    def first_bar(self, panel: Mapping[str, Candles], start: int | None, settings: Settings) -> int | None:
        """Open time in ms of the first bar that may give a row: `start`, for a stack plus its warm-up."""
        if self.name == "vote" or not settings.stack.warmup_bars:
            return start
        panel_from_start = [candles.between(start) for candles in panel.values()]
        first = min((int(candles.time[0]) for candles in panel_from_start if len(candles)), default=start)
        timeframe = next(iter(panel.values())).timeframe
        return None if first is None else first + settings.stack.warmup_bars * timeframe_ms(timeframe)

    def model_settings(self, settings: Settings) -> ModelSettings:
        """Settings of the members: those of a stack are separate, with the files of `models.modules` and its own."""
        if self.name == "vote":
            return settings.models
        files = dict.fromkeys((*settings.models.modules, *settings.stack.models.modules))
        return replace(settings.stack.models, modules=tuple(files))


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe("vote", "class", "ForwardClass", ("xgboost", "lightgbm", "nhits", "patchtst")),
            Recipe("stack", "return", "ForwardReturn", ("lstm", "lightgbm", "xgboost")),
        )
    }
)
