"""Reading an account of 100,000 decided bars again and again.

    python benchmarks/account_view.py [--bars 5000] [--markets 20]

A journal of four members' votes is written, without trades. Measured: the first reading of the status and of the votes;
the same after one more bar, beside reading it all anew (`PaperAccount.status`); the performance of the model; searches
of the journal. Writes benchmarks/results/account_view.json and .md. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
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
MOST_AGAIN_S = 0.25


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=5_000)
    parser.add_argument("--markets", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            "command": "python benchmarks/account_view.py",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "decided": given.bars * given.markets,
            "reading": reading(folder, given.bars, given.markets),
        }
    text = as_markdown(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "account_view.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "account_view.md").write_text(text, encoding="utf-8")
    return 0 if found["reading"]["status_again_s"] < MOST_AGAIN_S else 1


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


def as_markdown(found: dict[str, Any]) -> str:
    read = found["reading"]
    rows = [
        ("status, first reading", f"{read['status_first_s']:.2f} s"),
        ("status after one more bar", f"{1e3 * read['status_again_s']:.0f} ms"),
        ("status without a new record", f"{1e3 * read['status_unchanged_s']:.2f} ms"),
        ("status, the whole journal read anew", f"{read['status_anew_s']:.2f} s"),
        ("performance, first reading", f"{read['performance_first_s']:.2f} s"),
        ("performance after one more bar", f"{read['performance_again_s']:.2f} s"),
        ("page of 50 decisions", f"{1e3 * read['search_page_s']:.0f} ms"),
        ("search for a text that no record has", f"{read['search_text_s']:.2f} s"),
        ("memory of the process", f"{read['resident_mb']:.0f} MB at most"),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"# An account of {found['decided']:,} decided bars\n\n"
        f"`{found['command']}` on {found['machine']}; journal of {read['journal_mb']:.0f} MB.\n\n"
        f"| | |\n|---|---|\n{table}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
