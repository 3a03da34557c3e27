"""Train an ensemble on a span of candles and publish it as a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, Unpack, get_args

from quorate.core.errors import ArgumentError, close_match
from quorate.core.progress import Progress, RunEstimate, silent
from quorate.workflows.inputs.arguments import (
    folder_of,
    require_arguments,
    require_callback,
    settings_of,
    with_features,
)
from quorate.workflows.inputs.market_data import Data, read_panel
from quorate.workflows.inputs.selection import Selection, open_selection, split_names
from quorate.workflows.results.training import TrainResult
from quorate.workflows.runs.training_spec import complete_spec

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.recipes import RecipeName
    from quorate.ensemble.training.timing import Stage
    from quorate.ensemble.training.train_ensemble import TrainingSpec

#: How a stack combines its members.
Method: TypeAlias = Literal["ridge", "lasso", "forest", "blending", "voting"]


def train(
    data: Data,
    out: str | Path,
    *,
    recipe: RecipeName = "vote",
    method: Method | None = None,
    models: Sequence[str] | str | None = None,
    features: str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> TrainResult:
    """Train every member on the same rows and publish the bundle.

    It becomes the champion of its folder if there is none and it was measured on at least `bundle.evidence` test rows.
    Its card, a page about it, is written beside its files.

    Called again with the same arguments, an interrupted training is resumed.

    Args:
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        out: folder of bundles; created if missing.
        recipe: "vote" for members that score classes and vote, "stack" for members that predict returns which are
            combined.
        method: how a stack combines its members, instead of the setting `stack.method`.
        models: registered names in order, as a sequence or a text with commas; None for those of the recipe.
        features: feature set, instead of the setting `train.features` or `stack.features`; "auto" has the columns of a
            vote chosen on the training rows.
        settings: None for those of quorate.toml and the environment.
        progress: called with each stage's name, units done and units in all.
        **selection: `symbols` or `top`, `timeframe`, `start` and `end`, see `Selection`.

    Raises:
        ArgumentError: arguments that are missing or contradict each other.
        DataError: candles that cannot be read or used, or no row with every feature and a label.
        FeatureError: an unknown feature set or column.
        ModelError: an unknown or repeated name, or fewer than two members (or the only one) could be trained.
    """
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.ensemble.training.timing import stage
    from quorate.ensemble.training.train_ensemble import train_ensemble
    from quorate.evaluation.cards.write_card import attempt_card
    from quorate.market.quality.quiet_bars import count_quiet
    from quorate.workflows.runs.first_champion import promote_first

    require_arguments(train, selection, Selection.__optional_keys__)
    require_callback(progress=progress)
    progress = RunEstimate.of(progress)  # names what slows the run
    folder = folder_of("out", out)
    store = BundleStore(folder)
    if folder.is_dir():
        store.champion()  # a damaged pointer is an error before hours of training
    spec = training_spec(recipe, method, models, settings, features)
    source, markets = open_selection(data, selection, spec.settings)
    stages: list[Stage] = []
    with stage("candles", stages):
        panel = read_panel(source, markets.timeframe, markets.symbols, progress, start=markets.start, end=markets.end)
    spec = replace(spec, start=markets.start, end=markets.end)
    trained = train_ensemble(panel, markets.timeframe, spec, folder, progress=progress, stages=stages, promote=False)
    result = TrainResult(trained, count_quiet(panel, markets.start, markets.end))
    result.require_summary()
    champion = promote_first(store, trained.manifest, spec.settings.bundle, "the first bundle")
    return replace(result, champion=champion, card_failure=attempt_card(result.path))


def training_spec(
    recipe: RecipeName,
    method: Method | None,
    models: Sequence[str] | str | None,
    settings: Settings | None,
    features: str | None = None,
) -> TrainingSpec:
    """The specification of a training over an open span, from the arguments of `train` and `train_rolling`.

    Raises:
        ArgumentError: an unknown recipe or method, a method without a stack, or `features` that is no text.
        ModelError: an unknown model; the close match is named.
        SettingsError: a file of models of your own that cannot be read or fails.
    """
    from quorate.ensemble.recipes import RECIPES
    from quorate.models.registry import require_known

    if not isinstance(recipe, str) or recipe not in RECIPES:
        raise ArgumentError(
            "choose the `recipe`",
            found=repr(recipe),
            expected=f"one of {', '.join(RECIPES)}",
            remedy=close_match(str(recipe), RECIPES),
        )
    settings = with_features(settings_of(settings), features, recipe)
    if method is not None:
        if recipe != "stack":
            raise ArgumentError("choose the `method`", found=f"`recipe` {recipe}", expected="`recipe` stack")
        if method not in get_args(Method):
            raise ArgumentError(
                "choose the `method`",
                found=repr(method),
                expected=f"one of {', '.join(get_args(Method))}",
                remedy=close_match(str(method), get_args(Method)),
            )
        settings = replace(settings, stack=replace(settings.stack, method=method))
    members = split_names(models, "models") or RECIPES[recipe].models
    for name in members:
        require_known(name, RECIPES[recipe].model_settings(settings))
    return complete_spec(members, recipe, settings)
