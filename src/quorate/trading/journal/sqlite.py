"""The journal in a file of SQLite: write-ahead log, every commit on the disk before it is acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, Engine, create_engine, event, func
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from quorate.core.errors import JournalError, JournalTakenError, JournalUnavailableError
from quorate.core.files import sync
from quorate.core.settings import JournalSettings
from quorate.trading.journal.lock import FileLock
from quorate.trading.journal.migrate import require_version, upgrade, version
from quorate.trading.journal.sql_tables import journal

Identity = tuple[int, int]

# Primary result codes (https://www.sqlite.org/rescode.html) of what another try may find gone.
_PASSING = {
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
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_RESTORE = "Restore a back-up, or save what can be read: sqlite3 FILE .recover. The file was left as it is."


class SqliteFile:
    """A journal's file and the locks beside it.

    Args:
        path: the file; a journal is built where there is none.
        settings: patience, and whether the file is looked through.
    """

    def __init__(self, path: Path, settings: JournalSettings) -> None:
        # The file itself: SQLite's log and the locks lie beside it, whatever links lead there.
        self.path = path.resolve()
        self.place = str(self.path)
        self.settings = settings
        self._session: FileLock | None = None
        self._file: Identity | None = None
        self._log: Identity | None = None

    def prepare(self, *, build: bool) -> None:
        """See that the file is there, whole, and of this version.

        Args:
            build: make what is missing; without, only look.

        Raises:
            JournalError: damaged, or of another version.
            JournalUnavailableError: it cannot be opened now.
        """
        building = FileLock(self._beside(".lock"))
        try:
            if not build:
                self._read()
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not building.take(self.settings.patience_s):
                raise JournalUnavailableError(
                    f"open the journal {self.place}",
                    found=f"{building.holder()} building it",
                    remedy="Try again in a moment.",
                )
            if self.path.exists():
                self._look(lambda connection: upgrade(connection, self.place), check=self.settings.check)
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

    def take(self, account: str) -> None:
        """Become the account's one session, until `release` or the end of the process.

        Raises:
            JournalTakenError: another session is.
        """
        lock = FileLock(self._beside(f".{account}.lock"))
        try:
            taken = lock.take()
        except OSError as error:
            raise JournalUnavailableError(f"lock the account {account}", found=str(error)) from error
        if not taken:
            raise JournalTakenError(
                f"write the account {account} in {self.place}",
                found=f"{lock.holder()} writing it",
                expected="one session at a time",
                remedy="End that session first, or use another account.",
            )
        self._session = lock

    def regain(self, _connection: Connection, account: str) -> None:
        """Become it again where somebody removed the lock's file, which lets others in.

        Raises:
            JournalTakenError: another session is.
        """
        if not self.held():
            self.release()
            self.take(account)

    def held(self) -> bool:
        """The account is still this session's."""
        return self._session is not None and self._session.held

    def release(self) -> None:
        """Let another session have the account."""
        if self._session is not None:
            self._session.release()
            self._session = None

    def connect(self, *, writes: bool) -> Connection:
        """A connection whose every transaction begins by taking SQLite's write lock, if it is to write."""
        connection = self._engine(self.path, writes=writes).connect()
        self._identify()
        return connection

    def lock_account(self, connection: Connection, account: str) -> None:
        """Nothing to do: SQLite has one writer at a time, so rows are numbered in the order of their commits."""

    def without(self, fields: Sequence[str]) -> ColumnElement[str]:
        """A row's body without some of its fields."""
        return func.json_remove(journal.c.body, *(f"$.{name}" for name in fields))

    def verify(self) -> None:
        """See that what is written still goes to the file of that name: SQLite would write on into a removed one.

        Raises:
            JournalUnavailableError: the file or its log is gone.
            JournalError: another file is in its place.
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
                    remedy="Put it back where it was, or stop the session and restore a back-up.",
                )
            raise JournalError(
                f"write the journal {self.place}",
                found=f"another file in the place of {path.name}",
                expected="the file that was opened",
                remedy="Start the session again: it reads the journal that is there now.",
            )

    def explain(self, error: DBAPIError, attempted: str) -> JournalError:
        """The error as one of ours."""
        code = getattr(error.orig, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if primary in _DAMAGE:
            return JournalError(f"{attempted} {self.place}", found=str(error.orig), remedy=_RESTORE)
        if primary in _PASSING:
            return JournalUnavailableError(
                f"{attempted} {self.place}",
                found=f"{_PASSING[primary]} ({error.orig})",
                remedy="Nothing of it was acknowledged; it can be tried again once that is over.",
            )
        return JournalError(f"{attempted} {self.place}", found=str(error.orig))

    def _read(self) -> None:
        """The file is there, whole and of this version."""
        if not self.path.exists():
            raise JournalError(
                f"read the journal {self.place}",
                found="no such file",
                expected="a journal that a session has written",
            )
        self._look(lambda connection: require_version(version(connection), self.place), check=False)

    def _look(self, work: Callable[[Connection], object], *, check: bool) -> None:
        """Do some work on the file in one transaction, looked through for damage before if so asked."""
        if self.path.stat().st_size == 0:
            # SQLite takes an empty file for a new database; ours are put in place complete.
            raise JournalError(
                f"open the journal {self.place}", found="an empty file", expected="a journal", remedy=_RESTORE
            )
        try:
            with self._engine(self.path, writes=True).connect() as connection:
                if check:
                    with connection.begin():
                        said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                    if said != "ok":
                        raise JournalError(f"open the journal {self.place}", found=f"damage: {said}", remedy=_RESTORE)
                with connection.begin():
                    work(connection)
        except DBAPIError as error:
            raise self.explain(error, "open the journal") from error

    def _build(self) -> None:
        """A new journal beside the place, complete, then in its place at once."""
        if self._beside("-wal").exists():
            raise JournalError(
                f"open the journal {self.place}",
                found=f"no file, but its log {self.path.name}-wal",
                expected="both or neither",
                remedy="Put the file back beside its log: they belong together.",
            )
        for left in self.path.parent.glob(f".{self.path.name}.*"):
            left.unlink()  # by a program that was killed while it built; the lock says that none does now
        with NamedTemporaryFile(dir=self.path.parent, prefix=f".{self.path.name}.", delete=False) as handle:
            temporary = Path(handle.name)
        try:
            with self._engine(temporary, writes=True).connect() as connection, connection.begin():
                upgrade(connection, self.place)
            # Closing the only connection moves the log into the file.
            sync(temporary)
            temporary.chmod(0o644)
            temporary.replace(self.path)
            sync(self.path.parent)
        except DBAPIError as error:
            raise self.explain(error, "build the journal") from error
        finally:
            for suffix in ("", "-wal", "-shm"):
                temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)

    def _engine(self, path: Path, *, writes: bool) -> Engine:
        def connect() -> sqlite3.Connection:
            # rw, not rwc: a missing file is an error, never a new journal.
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw",
                uri=True,
                timeout=self.settings.patience_s,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA fullfsync = ON")
                connection.execute("PRAGMA foreign_keys = ON")
            except BaseException:
                connection.close()
                raise
            return connection

        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _identify(self) -> None:
        """Remember which files were opened; a file that was opened before has to be the same one."""
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
