"""Models in Python files that the setting `models.modules` names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import isabstract

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.core.user_modules import UserModule, load_user_module
from quorate.models.base import Model

SETTING = "models.modules"


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A model from a user's file.

    Attributes:
        model: the class.
        module: name of the file, such as "my_models.py".
        digest: SHA-256 of the file's source, in hexadecimal.
    """

    model: type[Model]
    module: str
    digest: str


def own_models(settings: ModelSettings) -> dict[str, OwnModel]:
    """Name -> model, for every subclass of `Model` that the files define.

    Abstract classes, and classes that a file imports, are left out.

    Raises:
        SettingsError: a file cannot be read or fails.
        ModelError: a class without a name, two classes with one name, or a file without a model.
    """
    found: dict[str, OwnModel] = {}
    for path in settings.modules:
        file = load_user_module(path, SETTING)
        for model in _defined(file):
            name = getattr(model, "name", None)
            if not isinstance(name, str) or not name.isidentifier():
                raise ModelError(
                    f"use the class {model.__name__} of {file.name}",
                    found=f"the name {name!r}",
                    expected="a class attribute `name` of letters, digits and underscores",
                )
            if name in found:
                raise ModelError(
                    f"use the model '{name}'",
                    found=f"it in {found[name].module} and in {file.name}",
                    expected="one model of that name",
                )
            found[name] = OwnModel(model, file.name, file.digest)
    return found


def own_sources(names: Iterable[str], settings: ModelSettings) -> Mapping[str, str]:
    """File name -> SHA-256 of its source, for the files that define some of these models.

    Raises:
        SettingsError, ModelError: as `own_models`.
    """
    found = own_models(settings)
    return {found[name].module: found[name].digest for name in names if name in found}


def _defined(file: UserModule) -> list[type[Model]]:
    models = [
        value
        for value in dict.fromkeys(value for value in file.values() if isinstance(value, type))
        if issubclass(value, Model) and value.__module__ == file.module.__name__ and not isabstract(value)
    ]
    if not models:
        raise ModelError(
            f"load {file.name}, which the setting {SETTING} names",
            found="no model",
            expected="a subclass of quorate.Model with all its methods",
        )
    return models
