"""One account's rows in a database: whole batches, once, in the order they were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from quorate.core.clock import now_ms
from quorate.core.errors import JournalError, JournalTakenError, JournalUnavailableError, close_match
from quorate.trading.journal.backend import Backend
from quorate.trading.journal.records import DETAIL_FIELDS
from quorate.trading.journal.role import Role
from quorate.trading.journal.row import AccountRow, Row
from quorate.trading.journal.sql_tables import accounts, journal

_PAGE = 5_000
_KEYS_AT_ONCE = 500
_COLUMNS = tuple(journal.c[name] for name in Row._fields if name != "body")


class Store:
    """The rows of one account.

    Args:
        backend: the database.
        account: its name.
        role: what may be done.
        settings_hash, bundle_id: for an account that is founded now.

    Raises:
        JournalTakenError: another session writes the account.
        JournalUnavailableError: the database cannot be reached or is locked.
        JournalError: damaged, of another version, or no such account to read.
    """

    def __init__(self, backend: Backend, account: str, role: Role, settings_hash: str, bundle_id: str) -> None:
        self.place = backend.place
        self._backend = backend
        self._account = account
        self._role: Role = role
        self._connection: Connection | None = None
        # Number of the last row that this session knows of; None until it has looked.
        self._newest: int | None = None
        # A batch whose fate is not known: the database failed between sending it and the acknowledgement.
        self._doubted: tuple[Row, ...] = ()
        session = role == "session"
        backend.prepare(build=session)
        if session:
            backend.take(account)
        try:
            self.founding = self._found(settings_hash, bundle_id) if session else self._known()
            with self._transaction("read the journal") as connection:
                self._newest = self._newest_of_session(connection)
        except BaseException:
            self.close()
            raise

    def append(self, rows: Sequence[Row], *, idempotent: bool) -> int:
        """Write a batch in one transaction; the number of its last row.

        Raises:
            JournalUnavailableError: nothing is acknowledged; the same batch can be tried again.
            JournalError: a key is there already.
        """
        batch = tuple(rows)
        if self._doubted and batch != self._doubted:
            raise JournalError(
                f"write the record {batch[0].key}",
                found=f"the batch of {self._doubted[0].key} before it, of which it is not known whether it was written",
                expected="that batch once more, or the question whether the journal holds it",
            )
        idempotent = idempotent or bool(self._doubted)
        self._doubted = batch
        try:
            newest = self._insert(batch)
        except IntegrityError as error:
            newest = self._held(batch, error, idempotent=idempotent)
        except JournalUnavailableError:
            raise
        except JournalError:
            self._doubted = ()
            raise
        self._doubted = ()
        self._newest = newest
        return newest

    def holds(self, rows: Sequence[Row]) -> bool:
        """Whether every one of these rows is there as it is here; settles a doubt about them.

        Raises:
            JournalError: some are there, or others of the same key.
        """
        batch = tuple(rows)
        with self._transaction("read the journal") as connection:
            there = self._rows_of(connection, batch)
        held = self._compare(batch, there)
        if batch == self._doubted:
            self._doubted = ()
        if held:
            self._newest = max(self._newest or 0, *(seq for seq, _, _ in there))
        return held

    def read(self, after: int, kinds: Sequence[str] | None, *, detail: bool) -> Iterator[tuple[int, int, Row]]:
        """Number, time of writing and content of each row after a number, in order; a page at a time.

        Raises:
            JournalUnavailableError: the database cannot be reached.
        """
        while True:
            question = (
                self._question(kinds, detail=detail).where(journal.c.seq > after).order_by(journal.c.seq).limit(_PAGE)
            )
            page = self._ask(question)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def newest(self, rows: int, kinds: Sequence[str] | None) -> list[tuple[int, int, Row]]:
        """The last rows, oldest first."""
        return self._ask(self._question(kinds).order_by(journal.c.seq.desc()).limit(rows))[::-1]

    def close(self) -> None:
        """Let the database and the account go."""
        self._drop()
        self._backend.release()

    def _question(self, kinds: Sequence[str] | None, *, detail: bool = True) -> Select[Any]:
        body: ColumnElement[str] = journal.c.body
        if not detail:
            # Cut off by the database: reading is most of what it takes to rebuild an account.
            short = [
                (journal.c.kind == record.kind, self._backend.without(names)) for record, names in DETAIL_FIELDS.items()
            ]
            body = case(*short, else_=body)
        question = select(journal.c.seq, journal.c.written_at, *_COLUMNS, body).where(
            journal.c.account == self._account
        )
        return question if kinds is None else question.where(journal.c.kind.in_(kinds))

    def _ask(self, question: Select[Any]) -> list[tuple[int, int, Row]]:
        with self._transaction("read the journal") as connection:
            found = connection.execute(question).all()
        return [(seq, written_at, Row._make(row)) for seq, written_at, *row in found]

    def _insert(self, batch: tuple[Row, ...]) -> int:
        written_at = now_ms()
        values = [{**row._asdict(), "account": self._account, "written_at": written_at} for row in batch]
        with self._transaction("write the journal") as connection:
            self._backend.lock_account(connection, self._account)
            connection.execute(insert(journal), values)
            return self._newest_of(connection)

    def _held(self, batch: tuple[Row, ...], error: IntegrityError, *, idempotent: bool) -> int:
        """The number of the last row of a batch that is there already, where that is no fault."""
        with self._transaction("read the journal") as connection:
            there = self._rows_of(connection, batch)
        self._doubted = ()
        if not there:
            raise self._backend.explain(error, "write the journal") from error
        self._compare(batch, there)
        if not idempotent:
            raise JournalError(
                f"write the record {there[0][2].key}",
                found="the same one in the journal",
                expected="each record once",
            ) from error
        return max(seq for seq, _, _ in there)

    def _rows_of(self, connection: Connection, batch: tuple[Row, ...]) -> list[tuple[int, int, Row]]:
        found: list[tuple[int, int, Row]] = []
        keys = [row.key for row in batch]
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            question = self._question(None).where(journal.c.key.in_(keys[first : first + _KEYS_AT_ONCE]))
            rows = connection.execute(question.order_by(journal.c.seq)).all()
            found += [(seq, written_at, Row._make(row)) for seq, written_at, *row in rows]
        return found

    def _compare(self, batch: tuple[Row, ...], there: list[tuple[int, int, Row]]) -> bool:
        """All of them, or none; some, or others of the same key, are an error."""
        held = {row.key: row for _, _, row in there}
        for row in batch:
            known = held.get(row.key)
            if known is not None and known != row:
                raise JournalError(
                    f"write the record {row.key}",
                    found=f"another of that key in the journal: {known.body}",
                    expected=row.body,
                    remedy="Two sessions have decided differently: compare their settings and candles.",
                )
        if held and len(held) < len(batch):
            missing = next(row.key for row in batch if row.key not in held)
            raise JournalError(
                f"write the record {missing}",
                found=f"only {len(held)} of its batch of {len(batch)} in the journal",
                expected="all of a batch or none",
            )
        return bool(held)

    def _found(self, settings_hash: str, bundle_id: str) -> AccountRow:
        """The account, made where it is missing."""
        with self._transaction("open the account") as connection:
            self._backend.lock_account(connection, self._account)
            row = connection.execute(select(accounts).where(accounts.c.name == self._account)).first()
            if row is None:
                founding = AccountRow(self._account, now_ms(), settings_hash, bundle_id)
                connection.execute(insert(accounts), [founding._asdict()])
                return founding
        return AccountRow._make(row)

    def _known(self) -> AccountRow:
        with self._transaction("open the account") as connection:
            rows = {row.name: AccountRow._make(row) for row in connection.execute(select(accounts))}
        if self._account not in rows:
            raise JournalError(
                f"read the account '{self._account}' in {self.place}",
                found="no such account",
                expected=f"one of {', '.join(sorted(rows)) or 'none yet'}",
                remedy=close_match(self._account, rows),
            )
        return rows[self._account]

    def _newest_of(self, connection: Connection) -> int:
        newest = select(func.max(journal.c.seq)).where(journal.c.account == self._account)
        return connection.execute(newest).scalar() or 0

    def _newest_of_session(self, connection: Connection) -> int:
        """What people write beside a session is not its own."""
        question = self._question(None).where(journal.c.kind != "human").order_by(journal.c.seq.desc()).limit(1)
        return connection.execute(question).scalar() or 0

    @contextmanager
    def _transaction(self, attempted: str) -> Iterator[Connection]:
        """One transaction; whatever fails ends the connection, and the next one finds the database as it is then."""
        try:
            if self._role == "session" and not self._backend.held():
                self._drop()
            connection = self._connection or self._reconnect()
            self._backend.verify()
            with connection.begin():
                yield connection
            self._backend.verify()
        except IntegrityError:
            raise
        except DBAPIError as error:
            self._drop()
            raise self._backend.explain(error, attempted) from error
        except JournalError:
            raise
        except BaseException:
            self._drop()
            raise

    def _reconnect(self) -> Connection:
        connection = self._backend.connect(writes=self._role != "reader")
        try:
            if self._role == "session":
                self._regain(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _regain(self, connection: Connection) -> None:
        try:
            self._backend.regain(connection, self._account)
        except JournalTakenError as error:
            if self._newest is None:
                raise
            # The server may still hold the lost connection's lock for a moment.
            raise JournalUnavailableError(
                error.attempted, found=error.found, expected=error.expected, remedy="Try again in a moment."
            ) from error
        if self._newest is None:
            return
        with connection.begin():
            newer = self._question(None).where(journal.c.seq > self._newest, journal.c.kind != "human")
            strange = {row.key for row in connection.execute(newer)} - {row.key for row in self._doubted}
        if strange:
            raise JournalError(
                f"write the account {self._account} in {self.place}",
                found=f"{min(strange)}, which another session wrote while this one was cut off",
                expected="one session at a time",
                remedy="Start the session again: it reads the journal that is there now.",
            )

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except DBAPIError:
            connection.invalidate()
