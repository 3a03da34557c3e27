"""The journal beside plain SQLite: durable appends a second, and reading 100,000 records back.

    python benchmarks/journal.py

Plain SQLite writes the same texts into a table without triggers, keys or checks, and reads them back with json.loads;
both wait for the disk at every commit. The journal's records are what an account writes: a decision of four members for
each of 100 symbols at every bar, and the account's value.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from quorate.core.types import Action, Vote
from quorate.trading.journal import Decided, Journal, Record, Valued
from quorate.trading.journal.row import Row, to_row

SYMBOLS = 100
RECORDS = 100_000
APPENDS = 200
REPEATS = 3
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
RESULT = Path(__file__).parent / "results" / "journal.md"


def bar_of(time_: int) -> list[Record]:
    """What is written at one bar."""
    votes = tuple(
        Vote(name, Action.BUY, 0.7 + place / 100, (0.1, 0.2, 0.7), None, (0.1234567, 0.2345678, 0.6419755))
        for place, name in enumerate(MEMBERS)
    )
    line = "strong | xgb:BUY 70%, lgbm:BUY 71%, nhits:BUY 72%, patchtst:BUY 73% | vol:3.24%"
    decided: list[Record] = [
        Decided(time_, f"S{place}/USDT:USDT", Action.BUY, 0.85, 0.77, "strong", "vote", line, 0.0324, "full", votes)
        for place in range(SYMBOLS)
    ]
    return [*decided, Valued(time_, "close", 1_000.1 + time_, 990.2, {})]


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
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def best_of(work: Callable[[], object]) -> float:
    """Shortest wall time in seconds: what the machine's other work adds is left out as far as it can be."""
    return min(seconds(work) for _ in range(REPEATS))


def main() -> None:
    bars = [bar_of(time_) for time_ in range(RECORDS // (SYMBOLS + 1) + 1)]
    singles = [[bar_of(-1 - time_)[-1]] for time_ in range(APPENDS)]
    with TemporaryDirectory() as folder:
        beside = plain(Path(folder) / "plain.sqlite")
        with Journal.open(f"sqlite:///{folder}/journal.sqlite", "bench") as journal:
            one = seconds(lambda: [journal.append(batch) for batch in singles])
            one_plain = seconds(lambda: [insert(beside, map(to_row, batch)) for batch in singles])
            whole = seconds(lambda: [journal.append(bar) for bar in bars[:APPENDS]])
            whole_plain = seconds(lambda: [insert(beside, map(to_row, bar)) for bar in bars[:APPENDS]])
            for bar in bars[APPENDS:]:
                journal.append(bar)
                insert(beside, map(to_row, bar))
            rebuilt = best_of(lambda: sum(1 for _ in journal.read(detail=False)))
            everything = best_of(lambda: sum(1 for _ in journal.read()))
            parsed = best_of(lambda: [json.loads(body) for (body,) in beside.execute("SELECT body FROM plain")])
            opened = seconds(lambda: Journal.open(f"sqlite:///{folder}/journal.sqlite", "another").close())
            megabytes = Path(folder, "journal.sqlite").stat().st_size / 1e6
        beside.close()
    lines = [
        "# The journal",
        "",
        f"`python benchmarks/journal.py`: SQLite, each commit on the disk before it is acknowledged; {SYMBOLS} symbols "
        f"a bar, {RECORDS:,} records ({megabytes:.0f} MB). Plain SQLite has no triggers, no keys and no checks; its "
        f"reading is `json.loads`. Reading: best of {REPEATS}.",
        "",
        "| | journal | plain SQLite | ratio |",
        "|---|---:|---:|---:|",
        f"| one record, appends a second | {APPENDS / one:.0f} | {APPENDS / one_plain:.0f} | {one / one_plain:.2f} |",
        f"| a bar of {SYMBOLS + 1} records, appends a second | {APPENDS / whole:.0f} | {APPENDS / whole_plain:.0f} | "
        f"{whole / whole_plain:.2f} |",
        f"| {RECORDS:,} records to rebuild an account, s | {rebuilt:.2f} | | {rebuilt / parsed:.2f} |",
        f"| with every member's votes, s | {everything:.2f} | {parsed:.2f} | {everything / parsed:.2f} |",
        f"| opening, the file looked through for damage, s | {opened:.2f} | | |",
    ]
    text = "\n".join(lines) + "\n"
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
