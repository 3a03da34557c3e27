"""The database behind a journal's URL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from quorate.core.errors import JournalError
from quorate.core.settings import JournalSettings
from quorate.trading.journal.postgresql import PostgresServer
from quorate.trading.journal.sqlite import SqliteFile


class Backend(Protocol):
    """What differs between the databases."""

    place: str

    def prepare(self, *, build: bool) -> None:
        """See that the journal is there, whole and of this version; with `build`, make it so."""

    def take(self, account: str) -> None:
        """Become the account's one session, before there is a connection."""

    def regain(self, connection: Connection, account: str, /) -> None:
        """Become it again, on a new connection."""

    def held(self) -> bool:
        """The account is still this session's."""

    def release(self) -> None:
        """Let another session have the account."""

    def connect(self, *, writes: bool) -> Connection:
        """A connection of its own."""

    def lock_account(self, connection: Connection, account: str) -> None:
        """Let nobody else write the account before this transaction ends."""

    def without(self, fields: Sequence[str]) -> ColumnElement[str]:
        """A row's body without some of its fields."""

    def verify(self) -> None:
        """See that what is written still goes where it should."""

    def explain(self, error: DBAPIError, attempted: str) -> JournalError:
        """The error as one of ours."""


def backend_of(url: str, settings: JournalSettings) -> Backend:
    """The database behind a URL.

    Raises:
        JournalError: neither a file of SQLite nor a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    driver = "" if parsed is None else parsed.drivername.split("+")[0]
    if parsed is not None and driver in ("postgresql", "postgres"):
        return PostgresServer(parsed, settings)
    file = parsed is not None and driver == "sqlite" and parsed.database != ":memory:" and not parsed.query
    if file and parsed is not None and parsed.database:
        return SqliteFile(Path(parsed.database), settings)
    raise JournalError(
        "open the journal",
        found=f"the address {url.split('@')[-1]!r}",
        expected="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
    )
