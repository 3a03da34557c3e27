"""A program that appends batches to a journal and says which ones were acknowledged, to be killed at any moment.

    python appender.py ACCOUNT

Everything is imported once; then, for each URL on standard input, a child of its own opens that journal, goes on after
its newest bar, and says `done BAR` once a batch is acknowledged. Before it `pid N` is said, and `gone` when it is dead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from quorate.trading.journal import Journal, MovedRecord, Record, SettledRecord


def batch(bar: int) -> list[Record]:
    """A few records, as many as the bar's number decides."""
    stops: Iterator[Record] = (
        MovedRecord(bar, f"M{number}/USDT:USDT", bar + number / 7) for number in range(bar % 5 + 1)
    )
    return [SettledRecord(bar, "M0/USDT:USDT", "open", 0, 1e-4, bar / 3, -bar / 7), *stops]


def append(url: str, account: str) -> None:
    with Journal.open(url, account) as journal:
        newest = journal.newest(1)
        bar = newest[0].record.time + 1 if newest else 0
        while True:
            journal.append(batch(bar))
            say(f"done {bar}")
            bar += 1


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def main(account: str) -> None:
    # The children have it then.
    import psycopg  # noqa: F401

    import quorate.trading.journal.backend
    import quorate.trading.journal.journal_store  # noqa: F401

    say("ready")
    for url in sys.stdin:
        child = os.fork()
        if child == 0:
            append(url.strip(), account)  # until it is killed
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("gone")


if __name__ == "__main__":
    main(*sys.argv[1:])
