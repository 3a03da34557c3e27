"""Failures of PostgreSQL: a crash, an outage, a lost session whose lock is still held."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from time import sleep

import psycopg
import pytest

from quorate.core.errors import JournalError, JournalTakenError, JournalUnavailableError
from quorate.core.redaction import redact
from quorate.core.settings import JournalSettings
from quorate.trading.journal import MovedRecord
from stubs.postgresql import postgresql, programs
from stubs.proxy import proxy


@pytest.fixture
def url(server):
    return server.database()


def records(journal):
    return [entry.record for entry in journal.read()]


def execute(url, statement):
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        return connection.execute(statement).fetchone()


def cut(url):
    """Terminate every connection of the journal, as a network failure does."""
    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'quorate'")


def test_a_server_that_crashed_between_two_appends_is_found_again(server, url, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    server.restart()
    with pytest.raises(JournalUnavailableError, match="try again"):
        journal.append(batch(2))
    journal.append(batch(2))
    assert records(journal) == batch(1) + batch(2)


def test_while_the_server_is_away_nothing_is_acknowledged_and_nothing_lost(server, url, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    server.stop()
    try:
        for _ in range(3):
            with pytest.raises(JournalUnavailableError):
                journal.append(batch(2))
        with pytest.raises(JournalUnavailableError):
            records(journal)
        with pytest.raises(JournalUnavailableError):
            open_journal(url, "other")
    finally:
        server.start()
    assert not journal.holds(batch(2))
    journal.append(batch(2))
    assert records(journal) == batch(1) + batch(2)


def test_a_crash_within_an_append_leaves_nothing_of_it(server, url, open_journal, batch):
    journal = open_journal(url, settings=JournalSettings(patience_s=20))
    journal.append(batch(1))
    with closing(psycopg.connect(url)) as other, ThreadPoolExecutor() as aside:
        # The batch waits for this lock while the server crashes.
        other.execute("LOCK TABLE journal IN SHARE MODE")
        restarted = aside.submit(lambda: (wait_for_a_waiting_lock(url), server.restart()))
        with pytest.raises(JournalUnavailableError, match=r"terminat|closed"):
            journal.append(batch(2))
        restarted.result()
    assert records(journal) == batch(1)
    assert not journal.holds(batch(2))
    journal.append(batch(2))
    assert records(journal) == batch(1) + batch(2)


def wait_for_a_waiting_lock(url):
    while execute(url, "SELECT count(*) FROM pg_locks WHERE NOT granted")[0] == 0:
        sleep(0.01)


def test_another_programs_lock_is_waited_for_and_then_told(url, open_journal, batch):
    journal = open_journal(url)
    with closing(psycopg.connect(url)) as other:
        other.execute("LOCK TABLE journal IN SHARE MODE")
        with pytest.raises(JournalUnavailableError, match="lock timeout"):
            journal.append(batch(1))
    journal.append(batch(1))
    assert records(journal) == batch(1)


def test_a_batch_whose_acknowledgement_was_lost_is_written_once(server, url, open_journal, batch):
    with proxy(server.port) as network:
        journal = open_journal(url.replace(f":{server.port}/", f":{network.port}/"))
        journal.append(batch(1))
        network.lose_answer_to = b"COMMIT"
        with pytest.raises(JournalUnavailableError):
            journal.append(batch(2))
        assert records(open_journal(url, role="reader")) == batch(1) + batch(2)
        with pytest.raises(JournalError, match="may or may not have been written"):
            journal.append(batch(3))
        journal.append(batch(2))
        journal.append(batch(3))
        network.lose_answer_to = b"COMMIT"
        with pytest.raises(JournalUnavailableError):
            journal.append(batch(4))
        assert journal.holds(batch(4))
        journal.append(batch(5))
        assert records(journal) == [record for bar in range(1, 6) for record in batch(bar)]
        journal.close()


def test_a_batch_that_never_arrived_is_written_once(url, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    cut(url)
    with pytest.raises(JournalUnavailableError):
        journal.append(batch(2))
    assert not journal.holds(batch(2))
    journal.append(batch(3))
    journal.append(batch(2))
    assert records(journal) == batch(1) + batch(3) + batch(2)


@pytest.mark.parametrize("before", [0, 1])
def test_a_session_that_was_cut_off_does_not_write_beside_its_successor(before, url, open_journal, batch):
    journal = open_journal(url)
    written = [record for bar in range(before) for record in batch(bar)]
    journal.append(written)
    cut(url)
    successor = open_journal(url)
    with pytest.raises(JournalUnavailableError):
        journal.append(batch(2))
    with pytest.raises(JournalUnavailableError, match=r"another connection writing it.*Try again"):
        journal.append(batch(2))
    successor.append([MovedRecord(2, "A", 1.0)])
    successor.close()
    with pytest.raises(JournalError, match="moved:A:2, written by another session") as caught:
        journal.append(batch(2))
    assert not isinstance(caught.value, JournalUnavailableError | JournalTakenError)
    assert records(open_journal(url, role="reader")) == [*written, MovedRecord(2, "A", 1.0)]


def test_commits_are_on_the_disk_whatever_the_server_is_set_to(url, open_journal):
    name = url.rsplit("/", 1)[1]
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    journal = open_journal(url)
    with journal._store._transaction("look") as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_an_error_shows_no_password(open_journal):
    with pytest.raises(JournalUnavailableError) as caught:
        open_journal("postgresql://me:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(JournalError) as caught:
        open_journal("mysql://me:hunter2@127.0.0.1/x")
    assert "hunter2" not in str(caught.value)


@pytest.fixture(scope="module")
def strict():
    """A server that asks every program for a password."""
    if programs() is None:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    with postgresql() as running:
        url = running.database()
        running.require_password("Canary/word:9@c4")
        yield url


def test_the_password_may_be_in_a_file(strict, open_journal, batch, tmp_path):
    word = tmp_path / "postgres"
    settings = JournalSettings(patience_s=5, login_file=str(word))
    word.write_text("Canary/word:9@c4\n")
    journal = open_journal(strict, settings=settings)
    journal.append(batch(1))
    assert records(journal) == batch(1)
    assert "Canary" not in journal.place
    assert redact("said Canary/word:9@c4 aloud") == "said *** aloud"
    with pytest.raises(JournalUnavailableError, match="no password supplied"):
        open_journal(strict, settings=replace(settings, login_file=""))
    word.write_text("another\n")
    with pytest.raises(JournalUnavailableError, match="authentication failed"):
        open_journal(strict, settings=settings)
    # An address with a password is used as it is.
    word.unlink()
    with pytest.raises(JournalUnavailableError, match="authentication failed"):
        open_journal(strict.replace("quorate@", "quorate:wrong@"), settings=settings)


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "No such file"), (b"\n", "an empty file"), (b"a\nb", "several lines"), (b"\xff", "not UTF-8")],
)
def test_a_file_without_a_password_is_named(content, found, open_journal, tmp_path):
    word = tmp_path / "postgres"
    if content is not None:
        word.write_bytes(content)
    with pytest.raises(JournalError, match=found) as caught:
        open_journal("postgresql://quorate@127.0.0.1:9/journal", settings=JournalSettings(login_file=str(word)))
    assert str(word) in caught.value.attempted
