"""Retraining as a job of the service: a child trains, the service answers, and the page says what happened."""

import time
from dataclasses import replace

import pytest

from quorate.core.errors import BundleError, SettingsError
from quorate.core.settings import RetrainSettings
from quorate.lifecycle.retrain.run_log import RetrainRun, RunLog
from quorate.serving import Service
from stubs.retraining import SETTINGS, market, synthetic_market, train_champion
from stubs.service_client import client
from stubs.waiting import eventually


@pytest.fixture(scope="module")
def due(tmp_path_factory):
    """A champion whose next run was due long ago, and candles for it."""
    folder = tmp_path_factory.mktemp("due")
    synthetic_market(74).write(folder / "data")
    train_champion(folder / "bundles", market(74))
    return folder


@pytest.fixture
def job(due, monkeypatch):
    small = {
        "POLICY__NAME": "classic",
        "POLICY__REFIT": "none",
        "EVALUATION__RESAMPLES": "60",
        "BUNDLE__EVIDENCE": "50",
    }
    for name, value in {**small, "RETRAIN__MARGIN": "0.9", "RETRAIN__ECE": "0.9"}.items():
        monkeypatch.setenv(f"QUORATE_{name}", value)
    return replace(SETTINGS, serve=replace(SETTINGS.serve, retrain=True, watch_s=0.05))


def test_the_service_answers_while_a_child_trains_and_follows_the_new_champion(due, job):
    service = Service(due / "bundles", due / "data", settings=job)
    log, first = RunLog(due / "bundles"), service.champion.predictor.id
    with client(service) as http:
        slowest = 0.0

        def ended():
            nonlocal slowest
            began = time.monotonic()
            assert http.get("/health/ready").status_code == 200
            slowest = max(slowest, time.monotonic() - began)
            runs = log.runs()
            return bool(runs) and runs[-1].state != "running"

        eventually(ended, timeout=90)
        (run,) = log.runs()
        assert (run.state, run.why, run.champion) == ("promoted", "on schedule", first)
        eventually(lambda: service.champion.predictor.id == run.bundle)
        page = http.get("/dashboard/bundles").text
        assert "Last retraining, " in page
        assert ": promoted: log-loss " in page
        assert "as the last run planned" in page
        assert slowest < 10


def test_a_failed_run_is_on_the_page(service, world, http):
    assert "Last retraining" not in http.get("/dashboard/bundles").text
    log = RunLog(world.bundles)
    log.write(RetrainRun(1, 1_700_000_000_000, "on schedule", world.ids[0], "failed", reason="<b>could not</b> read"))
    page = http.get("/dashboard/bundles").text
    assert "failed, champion kept: &lt;b&gt;could not&lt;/b&gt; read" in page


def test_without_the_setting_there_is_no_job(service):
    assert not any("retrain" in str(make).lower() for make in service.background)


def test_a_service_that_cannot_retrain_says_why_at_its_start(world, job):
    with pytest.raises(BundleError, match="not a folder of bundles"):
        Service(world.bundles / world.ids[0], world.data, settings=job)
    panel = {symbol: world.market.candles(symbol) for symbol in world.symbols}
    with pytest.raises(SettingsError, match=r"retrain\.data"):
        Service(world.bundles, panel, settings=job)
    wrong = replace(job, retrain=RetrainSettings(cron="0 0 31 2 *"))
    with pytest.raises(SettingsError, match=r"retrain\.cron"):
        Service(world.bundles, world.data, settings=wrong)
