"""Rows of one account in a database: atomic batches, each row once, in the order they were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from quorate.core.clock import now_ms
from quorate.core.errors import (
    JournalError,
    JournalTakenError,
    JournalUnavailableError,
    UnknownAccountError,
    close_match,
)
from quorate.trading.journal.backend import Backend
from quorate.trading.journal.records import DETAIL_FIELDS
from quorate.trading.journal.role import BESIDE, Role
from quorate.trading.journal.row import AccountRow, Row
from quorate.trading.journal.search import Search
from quorate.trading.journal.sql_tables import accounts, journal

_PAGE = 5_000
_KEYS_AT_ONCE = 500
_BESIDE = tuple(BESIDE.values())
_COLUMNS = tuple(journal.c[name] for name in Row._fields if name != "body")


class Store:
    """Rows of one account.

    Args:
        backend: the database.
        account: name of the account.
        role: permitted operations.
        settings_hash, bundle_id: of an account that is created now.

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
        # Number of the last row that this session has read or written; None before the first.
        self._newest: int | None = None
        # A batch that may or may not have been written: the database failed before acknowledging it.
        self._uncertain: tuple[Row, ...] = ()
        session = role == "session"
        backend.prepare(build=session)
        if session:
            backend.acquire(account)
        try:
            self.created = self._create(settings_hash, bundle_id) if session else self._known()
            with self._transaction("read the journal") as connection:
                self._newest = self._newest_of_session(connection)
        except BaseException:
            self.close()
            raise

    def append(self, rows: Sequence[Row], *, idempotent: bool) -> int:
        """Write a batch in one transaction; returns the number of its last row.

        Raises:
            JournalUnavailableError: not acknowledged; the same batch can be tried again.
            JournalError: a key exists already.
        """
        batch = tuple(rows)
        if self._uncertain and batch != self._uncertain:
            raise JournalError(
                f"write the record {batch[0].key}",
                found=f"an earlier batch, of {self._uncertain[0].key}, that may or may not have been written",
                expected="that batch once more, or a call of `holds` with it",
            )
        idempotent = idempotent or bool(self._uncertain)
        self._uncertain = batch
        try:
            newest = self._insert(batch)
        except IntegrityError as error:
            newest = self._held(batch, error, idempotent=idempotent)
        except JournalUnavailableError:
            raise
        except JournalError:
            self._uncertain = ()
            raise
        self._uncertain = ()
        self._newest = max(self._newest or 0, newest)  # a batch that was there already may be an older one
        return newest

    def holds(self, rows: Sequence[Row]) -> bool:
        """Whether the journal holds all of these rows; afterwards they are no longer uncertain.

        Raises:
            JournalError: it holds some of them, or different rows with their keys.
        """
        batch = tuple(rows)
        with self._transaction("read the journal") as connection:
            there = self._rows_of(connection, batch)
        held = self._compare(batch, there)
        if batch == self._uncertain:
            self._uncertain = ()
        if held:
            self._newest = max(self._newest or 0, *(seq for seq, _, _ in there))
        return held

    def taken(self) -> bool | None:
        """Whether a session is writing the account now; None where that cannot be known.

        Raises:
            JournalUnavailableError: the database cannot be reached.
        """
        with self._transaction("read the journal") as connection:
            return self._backend.taken(connection, self._account)

    def read(self, search: Search, *, detail: bool) -> Iterator[tuple[int, int, Row]]:
        """Number, time of writing and content of the rows that fit, in order, a page at a time.

        Raises:
            JournalUnavailableError: the database cannot be reached.
        """
        fitting, after = self._fitting(search, detail=detail), search.after
        while True:
            page = self._rows(fitting.where(journal.c.seq > after).order_by(journal.c.seq).limit(_PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def newest(self, search: Search, rows: int) -> list[tuple[int, int, Row]]:
        """The newest rows that fit, the newest first."""
        return self._rows(self._fitting(search).order_by(journal.c.seq.desc()).limit(rows))

    def close(self) -> None:
        """Close the connection and release the account."""
        self._disconnect()
        self._backend.release()

    def _select(self, kinds: Sequence[str] | None, *, detail: bool = True) -> Select[Any]:
        body: ColumnElement[str] = journal.c.body
        if not detail:
            # Removed by the database: reading takes most of the time to rebuild an account.
            short = [
                (journal.c.kind == record.kind, self._backend.without(names)) for record, names in DETAIL_FIELDS.items()
            ]
            body = case(*short, else_=body)
        rows = select(journal.c.seq, journal.c.written_at, *_COLUMNS, body).where(journal.c.account == self._account)
        return rows if kinds is None else rows.where(journal.c.kind.in_(kinds))

    def _fitting(self, search: Search, *, detail: bool = True) -> Select[Any]:
        """The rows that fit, in any order."""
        kinds = None if search.kinds is None else [kind.kind for kind in search.kinds]
        query, column = self._select(kinds, detail=detail), journal.c
        if search.after:
            query = query.where(column.seq > search.after)
        if search.before is not None:
            query = query.where(column.seq < search.before)
        if search.keys is not None:
            query = query.where(column.key.in_(search.keys))
        if search.symbol is not None:
            query = query.where(column.symbol == search.symbol)
        if search.start is not None:
            query = query.where(column.time_ms >= search.start)
        if search.end is not None:
            query = query.where(column.time_ms < search.end)
        if search.text is not None:
            query = query.where(column.body.icontains(search.text, autoescape=True))
        return query

    def _rows(self, query: Select[Any]) -> list[tuple[int, int, Row]]:
        with self._transaction("read the journal") as connection:
            found = connection.execute(query).all()
        return [(seq, written_at, Row._make(row)) for seq, written_at, *row in found]

    def _insert(self, batch: tuple[Row, ...]) -> int:
        written_at = now_ms()
        values = [{**row._asdict(), "account": self._account, "written_at": written_at} for row in batch]
        with self._transaction("write the journal") as connection:
            self._backend.lock_account(connection, self._account)
            connection.execute(insert(journal), values)
            return self._newest_of(connection)

    def _held(self, batch: tuple[Row, ...], error: IntegrityError, *, idempotent: bool) -> int:
        """Number of the last row of a batch that the journal holds already.

        Raises:
            JournalError: another cause of the error, different rows, or without `idempotent`.
        """
        with self._transaction("read the journal") as connection:
            there = self._rows_of(connection, batch)
        self._uncertain = ()
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
            query = self._select(None).where(journal.c.key.in_(keys[first : first + _KEYS_AT_ONCE]))
            rows = connection.execute(query.order_by(journal.c.seq)).all()
            found += [(seq, written_at, Row._make(row)) for seq, written_at, *row in rows]
        return found

    def _compare(self, batch: tuple[Row, ...], there: list[tuple[int, int, Row]]) -> bool:
        """Whether the journal holds all rows of a batch.

        Raises:
            JournalError: it holds some of them, or different rows with their keys.
        """
        held = {row.key: row for _, _, row in there}
        for row in batch:
            known = held.get(row.key)
            if known is not None and known != row:
                raise JournalError(
                    f"write the record {row.key}",
                    found=f"a different record with that key in the journal: {known.body}",
                    expected=row.body,
                    remedy="Two sessions decided differently: compare their settings and candles.",
                )
        if held and len(held) < len(batch):
            missing = next(row.key for row in batch if row.key not in held)
            raise JournalError(
                f"write the record {missing}",
                found=f"only {len(held)} of its batch of {len(batch)} in the journal",
                expected="all of a batch or none",
            )
        return bool(held)

    def _create(self, settings_hash: str, bundle_id: str) -> AccountRow:
        """The account, created where it is missing."""
        with self._transaction("open the account") as connection:
            self._backend.lock_account(connection, self._account)
            row = connection.execute(select(accounts).where(accounts.c.name == self._account)).first()
            if row is None:
                created = AccountRow(self._account, now_ms(), settings_hash, bundle_id)
                connection.execute(insert(accounts), [created._asdict()])
                return created
        return AccountRow._make(row)

    def _known(self) -> AccountRow:
        """The existing account.

        Raises:
            JournalError: no such account.
        """
        with self._transaction("open the account") as connection:
            rows = {row.name: AccountRow._make(row) for row in connection.execute(select(accounts))}
        if self._account not in rows:
            raise UnknownAccountError(
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
        """Number of the newest row of a session: all but those written beside one."""
        query = self._select(None).where(journal.c.kind.not_in(_BESIDE)).order_by(journal.c.seq.desc()).limit(1)
        return connection.execute(query).scalar() or 0

    @contextmanager
    def _transaction(self, attempted: str) -> Iterator[Connection]:
        """One transaction. A failure closes the connection, and the next transaction opens a new one."""
        try:
            if self._role == "session" and not self._backend.held():
                self._disconnect()
            connection = self._connection or self._reconnect()
            self._backend.verify()
            with connection.begin():
                yield connection
            self._backend.verify()
        except IntegrityError:
            raise
        except DBAPIError as error:
            self._disconnect()
            raise self._backend.explain(error, attempted) from error
        except JournalError:
            raise
        except BaseException:
            self._disconnect()
            raise

    def _reconnect(self) -> Connection:
        connection = self._backend.connect(writes=self._role != "reader")
        try:
            if self._role == "session":
                self._reacquire(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _reacquire(self, connection: Connection) -> None:
        try:
            self._backend.reacquire(connection, self._account)
        except JournalTakenError as error:
            if self._newest is None:
                raise
            # The server may hold the lock of the lost connection for a moment.
            raise JournalUnavailableError(
                error.attempted, found=error.found, expected=error.expected, remedy="Try again in a moment."
            ) from error
        if self._newest is None:
            return
        with connection.begin():
            newer = self._select(None).where(journal.c.seq > self._newest, journal.c.kind.not_in(_BESIDE))
            foreign = {row.key for row in connection.execute(newer)} - {row.key for row in self._uncertain}
        if foreign:
            raise JournalError(
                f"write the account {self._account} in {self.place}",
                found=f"{min(foreign)}, written by another session while this one was disconnected",
                expected="one session at a time",
                remedy="Start the session again: it reads the journal as it is now.",
            )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except DBAPIError:
            connection.invalidate()
