"""Journal in an SQLite file, with a write-ahead log and every commit on disk before it is acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, Engine, create_engine, event, func
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from quorate.core.errors import JournalError, JournalTakenError, JournalUnavailableError, UnknownAccountError
from quorate.core.files import sync
from quorate.core.regular_files import require_regular
from quorate.core.settings import JournalSettings
from quorate.trading.journal.lock import FileLock
from quorate.trading.journal.migrate import require_version, upgrade, version
from quorate.trading.journal.sql_tables import journal

Identity = tuple[int, int]

# Primary result codes (https://www.sqlite.org/rescode.html) of temporary failures.
_TEMPORARY = {
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_BUSY: "the database is locked by another program",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_NOMEM: "no memory",
    sqlite3.SQLITE_READONLY: "a file or folder that cannot be written",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "a file that cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "the database is locked",
}
# Reading the number of the schema opens the log, whose identity is then known.
_READER = ("query_only = ON", "schema_version")
_WRITER = ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON", "foreign_keys = ON")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# A reader that asks whether a session is running holds the lock for an instant.
_PROBE_S = 0.2
_RESTORE = "Restore a backup, or recover what can be read: sqlite3 FILE .recover. The file was not changed."


class SqliteFile:
    """File of a journal and the locks beside it.

    Args:
        path: the file, created where it is missing.
        settings: timeouts, and whether the file is checked for damage.
    """

    def __init__(self, path: Path, settings: JournalSettings) -> None:
        # Links resolved: SQLite's log and the locks are beside the file itself.
        self.path = path.resolve()
        self.place = str(self.path)
        self.settings = settings
        self._session: FileLock | None = None
        self._file: Identity | None = None
        self._log: Identity | None = None

    def prepare(self, *, build: bool) -> None:
        """Check that the file exists, is intact and has this version.

        Args:
            build: create or upgrade it where needed.

        Raises:
            JournalError: damaged, or of another version.
            JournalUnavailableError: it cannot be opened now.
        """
        self._require_file()
        building = FileLock(self._beside(".lock"))
        try:
            if not build:
                self._require()
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not building.acquire(self.settings.patience_s):
                raise JournalUnavailableError(
                    f"open the journal {self.place}",
                    found=f"{building.holder()} creating it",
                    remedy="Try again in a moment.",
                )
            if self.path.exists():
                self._open(lambda connection: upgrade(connection, self.place), check=self.settings.check)
            else:
                self._build()
        except OSError as error:
            raise JournalUnavailableError(
                f"open the journal {self.place}",
                found=error.strerror or str(error),
                expected="a folder that can be written",
            ) from error
        finally:
            building.release()

    def acquire(self, account: str) -> None:
        """Lock the account until `release` or the end of the process.

        Raises:
            JournalTakenError: another session holds the lock.
        """
        lock = FileLock(self._beside(f".{account}.lock"))
        try:
            acquired = lock.acquire(_PROBE_S)
        except OSError as error:
            raise JournalUnavailableError(f"lock the account {account}", found=str(error)) from error
        if not acquired:
            raise JournalTakenError(
                f"write the account {account} in {self.place}",
                found=f"{lock.holder()} writing it",
                expected="one session at a time",
                remedy="End that session first, or use another account.",
            )
        self._session = lock

    def reacquire(self, _connection: Connection, account: str) -> None:
        """Lock the account again if the lock's file was removed, which allows other sessions.

        Raises:
            JournalTakenError: another session holds the lock.
        """
        if not self.held():
            self.release()
            self.acquire(account)

    def taken(self, _connection: Connection, account: str) -> bool | None:
        """Whether any session holds the lock on the account; None where its file cannot be read."""
        return FileLock(self._beside(f".{account}.lock")).taken()

    def held(self) -> bool:
        """Whether this session still holds the lock on the account."""
        return self._session is not None and self._session.held

    def release(self) -> None:
        """Release the lock on the account."""
        if self._session is not None:
            self._session.release()
            self._session = None

    def connect(self, *, writes: bool) -> Connection:
        """Open a connection; with `writes`, every transaction begins with SQLite's write lock, else none writes."""
        connection = self._engine(self.path, writes=writes).connect()
        self._identify()
        return connection

    def lock_account(self, connection: Connection, account: str) -> None:
        """Do nothing: SQLite has one writer at a time, so rows are numbered in the order of their commits."""

    def without(self, fields: Sequence[str]) -> ColumnElement[str]:
        """SQL expression of a row's body without some of its fields."""
        return func.json_remove(journal.c.body, *(f"$.{name}" for name in fields))

    def verify(self) -> None:
        """Check that writes go to the file of that name: SQLite continues to write to a removed file.

        Raises:
            JournalUnavailableError: the file or its log was removed.
            JournalError: the file was replaced.
        """
        for path, known in ((self.path, self._file), (self._beside("-wal"), self._log)):
            found = _identity(path)
            if known is None or found == known:
                continue
            if found is None:
                raise JournalUnavailableError(
                    f"write the journal {self.place}",
                    found=f"{path.name} removed",
                    expected="the file that was opened",
                    remedy="Put it back where it was, or stop the session and restore a backup.",
                )
            raise JournalError(
                f"write the journal {self.place}",
                found=f"another file in place of {path.name}",
                expected="the file that was opened",
                remedy="Start the session again: it reads the journal as it is now.",
            )

    def explain(self, error: DBAPIError, attempted: str) -> JournalError:
        """The `JournalError` of a database error."""
        code = getattr(error.orig, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if primary in _DAMAGE:
            return JournalError(f"{attempted} {self.place}", found=str(error.orig), remedy=_RESTORE)
        if primary in _TEMPORARY:
            return JournalUnavailableError(
                f"{attempted} {self.place}",
                found=f"{_TEMPORARY[primary]} ({error.orig})",
                remedy="The write was not acknowledged; try again once the cause is gone.",
            )
        return JournalError(f"{attempted} {self.place}", found=str(error.orig))

    def _require_file(self) -> None:
        """Check that a name that exists is a regular file: opening a named pipe would wait without limit.

        Raises:
            JournalError: a named pipe, a device, a socket or a folder.
        """
        try:
            found = self.path.stat()
        except OSError:
            return  # missing or unreachable, which opening reports
        try:
            require_regular(found, self.path)
        except OSError as error:
            raise JournalError(
                f"open the journal {self.place}",
                found=error.strerror or str(error),
                expected="a regular file, or none of that name",
                remedy="Name another file in journal.url. Nothing was changed.",
            ) from error

    def _require(self) -> None:
        """Check that the file exists and has this version."""
        if not self.path.exists():
            raise UnknownAccountError(
                f"read the journal {self.place}",
                found="no such file",
                expected="the journal of a session",
            )
        self._open(lambda connection: require_version(version(connection), self.place), check=False, writes=False)

    def _open(self, work: Callable[[Connection], object], *, check: bool, writes: bool = True) -> None:
        """Call `work` in a transaction on the file; with `check`, the file is checked for damage before."""
        if self.path.stat().st_size == 0:
            # SQLite accepts an empty file as a new database; journals are moved into place complete.
            raise JournalError(
                f"open the journal {self.place}", found="an empty file", expected="a journal", remedy=_RESTORE
            )
        try:
            with self._engine(self.path, writes=writes).connect() as connection:
                if check:
                    with connection.begin():
                        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                    if found != "ok":
                        raise JournalError(f"open the journal {self.place}", found=f"damage: {found}", remedy=_RESTORE)
                with connection.begin():
                    work(connection)
        except DBAPIError as error:
            raise self.explain(error, "open the journal") from error

    def _build(self) -> None:
        """Create a journal in a temporary file, and move it into place."""
        if self._beside("-wal").exists():
            raise JournalError(
                f"open the journal {self.place}",
                found=f"no file, but its log {self.path.name}-wal",
                expected="both or neither",
                remedy="Put the file back beside its log.",
            )
        for left in self.path.parent.glob(f".{self.path.name}.*"):
            left.unlink()  # of a program that was killed while creating it; the lock excludes running ones
        # Created with the mode that the umask leaves, which SQLite gives its log too.
        temporary = self.path.with_name(f".{self.path.name}.{token_hex(6)}")
        temporary.touch(exist_ok=False)
        try:
            with self._engine(temporary, writes=True).connect() as connection, connection.begin():
                upgrade(connection, self.place)
            # Closing the only connection merges the log into the file.
            sync(temporary)
            temporary.replace(self.path)
            sync(self.path.parent)
        except DBAPIError as error:
            raise self.explain(error, "create the journal") from error
        finally:
            for suffix in ("", "-wal", "-shm"):
                temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)

    def _engine(self, path: Path, *, writes: bool) -> Engine:
        def connect() -> sqlite3.Connection:
            # rw, not rwc: a missing file is an error, never a new journal. Whoever closes a log last merges it into the
            # file; a reader does not write, not even that. Without a log, ro would leave an empty one.
            mode = "rw" if writes or not path.with_name(path.name + "-wal").exists() else "ro"
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode={mode}",
                uri=True,
                timeout=self.settings.patience_s,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                for pragma in _WRITER if writes else _READER:
                    connection.execute(f"PRAGMA {pragma}")
            except BaseException:
                connection.close()
                raise
            return connection

        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _identify(self) -> None:
        """Record the identity of the opened files, of the journal itself the first time only."""
        found = _identity(self.path)
        if self._file is None:
            self._file = found
        self._log = _identity(self._beside("-wal"))

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
