"""Name -> builder of every member there is: ours, and those of other packages.

Another package adds a member by an entry point of the group "quorate.models" that names a subclass of `Model`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from quorate.core.errors import ModelError, close_match
from quorate.core.settings import ModelSettings
from quorate.models.base import Model, Task

ENTRY_POINTS = "quorate.models"

# name -> (module, class); a module is imported only when its model is asked for.
_OURS = {
    "xgboost": ("quorate.models.xgboost", "XGBoost"),
    "lightgbm": ("quorate.models.lightgbm", "LightGBM"),
    "logistic": ("quorate.models.logistic", "Logistic"),
    "nhits": ("quorate.models.networks.nhits", "NHiTS"),
    "patchtst": ("quorate.models.networks.patchtst.member", "PatchTST"),
    "lstm": ("quorate.models.networks.lstm", "LSTM"),
}


def names() -> tuple[str, ...]:
    """Every registered model, ours first."""
    others = sorted(point.name for point in entry_points(group=ENTRY_POINTS) if point.name not in _OURS)
    return (*_OURS, *others)


def require_known(name: str) -> None:
    """Refuse a name that no one registered.

    Raises:
        ModelError: naming the close match.
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
    if name in _OURS:
        module, attribute = _OURS[name]
        found = getattr(import_module(module), attribute)
    else:
        (point,) = entry_points(group=ENTRY_POINTS, name=name)
        found = point.load()
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise ModelError(f"use the model '{name}'", found=repr(found), expected="a subclass of quorate.models.Model")
    return found


def build(name: str, task: Task, settings: ModelSettings, *, seed: int, threads: int = 0) -> Model:
    """A new, unfitted member."""
    return model_class(name)(task, settings, seed=seed, threads=threads)
