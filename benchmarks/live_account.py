"""Reading an account of 100,000 decided bars again and again, and the memory of idle event streams.

    python benchmarks/live_account.py [--bars 5000] [--markets 20] [--streams 500]

A journal of four members' votes is written, without trades. Measured in one process: the first reading of the status
and of the votes; the same after one more bar, beside reading it all anew (`PaperAccount.status`); the performance of
the model; searches of the journal. Then a service of a small bundle, in a process of its own: its resident memory
before and after so many idle streams. Writes benchmarks/results/live_account.json and .md. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.sections.learning import TargetSettings
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Action, Candles, Vote
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.features import feature_set
from quorate.market.memory import MemorySource
from quorate.trading.journal import DecidedRecord, Journal, Record, StartedRecord, ValuedRecord
from quorate.trading.paper import AccountConfig
from quorate.workflows.paper import AccountView, PaperAccount
from quorate.workflows.paper.performance import ManifestOnly

RESULTS = Path(__file__).parent / "results"
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
START = parse_ms("2024-01-01")
MOST_AGAIN_S, MOST_STREAM_BYTES = 0.25, 50_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=5_000)
    parser.add_argument("--markets", type=int, default=20)
    parser.add_argument("--streams", type=int, default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            "command": "python benchmarks/live_account.py",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "decided": given.bars * given.markets,
            "reading": reading(folder, given.bars, given.markets),
            "streams": streams(folder, given.streams),
        }
    text = as_markdown(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "live_account.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "live_account.md").write_text(text, encoding="utf-8")
    again = found["reading"]["status_again_s"] < MOST_AGAIN_S
    return 0 if again and found["streams"]["bytes_each"] < MOST_STREAM_BYTES else 1


def reading(folder: Path, bars: int, markets: int) -> dict[str, float]:
    """Seconds of each kind of reading."""
    manifest = small_manifest(tuple(f"M{number:02d}/USDT:USDT" for number in range(markets)))
    url = f"sqlite:///{folder / 'journal.sqlite'}"
    write(url, manifest, 0, bars)
    account = PaperAccount("paper", url)
    view, measured = AccountView(account), ManifestOnly(manifest)
    source = MemorySource([walk(symbol, bars + 20) for symbol in manifest.symbols])
    found = {
        "journal_mb": (folder / "journal.sqlite").stat().st_size / 1e6,
        "status_first_s": timed(view.status),
        "performance_first_s": timed(lambda: view.performance(measured, source)),
        "status_unchanged_s": statistics.median(timed(view.status) for _ in range(20)),
    }
    again, performance, anew = [], [], []
    for bar in range(bars, bars + 5):
        write(url, manifest, bar, bar + 1)
        again.append(timed(view.status))
        performance.append(timed(lambda: view.performance(measured, source)))
        anew.append(timed(account.status))
    found |= {
        "status_again_s": statistics.median(again),
        "status_anew_s": statistics.median(anew),
        "performance_again_s": statistics.median(performance),
        "search_page_s": statistics.median(timed(lambda: view.records(50, kinds="decided")) for _ in range(5)),
        "search_text_s": statistics.median(timed(lambda: view.records(50, text="no such text")) for _ in range(3)),
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    view.close()
    return found


def streams(folder: Path, count: int) -> dict[str, float]:
    """Bytes of a service's memory for each idle stream."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
    from quorate.market import SyntheticMarket
    from stubs.small_training import SETTINGS

    market = SyntheticMarket(seed=1, symbols=2, bars=700)
    market.write(folder / "data")
    end = int(market.candles(market.names[0]).time[500])
    train_ensemble(
        {name: market.candles(name) for name in market.names},
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=SETTINGS, end=end),
        folder / "bundles",
    )
    command = [sys.executable, "-c", "from quorate.cli.app import run; run()", "serve", "--port", "0"]
    command += ["--bundle", str(folder / "bundles"), "--data", str(folder / "data")]
    command += ["--journal", f"sqlite:///{folder / 'none.sqlite'}"]
    limits = {"QUORATE_SERVE__STREAMS": f"{count + 10}", "QUORATE_SERVE__HEARTBEAT_S": "600"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **limits}) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if place := re.search(r"listening on http://([\d.]+):(\d+)", line):
                break
        else:
            raise SystemExit("the service did not start")
        address = place[1], int(place[2])
        try:
            first = [open_stream(address) for _ in range(10)]
            time.sleep(2)  # there is no account to read
            before = resident(process.pid)
            opened = [open_stream(address) for _ in range(count)]
            time.sleep(1)
            each = (resident(process.pid) - before) / count
        finally:
            process.kill()
    for connection in (*first, *opened):
        connection.close()
    return {"streams": count, "bytes_each": each, "service_mb": before / 1e6}


def small_manifest(symbols: tuple[str, ...]) -> Manifest:
    """The manifest of a bundle without files."""
    columns = feature_set("core14")
    return Manifest(
        recipe="vote",
        features="core14",
        feature_names=columns.names,
        feature_hash=columns.hash,
        target=TargetSettings(),
        policy=VoteSettings(),
        symbols=symbols,
        timeframe="1h",
        synthetic=True,
        training_start=START - HOUR_MS,
        training_end=START,
        rows={},
        class_prior=(0.3, 0.4, 0.3),
        members=tuple(Member(name, failure="not measured") for name in MEMBERS),
        metrics={},
        settings={},
        versions={},
        files={},
    ).with_id()


def write(url: str, manifest: Manifest, first: int, end: int) -> None:
    """Append the decisions of some bars."""
    config, random = AccountConfig(manifest.horizon), np.random.default_rng(first)
    with Journal.open(url, "paper") as journal:
        if first == 0:
            started = StartedRecord(
                START, 1, "replay", manifest.id, config.hash, "quorate", "1h", manifest.symbols, config.to_json(), True
            )
            journal.append([started])
        batch: list[Record] = []
        for bar in range(first, end):
            time_ms = START + bar * HOUR_MS
            batch.extend(decided(time_ms, symbol, random) for symbol in manifest.symbols)
            batch.append(ValuedRecord(time_ms, "close", 1_000.0, 1_000.0, {}, len(MEMBERS), 0))
            if len(batch) > 5_000 or bar == end - 1:
                journal.append(batch)
                batch = []


def decided(time: int, symbol: str, random: np.random.Generator) -> DecidedRecord:
    tables = random.dirichlet((2, 4, 2), len(MEMBERS))
    votes = tuple(
        Vote(model, Action(int(table.argmax())), float(table.max()), (*table.tolist(),), 0.25, (*table.tolist(),))
        for model, table in zip(MEMBERS, tables, strict=True)
    )
    line = "strong | xgb:BUY 76%, lgbm:BUY 81%, nhits:BUY 79%, patchtst:HOLD 68% | vol:3.24%"
    mean = (*tables.mean(axis=0).tolist(),)
    return DecidedRecord(
        time, symbol, Action.HOLD, 0.5, 0.5, "strong", "below_floor", line, 0.03, "full", votes, (), (), mean
    )


def walk(symbol: str, bars: int) -> Candles:
    """A random walk of prices."""
    random = np.random.default_rng(list(symbol.encode()))
    price = 100 * np.exp(np.cumsum(random.normal(0, 0.01, bars)))
    return Candles(symbol, "1h", START + HOUR_MS * np.arange(bars), price, price, price, price, np.ones(bars))


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def open_stream(address: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(address)
    connection.sendall(f"GET /events HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n\r\n".encode())
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def as_markdown(found: dict[str, Any]) -> str:
    read, stream = found["reading"], found["streams"]
    rows = [
        ("status, first reading", f"{read['status_first_s']:.2f} s"),
        ("status after one more bar", f"{1e3 * read['status_again_s']:.0f} ms"),
        ("status without a new record", f"{1e3 * read['status_unchanged_s']:.2f} ms"),
        ("status, the whole journal read anew", f"{read['status_anew_s']:.2f} s"),
        ("performance, first reading", f"{read['performance_first_s']:.2f} s"),
        ("performance after one more bar", f"{read['performance_again_s']:.2f} s"),
        ("page of 50 decisions", f"{1e3 * read['search_page_s']:.0f} ms"),
        ("search for a text that no record has", f"{read['search_text_s']:.2f} s"),
        (f"each of {stream['streams']:,} idle event streams", f"{stream['bytes_each'] / 1e3:.1f} KB"),
        ("service before them", f"{stream['service_mb']:.0f} MB resident"),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"# A live account of {found['decided']:,} decided bars\n\n"
        f"`{found['command']}` on {found['machine']}; journal of {read['journal_mb']:.0f} MB.\n\n"
        f"| | |\n|---|---|\n{table}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
