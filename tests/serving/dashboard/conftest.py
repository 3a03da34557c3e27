"""A synthetic market with four small members, its service, and a browser."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import (
    AccessSettings,
    EvaluationSettings,
    GuardSettings,
    PolicySettings,
    ServeSettings,
    Settings,
    TrainSettings,
)
from quorate.core.types import Candles
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.serving import Service
from quorate.workflows.paper import PaperAccount
from quorate.workflows.runs.member_figures import measure_of
from stubs.pages import Visitor
from stubs.service_client import running, token_of
from stubs.waiting import eventually

BARS, TRAIN_BARS = 1_100, 700
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
#: Folder for the pictures of the documentation; without it, none are written.
PICTURES = Path(found).resolve() if (found := os.environ.get("QUORATE_PICTURES")) else None


def small_settings(trees=40, **policy):
    models = Settings().models
    small = replace(
        models,
        xgboost=replace(models.xgboost, trees=trees),
        lightgbm=replace(models.lightgbm, trees=trees),
        nhits=replace(models.nhits, window=24, hidden=(32, 24, 16), epochs=2),
        patchtst=replace(models.patchtst, window=24, width=16, heads=2, layers=1, feedforward=32, epochs=1),
    )
    return replace(
        Settings(),
        models=small,
        train=TrainSettings(threads=1, features="core14", head="classes"),
        policy=PolicySettings(name="classic", **policy),
        serve=ServeSettings(watch_s=0.05, retry_s=0.2, journal_s=0.05),
    )


ACCOUNT = replace(
    small_settings(),
    evaluation=EvaluationSettings(resamples=60, draws=12),
    # The account trades first and is halted in the end: no mean of so many signals reaches the limit.
    guards=GuardSettings(drawdown_usd=1e6, losses=100, confidence=0.999, signals=700, signals_needed=700),
)


def market_without(bars):
    """The market without its newest bars."""
    return SyntheticMarket(seed=11, symbols=6, bars=BARS - bars, edge=0.35)


@pytest.fixture
def make_settings():
    return small_settings


@pytest.fixture
def make_market():
    return market_without


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Candles of six markets, and a folder of two bundles, the first of which is champion."""
    folder = tmp_path_factory.mktemp("dashboard")
    market = market_without(0)
    market.write(folder / "data")
    start = int(market.candles(market.names[0]).time[0])
    panel = {name: market.candles(name) for name in market.names[:5]}
    ids = []
    # The first is calibrated out of fold.
    for settings in (small_settings(), small_settings(60, refit="none")):
        measure = measure_of("vote", settings)
        spec = TrainingSpec(models=MEMBERS, settings=settings, measure=measure, end=start + TRAIN_BARS * HOUR_MS)
        ids.append(train_ensemble(panel, "1h", spec, folder / "bundles").path.name)
    unseen = BundleStore(folder / "bundles").manifest(ids[0]).training_end
    return SimpleNamespace(
        folder=folder, market=market, ids=tuple(ids), start=unseen, last=start + (BARS - 1) * HOUR_MS
    )


@pytest.fixture
def world(trained, tmp_path, monkeypatch):
    """Copies of the candles and of the bundles that a test may change."""
    monkeypatch.chdir(tmp_path)
    for name in ("data", "bundles"):
        shutil.copytree(trained.folder / name, tmp_path / name)
    return SimpleNamespace(data=tmp_path / "data", bundles=tmp_path / "bundles", **vars(trained))


@pytest.fixture
def make_service(world):
    """Makes a service of the world's champion, 12 minutes after the newest bar; arguments are those of `Service`."""

    def make(data=None, symbols=None, bundle=None, **options):
        options.setdefault("clock", lambda: world.last + HOUR_MS + 12 * 60_000)
        return Service(bundle or world.bundles, data or world.data, symbols, settings=small_settings(), **options)

    return make


@pytest.fixture(scope="session")
def traded(trained, tmp_path_factory):
    """The journal of a paper account over the bars after the training but the newest ten; a guard has halted it."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    account = PaperAccount("paper", f"sqlite:///{path}", settings=ACCOUNT)
    last = trained.last - 10 * HOUR_MS
    account.run(trained.folder / "bundles", trained.folder / "data", start=trained.start, end=last)
    return path


@pytest.fixture
def account(traded, tmp_path):
    """A copy of that account."""
    shutil.copy(traded, tmp_path / "journal.sqlite")
    return PaperAccount("paper", f"sqlite:///{tmp_path / 'journal.sqlite'}", settings=ACCOUNT)


@pytest.fixture
def hostile_candles(world):
    """Candles of markets whose names are markup, turn the direction of text, or are very long."""
    known = world.market.candles(world.market.names[0])
    columns = {name: getattr(known, name) for name in ("time", "open", "high", "low", "close", "volume")}
    names = ("<script>alert(1)</script>/USDT", "\u202egnorw\u202c/USDT", '"onload="x' + "A" * 180 + "/USDT")
    return {name: Candles(name, "1h", **columns, synthetic=True) for name in names}


@pytest.fixture(scope="session")
def shown(trained, traded):
    """A running service with its account, for tests that change nothing; it has read and measured all of it."""
    account = PaperAccount("paper", f"sqlite:///{traded}", settings=ACCOUNT)
    state = AccessSettings(state=str(trained.folder / "state"))
    service = Service(
        trained.folder / "bundles",
        trained.folder / "data",
        settings=replace(small_settings(), access=state),
        account=account,
        clock=lambda: trained.last + HOUR_MS + 12 * 60_000,
    )
    with running(service) as base:
        eventually(lambda: service.account.status and service.account.baselines)
        yield SimpleNamespace(
            base=base,
            token=token_of(service),
            service=service,
            account=account,
            bundles=trained.folder / "bundles",
            data=trained.folder / "data",
        )


@pytest.fixture
def http(shown):
    """A client of that service."""
    headers = {"Authorization": f"Bearer {shown.token}"}
    with httpx2.Client(base_url=shown.base, timeout=60, headers=headers) as client:
        yield client


@pytest.fixture
def service(shown):
    return shown.service


@pytest.fixture
def visit(browser, shown):
    """Opens a page of that service at a width and in a scheme; complaints fail the test unless they are `expected`."""
    visitors, expected = [], []

    def open_page(path="/dashboard", width=1440, scheme="light"):
        if not visitors or visitors[-1].place != (width, scheme):
            visitors.append(Visitor(browser, shown.base, shown.token, width, scheme))
        return visitors[-1].go(path)

    open_page.expected = expected.append
    yield open_page
    for visitor in visitors:
        visitor.close(expected)


@pytest.fixture(scope="session")
def keep_picture():
    """Writes a picture of a page for the documentation, where QUORATE_PICTURES names its folder."""

    def keep(page, name):
        if PICTURES:
            page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    return keep
