"""A folder of bundles with a champion of a synthetic market, and retrainings that are killed."""

import shutil
from types import SimpleNamespace

import pytest

from stubs.killed_retraining import KilledRetraining
from stubs.retraining import MARKETS, Clock, train_champion


@pytest.fixture(scope="session")
def steady(tmp_path_factory):
    """Candles of a market, and a folder whose champion was trained on its first 60 days."""
    folder, panel = tmp_path_factory.mktemp("steady"), MARKETS["steady"]()
    return SimpleNamespace(folder=folder, panel=panel, champion=train_champion(folder, panel))


@pytest.fixture
def world(steady, tmp_path):
    """A copy of the folder, and a clock a week and two hours after the champion's training span."""
    bundles = shutil.copytree(steady.folder, tmp_path / "bundles")
    clock = Clock(0)
    clock.to_day(67 + 2 / 24)
    return SimpleNamespace(bundles=bundles, panel=steady.panel, champion=steady.champion, clock=clock)


@pytest.fixture(scope="session")
def killed():
    process = KilledRetraining("steady")
    yield process
    process.close()
