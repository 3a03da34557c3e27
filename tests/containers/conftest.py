"""A clean root folder, and what a user brings: a bundle, and candles of its markets."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import PolicySettings, Settings, TrainSettings
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from stubs.dockerfile import CleanRoot, can_mount
from stubs.small_models import small_trees

BARS, TRAIN_BARS = 900, 480


@pytest.fixture(scope="session")
def state(tmp_path_factory):
    """A folder with `bundles` and `candles`."""
    folder = tmp_path_factory.mktemp("state")
    market = SyntheticMarket(seed=3, symbols=2, bars=BARS, edge=0.3)
    market.write(folder / "candles")
    settings = replace(
        Settings(),
        models=small_trees(8),
        train=TrainSettings(threads=1, features="core14", head="classes"),
        policy=PolicySettings(name="classic", refit="none"),
    )
    end = int(market.candles(market.names[0]).time[0]) + TRAIN_BARS * HOUR_MS
    spec = TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, end=end)
    train_ensemble(market.panel(), "1h", spec, folder / "bundles")
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    if not can_mount():
        pytest.skip("no permission to mount a root folder: run as root, with the right to mount")
    return CleanRoot(tmp_path_factory.mktemp("clean") / "root")
