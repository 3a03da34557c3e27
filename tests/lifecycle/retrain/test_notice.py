"""Messages about retraining, to a server that keeps them."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from quorate.core.errors import DataError, SettingsError
from quorate.core.settings import NotifySettings
from quorate.lifecycle.retrain.retrain_champion import retrain
from quorate.lifecycle.retrain.run_log import RunLog
from stubs.retraining import SETTINGS

HASTY = replace(SETTINGS, notify=NotifySettings(timeout_s=1.0, attempts=1, last_s=5.0))


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.bodies, server.status = [], 204
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("QUORATE_WEBHOOK", f"http://127.0.0.1:{server.server_port}/hook")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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
