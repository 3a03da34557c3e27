"""A paper session posts its fills to a local web server, and continues if there is none."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
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


def test_alerts_of_a_killed_session_arrive_after_the_restart(world, receiver, tmp_path, monkeypatch):
    """The receiver is away, the session is killed, and both come back: nothing is lost, and the order holds."""
    url, said = receiver
    journal = f"sqlite:///{tmp_path}/journal.db"
    command = [
        *(sys.executable, "-c", "from quorate.cli.app import run; run()", "paper", "run", "--replay"),
        *("--bundle", world.bundle, "--data", world.data, "--from", world.seam, "--journal", journal, "--json"),
    ]
    monkeypatch.setenv("QUORATE_GUARDS__MODELS", "2")
    monkeypatch.setenv("QUORATE_NOTIFY__ATTEMPTS", "1")
    monkeypatch.setenv("QUORATE_WEBHOOK", "http://127.0.0.1:9/geheim-ü")
    first = subprocess.Popen([*map(str, command), "--speed", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while kinds(tmp_path).count("filled") < 3:
        assert time.monotonic() < deadline
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.05)
    first.kill()
    errors = first.communicate()[1].decode()
    assert "could not post a message to 127.0.0.1" in errors
    assert "geheim" not in errors
    written = kinds(tmp_path)
    before = written.count("filled") + written.count("closed")
    monkeypatch.setenv("QUORATE_WEBHOOK", f"{url}/ü")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    trades = json.loads(done.stdout)["trades"]
    assert before >= 3
    events = [message["event"] for message in said]
    assert events.count("filled") >= events.count("closed") == len(trades) > 0
    assert [message["order_id"] for message in said if message["event"] == "filled"] == ids(tmp_path, "filled")
    assert [message["order_id"] for message in said if message["event"] == "closed"] == ids(tmp_path, "closed")
    times = [message["time"] for message in said]
    assert times == sorted(times)
    status = subprocess.run(
        [*map(str, command[:3]), "paper", "status", "--journal", journal, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    counts = json.loads(status.stdout)["webhook"]
    assert counts == {"sent": len(said), "failed": 0, "dropped": 0, "restarts": 0, "waiting": 0}


@pytest.mark.parametrize("url", ["ftp://geheim/", "http://a b/geheim", "http://a..b/geheim"])
def test_an_address_to_which_nothing_can_be_sent_is_refused_before_anything_is_written(
    world, quorate_program, tmp_path, monkeypatch, url
):
    monkeypatch.setenv("QUORATE_WEBHOOK", url)
    asked = ("paper", "run", "--replay", "--bundle", world.bundle, "--data", world.data, "--from", world.seam)
    refused = quorate_program(*asked, "--journal", f"sqlite:///{tmp_path}/journal.db", "--json")
    assert refused.returncode != 0
    assert "QUORATE_WEBHOOK" in refused.stdout + refused.stderr
    assert "geheim" not in refused.stdout + refused.stderr
    assert not list(tmp_path.iterdir())


def rows(folder, column):
    path = folder / "journal.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT kind, {column} FROM journal ORDER BY seq").fetchall()


def kinds(folder):
    return [kind for kind, _ in rows(folder, "key")]


def ids(folder, wanted):
    return [name for kind, name in rows(folder, "order_id") if kind == wanted]
