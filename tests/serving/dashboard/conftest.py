"""A synthetic market with four small members, its service, and a browser."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import PolicySettings, ServeSettings, Settings, TrainSettings
from quorate.core.types import Candles
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.serving import Service
from stubs.http import running, token_of
from stubs.pages import Visitor

BARS, TRAIN_BARS = 1_100, 700
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
#: Folder for the pictures of the documentation; without it, none are written.
PICTURES = os.environ.get("QUORATE_PICTURES", "")


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
        serve=ServeSettings(watch_s=0.05, retry_s=0.2),
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Candles of six markets, and a folder of two bundles, the first of which is champion."""
    folder = tmp_path_factory.mktemp("dashboard")
    market = SyntheticMarket(seed=11, symbols=6, bars=BARS, edge=0.35)
    market.write(folder / "data")
    start = int(market.candles(market.names[0]).time[0])
    panel = {name: market.candles(name) for name in market.names[:5]}
    ids = []
    # The first is calibrated out of fold.
    for settings in (small_settings(), small_settings(60, refit="none")):
        spec = TrainingSpec(models=MEMBERS, settings=settings, end=start + TRAIN_BARS * HOUR_MS)
        ids.append(train_ensemble(panel, "1h", spec, folder / "bundles").path.name)
    return SimpleNamespace(folder=folder, market=market, ids=tuple(ids), last=start + (BARS - 1) * HOUR_MS)


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

    def make(data=None, symbols=None, **options):
        options.setdefault("clock", lambda: world.last + HOUR_MS + 12 * 60_000)
        return Service(world.bundles, data or world.data, symbols, settings=small_settings(), **options)

    return make


@pytest.fixture
def hostile_candles(world):
    """Candles of markets whose names are markup, turn the direction of text, or are very long."""
    known = world.market.candles(world.market.names[0])
    columns = {name: getattr(known, name) for name in ("time", "open", "high", "low", "close", "volume")}
    names = ("<script>alert(1)</script>/USDT", "\u202egnorw\u202c/USDT", '"onload="x' + "A" * 180 + "/USDT")
    return {name: Candles(name, "1h", **columns, synthetic=True) for name in names}


@pytest.fixture
def service(make_service):
    return make_service()


@pytest.fixture
def site(service):
    """Base of the addresses of the running service."""
    with running(service) as base:
        yield base


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, without a display."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium: install it to see the pages drawn")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=options)
        yield opened
        opened.close()


@pytest.fixture
def token(service):
    """The service's token."""
    return token_of(service)


@pytest.fixture
def visit(browser, site, token):
    """Opens a page at a width and in a colour scheme; what it complains about fails the test, unless `expected`."""
    visitors, expected = [], []

    def open_page(path="/dashboard", width=1440, scheme="light"):
        if not visitors or visitors[-1].place != (width, scheme):
            visitors.append(Visitor(browser, site, token, width, scheme))
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
            page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")

    return keep
