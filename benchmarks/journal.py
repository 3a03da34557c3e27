"""The journal beside plain SQLite: durable appends per second, and reading 100,000 records.

    python benchmarks/journal.py

Plain SQLite writes the same texts into a table without triggers, keys or checks, and reads them with json.loads; both
synchronise to the disk at every commit. The records are those of an account: a decision of four members for each of 100
symbols at every bar, and the account's value.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from quorate.core.types import Action, Vote
from quorate.trading.journal import DecidedRecord, Journal, Record, ValuedRecord
from quorate.trading.journal.row import Row, to_row

SYMBOLS = 100
RECORDS = 100_000
APPENDS = 200
REPEATS = 3
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
RESULT = Path(__file__).parent / "results" / "journal.md"


def bar_of(time_: int) -> list[Record]:
    """Records of one bar."""
    votes = tuple(
        Vote(name, Action.BUY, 0.7 + place / 100, (0.1, 0.2, 0.7), None, (0.1234567, 0.2345678, 0.6419755))
        for place, name in enumerate(MEMBERS)
    )
    line = "strong | xgb:BUY 70%, lgbm:BUY 71%, nhits:BUY 72%, patchtst:BUY 73% | vol:3.24%"
    decided: list[Record] = [
        DecidedRecord(
            time_, f"S{place}/USDT:USDT", Action.BUY, 0.85, 0.77, "strong", "vote", line, 0.0324, "full", votes
        )
        for place in range(SYMBOLS)
    ]
    return [*decided, ValuedRecord(time_, "close", 1_000.1 + time_, 990.2, {})]


def plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE plain (seq INTEGER PRIMARY KEY, time_ms, kind, key, symbol, order_id, body)")
    return connection


def insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    columns = "(time_ms, kind, key, symbol, order_id, body)"
    connection.executemany(f"INSERT INTO plain {columns} VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def append_alternately(
    journal: Journal, beside: sqlite3.Connection, batches: list[list[Record]]
) -> tuple[float, float]:
    """Wall time of both, batch by batch, so that other load on the disk affects both alike."""
    journals = plains = 0.0
    for batch in batches:
        journals += seconds(lambda: journal.append(batch))  # noqa: B023
        plains += seconds(lambda: insert(beside, map(to_row, batch)))  # noqa: B023
    return journals, plains


def core_seconds(work: Callable[[], object]) -> float:
    """Least CPU time in seconds, which other programs affect little."""
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    bars = [bar_of(time_) for time_ in range(RECORDS // (SYMBOLS + 1) + 1)]
    singles = [[bar_of(-1 - time_)[-1]] for time_ in range(APPENDS)]
    with TemporaryDirectory() as folder:
        beside = plain(Path(folder) / "plain.sqlite")
        with Journal.open(f"sqlite:///{folder}/journal.sqlite", "bench") as journal:
            one, one_plain = append_alternately(journal, beside, singles)
            whole, whole_plain = append_alternately(journal, beside, bars[:APPENDS])
            rest = [record for bar in bars[APPENDS:] for record in bar]
            journal.append(rest)
            insert(beside, map(to_row, rest))
            rebuilt = core_seconds(lambda: sum(1 for _ in journal.read(detail=False)))
            everything = core_seconds(lambda: sum(1 for _ in journal.read()))
            bodies = "SELECT body FROM plain"
            parsed = core_seconds(lambda: sum(len(json.loads(body)) for (body,) in beside.execute(bodies)))
            opened = core_seconds(lambda: Journal.open(f"sqlite:///{folder}/journal.sqlite", "another").close())
            megabytes = Path(folder, "journal.sqlite").stat().st_size / 1e6
        beside.close()
    lines = [
        "# The journal",
        "",
        f"`python benchmarks/journal.py`: SQLite, each commit is on the disk before it is acknowledged; {SYMBOLS} "
        f"symbols per bar, {RECORDS:,} records ({megabytes:.0f} MB). Plain SQLite has no triggers, no keys and no "
        f"checks, and is read with `json.loads`. Reading: CPU seconds, best of {REPEATS}.",
        "",
        "| | journal | plain SQLite | ratio |",
        "|---|---:|---:|---:|",
        f"| one record, appends per second | {APPENDS / one:.0f} | {APPENDS / one_plain:.0f} | {one / one_plain:.2f} |",
        f"| a bar of {SYMBOLS + 1} records, appends per second | {APPENDS / whole:.0f} | {APPENDS / whole_plain:.0f} | "
        f"{whole / whole_plain:.2f} |",
        f"| {RECORDS:,} records to rebuild an account, CPU s | {rebuilt:.2f} | | {rebuilt / parsed:.2f} |",
        f"| with every member's votes, CPU s | {everything:.2f} | {parsed:.2f} | {everything / parsed:.2f} |",
        f"| opening, with the check for damage, CPU s | {opened:.2f} | | |",
    ]
    text = "\n".join(lines) + "\n"
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
