"""A small synthetic market on disk, and two bundles of trees trained on its first part, for challenges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from quorate.core.clock import HOUR_MS
from quorate.core.configuration import load_settings
from quorate.core.settings import ChallengeSettings
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket

BARS, TRAIN_BARS = 900, 700
SMALL = {
    "QUORATE_MODELS__XGBOOST__COLSAMPLE_NODE": "1",
    "QUORATE_MODELS__LIGHTGBM__RANDOM_SPLITS": "false",
    "QUORATE_TRAIN__THREADS": "1",
    # A bundle of a few days would be closed.
    "QUORATE_POLICY__NAME": "classic",
    # Neither would they show a direction, nor leave many rows after the warm-up of core30.
    "QUORATE_TRAIN__FEATURES": "core14",
    "QUORATE_TRAIN__HEAD": "classes",
    "QUORATE_POLICY__REFIT": "none",
    "QUORATE_VOTE__FLOOR": "0.4",
    "QUORATE_EVALUATION__RESAMPLES": "60",
    "QUORATE_GUARDS__MODELS": "2",
    # Guards and ladder act, and do not halt the account at once.
    "QUORATE_GUARDS__CONFIDENCE": "0.05",
}


def make_arena(folder: Path) -> SimpleNamespace:
    """Candles, settings, a champion of few trees, a challenger of more, and the first bar that trained neither."""
    market = SyntheticMarket(seed=3, symbols=3, bars=BARS, edge=0.3)
    market.write(folder / "data")
    end = int(market.candles(market.names[0]).time[0]) + TRAIN_BARS * HOUR_MS
    panel = {name: market.candles(name) for name in market.names[:2]}
    bundles = {}
    for name, trees in (("champion", "2"), ("challenger", "14")):
        grown = {f"QUORATE_MODELS__{model}__TREES": trees for model in ("XGBOOST", "LIGHTGBM")}
        settings = load_settings(environment=SMALL | grown)
        spec = TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, end=end)
        bundles[name] = train_ensemble(panel, "1h", spec, folder / name).path
    settings = load_settings(environment=SMALL)
    # Stricter than usual, so that the challenge goes on to the horizon.
    settings = replace(settings, challenge=ChallengeSettings(alpha=1e-5, horizon_bars=60))
    return SimpleNamespace(
        data=folder / "data", market=market, settings=settings, end=end, environment=SMALL, **bundles
    )
