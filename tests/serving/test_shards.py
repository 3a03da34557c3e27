"""Three service processes, each with its shard, over one read-only folder of bundles and one PostgreSQL."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import httpx2
import pytest

from quorate.core.clock import iso_ms
from quorate.core.errors import ArgumentError
from quorate.core.sections.access import AccessSettings
from quorate.core.types.shards import Shard
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.market.synthetic import SyntheticMarket
from quorate.serving.access import first_token
from quorate.trading.journal import Journal
from quorate.workflows.paper import PaperAccount
from stubs.served import BARS
from stubs.service_client import client
from stubs.waiting import eventually

COUNT = 3
SHARDS = [Shard(number, COUNT) for number in range(1, COUNT + 1)]
QUORATE = [sys.executable, "-c", "from quorate.cli.app import run; run()"]
# Root may write to what nobody may, unless it gives that right up.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
# Seconds that anything may take; how long it takes says how busy the machine is.
PATIENCE_S = 60


@pytest.fixture(scope="module")
def shared(trained, server, tmp_path_factory):
    """What all services share: candles of twelve markets, bundles that none may write, a database and a token."""
    folder = tmp_path_factory.mktemp("shared")
    market = SyntheticMarket(seed=3, symbols=12, bars=BARS, edge=0.3)
    market.write(folder / "data")
    shutil.copytree(trained.folder / "bundles", folder / "bundles")
    token = first_token(AccessSettings(state=str(folder / "state")), "test")
    with read_only(folder / "bundles"):
        yield SimpleNamespace(
            folder=folder,
            bundles=folder / "bundles",
            data=folder / "data",
            symbols=market.names,
            ids=trained.ids,
            end=trained.end,
            url=server.database(),
            headers={"Authorization": f"Bearer {token}"},
        )


@contextmanager
def read_only(folder):
    def change(mode):
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200 if mode == "w" else path.stat().st_mode & ~0o222)

    change("r")
    try:
        yield
    finally:
        change("w")


class Process:
    """A service of one shard, as a program that also trades the account, if no other one does.

    Attributes:
        http: client of it, with the token.
        lines: its log.
    """

    def __init__(self, shared, shard):
        self.shared, self.shard = shared, shard
        command = [*UNPRIVILEGED, *QUORATE, "serve", "--bundle", str(shared.bundles), "--data", str(shared.data)]
        command += ["--port", "0", "--shard", str(shard), "--account", "paper", "--journal", shared.url]
        command += ["--paper", "--from", iso_ms(shared.end), "--speed", "2"]
        variables = {
            "QUORATE_ACCESS__STATE": str(shared.folder / "state"),
            "QUORATE_SERVE__WATCH_S": "0.2",
            "QUORATE_SERVE__RETRY_S": "0.2",
            "QUORATE_PREDICT__DEADLINE_MS": "60000",
        }
        self._log = shared.folder / f"{shard.number}-{os.urandom(4).hex()}.log"
        self.http = None
        with self._log.open("w") as log:
            self.program = subprocess.Popen(command, stderr=log, cwd=shared.folder, env={**os.environ, **variables})

    def listen(self):
        """Wait until it listens."""

        def address():
            assert self.program.poll() is None, self.lines
            return re.search(r"listening on (http://127\.0\.0\.1:\d+)", self._log.read_text())

        base = eventually(address, timeout=PATIENCE_S)[1]
        self.http = httpx2.Client(base_url=base, headers=self.shared.headers, timeout=PATIENCE_S)
        return self

    @property
    def lines(self):
        return self._log.read_text().splitlines()

    def answer(self, symbol):
        return self.http.get(f"/signals/{symbol}")

    def held(self):
        """Markets that it answers."""
        return {market["symbol"] for market in self.http.get("/signals").raise_for_status().json()}

    def kill(self):
        if self.http is not None:
            self.http.close()
        self.program.send_signal(signal.SIGKILL)
        self.program.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def cluster(shared):
    """The three processes by shard; a test that kills one starts it again."""
    running = {shard: Process(shared, shard) for shard in SHARDS}
    try:
        for process in running.values():
            process.listen()
        yield running
    finally:
        for process in running.values():
            process.kill()


def test_the_folder_of_bundles_is_read_only_for_them(shared):
    done = subprocess.run([*UNPRIVILEGED, "touch", str(shared.bundles / "new")], capture_output=True, text=True)
    assert "Permission denied" in done.stderr


def test_every_market_is_answered_by_exactly_one(shared, cluster):
    answers = {symbol: {shard: cluster[shard].answer(symbol) for shard in SHARDS} for symbol in shared.symbols}
    for symbol, found in answers.items():
        own = SHARDS[0].of(symbol)
        assert {shard: answer.status_code for shard, answer in found.items()} == {
            shard: 200 if shard == own else 421 for shard in SHARDS
        }
        assert found[own].json()["symbol"] == symbol
        for shard in set(SHARDS) - {own}:
            error = found[shard].json()["error"]
            assert error["type"] == "ShardError"
            assert error["found"] == f"a name of shard {own}"
            assert str(shard) in error["expected"]
            assert error["remedy"] == f"Ask the service of shard {own}."
    held = [cluster[shard].held() for shard in SHARDS]
    assert Counter(symbol for symbols in held for symbol in symbols) == Counter(shared.symbols)
    for shard in SHARDS:
        ready = cluster[shard].http.get("/health/ready").json()["markets"]
        assert (ready["shard"], ready["served"]) == (str(shard), len(shard.select(shared.symbols)))
        assert f"INFO {ready['served']} markets of 1h, shard {shard}" in cluster[shard].lines
    asked = cluster[SHARDS[0]].http.get("/signals", params={"symbols": ",".join(shared.symbols)})
    assert asked.status_code == 421


def test_one_writes_the_account_and_when_it_is_killed_the_others_go_on_and_one_takes_over(shared, cluster):
    """Writers but the first are refused as long as it lives, and show the account all the same."""
    account = PaperAccount("paper", shared.url)

    def by_state(state):
        found = {shard: process.http.get("/paper/session").json() for shard, process in cluster.items()}
        return {shard: session["error"] for shard, session in found.items() if session["state"] == state}

    def bars():
        return len(account.status().to_pandas("equity"))

    eventually(lambda: len(by_state("running")) == 1 and len(by_state("standby")) == 2)
    (killed,), waiting = by_state("running"), by_state("standby")
    for shard, error in waiting.items():
        assert "another connection writing it" in error
        assert cluster[shard].http.get("/paper").json()["account"] == "paper"
    eventually(lambda: bars() > 2)
    before = {shard: cluster[shard].held() for shard in SHARDS}
    process = cluster.pop(killed)
    process.kill()
    written = bars()
    for shard in waiting:
        assert cluster[shard].held() == before[shard]
        for symbol in before[killed]:  # nobody takes its markets over, for which two would answer later
            assert cluster[shard].answer(symbol).status_code == 421
    eventually(lambda: len(by_state("running")) == 1, timeout=30)
    assert by_state("running").keys() <= waiting.keys()
    eventually(lambda: bars() > written)
    cluster[killed] = Process(shared, killed).listen()
    assert cluster[killed].held() == before[killed]
    eventually(lambda: killed in by_state("standby"))
    # Each bar once, in order, by both sessions together.
    times = list(account.status().to_pandas("equity").index)
    assert times == sorted(set(times))
    with Journal.open(shared.url, "paper", role="reader") as journal:
        started = [entry.record.symbols for entry in journal.read() if entry.record.kind == "started"]
    # An account trades all markets, whatever the shard of its process.
    assert [sorted(symbols) for symbols in started] == [sorted(shared.symbols)] * 2


def test_a_promotion_is_seen_by_all_within_seconds(shared, cluster):
    symbols = {shard: shard.select(shared.symbols)[0] for shard in SHARDS}

    def used():
        return {cluster[shard].answer(symbols[shard]).headers["Quorate-Bundle"] for shard in SHARDS}

    before = BundleStore(shared.bundles).champion()
    after = next(name for name in shared.ids if name != before)
    assert used() == {before}
    # Whoever promotes writes the folder; the services only read it.
    command = [*QUORATE, "bundle", "promote", after, "--bundles", str(shared.bundles), "--why", "test"]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S, cwd=shared.folder)
    eventually(lambda: used() == {after}, timeout=10)


def test_a_shard_without_a_market_is_refused(make_service, world):
    taken = {Shard(1, 50).of(symbol) for symbol in world.symbols}
    empty = next(Shard(number, 50) for number in range(1, 51) if Shard(number, 50) not in taken)
    with pytest.raises(ArgumentError, match=f"found none of shard {empty} among 3; expected at least one"):
        make_service(shard=str(empty))


def test_all_are_served_without_a_shard(make_service, world):
    with client(make_service()) as http:
        assert http.get("/health/ready").json()["markets"]["shard"] == "1/1"
        assert http.get("/signals/NONE").status_code == 404
