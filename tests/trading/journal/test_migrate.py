"""Tables of the journal: the migrations create the expected tables, and other versions are not changed."""

import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import Column, MetaData, Text, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from quorate.core.errors import JournalError
from quorate.trading.journal import migrate
from quorate.trading.journal.sql_tables import HEAD, VERSION_TABLE, metadata


@pytest.fixture
def connection(url, open_journal):
    """Connection to the tables of a new journal."""
    open_journal(url).close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def test_the_newest_revision_is_the_one_that_the_code_expects():
    assert migrate._scripts().get_heads() == [HEAD]


def test_migrations_build_what_the_code_declares(connection):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    )
    assert compare_metadata(context, metadata) == []
    other = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(other).append_column(Column("colour", Text))
    assert len(compare_metadata(context, other)) == len(metadata.tables) == 4
    assert context.get_current_revision() == HEAD == migrate.version(connection)
    assert {key["name"] for key in inspect(connection).get_unique_constraints("journal")} == {"journal_account_key"}


def test_an_upgrade_changes_nothing_where_there_is_nothing_to_do(connection, url, open_journal, batch):
    open_journal(url).append(batch(1))
    migrate.upgrade(connection, "here")
    connection.rollback()
    assert [entry.record for entry in open_journal(url, role="reader").read()] == batch(1)


@pytest.mark.parametrize("role", ["session", "reader"])
def test_a_journal_of_a_newer_version_is_refused(role, connection, url, open_journal):
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'journal_9999'"))
    connection.commit()
    with pytest.raises(JournalError, match=r"journal_9999.*expected version journal_0002.*newer version of Quorate"):
        open_journal(url, role=role)


def test_a_database_without_tables_is_built_by_a_session_only(server, open_journal):
    url = server.database()
    with pytest.raises(JournalError, match="no tables"):
        open_journal(url, role="reader")
    open_journal(url)
    open_journal(url, role="reader")


def test_an_upgrade_that_fails_leaves_nothing(url, open_journal, monkeypatch):
    def refuse(*_):
        raise RuntimeError("the power went off")

    with monkeypatch.context() as broken:
        broken.setattr("alembic.operations.Operations.create_index", refuse)
        with pytest.raises(RuntimeError, match="power"):
            open_journal(url)
    if url.startswith("postgresql"):
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
        with closing(engine.connect()) as connection:
            assert inspect(connection).get_table_names() == []
    open_journal(url)


def test_there_is_no_way_back(connection):
    for script in migrate._scripts().walk_revisions():
        with pytest.raises(JournalError, match="Restore a backup"):
            script.module.downgrade()


def test_threads_that_need_alembic_at_the_same_time_import_it_one_after_another(tmp_path):
    """A session that builds the tables and a view that finds none, in a process that has not imported it yet."""
    code = """
import sqlite3, sys, threading
from sqlalchemy import create_engine
from quorate.core.errors import JournalError
from quorate.trading.journal.migrate import require_version, upgrade
engine = create_engine(f"sqlite:///{sys.argv[1]}")
failed, gate = [], threading.Barrier(2)

def build():
    with engine.connect() as connection, connection.begin():
        upgrade(connection, "journal")

def look():
    try:
        require_version(None, "journal")
    except JournalError:
        pass

def run(work):
    gate.wait()
    try:
        work()
    except Exception as error:
        failed.append(repr(error))

threads = [threading.Thread(target=run, args=(work,)) for work in (build, look)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not failed, failed
"""
    for number in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / f"{number}.sqlite")], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
