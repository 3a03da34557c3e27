"""A synthetic market with a planted edge, and a bundle with a reference that was trained on its first part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from quorate.core.clock import DAY_MS
from quorate.core.settings import DriftSettings, EvaluationSettings, PolicySettings, Settings, TrainSettings
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.train import train
from stubs.small_models import small_trees

DAYS, TRAIN_DAYS = 90, 60
SETTINGS = replace(
    Settings(),
    models=small_trees(),
    train=TrainSettings(threads=1, features="core14", head="classes"),
    policy=PolicySettings(name="classic", folds=3),
    evaluation=EvaluationSettings(resamples=60),
    drift=DriftSettings(window_days=7, block_days=2, resamples=60),
)


def make_watched(folder: Path) -> SimpleNamespace:
    """The market, its candles, and the folder of bundles."""
    market = SyntheticMarket(seed=5, symbols=3, bars=DAYS * 24, edge=0.4)
    panel = {name: market.candles(name) for name in market.names}
    start = int(panel[market.names[0]].time[0])
    seam = start + TRAIN_DAYS * DAY_MS
    trained = train(panel, folder, models="xgboost,lightgbm", settings=SETTINGS, end=seam)
    return SimpleNamespace(
        panel=panel, folder=folder, path=trained.path, id=trained.manifest.id, seam=seam, end=start + DAYS * DAY_MS
    )
