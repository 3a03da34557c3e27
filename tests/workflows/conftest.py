"""A small synthetic market on disk, and bundles trained on its first part, by calls of the library."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.configuration import load_settings
from quorate.ensemble.training.train_ensemble import train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.runs.training_spec import complete_spec

MEMBERS = ("xgboost", "lightgbm")
BARS, TRAIN_BARS = 900, 700
SMALL = {
    "QUORATE_MODELS__XGBOOST__TREES": "12",
    "QUORATE_MODELS__XGBOOST__COLSAMPLE_NODE": "1",
    "QUORATE_MODELS__LIGHTGBM__TREES": "12",
    "QUORATE_MODELS__LIGHTGBM__RANDOM_SPLITS": "false",
    "QUORATE_STACK__MODELS__XGBOOST__TREES": "20",
    "QUORATE_STACK__MODELS__LIGHTGBM__TREES": "40",
    "QUORATE_STACK__FOLDS": "2",
    "QUORATE_STACK__ROUND_TRIP": "0.00001",
    "QUORATE_STACK__CONFIDENCE_ROWS": "40",
    "QUORATE_TRAIN__THREADS": "1",
    # A bundle of a few days would be closed.
    "QUORATE_POLICY__NAME": "classic",
    # Neither would they show a direction, nor leave many rows after the warm-up of core30.
    "QUORATE_TRAIN__FEATURES": "core14",
    "QUORATE_TRAIN__HEAD": "classes",
    "QUORATE_POLICY__REFIT": "none",
    "QUORATE_EVALUATION__RESAMPLES": "60",
    "QUORATE_GUARDS__MODELS": "2",
    # No mean confidence reaches this: its guard halts after five signals.
    "QUORATE_GUARDS__CONFIDENCE": "0.99",
    "QUORATE_GUARDS__SIGNALS": "5",
    "QUORATE_GUARDS__SIGNALS_NEEDED": "5",
}


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Candles, a bundle that votes, a stack, and the first bar that neither was trained on."""
    folder = tmp_path_factory.mktemp("world")
    market = SyntheticMarket(seed=3, symbols=3, bars=BARS, edge=0.3)
    market.write(folder / "data")
    end = int(market.candles(market.names[0]).time[0]) + TRAIN_BARS * HOUR_MS
    panel = {name: market.candles(name) for name in market.names[:2]}
    settings = load_settings(environment=SMALL)
    bundles = {}
    for recipe in ("vote", "stack"):
        spec = replace(complete_spec(MEMBERS, recipe, settings), end=end)
        bundles[recipe] = train_ensemble(panel, "1h", spec, folder / recipe).path
    return SimpleNamespace(
        data=folder / "data", market=market, bundle=bundles["vote"], stack=bundles["stack"], end=end, start=iso_ms(end)
    )


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """Small settings, and a folder of the test's own for files of a run."""
    monkeypatch.chdir(tmp_path)
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def calls():
    """A progress callback that keeps its calls."""
    made = []

    def progress(stage, done, total):
        made.append((stage, done, total))

    progress.calls = made
    return progress
