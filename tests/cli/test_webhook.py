"""A paper session posts its fills to a local web server, and continues if there is none."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Hook(BaseHTTPRequestHandler):
    said: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    said: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Hook", (Hook,), {"said": said}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/secret", said
    server.shutdown()
    thread.join()
    server.server_close()


def test_fills_and_halts_are_posted_to_the_webhook(world, quorate_program, receiver, tmp_path, monkeypatch):
    url, said = receiver
    # Two members, and limits that a small market reaches.
    for name, value in {"MODELS": "2", "DRAWDOWN_USD": "1"}.items():
        monkeypatch.setenv(f"QUORATE_GUARDS__{name}", value)
    asked = ("paper", "run", "--replay", "--bundle", world.bundle, "--data", world.data, "--from", world.seam)
    monkeypatch.setenv("QUORATE_WEBHOOK", url)
    told = quorate_program(*asked, "--journal", f"sqlite:///{tmp_path}/told.db", "--json")
    assert told.returncode == 0, told.stderr
    monkeypatch.setenv("QUORATE_WEBHOOK", "http://127.0.0.1:9/nobody")
    monkeypatch.setenv("QUORATE_NOTIFY__ATTEMPTS", "1")
    alone = quorate_program(*asked, "--journal", f"sqlite:///{tmp_path}/alone.db", "--json")
    assert alone.returncode == 0, alone.stderr
    found, same = json.loads(told.stdout), json.loads(alone.stdout)
    assert found["equity_usd"] == same["equity_usd"]
    assert "could not post a message to 127.0.0.1" in alone.stderr
    assert "secret" not in told.stdout + told.stderr
    events = [message["event"] for message in said]
    assert events.count("filled") == events.count("closed") == len(found["trades"]) > 0
    assert [message["net_usd"] for message in said if message["event"] == "closed"] == [
        trade["net_usd"] for trade in found["trades"]
    ]
    halted = [message["text"] for message in said if message["event"] == "halted"]
    assert halted[0].startswith("HALTED: drawdown: equity ")
    assert events.count("ladder") == 1  # a halt, until a person ends it
    assert events.index("ladder") == events.index("halted") + 1
