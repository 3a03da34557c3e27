"""A journal in each database, and records to put into it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quorate.core.settings import JournalSettings
from quorate.trading.journal import Journal, MovedRecord, Record, SettledRecord
from stubs.postgresql import PostgreSQL, postgresql, programs

HASTY = JournalSettings(patience_s=0.2)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    if programs() is None:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    with postgresql() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a journal that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'paper' / 'journal.sqlite'}"
    return request.getfixturevalue("server").database()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a journal's file that does not exist yet."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def open_journal() -> Iterator[Callable[..., Journal]]:
    """Opens journals, which are closed when the test ends."""
    opened: list[Journal] = []

    def open_(url: str | Path, account: str = "paper", **options: object) -> Journal:
        address = f"sqlite:///{url}" if isinstance(url, Path) else url
        journal = Journal.open(address, account, **{"settings": HASTY, **options})
        opened.append(journal)
        return journal

    yield open_
    for journal in opened:
        journal.close()


@pytest.fixture(scope="session")
def batch() -> Callable[[int], list[Record]]:
    """The records of one bar: a stop that moved, and funding."""

    def make(bar: int) -> list[Record]:
        symbol = "BTC/USDT:USDT"
        return [
            SettledRecord(bar, symbol, "open", 0, 0.0001, 100_000.0 + bar, -0.01),
            MovedRecord(bar, symbol, 99_000.0 + bar),
            MovedRecord(bar, "币安人生/USDT:USDT", 0.1),
        ]

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and os.system(f"mount -t tmpfs -o size=1m tmpfs {folder} 2>/dev/null") == 0
    if not mounted:
        pytest.skip("no permission to mount a small disk")
    yield folder
    os.system(f"umount --lazy {folder}")
