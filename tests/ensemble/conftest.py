"""Small trained bundles shared by the tests of this folder."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import (
    CalibrationSettings,
    PolicySettings,
    Settings,
    SplitSettings,
    TrainSettings,
)
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from stubs.small_models import small_trees

SETTINGS = replace(
    Settings(),
    models=small_trees(),
    train=TrainSettings(threads=1, features="core14", head="classes"),
    policy=PolicySettings(name="classic", refit="none"),
)
CALIBRATED = replace(
    SETTINGS,
    split=SplitSettings(train=0.5, validation=0.45, stop=0.1, calibrate=0.5),
    calibration=CalibrationSettings(rows=50, class_rows=5),
    policy=PolicySettings(name="calibrated", signals=5),
)
BARS, TRAIN_BARS = 1_100, 700


def mean_loss(y, scores, prior, time, forward_return):
    del prior, time, forward_return
    return {"log_loss": float(-np.log(scores[np.arange(len(y)), y]).mean())}


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A market, the end of its training span, and a bundle trained before it."""
    market = SyntheticMarket(seed=5, symbols=3, bars=BARS, edge=0.3)
    panel = {name: market.candles(name) for name in market.names}
    start = int(panel[market.names[0]].time[0])
    seam = start + TRAIN_BARS * HOUR_MS
    two = dict(list(panel.items())[:2])
    trained = train_ensemble(
        two,
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=SETTINGS, measure=mean_loss, end=seam),
        tmp_path_factory.mktemp("bundles"),
    )
    return SimpleNamespace(
        panel=panel,
        seam=seam,
        trained=trained,
        now=start + BARS * HOUR_MS,
        settings=SETTINGS,
        calibrated_settings=CALIBRATED,
    )


@pytest.fixture(scope="session")
def calibrated(world, tmp_path_factory):
    """A bundle of the same rows with calibrated scores that decides by the calibrated policy."""
    return train_ensemble(
        dict(list(world.panel.items())[:2]),
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=CALIBRATED, measure=mean_loss, end=world.seam),
        tmp_path_factory.mktemp("calibrated"),
    )


@pytest.fixture
def copy(world, tmp_path):
    """A copy of the bundle's folder, to be altered."""
    path = tmp_path / "bundle"
    shutil.copytree(world.trained.path, path)
    return path
