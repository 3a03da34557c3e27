"""`quorate serve` as a program: its log, its address, and its end."""

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import httpx2
import pytest

from quorate.core.clock import iso_ms
from quorate.core.errors import AccessError
from quorate.core.sections.access import AccessSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.champion_log import champion_lineage
from quorate.serving.access import first_token
from quorate.serving.server import listen
from stubs.waiting import eventually

QUORATE = [sys.executable, "-c", "from quorate.cli.app import run; run()"]


@pytest.fixture
def header(world):
    """The header of the token of the program in this folder."""
    return {"Authorization": f"Bearer {first_token(AccessSettings(), 'test')}"}


@contextmanager
def program(world, *arguments, demo=False, **variables):
    """The program with its lines on standard error so far, and the base of its addresses."""
    first_token(AccessSettings(), "test")  # the program makes none where standard error is no terminal
    served = ["--demo"] if demo else ["--bundle", str(world.bundles), "--data", str(world.data)]
    command = [*QUORATE, "serve", *served, "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **variables})
    lines = []
    try:
        for line in process.stderr:
            lines.append(line.strip())
            if "listening on" in line:
                break
        base = re.search(r"http://\S+", lines[-1]) if lines else None
        yield process, lines, base[0] if base else None
    finally:
        process.kill()
        process.communicate()


def test_the_log_says_what_is_loaded_and_where_it_listens(world):
    with program(world) as (process, lines, base):
        assert lines == [
            f"INFO loading {world.bundles}",
            "INFO xgboost: loaded",
            "INFO lightgbm: loaded",
            f"INFO bundle {world.ids[0]}: mode full, 2 of 2 members, quorum 2, policy classic",
            "INFO mode FULL 2/2, quorum 2/2",
            "INFO 3 markets of 1h",
            f"INFO listening on {base}",
        ]
        assert httpx2.get(f"{base}/health/live").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert "INFO stopped" in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], ["0.0.0.0", "others can reach"]),
        (["--timeframe", "4h"], ["--timeframe 4h", "1h, the timeframe of the bundle"]),
        (["--symbols", "NONE/USDT:USDT"], ["NONE/USDT:USDT"]),
        (["--host", "no such host"], ["no such host"]),
    ],
)
def test_what_cannot_be_served_is_refused(world, arguments, words):
    with program(world, *arguments) as (process, lines, base):
        assert base is None
        assert process.wait(20) in (1, 2)
        errors = [line for line in lines if line.startswith("error: ")]
        assert len(errors) == 1
        for word in words:
            assert word in errors[0]
        assert not any("Traceback" in line for line in lines)


def test_the_demo_moves(world, header):
    demo = world.bundles.parent / "demo"
    demo.mkdir()
    for name in ("bundles", "data"):
        (world.bundles.parent / name).rename(demo / name)
    with program(world, "--speed", "10", demo=True) as (process, _, base):

        def time():
            return httpx2.get(f"{base}/signals/{world.symbols[0]}", headers=header, timeout=20).json()["time"]

        first = time()
        assert first >= iso_ms(world.end)
        later = eventually(lambda: (found := time()) > first and found)
        assert later < iso_ms(int(world.market.candles(world.symbols[0]).time[-1]))
        account = httpx2.get(f"{base}/paper", headers=header, timeout=20).json()
        assert account["account"].startswith("demo-")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("arguments", [["--data", "x"], ["--exchange", "binance"], ["--account", "paper"]])
def test_the_demo_takes_nothing_else(world, arguments):
    with program(world, *arguments, demo=True) as (process, lines, _):
        assert process.wait(20) in (1, 2)
        assert lines == [f"error: could not serve the demo: found {arguments[0]}; expected none of them."]


def test_a_port_in_use_is_refused(world):
    with program(world) as (_, _, base):
        port = base.rpartition(":")[2]
        with program(world, "--port", port) as (other, lines, _):
            assert other.wait(20) == 1
            assert f"port {port}" in lines[-1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_addresses(host):
    with listen(host, 0, AccessSettings()) as listener:
        assert listener.getsockname()[1] > 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_addresses_that_others_can_reach(host):
    with pytest.raises(AccessError):
        listen(host, 0, AccessSettings())


def test_what_serves_nothing_loads_no_server():
    code = """
import sys
import quorate
from quorate.cli.app import main
[getattr(quorate, name) for name in quorate.__all__]
main(["--help"])
import quorate.workflows.signals, quorate.integrations.freqtrade.inference.forecaster
print([name for name in ("fastapi", "starlette", "uvicorn", "prometheus_client", "jinja2") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_a_service_loads_no_training_library(world, account, trade):
    trade(30)
    code = f"""
import sys
from quorate.core.settings import Settings
from quorate.serving import Service, create_app
from quorate.workflows.paper import PaperAccount
account = PaperAccount({account.name!r}, {account.url!r})
service = Service({str(world.bundles)!r}, {str(world.data)!r}, account=account, settings=Settings())
create_app(service)
service.probe()
view = service.account.view
predictor, source = service.champion.predictor, service.candles.source
assert view.status() and view.trades(5) is not None
baselines = view.baselines(predictor, source)
assert view.equity(baselines).hold_usd is not None
assert view.performance(predictor, source, baselines).document["ensemble"]["n"] > 0
heavy = ("torch", "pandas", "sklearn", "scipy", "xgboost", "lightgbm", "ccxt")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_server_that_is_killed_in_the_middle_of_a_promotion_leaves_the_store_whole(world, header):
    """Killed at random moments while the champion changes all the time; the next start serves one of the two."""
    chance, served = random.Random(5), set()
    for _ in range(6):
        with program(world) as (process, _, base), httpx2.Client(base_url=base, timeout=20, headers=header) as http:
            ready = http.get("/health/ready").json()
            assert (ready["status"], ready["mode"]) == ("ready", "full")
            served.add(ready["bundle"])
            killer = threading.Timer(chance.uniform(0.05, 0.4), process.kill)
            killer.start()
            with suppress(httpx2.TransportError):
                for number in itertools.count():
                    other = world.ids[number % 2]
                    assert http.post(f"/bundles/{other}/promote", json={"why": "again"}).status_code == 200
            killer.join()
        store = BundleStore(world.bundles)
        assert store.champion() in world.ids
        assert {entry.id for entry in store.history()} == set(world.ids)
        for name in world.ids:
            store.verify(name)
        # One that was logged and not made is found at the next change, by whomever.
        assert store.promote(store.champion()) is None
        assert champion_lineage(store.history())[-1] == store.champion()
    assert served <= set(world.ids)
    assert len(BundleStore(world.bundles).history()) > 5


def test_a_server_that_is_killed_in_the_middle_of_a_rearm_leaves_the_journal_whole(world, header, account, trade):
    """Killed at random moments while a guard is re-armed all the time; every acknowledged request is in the journal."""
    trade(80)
    chance, acknowledged = random.Random(7), 0
    for _ in range(5):
        arguments = ("--account", account.name, "--journal", account.url)
        with (
            program(world, *arguments) as (process, _, base),
            httpx2.Client(base_url=base, timeout=20, headers=header) as http,
        ):
            assert http.get("/paper").json()["mode"] == "HALTED"
            killer = threading.Timer(chance.uniform(0.05, 0.4), process.kill)
            with suppress(httpx2.TransportError):
                while http.post("/guards/confidence/rearm", json={"note": "again"}).status_code == 200:
                    acknowledged += 1
                    if killer.ident is None:  # not before the first one, which takes long on a busy machine
                        killer.start()
            killer.join()
        requests = [entry.record for entry in account.records(None, kinds="human")]
        assert acknowledged <= len(requests) <= acknowledged + 1
        acknowledged = len(requests)
        assert {(request.guard, request.note) for request in requests} == {("confidence", "again")}
        assert len(account.status().document["requests"]) == len(requests)
    assert acknowledged > 5
    trade(2)
    assert account.status().document["requests"] == []
    assert ("confidence", "ACTIVE") in {(move["what"], move["after"]) for move in account.status().document["moves"]}


def test_the_account_runs_in_the_program_and_stops_with_it(world, header, account):
    """Ctrl-C ends the session after the step at hand."""
    span = ("--paper", "--from", iso_ms(world.end), "--speed", "20")
    with program(world, "--account", account.name, "--journal", account.url, *span) as (process, _, base):
        eventually(lambda: httpx2.get(f"{base}/paper", headers=header).status_code == 200)
        assert httpx2.get(f"{base}/paper/session", headers=header).json() == {"state": "running", "error": None}
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert "INFO stopped" in process.stderr.read()
    assert account.status().document["session"]["kind"] == "replay"


def test_options_of_a_session_need_one(world):
    with program(world, "--speed", "3") as (process, lines, base):
        assert base is None
        assert process.wait(20) == 2
        assert any("--speed" in line and "--paper" in line for line in lines)
