"""The composition's parts for real: the commands and variables of compose.yaml as processes of this machine.

PostgreSQL asks for the password that a secret's file holds, the candles come from a stub of the exchange that lives in
the present, the paper account trades on them, and Prometheus scrapes the service with its own token.
"""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from quorate.core.clock import HOUR_MS, now_ms, parse_ms
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.evaluation.drift.stored_check import write_check
from quorate.lifecycle.retrain.run_log import RetrainRun, RunLog
from stubs import prometheus
from stubs.binance import spawn
from stubs.compose import Container, composition
from stubs.drift_checks import QUIET
from stubs.postgresql import postgresql, programs
from stubs.prometheus import eventually

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "docker" / "service" / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "docker" / "service" / "grafana" / "quorate.json").read_text())


@contextmanager
def running(container, log):
    """A container's process, which ends as `docker compose stop` ends it."""
    process = container.start(log)
    try:
        yield process
        assert process.poll() is None, log.read_text()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def places(state, tmp_path_factory):
    """Secrets, a bundle, and the program's name on the path."""
    folder = tmp_path_factory.mktemp("composition")
    for name in ("secrets", "state", "bin", "home"):
        (folder / name).mkdir()
    words = {}
    for name in composition()["secrets"]:
        words[name] = secrets.token_hex(32)
        (folder / "secrets" / name).write_text(f"{words[name]}\n")
    subprocess.run(["cp", "-r", state / "bundles", folder / "state" / "bundles"], check=True)
    _write_lifecycle(folder / "state" / "bundles")
    program = folder / "bin" / "quorate"
    program.write_text(f"#!{sys.executable}\nfrom quorate.cli.app import run\nrun()\n")
    program.chmod(0o755)
    return SimpleNamespace(
        folder=folder,
        secrets=folder / "secrets",
        state=folder / "state",
        before=files_of(folder / "state" / "bundles"),
        words=words,
        bin=program.parent,
    )


def files_of(folder):
    """Name -> content of every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _write_lifecycle(bundles):
    """The files of a quiet check for drift and of a retraining, which have figures of their own."""
    champion, now = BundleStore(bundles).champion(), now_ms()
    write_check(bundles, replace(QUIET, bundle=champion, checked_at=now))
    RunLog(bundles).write(RetrainRun(1, now - HOUR_MS, "on schedule", champion, "kept", ended=now))


@pytest.fixture(scope="module")
def composed(state, places):
    """Everything but Grafana, until all of it is healthy."""
    prometheus.require()
    if programs() is None:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    services = composition()["services"]
    port, logs = free_port(), {name: places.folder / f"{name}.log" for name in ("paper", "service")}
    with ExitStack() as stack:
        exchange = stack.enter_context(spawn(state / "candles", "--live"))
        server = stack.enter_context(postgresql())
        server.run("createdb", "-h", "127.0.0.1", "-p", str(server.port), "-U", "quorate", "quorate")
        server.require_password(places.words["postgres_password"])
        here = {
            "/state": str(places.state),
            "/run/secrets": str(places.secrets),
            "@postgres/": f"@127.0.0.1:{server.port}/",
            "127.0.0.1:8765": f"127.0.0.1:{port}",
        }
        besides = {
            "PATH": f"{places.bin}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOME": str(places.folder / "home"),
            "OMP_NUM_THREADS": "1",
            "QUORATE_EXCHANGE__URL": exchange.url,
            "QUORATE_SERVE__PORT": str(port),
            "QUORATE_GUARDS__MODELS": "2",
        }
        parts = {name: Container(services[name], here, besides) for name in logs}
        processes = {name: stack.enter_context(running(part, logs[name])) for name, part in parts.items()}
        eventually(lambda: parts["service"].healthy() or processes["service"].poll() is not None, 60)
        assert processes["service"].poll() is None, logs["service"].read_text()
        configuration = places.folder / "prometheus.yml"
        text = (ROOT / "docker" / "service" / "prometheus.yml").read_text()
        changes = {"service:8765": f"127.0.0.1:{port}", "/run/secrets": str(places.secrets), "15s": "1s"}
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        configuration.write_text(text)
        (places.folder / "alerts.yml").write_text((ROOT / "docker" / "service" / "alerts.yml").read_text())
        metrics = stack.enter_context(prometheus.prometheus(configuration, places.folder / "prometheus"))
        yield SimpleNamespace(
            base=f"http://127.0.0.1:{port}",
            logs=logs,
            metrics=metrics,
            words=places.words,
            folder=places.folder,
            before=places.before,
        )


def answer(composed, path, token=None, host=None):
    """Status and text of an answer."""
    asked = urllib.request.Request(composed.base + path)
    if token is not None:
        asked.add_header("Authorization", f"Bearer {token}")
    if host is not None:
        asked.add_header("Host", host)
    try:
        with urllib.request.urlopen(asked, timeout=10) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def status(composed, path, token=None, host=None):
    return answer(composed, path, token, host)[0]


def test_each_token_reads_what_is_its_own(composed):
    mine, monitor = composed.words["service_token"], composed.words["monitor_token"]
    assert status(composed, "/health/live") == 200
    assert [status(composed, path) for path in ("/metrics", "/signals")] == [401, 401]
    assert [status(composed, path, monitor) for path in ("/metrics", "/signals")] == [200, 403]
    assert [status(composed, path, mine) for path in ("/metrics", "/signals", "/health/ready")] == [200] * 3


def test_the_service_answers_by_its_name_in_the_network(composed):
    monitor = composed.words["monitor_token"]
    assert status(composed, "/metrics", monitor, "service:8765") == 200
    assert status(composed, "/metrics", monitor, "other:8765") >= 400


def test_the_account_trades_on_what_the_exchange_says_now(composed):
    def decided():
        code, text = answer(composed, "/paper", composed.words["service_token"])
        if code == 404:  # until its session has begun
            return None
        found = json.loads(text)
        return found if found["last_bar"] else None

    found = eventually(decided, 60)
    assert found["session"]["kind"] == "live"
    assert found["symbols"] == ["SYNA/USDT:USDT", "SYNB/USDT:USDT"]
    assert now_ms() - parse_ms(found["last_bar"]) < 3 * HOUR_MS


def test_prometheus_has_what_the_alerts_read(composed):
    """An alert on a metric that nobody exports would never fire."""
    server = composed.metrics
    eventually(lambda: server.value("quorate_equity_usd"), 60)
    names = set(server.get("label/__name__/values"))
    for rule in RULES:
        read = set(re.findall(r"\b(quorate_\w+|up)\b", rule["expr"].replace('"quorate"', "")))
        assert read, rule["alert"]
        assert read <= names


def test_every_query_of_the_dashboard_has_an_answer(composed):
    server = composed.metrics
    eventually(lambda: server.value("quorate_equity_usd"), 60)
    status(composed, "/signals", composed.words["service_token"])
    time.sleep(3)  # a rate needs two scrapes
    asked = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    assert [title for title, query in asked if not server.value(query)] == []


def test_no_alert_fires(composed):
    def healthy():
        rules = composed.metrics.get("rules")["groups"][0]["rules"]
        assert [rule["name"] for rule in rules] == [rule["alert"] for rule in RULES]
        return rules if all(rule["health"] == "ok" for rule in rules) else None

    assert {rule["name"]: rule["state"] for rule in eventually(healthy) if rule["state"] != "inactive"} == {}


def test_the_account_writes_to_its_journal_only(composed):
    """Its volume is mounted read-only; the service writes its access log there."""
    own = composed.folder / "state"
    assert {path.name for path in own.iterdir()} <= {"bundles", "service"}
    assert files_of(own / "bundles") == composed.before
    assert list((composed.folder / "home").iterdir()) == []


def test_no_secret_is_in_a_log_or_in_the_state(composed):
    for word in composed.words.values():
        for path in composed.folder.rglob("*"):
            if path.is_file() and path.parent.name not in ("secrets", "prometheus"):
                assert word.encode() not in path.read_bytes(), path
    assert re.search(r"mode FULL 2/2", composed.logs["service"].read_text())
