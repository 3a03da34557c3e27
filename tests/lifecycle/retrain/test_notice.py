"""Messages about retraining, to a server that keeps them."""

from dataclasses import replace

import pytest

from quorate.core.errors import DataError, SettingsError
from quorate.core.settings import NotifySettings
from quorate.lifecycle.retrain.retrain_champion import retrain
from quorate.lifecycle.retrain.run_log import RunLog
from stubs.retraining import SETTINGS

HASTY = replace(SETTINGS, notify=NotifySettings(timeout_s=1.0, attempts=1, last_s=5.0))


def test_a_verdict_is_told(world, receiver):
    run = retrain(world.bundles, world.panel, settings=HASTY, clock=world.clock).run
    (body,) = receiver.bodies
    assert (body["event"], body["verdict"], body["run"]) == ("retraining", run.state, 1)
    assert body["text"] == f"Retraining of bundles, 2024-03-08 02:00: champion kept: {run.reason}"
    assert (body["champion"], body["bundle"]) == (world.champion, run.bundle)


def test_a_failure_is_told(world, receiver, tmp_path):
    with pytest.raises(DataError):
        retrain(world.bundles, tmp_path / "none", settings=HASTY, clock=world.clock)
    (body,) = receiver.bodies
    assert (body["event"], body["verdict"], body["champion"]) == ("retraining_failed", "failed", world.champion)
    assert "failed, champion kept" in body["text"]
    assert body["reason"] == RunLog(world.bundles).runs()[0].reason


def test_an_invalid_address_is_an_error_before_anything_is_done(world, monkeypatch):
    monkeypatch.setenv("QUORATE_WEBHOOK", "no address")
    with pytest.raises(SettingsError):
        retrain(world.bundles, world.panel, settings=HASTY, clock=world.clock)
    assert RunLog(world.bundles).runs() == ()


def test_a_webhook_that_fails_changes_nothing(world, receiver):
    receiver.status = 500
    run = retrain(world.bundles, world.panel, settings=HASTY, clock=world.clock).run
    assert len(receiver.bodies) == 1
    assert RunLog(world.bundles).runs() == (run,)
