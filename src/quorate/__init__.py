"""Quorate: an ensemble of forecasting models for crypto markets that acts only when enough of them agree.

Every public name is loaded on first use, so that `import quorate` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from quorate.core.errors import QuorateError as QuorateError
    from quorate.core.types import Abstention as Abstention
    from quorate.core.types import Action as Action
    from quorate.core.types import Candles as Candles
    from quorate.core.types import DecisionFrame as DecisionFrame
    from quorate.core.types import Funding as Funding
    from quorate.core.types import Signal as Signal
    from quorate.core.types import Vote as Vote
    from quorate.ensemble.inference.async_predictor import Agent as Agent
    from quorate.ensemble.inference.loading import load_bundle as load_bundle
    from quorate.ensemble.inference.predictor import Bundle as Bundle
    from quorate.ensemble.voting.vote import decide as decide
    from quorate.features.build import build as features
    from quorate.features.catalogue import feature_names as feature_names
    from quorate.market.files.freqtrade_folder import load_candles as load_candles

# name here -> (module, name there); `features` is the folder itself, which can be called: a function of that name
# would be replaced by the folder as soon as anything imports from it.
_PUBLIC: dict[str, tuple[str, str | None]] = {
    "Abstention": ("core.types", "Abstention"),
    "Action": ("core.types", "Action"),
    "Agent": ("ensemble.agent", "Agent"),
    "Bundle": ("ensemble.predictor", "Bundle"),
    "Candles": ("core.types", "Candles"),
    "DecisionFrame": ("core.types", "DecisionFrame"),
    "Funding": ("core.types", "Funding"),
    "QuorateError": ("core.errors", "QuorateError"),
    "Signal": ("core.types", "Signal"),
    "Vote": ("core.types", "Vote"),
    "decide": ("ensemble.vote", "decide"),
    "feature_names": ("features.catalogue", "feature_names"),
    "features": ("features", None),
    "load_bundle": ("ensemble.loading", "load_bundle"),
    "load_candles": ("market.freqtrade_files", "load_candles"),
}

__all__ = [
    "Abstention",
    "Action",
    "Agent",
    "Bundle",
    "Candles",
    "DecisionFrame",
    "Funding",
    "QuorateError",
    "Signal",
    "Vote",
    "decide",
    "feature_names",
    "features",
    "load_bundle",
    "load_candles",
]


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'quorate' has no attribute {name!r}") from None
    folder = import_module(f"quorate.{module}")
    value = folder if attribute is None else getattr(folder, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
