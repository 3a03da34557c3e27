"""Canaries in every setting that holds a secret: they are in nothing that a run prints, stores or sends."""

import json
import logging
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quorate.core.log_records import RedactingFilter
from quorate.core.settings import ExchangeSettings, Settings
from quorate.market.exchange.client import build_client
from quorate.workflows.runs.trials import RunRecord, TrialRecorder

from .conftest import run

CANARY = "Canary7c1f9e2b"
ADDRESS = f"postgresql://me:{CANARY}@h/db?password={CANARY}"


class Echo(BaseHTTPRequestHandler):
    """A server that keeps what it receives, and answers with an error that repeats address and headers."""

    def do_GET(self):
        body = f"bad request {self.path} with {dict(self.headers)}".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    made.bodies = []
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_no_run_prints_stores_or_sends_a_canary(world, server, tmp_path, monkeypatch):
    host = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("QUORATE_EXCHANGE_KEY", f"{CANARY}k")
    monkeypatch.setenv("QUORATE_EXCHANGE_SECRET", f"{CANARY}s")
    monkeypatch.setenv("QUORATE_GUARDS__MODELS", "2")  # as many as vote, so that there are entries and messages
    monkeypatch.setenv("QUORATE_WEBHOOK", f"{host}/services/{CANARY}")
    (tmp_path / "quorate.toml").write_text(f'[exchange]\nurl = "http://me:{CANARY}@127.0.0.1:9"\n', encoding="utf-8")
    journal = ["--journal", "sqlite:///journal.db"]
    span = ["--data", world.data, "--from", world.seam]
    commands = [
        ["train", "--data", world.data, "--symbols", "SYNA/USDT:USDT", "--models", "xgboost,lightgbm", "--out", "made"],
        ["evaluate", "--bundle", world.bundle, *span, "--report", "report.html"],
        ["evaluate", "--bundle", world.bundle, *span, "--json"],
        ["backtest", "--bundle", world.bundle, *span, "--json"],
        ["paper", "run", "--replay", "--bundle", world.bundle, *span, *journal],
        ["paper", "status", *journal],
        ["paper", "status", *journal, "--json"],
        ["paper", "journal", *journal, "--all"],
        ["paper", "journal", *journal, "--all", "--json"],
    ]
    for command in commands:
        done = run(*command, folder=tmp_path, scratch=tmp_path)
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr, command
    stored = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "quorate.toml"]
    names = {path.name for path in stored}
    assert {"manifest.json", "report.html", "journal.db", "trials.jsonl"} <= names
    for path in stored:
        assert CANARY.encode() not in path.read_bytes(), path
    assert server.bodies
    assert CANARY not in "".join(server.bodies)


def test_the_command_of_a_trial_is_stored_without_secrets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = TrialRecorder.open(RunRecord(f"quorate --journal {ADDRESS}", ADDRESS), Settings(), verb="x", data="d")
    assert CANARY not in made.command + made.data
    assert "***" in made.command


SIGNED = """
import os
import ccxt
key, secret = os.environ["QUORATE_EXCHANGE_KEY"], os.environ["QUORATE_EXCHANGE_SECRET"]
client = ccxt.binanceusdm({"apiKey": key, "secret": secret})
client.urls["api"] = {name: os.environ["HOST"] for name in client.urls["api"]}
client.fapiPrivateV2GetAccount()
"""


@pytest.mark.parametrize("debug", [[], ["--debug"], ["--json"], ["--json", "--debug"]])
def test_a_signed_request_in_an_exception_is_shown_without_its_secrets(server, debug, tmp_path, monkeypatch):
    monkeypatch.setenv("QUORATE_EXCHANGE_KEY", f"{CANARY}k")
    monkeypatch.setenv("QUORATE_EXCHANGE_SECRET", f"{CANARY}s")
    monkeypatch.setenv("HOST", f"http://127.0.0.1:{server.server_port}")
    (tmp_path / "signed.py").write_text(SIGNED, encoding="utf-8")
    (tmp_path / "quorate.toml").write_text('[features]\nmodules = ["signed.py"]\n', encoding="utf-8")
    done = run("check", "features", *debug, folder=tmp_path, scratch=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "bad request" in said
    assert "***" in said
    assert CANARY not in said
    assert not re.search(r"signature=[0-9a-f]{16}", said)
    if "--json" in debug:
        json.loads(done.stdout)


def test_the_logger_of_the_exchange_is_filtered(caplog):
    client = build_client(ExchangeSettings(name="binanceusdm"))
    assert sum(isinstance(known, RedactingFilter) for known in client.logger.filters) == 1
    build_client(ExchangeSettings(name="binanceusdm"))
    assert sum(isinstance(known, RedactingFilter) for known in client.logger.filters) == 1
    with caplog.at_level(logging.DEBUG, client.logger.name):
        client.logger.propagate = True
        client.logger.debug("%s %s, Request: %s", "binanceusdm", f"GET /x?signature={CANARY}", {"X-MBX-APIKEY": CANARY})
        try:
            int(f"GET /x?signature={CANARY}")
        except ValueError:
            client.logger.exception("failed")
    assert len(caplog.records) == 2
    assert CANARY not in caplog.text
    assert "***" in caplog.text
