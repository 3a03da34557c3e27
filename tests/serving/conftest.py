"""A small synthetic market on disk, and a folder with two bundles trained on its first part."""

import logging
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings, GuardSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.serving import Service
from quorate.workflows.paper import PaperAccount
from stubs.pages import chromium
from stubs.postgresql import postgresql, programs
from stubs.served import BARS, SETTINGS, TRAIN_BARS
from stubs.service_client import client
from stubs.small_models import small_trees

# One of its guards halts the account after five signals.
ACCOUNT_SETTINGS = replace(
    SETTINGS,
    evaluation=EvaluationSettings(resamples=60, draws=5),
    guards=GuardSettings(models=2, confidence=0.99, signals=5, signals_needed=5),
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Candles of three markets and a folder of two bundles, the first of which is champion."""
    folder = tmp_path_factory.mktemp("served")
    market = SyntheticMarket(seed=3, symbols=3, bars=BARS, edge=0.3)
    market.write(folder / "data")
    end = int(market.candles(market.names[0]).time[0]) + TRAIN_BARS * HOUR_MS
    panel = {name: market.candles(name) for name in market.names[:2]}
    made = []
    for trees in (8, 12):
        settings = replace(SETTINGS, models=small_trees(trees))
        spec = TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, end=end)
        made.append(train_ensemble(panel, "1h", spec, folder / "bundles").path.name)
    assert made[0] != made[1]
    # Labels read a few bars more than the last bar that is trained on.
    end = BundleStore(folder / "bundles").manifest(made[0]).training_end
    return SimpleNamespace(folder=folder, market=market, ids=tuple(made), end=end)


@pytest.fixture
def world(trained, tmp_path, monkeypatch):
    """Copies of the candles and of the bundles that a test may change."""
    monkeypatch.chdir(tmp_path)
    for name in ("data", "bundles"):
        shutil.copytree(trained.folder / name, tmp_path / name)
    return SimpleNamespace(
        data=tmp_path / "data",
        bundles=tmp_path / "bundles",
        market=trained.market,
        symbols=trained.market.names,
        ids=trained.ids,
        end=trained.end,
    )


@pytest.fixture
def make_service(world):
    """Makes a service of the world's champion; keyword arguments are those of `Service`, or of its settings."""

    def make(bundle=None, data=None, **options):
        limits = {name: options.pop(name) for name in list(options) if hasattr(SETTINGS.serve, name)}
        patience = {name: options.pop(name) for name in list(options) if hasattr(SETTINGS.predict, name)}
        settings = replace(
            SETTINGS, serve=replace(SETTINGS.serve, **limits), predict=replace(SETTINGS.predict, **patience)
        )
        return Service(bundle or world.bundles, data or world.data, settings=settings, **options)

    return make


@pytest.fixture
def service(make_service):
    return make_service()


@pytest.fixture
def http(service):
    """A client of the service, under real uvicorn."""
    with client(service) as made:
        yield made


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; for it, the name of another site leads to this machine (DNS rebinding).

    Of each module: while it is open, an event loop runs in this thread, and tests of other modules run their own.
    """
    with chromium("--host-resolver-rules=MAP evil.example 127.0.0.1") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _info(caplog):
    caplog.set_level(logging.INFO, "quorate")


@pytest.fixture
def account(tmp_path):
    """A paper account without a session yet, as another process has it."""
    return PaperAccount("paper", f"sqlite:///{tmp_path / 'paper' / 'journal.sqlite'}", settings=ACCOUNT_SETTINGS)


@pytest.fixture
def trade(account, world):
    """Trades so many bars after the last ones, beside the service."""
    done = [0]

    def run(bars, **options):
        done[0] += bars
        end = world.end + done[0] * HOUR_MS
        return account.run(world.bundles, world.data, start=world.end, end=end, **options)

    return run


@pytest.fixture
def shown(make_service, account):
    """A service that shows the account."""
    return make_service(account=account, journal_s=0.05, heartbeat_s=0.3, events=200)


@pytest.fixture
def page(shown):
    """A client of that service."""
    with client(shown) as made:
        yield made


@pytest.fixture(scope="session")
def server():
    if programs() is None:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    with postgresql() as running:
        yield running
