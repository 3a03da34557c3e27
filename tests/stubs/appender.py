"""Program that appends batches to a journal and prints which were acknowledged, to be killed at any time.

    python appender.py ACCOUNT

Everything is imported once; then, for each URL on standard input, a child process opens the journal, continues after
its newest bar, and prints `done BAR` when a batch is acknowledged. The parent prints `pid N` before, and `gone` when
the child has ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from quorate.trading.journal import Journal, MovedRecord, Record, SettledRecord


def batch(bar: int) -> list[Record]:
    """A few records, their number depends on the bar."""
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
            write_line(f"done {bar}")
            bar += 1


def write_line(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def main(account: str) -> None:
    # Imported before the fork, for the children.
    import psycopg  # noqa: F401

    import quorate.trading.journal.backend
    import quorate.trading.journal.journal_store  # noqa: F401

    write_line("ready")
    for url in sys.stdin:
        child = os.fork()
        if child == 0:
            append(url.strip(), account)  # does not return; the child is killed
        write_line(f"pid {child}")
        os.waitpid(child, 0)
        write_line("gone")


if __name__ == "__main__":
    main(*sys.argv[1:])
