"""A small synthetic market, and bundles of trees and a network that were trained on its first part."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from quorate.core.clock import HOUR_MS
from quorate.core.configuration import load_settings
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.runs.member_figures import floors_of, measure_of

BARS, TRAIN_BARS = 1_000, 700
SMALL = {
    "QUORATE_MODELS__XGBOOST__TREES": "12",
    "QUORATE_MODELS__XGBOOST__COLSAMPLE_NODE": "1",
    "QUORATE_MODELS__LIGHTGBM__TREES": "12",
    "QUORATE_MODELS__LIGHTGBM__RANDOM_SPLITS": "false",
    "QUORATE_MODELS__NHITS__WINDOW": "24",
    "QUORATE_MODELS__NHITS__HIDDEN": "[24, 16, 16]",
    "QUORATE_MODELS__NHITS__EPOCHS": "2",
    "QUORATE_STACK__MODELS__XGBOOST__TREES": "20",
    "QUORATE_STACK__MODELS__LIGHTGBM__TREES": "40",
    "QUORATE_STACK__MODELS__NHITS__WINDOW": "24",
    "QUORATE_STACK__MODELS__NHITS__HIDDEN": "[24, 16, 16]",
    "QUORATE_STACK__MODELS__NHITS__EPOCHS": "2",
    "QUORATE_STACK__FOLDS": "2",
    "QUORATE_STACK__ROUND_TRIP": "0.00001",
    "QUORATE_STACK__CONFIDENCE_ROWS": "40",
    "QUORATE_TRAIN__THREADS": "1",
    "QUORATE_TRAIN__FEATURES": "core14",
    "QUORATE_TRAIN__HEAD": "classes",
    "QUORATE_POLICY__NAME": "classic",
    "QUORATE_POLICY__REFIT": "none",
    "QUORATE_EVALUATION__RESAMPLES": "60",
}


def make_explained(folder: Path) -> SimpleNamespace:
    """Candles of two markets, a bundle that votes, a stack, and the first bar that neither was trained on."""
    market = SyntheticMarket(seed=3, symbols=2, bars=BARS, edge=0.3)
    market.write(folder / "data")
    panel = {name: market.candles(name) for name in market.names}
    end = int(panel[market.names[0]].time[0]) + TRAIN_BARS * HOUR_MS
    settings = load_settings(environment=SMALL)
    bundles = {}
    models = ("xgboost", "lightgbm", "nhits")
    for recipe in ("vote", "stack"):
        measure, floors = measure_of(recipe, settings), floors_of(settings)
        spec = TrainingSpec(models=models, settings=settings, recipe=recipe, end=end, measure=measure, floors=floors)
        bundles[recipe] = train_ensemble(panel, "1h", spec, folder / recipe).path
    return SimpleNamespace(
        data=folder / "data",
        panel=panel,
        symbol=market.names[0],
        end=end,
        bundle=bundles["vote"],
        stack=bundles["stack"],
        settings=settings,
        environment=SMALL,
    )
