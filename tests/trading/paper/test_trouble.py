"""Failures of the journal during a session: entries stop, nothing is lost, and the session resumes by itself."""

import contextlib
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate.core.settings import JournalSettings, PaperSettings
from quorate.trading.journal import Journal, StartedRecord
from quorate.trading.paper import PaperSession
from stubs.postgresql import postgresql, programs
from stubs.scripted import make_world

HASTY = PaperSettings(journal_pause_s=0.05, longest_pause_s=0.2)
IMPATIENT = JournalSettings(patience_s=0.2)


def content(journal: Journal) -> list:
    return [entry.record for entry in journal.read() if not isinstance(entry.record, StartedRecord)]


def session(world, journal, listener=None) -> PaperSession:
    return PaperSession(
        world.feed(), world.decide, journal, world.config, bundle_id="script", mode="replay", settings=HASTY,
        listener=listener,
    )  # fmt: skip


def check(world, journal, done, caplog):
    """The journal failed and recovered; trades, equity and orders are those of an undisturbed run."""
    assert "no entries until the journal can be written again" in caplog.text
    assert "the journal can be written again, from" in caplog.text
    expected = world.backtest()
    assert done.engine.account.trades == list(expected.trades)
    assert done.engine.account.equity_usd == expected.final_equity_usd
    orders = [record.order_id for record in content(journal) if record.kind in ("filled", "refused")]
    assert len(set(orders)) == len(orders)


def bars_of(records):
    return sum(record.kind == "valued" and record.phase == "close" for record in records)


def test_a_database_that_another_program_locks(tmp_path, caplog):
    world = make_world(2, bars=90)
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    heard = []
    release = threading.Event()
    locked_at = []

    def listen(record):
        heard.append(record)
        if bars_of(heard) == 20 and not locked_at:
            locked_at.append(len(heard))
            ready = threading.Event()
            threading.Thread(target=hold, args=(ready,)).start()
            assert ready.wait(5)

    def hold(ready):
        # isolation_level None: this connection takes the write lock itself, as any other program could.
        other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        ready.set()
        time.sleep(1.0)
        stood.append(len(heard))
        other.execute("ROLLBACK")
        other.close()
        release.set()

    stood = []
    with Journal.open(url, "paper", settings=IMPATIENT) as journal:
        done = session(world, journal, listen)
        done.run()
        assert release.is_set()
        assert stood[0] - locked_at[0] < 8, "no record is published before it is written"
        check(world, journal, done, caplog)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted: not root, or a container without the right to")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_is_full(small_disk, caplog):
    world = make_world(2, bars=90)
    filler = small_disk / "filler"
    heard, full = [], []

    def listen(record):
        heard.append(record)
        if bars_of(heard) == 20 and not full:
            full.append(len(heard))
            threading.Thread(target=empty_later).start()
            ballast = os.open(filler, os.O_CREAT | os.O_WRONLY)
            with contextlib.suppress(OSError):
                while True:
                    os.write(ballast, bytes(1024))
            os.close(ballast)

    def empty_later():
        time.sleep(1.5)
        full.append(len(heard))
        filler.unlink()

    with Journal.open(f"sqlite:///{small_disk}/journal.sqlite", "paper", settings=IMPATIENT) as journal:
        done = session(world, journal, listen)
        done.run()
        # Some pages were allocated before the disk was full; after them no record is published until there is room.
        assert full[1] - full[0] < len(heard) - full[1], (full, len(heard))
        check(world, journal, done, caplog)


def test_postgresql_that_is_restarted(caplog):
    if programs() is None:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    world = make_world(2, bars=90)
    with postgresql() as server:
        heard, restarted = [], []

        def listen(record):
            heard.append(record)
            if bars_of(heard) == 20 and not restarted:
                restarted.append(len(heard))
                server.restart()
            elif bars_of(heard) == 35 and len(restarted) == 1:
                restarted.append(len(heard))
                server.stop()
                threading.Timer(1.0, server.start).start()

        with Journal.open(server.database(), "paper", settings=IMPATIENT) as journal:
            done = session(world, journal, listen)
            done.run()
            assert len(restarted) == 2
            check(world, journal, done, caplog)


def test_a_session_that_waits_for_its_journal_can_be_stopped(tmp_path):
    world = make_world(2, bars=90)
    with Journal.open(f"sqlite:///{tmp_path}/journal.sqlite", "paper", settings=IMPATIENT) as journal:
        other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        waiting = session(world, journal)
        thread = threading.Thread(target=waiting.run)
        threading.Timer(0.8, waiting.stop).start()
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        other.execute("ROLLBACK")
        other.close()
        assert content(journal) == []
