"""Registry of models: the built-in ones and those of installed packages.

A package registers a model by an entry point of the group "quorate.models" that names a subclass of `Model`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from quorate.core.errors import ModelError, close_match
from quorate.core.settings import ModelSettings
from quorate.models.base import Model, Task

ENTRY_POINTS = "quorate.models"

# name -> (module, class); a module is imported when its model is first used.
_BUILT_IN = {
    "xgboost": ("quorate.models.xgboost", "XGBoost"),
    "lightgbm": ("quorate.models.lightgbm", "LightGBM"),
    "logistic": ("quorate.models.logistic", "Logistic"),
    "nhits": ("quorate.models.networks.nhits", "NHiTS"),
    "patchtst": ("quorate.models.networks.patchtst.member", "PatchTST"),
    "lstm": ("quorate.models.networks.lstm", "LSTM"),
}


def names() -> tuple[str, ...]:
    """Names of all registered models, the built-in ones first."""
    others = sorted(point.name for point in entry_points(group=ENTRY_POINTS) if point.name not in _BUILT_IN)
    return (*_BUILT_IN, *others)


def require_known(name: str) -> None:
    """Raise for a name that is not registered.

    Raises:
        ModelError: with the closest registered name.
    """
    if name not in names():
        raise ModelError(
            f"find the model '{name}'",
            found="no such model",
            expected=f"one of {', '.join(names())}",
            remedy=close_match(name, names()),
        )


def model_class(name: str) -> type[Model]:
    """The class registered under a name.

    Raises:
        ModelError: no such model, or an entry point that does not name a Model.
        MissingExtraError: its library is not installed.
    """
    require_known(name)
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        found = getattr(import_module(module), attribute)
    else:
        (point,) = entry_points(group=ENTRY_POINTS, name=name)
        found = point.load()
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise ModelError(f"use the model '{name}'", found=repr(found), expected="a subclass of quorate.models.Model")
    return found


def build(name: str, task: Task, settings: ModelSettings, *, seed: int, threads: int = 0) -> Model:
    """A new, unfitted model.

    Args:
        name: as registered.
        task: "class" or "return".
        settings: of all models; the model reads its own section.
        seed: of all random numbers.
        threads: 0 for every core.

    Raises:
        ModelError: no such model.
        MissingExtraError: its library is not installed.
    """
    return model_class(name)(task, settings, seed=seed, threads=threads)
