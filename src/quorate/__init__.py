"""Quorate: an ensemble of forecasting models for crypto markets that acts only when enough of them agree.

Public names are loaded on first use, so that `import quorate` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import quorate.features  # noqa: F401 - loaded before the function of that name, which a later import then keeps
from quorate.core.deferred import deferred
from quorate.core.version import __version__ as __version__

if TYPE_CHECKING:
    from quorate.book.bundle import load_book as load_book
    from quorate.core.configuration import load_settings as load_settings
    from quorate.core.errors import QuorateError as QuorateError
    from quorate.core.settings import Settings as Settings
    from quorate.core.types import Abstention as Abstention
    from quorate.core.types import Action as Action
    from quorate.core.types import Candles as Candles
    from quorate.core.types import DecisionFrame as DecisionFrame
    from quorate.core.types import Float32Array
    from quorate.core.types import Funding as Funding
    from quorate.core.types import Signal as Signal
    from quorate.core.types import Vote as Vote
    from quorate.ensemble.bundle.bundle_store import BundleStore as BundleStore
    from quorate.ensemble.inference.async_predictor import Agent as Agent
    from quorate.ensemble.inference.loading import load_bundle as load_bundle
    from quorate.ensemble.inference.predictor import Bundle as Bundle
    from quorate.ensemble.voting.vote import decide as decide
    from quorate.evaluation.cards.write_card import write_card as write_card
    from quorate.evaluation.lookahead.checks import check_features as check_features
    from quorate.evaluation.lookahead.checks import check_model as check_model
    from quorate.evaluation.lookahead.checks import check_strategy as check_strategy
    from quorate.features.bars import Bars
    from quorate.features.catalogue import FeatureSet
    from quorate.features.catalogue import feature_names as feature_names
    from quorate.features.context import Context
    from quorate.features.own import feature as feature
    from quorate.lifecycle.explain.explain_market import explain as explain
    from quorate.lifecycle.retrain.retrain_champion import retrain as retrain
    from quorate.lifecycle.retrain.status import retraining_status as retraining_status
    from quorate.market.files.freqtrade_folder import load_candles as load_candles
    from quorate.models.base import Model as Model
    from quorate.workflows.backtest import backtest as backtest
    from quorate.workflows.book.backtest import backtest_book as backtest_book
    from quorate.workflows.book.evaluate import evaluate_book as evaluate_book
    from quorate.workflows.book.signal import target_book as target_book
    from quorate.workflows.book.train import train_book as train_book
    from quorate.workflows.check import check as check
    from quorate.workflows.check import check_own_columns as check_own_columns
    from quorate.workflows.check import list_candles as list_candles
    from quorate.workflows.demo import demo as demo
    from quorate.workflows.download import download as download
    from quorate.workflows.evaluate import evaluate as evaluate
    from quorate.workflows.import_candles import import_candles as import_candles
    from quorate.workflows.paper import PaperAccount as PaperAccount
    from quorate.workflows.runs import RunRecord as RunRecord
    from quorate.workflows.signals import signals as signals
    from quorate.workflows.train import train as train
    from quorate.workflows.train_rolling import train_rolling as train_rolling
    from quorate.workflows.volatility import volatility as volatility
    from quorate.workflows.volatility import volatility_frame as volatility_frame
    from quorate.workflows.walk_forward import walk_forward as walk_forward

_find, _names = deferred(
    __name__,
    {
        "book.bundle": "load_book",
        "core.configuration": "load_settings",
        "core.errors": "QuorateError",
        "core.settings": "Settings",
        "core.types": "Abstention Action Candles DecisionFrame Funding Signal Vote",
        "ensemble.bundle.bundle_store": "BundleStore",
        "ensemble.inference.async_predictor": "Agent",
        "ensemble.inference.loading": "load_bundle",
        "ensemble.inference.predictor": "Bundle",
        "ensemble.voting.vote": "decide",
        "evaluation.lookahead.checks": "check_features check_model check_strategy",
        "features.catalogue": "feature_names",
        "features.own": "feature",
        "evaluation.cards.write_card": "write_card",
        "lifecycle.explain.explain_market": "explain",
        "lifecycle.retrain.retrain_champion": "retrain",
        "lifecycle.retrain.status": "retraining_status",
        "market.files.freqtrade_folder": "load_candles",
        "models.base": "Model",
        "workflows.backtest": "backtest",
        "workflows.book.backtest": "backtest_book",
        "workflows.book.evaluate": "evaluate_book",
        "workflows.book.signal": "target_book",
        "workflows.book.train": "train_book",
        "workflows.check": "check check_own_columns list_candles",
        "workflows.demo": "demo",
        "workflows.download": "download",
        "workflows.evaluate": "evaluate",
        "workflows.import_candles": "import_candles",
        "workflows.paper": "PaperAccount",
        "workflows.runs": "RunRecord",
        "workflows.signals": "signals",
        "workflows.train": "train",
        "workflows.train_rolling": "train_rolling",
        "workflows.volatility": "volatility volatility_frame",
        "workflows.walk_forward": "walk_forward",
    },
)

__all__ = sorted([*_names, "features"])


def features(
    candles: Candles | Bars, features: str | FeatureSet, context: Context | None = None, *, newest: int | None = None
) -> Float32Array:
    """Compute the features of every bar.

    Args:
        candles: of one market, oldest first; or `Bars` of them, which keep what several feature sets share.
        features: name of a feature set, with columns of your own after a plus sign: "core14", "core14+my_column".
        context: the other markets, funding and the like, for the columns that need them.
        newest: compute only so many of the newest rows, with the same values.

    Returns:
        (n, F) or (newest, F) float32, columns as in `feature_names`; NaN only in the declared warm-up rows.

    Raises:
        ArgumentError: not candles, such as a pandas frame.
        FeatureError: an unknown set or column, or a column that fails its checks.

    >>> import quorate
    >>> from quorate.market import SyntheticMarket
    >>> candles = SyntheticMarket(seed=1, symbols=1, bars=100).candles("SYNA/USDT:USDT")
    >>> quorate.features(candles, "core14").shape
    (100, 14)
    """
    from quorate.core.arguments import WHOLE, Kind, require_types
    from quorate.core.errors import ArgumentError
    from quorate.core.types import Candles
    from quorate.features.bars import Bars
    from quorate.features.build_matrix import build
    from quorate.features.context import Context

    if not isinstance(candles, Candles | Bars):
        raise ArgumentError(
            "compute features",
            found=f"`candles` of type {type(candles).__name__}",
            expected="Candles",
            remedy='Convert a pandas frame: quorate.Candles.from_pandas(frame, "BTC/USDT:USDT", "1h").',
        )
    require_types(
        "compute features",
        context=(context, Kind((Context,), "a context of other markets").optional),
        newest=(newest, WHOLE.optional),
    )
    if newest is not None and newest < 0:
        raise ArgumentError("compute features", found=f"`newest` {newest}", expected="a number of rows, at least 0")
    return build(candles, features, context, newest=newest)


def __getattr__(name: str) -> Any:
    return _find(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
