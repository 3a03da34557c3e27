"""Guarantees of the journal in SQLite and PostgreSQL: atomic batches, each record once, in order, never changed."""

import json
import sqlite3
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from quorate.core.errors import JournalError, JournalTakenError
from quorate.core.types import Action, Vote
from quorate.trading.journal import (
    DecidedRecord,
    FeedRecord,
    HumanRecord,
    Journal,
    MovedRecord,
    Search,
    SettledRecord,
    ValuedRecord,
)
from stubs.waiting import eventually

A_HUMAN = HumanRecord(5, 1_700_000_000_000, "rearm", "losses", "me")


def records(journal, **options):
    return [entry.record for entry in journal.read(**options)]


def other_program(url):
    """A database connection outside the journal."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool).connect()


def test_what_is_appended_is_read_in_order_by_this_session_and_the_next(url, open_journal, batch):
    journal = open_journal(url, settings_hash="s1", bundle_id="b1")
    assert journal.created[0::2] == ("paper", "s1")
    first, second = batch(1), batch(2)
    assert journal.append(first) == 3
    assert journal.append(second) == 6
    assert journal.append([]) == 0
    assert records(journal) == first + second
    assert records(journal, after=3) == second
    assert records(journal, kinds=[SettledRecord]) == [first[0], second[0]]
    assert [entry.record for entry in journal.newest(2)] == second[1:]
    assert [entry.record for entry in journal.newest(1, [SettledRecord])] == [second[0]]
    created = journal.created
    journal.close()
    journal.close()
    with Journal.open(url, "paper", settings_hash="s2") as later:
        assert records(later) == first + second
        assert later.created == created
        assert later.append(batch(3)) == 9


def test_the_votes_can_be_left_out(url, open_journal, batch):
    vote = Vote("xgboost", Action.BUY, 0.78, (0.1, 0.2, 0.7), None, (1e-300, 0.1 + 0.2, 1e22))
    decided = DecidedRecord(1, "A", Action.BUY, 0.1 + 0.2, 1e-17, "strong", "vote", "line", 1e22, "full", (vote,))
    journal = open_journal(url)
    journal.append([*batch(1), decided])
    assert records(journal) == [*batch(1), decided]
    assert records(journal, detail=False) == [*batch(1), replace(decided, votes=())]


def test_reading_goes_on_while_one_appends_and_over_many_pages(url, open_journal, batch, monkeypatch):
    monkeypatch.setattr("quorate.trading.journal.journal_store._PAGE", 4)
    journal = open_journal(url)
    written = [record for bar in range(7) for record in batch(bar)]
    journal.append(written)
    read = []
    for entry in journal.read():
        read.append(entry.record)
        if len(read) == 2:
            journal.append(batch(99))
    assert read == written + batch(99)


def test_a_record_is_written_once(url, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    with pytest.raises(JournalError, match=r"settled:BTC/USDT:USDT:1:open:0.*the same one in the journal"):
        journal.append(batch(1))
    assert journal.append(batch(1), idempotent=True) == 3
    changed = [*batch(1)[:2], MovedRecord(1, "币安人生/USDT:USDT", 0.2)]
    with pytest.raises(JournalError, match=r'a different record with that key.*"stop":0.1.*"stop":0.2'):
        journal.append(changed, idempotent=True)
    with pytest.raises(JournalError, match="only 1 of its batch of 2"):
        journal.append([batch(1)[0], batch(2)[0]], idempotent=True)
    with pytest.raises(JournalError, match="the record twice in one batch"):
        journal.append([batch(2)[0], batch(2)[0]])
    assert records(journal) == batch(1)
    journal.append(batch(2))
    assert journal.holds(batch(2))
    assert not journal.holds(batch(3))


def test_a_batch_is_written_whole_or_not_at_all(url, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1)[:1])
    with pytest.raises(JournalError):
        journal.append([*batch(2), batch(1)[0]])
    with pytest.raises(JournalError, match="nan"):
        journal.append([*batch(2), MovedRecord(3, "A", float("nan"))])
    assert records(journal) == batch(1)[:1]


@pytest.mark.parametrize("symbol", ["A\x00", "A\n", "A\ud800"])
def test_a_name_that_a_database_would_change_is_refused(symbol, tmp_path, open_journal):
    journal = open_journal(tmp_path / "journal.sqlite")
    with pytest.raises(JournalError, match="without control characters"):
        journal.append([MovedRecord(1, symbol, 0.1)])
    with pytest.raises(JournalError, match="milliseconds"):
        journal.append([MovedRecord(2**60, "A", 0.1)])


def test_accounts_are_apart(url, open_journal, batch):
    first, second = open_journal(url, "first"), open_journal(url, "second")
    first.append(batch(1))
    second.append(batch(1))
    second.append(batch(2))
    assert records(first) == batch(1)
    assert records(second) == batch(1) + batch(2)


@pytest.mark.parametrize("account", ["", "../x", "a b", "x" * 65])
def test_an_account_has_a_plain_name(account, tmp_path):
    with pytest.raises(JournalError, match="letters, digits"):
        Journal.open(f"sqlite:///{tmp_path}/j", account)


def test_anybody_can_see_whether_a_session_is_running(url, open_journal):
    session = open_journal(url)
    other = open_journal(url, "other")
    reader = open_journal(url, role="reader")
    assert (session.running(), reader.running()) == (True, True)
    session.close()
    # A server notices a moment later that a connection has ended.
    eventually(lambda: not reader.running(), timeout=10)
    assert other.running()
    with open_journal(url):
        assert reader.running()
    eventually(lambda: not reader.running(), timeout=10)


def test_one_session_writes_an_account_at_a_time(url, open_journal, batch):
    journal = open_journal(url)
    with pytest.raises(JournalTakenError, match="one session at a time"):
        open_journal(url)
    journal.append(batch(1))
    journal.close()
    open_journal(url).append(batch(2))


def test_people_and_readers_come_beside_a_session(url, open_journal, batch):
    with pytest.raises(JournalError):
        open_journal(url, role="reader")
    journal = open_journal(url)
    journal.append(batch(1))
    human, reader = open_journal(url, role="human"), open_journal(url, role="reader")
    human.append([A_HUMAN])
    assert records(reader) == [*batch(1), A_HUMAN]
    assert records(journal, kinds=[HumanRecord]) == [A_HUMAN]
    journal.append(batch(2))
    assert records(reader) == [*batch(1), A_HUMAN, *batch(2)]
    for refused in (human, reader):
        with pytest.raises(JournalError, match="opened as"):
            refused.append(batch(3))
    with pytest.raises(JournalError, match=r"expected one of paper. Did you mean 'paper'"):
        open_journal(url, "papr", role="reader")


CHANGES = [
    "UPDATE journal SET body = '{}'",
    "DELETE FROM journal",
    "DELETE FROM journal WHERE seq = 1",
    "UPDATE accounts SET bundle_id = 'x'",
    "DELETE FROM accounts",
]
REPLACEMENTS = [
    "INSERT OR REPLACE INTO journal (account, time_ms, kind, key, body, written_at) "
    "SELECT account, time_ms, kind, key, '{}', 0 FROM journal",
    "INSERT OR REPLACE INTO journal SELECT * FROM journal",
    "INSERT OR REPLACE INTO accounts SELECT * FROM accounts",
]


@pytest.mark.parametrize(
    ("url", "change"),
    [
        *product(["sqlite"], CHANGES + REPLACEMENTS),
        *product(["postgresql"], [*CHANGES, "TRUNCATE journal", "TRUNCATE accounts CASCADE"]),
    ],
    indirect=["url"],
)
def test_nobody_changes_what_is_written(url, change, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    with other_program(url) as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(change))
        connection.rollback()
        assert connection.execute(text("SELECT count(*) FROM journal")).scalar() == 3
    assert records(journal) == batch(1)


def test_rows_that_cannot_be_understood_are_named(url, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    strange = "INSERT INTO journal (account, time_ms, kind, key, symbol, body, written_at) VALUES ('paper', 1, "
    with other_program(url) as connection:
        connection.execute(text(strange + "'rumour', 'rumour:1', NULL, '{}', 0)"))
        connection.commit()
    with pytest.raises(JournalError, match="row 4 of the journal: found a record of the unknown kind 'rumour'"):
        records(journal)
    with other_program(url) as connection:
        connection.execute(text(strange + "'moved', 'moved:X:1', 'Y', '{\"stop\"\\:1.0}', 0)"))
        connection.commit()
    with pytest.raises(JournalError, match="row 5 of the journal: found the key 'moved:X:1'; expected 'moved:Y:1'"):
        records(journal, after=4)


def test_the_table_can_be_read_without_quorate(tmp_path, open_journal):
    path = tmp_path / "journal.sqlite"
    open_journal(path).append([ValuedRecord(7, "close", 1000.25, 990.0, {})])
    with sqlite3.connect(path) as connection:
        (row,) = connection.execute("SELECT seq, kind, time_ms, json_extract(body, '$.equity_usd'), body FROM journal")
    connection.close()
    assert row[:4] == (1, "valued", 7, 1000.25)
    assert json.loads(row[4])["cash_usd"] == 990.0


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "sqlite:///j?mode=ro", "journal.sqlite"]
)
def test_other_databases_are_refused(url):
    with pytest.raises(JournalError, match="sqlite:///FILE or postgresql://"):
        Journal.open(url, "paper")


def test_texts_of_people_and_exchanges_are_stored_without_secrets(url):
    canary = "Canary7c1f9e2b"
    address = f"postgresql://me:{canary}@h/db?password={canary}"
    with Journal.open(url, "main") as journal:
        journal.append(
            [
                FeedRecord(3_600_000, "down", None, 0, f"could not reach {address}"),
                HumanRecord(3_600_000, 3_600_000, "promote", "", address, f"see {address}"),
            ]
        )
        records = [entry.record for entry in journal.read()]
    assert [record.kind for record in records] == ["feed", "human"]
    assert "***" in records[1].note
    with other_program(url) as connection:
        tables = inspect(connection).get_table_names()
        rows = [str(connection.execute(text(f'SELECT * FROM "{table}"')).all()) for table in tables]
    assert any("***" in row for row in rows)
    assert canary not in "".join(rows)


def test_records_are_searched(url, open_journal, batch):
    journal = open_journal(url)
    decided = DecidedRecord(5, "A/USDT", Action.HOLD, 0.5, 0.5, "strong", "below_floor", "100%_SURE", None, "full")
    written = [*batch(1), *batch(2), decided]
    journal.append(written)

    def found(records=99, **conditions):
        return [entry.record for entry in journal.newest_matching(Search(**conditions), records)]

    assert found() == written
    assert found(2) == written[-2:]
    assert found(symbol="A/USDT") == [decided]
    assert found(symbol="币安人生/USDT:USDT") == [written[2], written[5]]
    assert found(kinds=[MovedRecord], start=2) == written[4:6]
    assert found(start=2, end=5) == written[3:6]
    assert found(before=3) == written[:2]
    assert found(1, before=3) == written[1:2]
    assert found(after=5) == written[5:]
    assert found(text="BELOW_") == [decided]
    assert found(text="%_s") == [decided]
    assert found(text="0_s") == []  # no wildcards
    assert found(keys=[decided.key, written[0].key, "none"]) == [written[0], decided]
    assert found(keys=[]) == []
    assert [entry.seq for entry in journal.matching(Search(kinds=[MovedRecord], after=2))] == [3, 5, 6]
