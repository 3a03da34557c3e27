"""Failures of the journal's file: damage, a full disk, locks of other programs, removed files."""

import os
import resource
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest
from sqlalchemy.exc import DBAPIError

from quorate.core.errors import JournalError, JournalTakenError, JournalUnavailableError
from quorate.trading.journal import Journal, ValuedRecord
from quorate.trading.journal.sql_tables import journal
from quorate.trading.journal.sqlite import SqliteFile

from .conftest import HASTY

LONG = [ValuedRecord(bar, "close", 1.0, 1.0, heard=0) for bar in range(600)]


def records(journal):
    return [entry.record for entry in journal.read()]


def pragma(path, name):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextmanager
def nobody():
    """Run as an unprivileged user, where the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_the_file_is_durable_and_whole(path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    with journal._store._transaction("look") as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert pragma(path, "integrity_check") == "ok"
    assert not list(path.parent.glob(".journal*"))


@pytest.mark.parametrize("kinds", [None, ["human"]])
def test_what_is_asked_at_every_bar_does_not_walk_through_the_whole_journal(kinds, path, open_journal):
    store = open_journal(path)._store
    query = store._select(kinds).where(journal.c.seq > 1000).order_by(journal.c.seq).limit(10)
    with store._transaction("look") as connection:
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    index = "journal_account_seq (account=?" if kinds is None else "journal_account_kind_seq (account=? AND kind=?"
    assert f"USING INDEX {index} AND seq>?)" in plan


def test_a_folder_is_made_and_nothing_is_made_by_reading(path, open_journal):
    with pytest.raises(JournalError, match="no such file"):
        open_journal(path, role="reader")
    with pytest.raises(JournalError, match="no such file"):
        open_journal(path, role="human")
    assert not path.exists()
    open_journal(path.parent / "new" / "folder" / "journal.sqlite")


@pytest.mark.parametrize("place", ["header", "page", "half", "empty", "text"])
def test_a_damaged_file_is_refused_and_left_as_it_is(place, path, open_journal):
    journal = open_journal(path)
    journal.append(LONG[:600])
    journal.close()
    whole = path.read_bytes()
    page = pragma(path, "page_size")
    damaged = {
        "header": b"\0" * 100 + whole[100:],
        "page": whole[: 4 * page] + b"\xff" * page + whole[5 * page :],
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"not a database at all, just some text in a file\n" * 200,
    }[place]
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match="Restore a backup") as caught:
        open_journal(path)
    assert not isinstance(caught.value, JournalUnavailableError)
    assert path.read_bytes() == damaged
    path.write_bytes(whole)
    assert records(open_journal(path)) == LONG[:600]


def test_a_log_without_its_file_is_no_new_journal(path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    kept = path.with_name("kept")
    path.rename(kept)
    with pytest.raises(JournalError, match="Put the file back"):
        open_journal(path, "other")
    assert not path.exists()
    kept.rename(path)
    assert records(journal) == batch(1)


def fill(file):
    """Fill the disk."""
    with file.open("ab", buffering=0) as ballast:
        while shutil.disk_usage(file).free:
            ballast.write(b"\0" * 4096)


def append_all(journal, batches, done):
    for batch in batches:
        journal.append(batch)
        done.append(batch)


def test_a_disk_that_is_full_refuses_whole_batches_until_there_is_room(small_disk, open_journal, batch):
    journal = open_journal(small_disk / "journal.sqlite")
    journal.append(batch(1))
    fill(small_disk / "ballast")
    done = [batch(1)]
    # The log may still have room for some.
    with pytest.raises(JournalUnavailableError, match="the disk"):
        append_all(journal, map(batch, range(2, 1000)), done)
    tried, other = batch(len(done) + 1), batch(len(done) + 2)
    fill(small_disk / "ballast")
    with pytest.raises(JournalUnavailableError):
        journal.append(tried)
    with pytest.raises(JournalError, match="may or may not have been written"):
        journal.append(other)
    (small_disk / "ballast").unlink()
    assert not journal.holds(tried)
    acknowledged = [record for whole in done for record in whole]
    assert records(journal) == acknowledged
    journal.append(tried)
    journal.close()
    assert records(open_journal(small_disk / "journal.sqlite")) == acknowledged + tried


def test_a_limit_on_files_is_a_full_disk(path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    log = path.with_name(path.name + "-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 4096, hard))
    try:
        with pytest.raises(JournalUnavailableError, match="disk"):
            journal.append(LONG[:200])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert records(journal) == batch(1)
    journal.append(LONG[:200])
    assert records(journal) == batch(1) + LONG[:200]


def test_another_programs_lock_is_waited_for_and_then_told(path, open_journal, batch):
    journal = open_journal(path)
    reader = open_journal(path, role="reader")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailableError, match="locked by another program"):
            journal.append(batch(1))
        assert records(reader) == []
        other.execute("ROLLBACK")
    journal.append(batch(1))
    assert records(reader) == batch(1)


def test_a_removed_file_is_not_written_on(path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    away = path.with_name("away")
    path.rename(away)
    with pytest.raises(JournalUnavailableError, match=r"journal.sqlite removed.*Put it back"):
        journal.append(batch(2))
    away.rename(path)
    journal.append(batch(2))
    assert records(journal) == batch(1) + batch(2)

    log = path.with_name(path.name + "-wal")
    log.rename(away)
    with pytest.raises(JournalUnavailableError, match=r"journal.sqlite-wal removed"):
        journal.append(batch(3))
    away.rename(log)
    journal.append(batch(3))

    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)
    with pytest.raises(JournalError, match="another file in place of") as caught:
        journal.append(batch(4))
    assert not isinstance(caught.value, JournalUnavailableError)


@pytest.mark.parametrize("role", ["session", "reader"])
def test_a_folder_without_permission_is_told(role, path, open_journal):
    open_journal(path).close()
    path.parent.chmod(0)
    with nobody(), pytest.raises(JournalUnavailableError, match="Permission denied"):
        open_journal(path, role=role)
    path.parent.chmod(0o700)
    open_journal(path, role=role)


def test_a_place_that_is_no_folder_is_told(path, open_journal):
    path.write_text("a file")
    with pytest.raises(JournalUnavailableError, match="folder that can be written"):
        open_journal(path / "journal.sqlite")


@pytest.mark.parametrize("role", ["session", "reader"])
@pytest.mark.parametrize("kind", ["named pipe", "device", "directory"])
def test_what_is_no_regular_file_is_refused_at_once(kind, role, path, open_journal):
    match kind:
        case "named pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/null")
        case _:
            path.mkdir()
    beside = sorted(path.parent.iterdir())
    with pytest.raises(JournalError, match=kind) as caught:
        open_journal(path, role=role)
    assert not isinstance(caught.value, JournalUnavailableError)
    assert sorted(path.parent.iterdir()) == beside


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o027])
def test_a_new_file_has_the_mode_that_the_umask_leaves(mask, path, open_journal, batch):
    before = os.umask(mask)
    try:
        journal = open_journal(path)
        journal.append(batch(1))
        log = path.with_name(path.name + "-wal")
        modes = {file: file.stat().st_mode & 0o777 for file in (path, log)}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys((path, log), 0o666 & ~mask)


def test_a_removed_lock_lets_nobody_write_beside_a_session(path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    lock = path.with_name(path.name + ".paper.lock")
    lock.unlink()
    journal.append(batch(2))
    with pytest.raises(JournalTakenError):
        open_journal(path)
    lock.unlink()
    other = open_journal(path)
    with pytest.raises(JournalUnavailableError, match="one session at a time"):
        journal.append(batch(3))
    other.append(batch(4))
    other.close()
    with pytest.raises(JournalError, match="written by another session"):
        journal.append(batch(3))
    assert records(open_journal(path, role="reader")) == batch(1) + batch(2) + batch(4)


def test_a_link_leads_to_the_same_journal(path, open_journal, batch):
    journal = open_journal(path)
    link = path.with_name("link.sqlite")
    link.symlink_to(path)
    with pytest.raises(JournalTakenError):
        open_journal(link)
    journal.append(batch(1))
    journal.close()
    later = open_journal(link)
    later.append(batch(2))
    assert records(later) == batch(1) + batch(2)


def test_who_holds_an_account_is_named(path, open_journal):
    open_journal(path)
    with pytest.raises(JournalTakenError, match=f"process {os.getpid()}"):
        Journal.open(f"sqlite:///{path}", "paper")


def files(folder):
    """Content of every file; SQLite's shared memory holds who reads at the moment, and no record."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


@pytest.mark.parametrize("end", ["closed", "killed", "running"])
def test_a_reader_changes_no_file(end, path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    if end == "killed":
        # What the kernel leaves of a killed program: the file and a log that nobody has merged into it.
        kept = path.with_name("killed")
        kept.mkdir()
        for name in (path.name, f"{path.name}-wal"):
            shutil.copy(path.with_name(name), kept)
        path = kept / path.name
    elif end == "closed":
        journal.close()
    before = files(path.parent)
    assert (f"{path.name}-wal" in before) == (end != "closed")
    for _ in range(2):
        reader = open_journal(path, role="reader")
        assert records(reader) == batch(1)
        reader.close()
    assert files(path.parent) == before


@pytest.mark.parametrize("logged", [True, False])
def test_a_reader_cannot_write(logged, path, open_journal, batch):
    journal = open_journal(path)
    journal.append(batch(1))
    if not logged:
        journal.close()
    reader = SqliteFile(path, HASTY)
    with reader.connect(writes=False) as connection, pytest.raises(DBAPIError, match="readonly database"):
        connection.exec_driver_sql("CREATE TABLE more (a)")
