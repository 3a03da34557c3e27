"""The database behind a journal's URL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, ColumnElement, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from quorate.core.errors import JournalError
from quorate.core.redaction import register_address, register_secret
from quorate.core.regular_files import read_regular_text
from quorate.core.settings import JournalSettings
from quorate.trading.journal.postgresql import PostgresServer
from quorate.trading.journal.sqlite import SqliteFile

_MOST_LETTERS = 4_096


class Backend(Protocol):
    """Operations that differ between the databases."""

    place: str

    def prepare(self, *, build: bool) -> None:
        """Check that the journal exists, is intact and has this version; with `build`, create or upgrade it."""

    def acquire(self, account: str) -> None:
        """Lock the account for this session, before there is a connection."""

    def reacquire(self, connection: Connection, account: str, /) -> None:
        """Lock the account again, on a new connection."""

    def taken(self, connection: Connection, account: str, /) -> bool | None:
        """Whether any session holds the lock on the account; None where that cannot be known."""

    def held(self) -> bool:
        """Whether this session still holds the lock on the account."""

    def release(self) -> None:
        """Release the lock on the account."""

    def connect(self, *, writes: bool) -> Connection:
        """Open a new connection."""

    def lock_account(self, connection: Connection, account: str) -> None:
        """Lock the account against other writers until this transaction ends."""

    def without(self, fields: Sequence[str]) -> ColumnElement[str]:
        """SQL expression of a row's body without some of its fields."""

    def verify(self) -> None:
        """Check that writes still go to the database that was opened."""

    def explain(self, error: DBAPIError, attempted: str) -> JournalError:
        """The `JournalError` of a database error."""


def backend_of(url: str, settings: JournalSettings) -> Backend:
    """The backend of a URL.

    Raises:
        JournalError: neither an SQLite file nor a PostgreSQL database, or a file of its password that cannot be used.
    """
    try:
        register_address(url)
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    driver = "" if parsed is None else parsed.drivername.split("+")[0]
    if parsed is not None and driver in ("postgresql", "postgres"):
        return PostgresServer(_with_password(parsed, settings.login_file), settings)
    file = parsed is not None and driver == "sqlite" and parsed.database != ":memory:" and not parsed.query
    if file and parsed is not None and parsed.database:
        return SqliteFile(Path(parsed.database), settings)
    raise JournalError(
        "open the journal",
        found=f"the address {url.split('@')[-1]!r}",
        expected="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
    )


def _with_password(url: URL, file: str) -> URL:
    """The URL with the password of a file, if it has none and there is a file.

    Raises:
        JournalError: no such file, or one without a password.
    """
    if url.password is not None or not file:
        return url
    attempted, expected = f"read the password of the journal in {file}", "a file with one line, the password"
    try:
        password = read_regular_text(Path(file), _MOST_LETTERS).strip()
    except OSError as error:
        raise JournalError(attempted, found=error.strerror or str(error), expected=expected) from error
    except UnicodeDecodeError as error:
        raise JournalError(attempted, found="bytes that are not UTF-8", expected=expected) from error
    if not password or len(password.splitlines()) > 1:
        found = "several lines" if password else "an empty file"
        raise JournalError(attempted, found=found, expected=expected)
    register_secret(password)
    return url.set(password=password)
