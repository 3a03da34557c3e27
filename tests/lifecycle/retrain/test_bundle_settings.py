"""The settings of a training come back from the manifest of its bundle."""

import json
from dataclasses import asdict, replace

import pytest

from quorate.core.errors import BundleError
from quorate.core.sections.stack import StackModelSettings
from quorate.core.settings import (
    LSTMSettings,
    ModelSettings,
    NHiTSSettings,
    PatchTSTSettings,
    Settings,
    SplitSettings,
    StackSettings,
    TargetSettings,
    TrainSettings,
    VoteSettings,
    XGBoostSettings,
)
from quorate.lifecycle.bundle_settings import bundle_settings

MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst", "lstm")
TRAINED = replace(
    Settings(),
    train=TrainSettings(features="core14", head="classes", seed=3, threads=2, workers=4),
    split=SplitSettings(train=0.6, validation=0.2, embargo_bars=9),
    vote=VoteSettings(floor=0.6, weights={"xgboost": 0.7}),
    target=TargetSettings(horizon=7, band=0.01, return_horizon=4),
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=11),
        nhits=NHiTSSettings(window=24, hidden=(32, 24, 16)),
        patchtst=PatchTSTSettings(window=24),
        lstm=LSTMSettings(window=12),
    ),
)


def manifest(world, settings, recipe="vote"):
    """A manifest as the builder of a bundle writes it, and as it is read again."""
    from quorate.ensemble.bundle.bundle_store import BundleStore

    models = settings.models if recipe == "vote" else settings.stack.models
    tree = {
        "train": {key: value for key, value in asdict(settings.train).items() if key != "workers"},
        "split": asdict(settings.split),
        "models": models.to_json(MEMBERS),
    }
    if recipe == "stack":
        tree["stack"] = {key: value for key, value in asdict(settings.stack).items() if key != "models"}
    found = BundleStore(world.bundles).manifest(world.champion)
    target = settings.target if recipe == "vote" else TargetSettings(return_horizon=settings.target.return_horizon)
    return replace(found, recipe=recipe, settings=json.loads(json.dumps(tree)), target=target, policy=settings.vote)


@pytest.mark.parametrize("networks", ["compact", "documented"])
def test_what_trained_is_what_trains_again(world, networks):
    configured = replace(Settings(), models=ModelSettings(networks=networks), train=TrainSettings(workers=3))
    found = bundle_settings(manifest(world, TRAINED), configured)
    assert found.train == replace(TRAINED.train, workers=3)  # processes of a walk-forward: of this machine
    for section in ("split", "vote", "target"):
        assert getattr(found, section) == getattr(TRAINED, section)
    for name in MEMBERS:
        assert asdict(getattr(found.models, name)) == asdict(getattr(TRAINED.models, name))
    assert (found.costs, found.evaluation, found.policy) == (configured.costs, configured.evaluation, configured.policy)


def test_of_a_stack_too(world):
    stack = StackSettings(
        folds=3, warmup_bars=40, method="lasso", models=StackModelSettings(xgboost=XGBoostSettings(trees=9))
    )
    trained = replace(TRAINED, stack=stack, target=TargetSettings(return_horizon=6))
    found = bundle_settings(manifest(world, trained, "stack"), Settings())
    assert found.stack.method == "lasso"
    assert (found.stack.folds, found.stack.warmup_bars, found.target.return_horizon) == (3, 40, 6)
    for name in MEMBERS:
        assert asdict(getattr(found.stack.models, name)) == asdict(getattr(stack.models, name))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("train"),
        lambda tree: tree["models"]["xgboost"].update(trees=-1),
        lambda tree: tree["models"].update(potluck={"a": 1}),
        lambda tree: tree["split"].update(shares=3),
        lambda tree: tree.update(models=[]),
    ],
)
def test_settings_of_another_version_are_an_error_that_says_what_to_do(world, change):
    found = manifest(world, TRAINED)
    tree = json.loads(json.dumps(found.settings))
    change(tree)
    with pytest.raises(BundleError, match="Train a champion by hand"):
        bundle_settings(replace(found, settings=tree), Settings())
