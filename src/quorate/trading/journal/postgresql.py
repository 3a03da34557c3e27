"""Journal in PostgreSQL, for several programs or machines."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from time import monotonic, sleep

from sqlalchemy import ARRAY, URL, ColumnElement, Connection, Engine, Text, cast, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from quorate.core.errors import JournalError, JournalTakenError, JournalUnavailableError
from quorate.core.settings import JournalSettings
from quorate.trading.journal.migrate import require_version, upgrade, version
from quorate.trading.journal.sql_tables import journal

# Classes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) of temporary failures:
# connection, rollback of a transaction, resources, a lock, an operator, the system.
_TEMPORARY = ("08", "40", "53", "55", "57", "58", "25006")


class PostgresServer:
    """Database of a journal.

    Args:
        url: of an existing database.
        settings: timeouts.
    """

    def __init__(self, url: URL, settings: JournalSettings) -> None:
        self.place = url.render_as_string(hide_password=True)
        self.settings = settings
        timeout_ms = round(settings.patience_s * 1000)
        self._engine: Engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={
                "connect_timeout": max(2, round(settings.patience_s)),  # the minimum of libpq
                "application_name": "quorate",
                "client_encoding": "utf8",
                "options": f"-c lock_timeout={timeout_ms} -c tcp_keepalives_idle=30",
                "tcp_user_timeout": timeout_ms,
            },
        )
        event.listen(self._engine, "connect", _require_synchronous_commit)

    def prepare(self, *, build: bool) -> None:
        """Check that the tables exist and have this version.

        Args:
            build: create or upgrade them where needed.

        Raises:
            JournalError: tables of another version.
            JournalUnavailableError: the server cannot be reached now.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                if build:
                    connection.execute(_ONE_BUILDS, {"key": _number("build")})
                    upgrade(connection, self.place)
                else:
                    require_version(version(connection), self.place)
        except DBAPIError as error:
            raise self.explain(error, "open the journal") from error

    def acquire(self, account: str) -> None:
        """Do nothing: the lock belongs to the connection that writes, so `reacquire` takes it."""

    def taken(self, connection: Connection, account: str) -> bool:
        """Whether any connection holds the lock on the account."""
        key = _number(f"session {account}") % (1 << 64)
        halves = {"high": key >> 32, "low": key % (1 << 32)}
        return bool(connection.execute(_SESSION_TAKEN, halves).scalar())

    def held(self) -> bool:
        """True: the lock lasts as long as its connection."""
        return True

    def release(self) -> None:
        """Do nothing: the lock ends with its connection."""

    def connect(self, *, writes: bool) -> Connection:
        """Open a new connection."""
        return self._engine.connect().execution_options(postgresql_readonly=not writes)

    def lock_account(self, connection: Connection, account: str) -> None:
        """Lock the account until the transaction ends, so that rows are numbered in the order of their commits."""
        connection.execute(_ONE_APPENDS, {"key": _number(f"append {account}")})

    def reacquire(self, connection: Connection, account: str) -> None:
        """Lock the account for as long as the connection lives.

        Waits up to the timeout: the server may notice the end of a killed program late.

        Raises:
            JournalTakenError: another connection holds the lock.
        """
        key = {"key": _number(f"session {account}")}
        deadline = monotonic() + self.settings.patience_s
        while True:
            with connection.begin():
                if connection.execute(_ONE_SESSION, key).scalar():
                    return
            if monotonic() < deadline:
                sleep(0.02)
                continue
            raise JournalTakenError(
                f"write the account {account} in {self.place}",
                found="another connection writing it",
                expected="one session at a time",
                remedy="End that session first, or use another account.",
            )

    def without(self, fields: Sequence[str]) -> ColumnElement[str]:
        """SQL expression of a row's body without some fields; PostgreSQL writes large floats as whole numbers."""
        remove = cast(journal.c.body, JSONB).op("-", return_type=JSONB())
        return cast(remove(cast(list(fields), ARRAY(Text))), Text)

    def verify(self) -> None:
        """Do nothing: without the server, the next statement fails."""

    def explain(self, error: DBAPIError, attempted: str) -> JournalError:
        """The `JournalError` of a database error."""
        state = getattr(error.orig, "sqlstate", None) or ""
        found = " ".join(str(error.orig).split())
        if state.startswith(_TEMPORARY) or error.connection_invalidated or (not state and isinstance(error, _LOST)):
            return JournalUnavailableError(
                f"{attempted} {self.place}",
                found=found,
                remedy="The write was not acknowledged; try again once the server answers.",
            )
        return JournalError(f"{attempted} {self.place}", found=found)


_LOST = (OperationalError,)
_ONE_BUILDS = _ONE_APPENDS = text("SELECT pg_advisory_xact_lock(:key)")
_ONE_SESSION = text("SELECT pg_try_advisory_lock(:key)")
# A lock of 64 bits is listed by its halves.
_SESSION_TAKEN = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND classid = CAST(:high AS oid) AND objid = CAST(:low AS oid)"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def _number(name: str) -> int:
    """Number of an advisory lock: a signed 64-bit integer."""
    return int.from_bytes(sha256(f"quorate journal {name}".encode()).digest()[:8], signed=True)


def _require_synchronous_commit(connection: object, _record: object) -> None:
    """Acknowledge commits only once they are on disk, whatever the server's default."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]
