"""Retraining and checks for drift as jobs of the service: a child works, the service answers, the pages tell."""

import shutil
import time
from dataclasses import replace

import pytest

from quorate.core.errors import BundleError, SettingsError
from quorate.core.settings import RetrainSettings
from quorate.lifecycle.retrain import retraining_status
from quorate.lifecycle.retrain.run_log import RetrainRun, RunLog
from quorate.serving import Service
from quorate.serving.documents.retraining import Retraining
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


def test_the_service_checks_for_drift_in_a_child(due, tmp_path, monkeypatch):
    bundles = shutil.copytree(due / "bundles", tmp_path / "bundles")
    own = replace(SETTINGS.serve, drift_hours=24.0, watch_s=0.05)
    service = Service(bundles, due / "data", settings=replace(SETTINGS, serve=own))
    with client(service) as http:
        assert http.get("/drift").status_code == 404
        eventually(lambda: http.get("/drift").status_code == 200, timeout=90)
        found = http.get("/drift").json()
        assert found["bundle"] == service.champion.predictor.id
        assert found["age_s"] < 90
        assert "quorate_drift_alarm 0.0" in http.get("/metrics").text
        assert found["headline"] in http.get("/dashboard/models").text
    files = list((bundles / "drift").iterdir())
    written = [file.stat().st_mtime_ns for file in files]
    with client(Service(bundles, due / "data", settings=replace(SETTINGS, serve=own))):
        time.sleep(1)  # its check is a minute old: no other is made
    assert [file.stat().st_mtime_ns for file in files] == written


def test_the_route_is_the_document_of_the_command_line(service, world, http):
    assert http.get("/retrain").json()["runs"] == []
    RunLog(world.bundles).write(
        RetrainRun(
            1, 1_700_000_000_000, "on schedule", world.ids[0], "failed", ended=1_700_000_060_000, reason="so it is"
        )
    )
    answer = http.get("/retrain")
    found = answer.json()
    Retraining.model_validate_json(answer.content)
    assert found == retraining_status(world.bundles).to_json()
    metrics = http.get("/metrics").text
    assert "quorate_retraining_failed 1.0" in metrics
    assert "quorate_retraining_timestamp_seconds 1.70000006e+09" in metrics


def test_a_failed_run_is_on_the_page(service, world, http):
    assert "Last retraining" not in http.get("/dashboard/bundles").text
    log = RunLog(world.bundles)
    log.write(RetrainRun(1, 1_700_000_000_000, "on schedule", world.ids[0], "failed", reason="<b>could not</b> read"))
    page = http.get("/dashboard/bundles").text
    assert "failed, champion kept: &lt;b&gt;could not&lt;/b&gt; read" in page


def test_without_the_settings_there_is_no_job(service):
    assert not any("ScheduledJob" in str(make) for make in service.background)


def test_a_service_that_cannot_retrain_says_why_at_its_start(world, job):
    with pytest.raises(BundleError, match="not a folder of bundles"):
        Service(world.bundles / world.ids[0], world.data, settings=job)
    panel = {symbol: world.market.candles(symbol) for symbol in world.symbols}
    watching = replace(job, serve=replace(job.serve, retrain=False, drift_hours=1.0))
    for settings in (job, watching):
        with pytest.raises(SettingsError, match=r"retrain\.data"):
            Service(world.bundles, panel, settings=settings)
    wrong = replace(job, retrain=RetrainSettings(cron="0 0 31 2 *"))
    with pytest.raises(SettingsError, match=r"retrain\.cron"):
        Service(world.bundles, world.data, settings=wrong)
