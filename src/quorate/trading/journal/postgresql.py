"""The journal in PostgreSQL, for several programs or machines."""

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

# Classes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) that another try may not meet:
# connection, rollback of a transaction, resources, a lock, an operator, the system.
_PASSING = ("08", "40", "53", "55", "57", "58", "25006")


class PostgresServer:
    """A journal's database.

    Args:
        url: of the database, which has to exist.
        settings: patience.
    """

    def __init__(self, url: URL, settings: JournalSettings) -> None:
        self.place = url.render_as_string(hide_password=True)
        self.settings = settings
        patience_ms = round(settings.patience_s * 1000)
        self._engine: Engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={
                "connect_timeout": max(2, round(settings.patience_s)),  # libpq knows no less
                "application_name": "quorate",
                "client_encoding": "utf8",
                "options": f"-c lock_timeout={patience_ms} -c tcp_keepalives_idle=30",
                "tcp_user_timeout": patience_ms,
            },
        )
        event.listen(self._engine, "connect", _acknowledge_what_is_on_disk)

    def prepare(self, *, build: bool) -> None:
        """See that the tables are there and of this version.

        Args:
            build: make what is missing; without, only look.

        Raises:
            JournalError: of another version.
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

    def take(self, account: str) -> None:
        """Nothing yet: the lock belongs to the connection that writes, so `regain` takes it."""

    def held(self) -> bool:
        """The lock belongs to the connection: while that lives, so does the lock."""
        return True

    def release(self) -> None:
        """Nothing to do: the lock ends with its connection."""

    def connect(self, *, writes: bool) -> Connection:
        """A connection of its own."""
        return self._engine.connect().execution_options(postgresql_readonly=not writes)

    def lock_account(self, connection: Connection, account: str) -> None:
        """Until the transaction ends, nobody else writes this account: rows are numbered in the order of commits."""
        connection.execute(_ONE_APPENDS, {"key": _number(f"append {account}")})

    def regain(self, connection: Connection, account: str) -> None:
        """Become the account's one session for as long as the connection lives.

        A program that was killed may seem to be there for a moment longer, so another session is waited for a while.

        Raises:
            JournalTakenError: another connection is.
        """
        key = {"key": _number(f"session {account}")}
        patient_until = monotonic() + self.settings.patience_s
        while True:
            with connection.begin():
                if connection.execute(_ONE_SESSION, key).scalar():
                    return
            if monotonic() < patient_until:
                sleep(0.02)
                continue
            raise JournalTakenError(
                f"write the account {account} in {self.place}",
                found="another connection writing it",
                expected="one session at a time",
                remedy="End that session first, or use another account.",
            )

    def without(self, fields: Sequence[str]) -> ColumnElement[str]:
        """A row's body without some of its fields; PostgreSQL writes large numbers out in digits."""
        remove = cast(journal.c.body, JSONB).op("-", return_type=JSONB())
        return cast(remove(cast(list(fields), ARRAY(Text))), Text)

    def verify(self) -> None:
        """Nothing to do: a lost server is an error of the next statement."""

    def explain(self, error: DBAPIError, attempted: str) -> JournalError:
        """The error as one of ours."""
        state = getattr(error.orig, "sqlstate", None) or ""
        found = " ".join(str(error.orig).split())
        if state.startswith(_PASSING) or error.connection_invalidated or (not state and isinstance(error, _LOST)):
            return JournalUnavailableError(
                f"{attempted} {self.place}",
                found=found,
                remedy="Nothing of it was acknowledged; it can be tried again once the server answers.",
            )
        return JournalError(f"{attempted} {self.place}", found=found)


_LOST = (OperationalError,)
_ONE_BUILDS = _ONE_APPENDS = text("SELECT pg_advisory_xact_lock(:key)")
_ONE_SESSION = text("SELECT pg_try_advisory_lock(:key)")


def _number(name: str) -> int:
    """An advisory lock's number: 64 bits with a sign."""
    return int.from_bytes(sha256(f"quorate journal {name}".encode()).digest()[:8], signed=True)


def _acknowledge_what_is_on_disk(connection: object, _record: object) -> None:
    """A server may be set to acknowledge commits before they are on its disk; not these."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]
