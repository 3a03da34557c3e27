"""Copy of a whole journal to another database, row by row: to move it, or as a backup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from quorate.core.errors import JournalError
from quorate.core.settings import JournalSettings
from quorate.trading.journal.backend import Backend, backend_of
from quorate.trading.journal.journal import Journal
from quorate.trading.journal.sql_tables import accounts, journal, panel_costs, panel_providers

_PAGE = 5_000


def copy(source_url: str, target_url: str, settings: JournalSettings | None = None) -> int:
    """Copy a journal to a database without one, in one transaction; returns the number of records.

    Numbers and times are kept, so that sessions resume from the copy as from the original. Every account is locked
    until the copy is complete.

    Args:
        source_url: of the journal.
        target_url: of the database.
        settings: timeouts and checks; defaults where None.

    Raises:
        JournalTakenError: a session is running.
        JournalUnavailableError: a database cannot be reached.
        JournalError: the target has accounts already, or a journal is damaged or of another version.
    """
    settings = settings or JournalSettings()
    source, target = backend_of(source_url, settings), backend_of(target_url, settings)
    source.prepare(build=False)
    target.prepare(build=True)
    with ExitStack() as held:
        with _transaction(source, "read the journal", writes=False) as reading:
            names = reading.execute(select(accounts.c.name)).scalars().all()
        for name in names:
            held.enter_context(Journal.open(source_url, name, settings=settings))
        reading = held.enter_context(_transaction(source, "read the journal", writes=False))
        writing = held.enter_context(_transaction(target, "write the journal", writes=True))
        present = writing.execute(select(accounts.c.name)).scalars().first()
        if present is not None:
            raise JournalError(
                f"copy the journal to {target.place}",
                found=f"the account '{present}' in it",
                expected="a database without accounts",
            )
        for table in (panel_costs, panel_providers):
            # A target without accounts may have been asked for a signal before: its own rows are of other prompts.
            writing.execute(delete(table))
        for table in (accounts, panel_costs, panel_providers):
            for page in _pages(source, reading, table):
                writing.execute(insert(table), page)
        records = 0
        for page in _pages(source, reading, journal):
            writing.execute(insert(journal), page)
            records += len(page)
        if writing.dialect.name == "postgresql":
            writing.execute(text("SELECT setval(pg_get_serial_sequence('journal', 'seq'), max(seq)) FROM journal"))
        found = writing.execute(select(func.count()).select_from(journal)).scalar()
        if found != records:
            raise JournalError(f"copy the journal to {target.place}", found=f"{found} records", expected=f"{records}")
    return records


def _pages(source: Backend, reading: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    order = tuple(table.primary_key)
    try:
        for page in reading.execution_options(yield_per=_PAGE).execute(select(table).order_by(*order)).partitions():
            yield [dict(row._mapping) for row in page]
    except DBAPIError as error:
        raise source.explain(error, "read the journal") from error


@contextmanager
def _transaction(backend: Backend, attempted: str, *, writes: bool) -> Iterator[Connection]:
    try:
        with backend.connect(writes=writes) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise backend.explain(error, attempted) from error
