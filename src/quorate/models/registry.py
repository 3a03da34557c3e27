"""Registry of models: the built-in ones, those of installed packages, and those of files that the settings name.

A package registers a model by an entry point of the group "quorate.models" that names a subclass of `Model`; a Python
file is named by the setting `models.modules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points

from quorate.core.errors import ModelError, close_match
from quorate.core.machine import wait_passively
from quorate.core.settings import ModelSettings
from quorate.models.base import Model, Task
from quorate.models.own_models import own_models

ENTRY_POINTS = "quorate.models"

# name -> (module, class); a module is imported when its model is first used.
_BUILT_IN = {
    "xgboost": ("quorate.models.trees.xgboost", "XGBoost"),
    "lightgbm": ("quorate.models.trees.lightgbm", "LightGBM"),
    "catboost": ("quorate.models.trees.catboost", "CatBoost"),
    "extra_trees": ("quorate.models.trees.extra_trees", "ExtraTrees"),
    "logistic": ("quorate.models.linear.logistic", "Logistic"),
    "tabm": ("quorate.models.networks.tabular.tabm", "TabM"),
    "tabnet": ("quorate.models.networks.tabular.tabnet", "TabNet"),
    "qda": ("quorate.models.linear.qda", "QDA"),
    "log_har": ("quorate.models.log_har", "LogHAR"),
    "nhits": ("quorate.models.networks.nhits", "NHiTS"),
    "patchtst": ("quorate.models.networks.patchtst.member", "PatchTST"),
    "lstm": ("quorate.models.networks.recurrent.lstm", "LSTM"),
    "dlinear": ("quorate.models.networks.dlinear", "DLinear"),
    "gru": ("quorate.models.networks.recurrent.gru", "GRU"),
    "tcn": ("quorate.models.networks.tcn", "TCN"),
    "inception": ("quorate.models.networks.inception", "Inception"),
    "minirocket": ("quorate.models.networks.minirocket.member", "MiniRocket"),
    "tide": ("quorate.models.networks.tide", "TiDE"),
    "tft": ("quorate.models.networks.tft.member", "TFT"),
    "fracast": ("quorate.models.pretrained.fracast", "Fracast"),
}


def names(settings: ModelSettings | None = None) -> tuple[str, ...]:
    """Names of all registered models: the built-in ones, then those of packages and of files.

    Args:
        settings: whose `modules` are read; None for no files.

    Raises:
        SettingsError: a file cannot be read or fails.
        ModelError: a name that is registered twice, or a file without a model.
    """
    others = sorted(point.name for point in entry_points(group=ENTRY_POINTS) if point.name not in _BUILT_IN)
    own = {} if settings is None else own_models(settings)
    for name in own:
        if name in _BUILT_IN or name in others:
            raise ModelError(
                f"use the model '{name}' of {own[name].module}",
                found="a model of that name " + ("in Quorate" if name in _BUILT_IN else "in an installed package"),
                expected="another name",
            )
    return (*_BUILT_IN, *others, *own)


def require_known(name: str, settings: ModelSettings | None = None) -> None:
    """Raise for a name that is not registered.

    Args:
        name: of a model.
        settings: as for `names`.

    Raises:
        ModelError: with the closest registered name; or as for `names`.
        SettingsError: as for `names`.
    """
    known = names(settings)
    if name not in known:
        raise ModelError(
            f"find the model '{name}'",
            found="no such model",
            expected=f"one of {', '.join(known)}",
            remedy=close_match(name, known),
        )


def model_class(name: str, settings: ModelSettings | None = None) -> type[Model]:
    """The class registered under a name.

    Args:
        name: of a model.
        settings: as for `names`.

    Raises:
        ModelError: no such model, or an entry point that does not name a Model; or as for `names`.
        MissingExtraError: its library is not installed.
        SettingsError: as for `names`.
    """
    wait_passively()  # before a library of training is loaded
    require_known(name, settings)
    own = None if settings is None else own_models(settings).get(name)
    if own is not None:
        return own.model
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        found = getattr(import_module(module), attribute)
    else:
        (point,) = entry_points(group=ENTRY_POINTS, name=name)
        found = point.load()
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise ModelError(f"use the model '{name}'", found=repr(found), expected="a subclass of quorate.models.Model")
    return found


def build(
    name: str, task: Task, settings: ModelSettings, *, seed: int, threads: int = 0, features: Sequence[str] = ()
) -> Model:
    """A new, unfitted model.

    Args:
        name: as registered.
        task: "class" or "return".
        settings: of all models; the model reads its own section, and `modules` are files with further models.
        seed: of all random numbers.
        threads: 0 for every core.
        features: (F,) names of the columns that it will be fitted on; models that look columns up by name need them.

    Raises:
        ModelError: no such model.
        MissingExtraError: its library is not installed.
        SettingsError: a file of `modules` cannot be read or fails.
    """
    model = model_class(name, settings)(task, settings, seed=seed, threads=threads)
    model.feature_names = tuple(features)
    return model
