"""What a training of a recipe's members is given, whoever starts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.workflows.runs.member_figures import agreement_of, choice_of, description_of, floors_of, measure_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.recipes import RecipeName
    from quorate.ensemble.training.train_ensemble import TrainingSpec


def complete_spec(models: Sequence[str], recipe: RecipeName, settings: Settings) -> TrainingSpec:
    """The training of these members on all candles, with the figures and files that every bundle has.

    Args:
        models: known members of the recipe.
        recipe: vote or stack.
        settings: of the training.
    """
    from quorate.ensemble.training.train_ensemble import TrainingSpec

    return TrainingSpec(
        models=models,
        settings=settings,
        recipe=recipe,
        measure=measure_of(recipe, settings),
        floors=floors_of(settings),
        agreement=agreement_of(settings),
        describe=description_of(settings),
        choose=choice_of(settings),
    )
