"""Journal of one paper account: append-only, in atomic batches, each record once.

    journal = Journal.open("sqlite:///paper/journal.sqlite", "paper")
    journal.append([IntentRecord(...), DecidedRecord(...)])  # on disk when it returns
    for entry in journal.read(after=0): ...  # in the order they were written
    journal.close()

SQLAlchemy is imported when a journal is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from quorate.core.errors import JournalError, MissingExtraError
from quorate.core.settings import JournalSettings
from quorate.trading.journal.records import Record
from quorate.trading.journal.role import BESIDE, Role
from quorate.trading.journal.row import AccountRow, Row, from_row, to_row
from quorate.trading.journal.search import Search

if TYPE_CHECKING:
    from quorate.trading.journal.journal_store import Store

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Entry(NamedTuple):
    """A record with its number in the journal.

    Attributes:
        seq: number, increasing with gaps.
        written_at: wall clock in ms.
        record: the record.
    """

    seq: int
    written_at: int
    record: Record


class Journal:
    """Records of one account. Not thread-safe.

    Attributes:
        account: name of the account.
        created: the account as it was created.
        place: file or server, without a password.
    """

    def __init__(self, store: Store, account: str, role: Role) -> None:
        self.account = account
        self.created: AccountRow = store.created
        self.place = store.place
        self._store = store
        self._role: Role = role

    @classmethod
    def open(
        cls,
        url: str,
        account: str,
        *,
        role: Role = "session",
        settings_hash: str = "",
        bundle_id: str = "",
        settings: JournalSettings | None = None,
    ) -> Self:
        """Open an account's journal; a session creates a missing journal or account and upgrades older tables.

        Args:
            url: sqlite:///FILE (relative to the working folder) or postgresql://USER:PASSWORD@HOST/DATABASE.
            account: letters, digits, `_`, `.` and `-`.
            role: session, to write (one at a time per account); human, to write `HumanRecord` beside a session;
                notifier, to write `NotifiedRecord` beside it; or reader.
            settings_hash: stored with an account that is created now.
            bundle_id: stored with an account that is created now.
            settings: timeouts and checks; its URL is not used.

        Raises:
            JournalTakenError: another session writes the account.
            JournalUnavailableError: locked, or it cannot be reached.
            JournalError: damaged, of another version, no such account to read, or an invalid name of an account.
            MissingExtraError: SQLAlchemy, Alembic or psycopg is not installed.
        """
        if not _ACCOUNT.fullmatch(account):
            raise JournalError(
                "open the account", found=repr(account), expected="up to 64 letters, digits, '_', '.' and '-'"
            )
        try:
            from quorate.trading.journal.backend import backend_of
            from quorate.trading.journal.journal_store import Store

            backend = backend_of(url, settings or JournalSettings())
            return cls(Store(backend, account, role, settings_hash, bundle_id), account, role)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "open the journal", found=str(error), remedy="Run: pip install 'quorate[paper]'"
            ) from error

    def append(self, records: Iterable[Record], *, idempotent: bool = False) -> int:
        """Write records in one transaction; they are on disk when it returns.

        After `JournalUnavailableError` the records may or may not have been written: append the same ones again, which
        writes them at most once, or call `holds`. Other records are refused until then.

        Args:
            records: in order.
            idempotent: whether records that the journal holds already, all of them and equal, are no error.

        Returns:
            The number of the last record; 0 without records.

        Raises:
            JournalUnavailableError: locked, disk full, connection lost.
            JournalError: an existing key, a value that does not fit its field, or a record that the role may not write.
        """
        rows = self._rows(records)
        return self._store.append(rows, idempotent=idempotent) if rows else 0

    def holds(self, records: Iterable[Record]) -> bool:
        """Whether the journal holds all of these records.

        Raises:
            JournalUnavailableError: locked, or connection lost.
            JournalError: it holds only some of them, or different records with their keys.
        """
        rows = self._rows(records)
        return not rows or self._store.holds(rows)

    def read(
        self, after: int = 0, kinds: Sequence[type[Record]] | None = None, *, detail: bool = True
    ) -> Iterator[Entry]:
        """Records in the order they were written, a page at a time.

        Args:
            after: only records with a larger number.
            kinds: only records of these classes; None for all.
            detail: whether to read the members' votes. Without, `records.DETAIL_FIELDS` have their defaults, and
                reading is several times faster; enough to rebuild an account.

        Raises:
            JournalUnavailableError: the database cannot be read now.
            JournalError: a row that cannot be decoded, with its number.
        """
        return self.matching(Search(kinds, after=after), detail=detail)

    def matching(self, search: Search, *, detail: bool = True) -> Iterator[Entry]:
        """Records that fit, in the order they were written, a page at a time; errors and `detail` as of `read`."""
        for seq, written_at, row in self._store.read(search, detail=detail):
            yield Entry(seq, written_at, from_row(seq, row))

    def newest(self, records: int, kinds: Sequence[type[Record]] | None = None) -> list[Entry]:
        """The newest records, oldest first.

        Args:
            records: how many.
            kinds: only records of these classes; None for all.

        Raises:
            JournalUnavailableError: the database cannot be read now.
            JournalError: a row that cannot be decoded, with its number.
        """
        return self.newest_matching(Search(kinds), records)

    def newest_matching(self, search: Search, records: int) -> list[Entry]:
        """The newest records that fit, oldest first; arguments and errors as of `newest`."""
        rows = self._store.newest(search, records)
        return [Entry(seq, written_at, from_row(seq, row)) for seq, written_at, row in reversed(rows)]

    def running(self) -> bool | None:
        """Whether a session is writing the account now; None where that cannot be known.

        A server may take a moment to notice that a session has ended.

        Raises:
            JournalUnavailableError: the database cannot be read now.
        """
        return self._store.taken()

    def close(self) -> None:
        """Close the database and release the account; may be called twice."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, records: Iterable[Record]) -> list[Row]:
        rows = []
        keys = set()
        for record in records:
            if self._role != "session" and record.kind != BESIDE.get(self._role):
                raise JournalError(
                    f"write the record {record.key}",
                    found=f"a journal opened as {self._role}",
                    expected="a session, or a record that is written beside one",
                )
            row = to_row(record)
            if row.key in keys:
                raise JournalError(
                    f"write the record {row.key}", found="the record twice in one batch", expected="each record once"
                )
            keys.add(row.key)
            rows.append(row)
        return rows
