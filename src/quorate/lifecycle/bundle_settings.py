"""The settings that a bundle was trained with, from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from quorate.core.errors import BundleError, SettingsError
from quorate.core.sections.extensible import own_names
from quorate.core.settings import ModelSettings, Settings
from quorate.ensemble.bundle.manifest import Manifest

ModelsT = TypeVar("ModelsT", bound=ModelSettings)


def bundle_settings(manifest: Manifest, settings: Settings) -> Settings:
    """Settings that train as the bundle was trained.

    Members, features, seed, split, target, vote and the combiner of a stack are the bundle's. What a manifest does not
    hold, such as the choice of a policy, costs and evaluation, is as it is configured now.

    Args:
        manifest: of the bundle.
        settings: as configured.

    Raises:
        BundleError: settings that this version does not have, or out of range.
    """
    stored = manifest.settings
    try:
        train = replace(_section(type(settings.train), stored["train"]), workers=settings.train.workers)
        split = _section(type(settings.split), stored["split"])
        own = replace(settings, train=train, split=split, vote=manifest.policy)
        if manifest.recipe == "stack":
            stack = _section(type(own.stack), stored["stack"])
            return replace(
                own,
                stack=replace(stack, models=_models(own.stack.models, stored["models"])),
                target=replace(own.target, return_horizon=manifest.horizon),
            )
        return replace(
            own,
            models=_models(own.models, stored["models"]),
            target=replace(own.target, horizon=manifest.target.horizon, band=manifest.target.band),
        )
    except (SettingsError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"train as the bundle {manifest.id} was trained",
            found=f"settings that cannot be used ({error})",
            expected="the settings of this version",
            remedy="Train a champion by hand with this version.",
        ) from error


def _section(kind: type, values: Mapping[str, Any]) -> Any:
    """A section of these values. Lists of JSON become tuples, and every value is checked as one of a file is."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(values)


def _models(models: ModelsT, stored: Mapping[str, Mapping[str, Any]]) -> ModelsT:
    """The models' settings with those of the bundle's members; the documented preset would replace defaults again."""
    others, own = dict(models.others), {}
    for name, values in stored.items():
        section = _section(type(models.section(name)), values)
        if name in own_names(type(models)):
            own[name] = section
        else:
            others[name] = section
    return replace(models, **own, others=others, networks="compact")
