"""A paper account as it goes on: its journal is read once, and then what is new in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from quorate.core.errors import JournalError, JournalUnavailableError
from quorate.workflows.paper.figures import DecidedTrade, EquityPoints, decided_trades, equity_points
from quorate.workflows.paper.requests import PaperRequest, request
from quorate.workflows.paper.search import search_of
from quorate.workflows.paper.status import PaperStatus, status_of

if TYPE_CHECKING:
    from quorate.evaluation.baselines import AccountBaselines
    from quorate.market.source import CandleSource
    from quorate.trading.journal import Entry, Journal, Record, Role
    from quorate.trading.paper import AccountStatus, DecidedVotes
    from quorate.workflows.inputs.selection import Moment
    from quorate.workflows.paper.account import PaperAccount
    from quorate.workflows.paper.measured_bundle import MeasuredBundle
    from quorate.workflows.paper.performance import PaperPerformance


class AccountView:
    """Reads an account again and again; a call reads the records since the call before.

    Methods may be called from any thread. A journal that cannot be read now, or that does not exist yet, is tried again
    at the next call.

    Args:
        account: its name, journal and settings.
    """

    def __init__(self, account: PaperAccount) -> None:
        self.account = account
        # One for each kind of reading, so that a long search does not hold up the status.
        self._state, self._decisions, self._searches, self._news = (_Reader(account) for _ in range(4))
        self._person = _Reader(account, "human")
        self._status: AccountStatus | None = None
        self._shown: tuple[tuple[int, bool | None], PaperStatus] | None = None
        self._votes: DecidedVotes | None = None

    def status(self) -> PaperStatus:
        """The account's status.

        Raises:
            UnknownAccountError: no journal, no such account, or none with a session.
            JournalError: a journal that cannot be read, or contradicts itself.
        """
        with self._state.open() as journal:
            return self._refreshed(journal)[1]

    def rearm(self, guard: str, *, who: str, note: str = "") -> PaperRequest:
        """Record the request to re-arm a guard; arguments and errors as of `PaperAccount.rearm`."""
        return self._request("rearm", guard, who, note)

    def promote(self, *, who: str, note: str = "") -> PaperRequest:
        """Record the confirmation of the ladder's next step; arguments and errors as of `PaperAccount.promote`."""
        return self._request("promote", "", who, note)

    def records(
        self,
        last: int,
        *,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[str] | str = (),
        symbol: str | None = None,
        text: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> list[Entry]:
        """The newest records that fit, the newest first; arguments and errors as of `PaperAccount.records`."""
        search = search_of(after, before, kinds, symbol, text, start, end)
        with self._searches.open() as journal:
            return journal.newest_matching(search, last)[::-1]

    def news(self, after: int | None, kinds: Sequence[type[Record]], most: int) -> tuple[list[Entry], int]:
        """The oldest records of some kinds after a number, and the number to continue after.

        Args:
            after: number of a record; None to begin behind the newest one.
            kinds: classes of records.
            most: number of records.
        """
        from itertools import islice

        from quorate.trading.journal import Search

        with self._news.open() as journal:
            if after is None:
                return [], max((entry.seq for entry in journal.newest(1)), default=0)
            entries = list(islice(journal.matching(Search(kinds, after=after)), most))
        return entries, entries[-1].seq if entries else after

    def trades(self, last: int, before: int | None = None) -> list[DecidedTrade]:
        """The newest closed trades with the decisions behind them, the newest first.

        Args:
            last: how many.
            before: only those with a smaller number.
        """
        with self._searches.open() as journal:
            return decided_trades(journal, last, before)

    def equity(self, baselines: AccountBaselines | None = None) -> EquityPoints:
        """Equity and drawdown at every bar, beside buy and hold on the bars of the baselines."""
        with self._state.open() as journal:
            result = self._refreshed(journal)[1].result
        return equity_points(result, None if baselines is None else baselines.hold.curve)

    def baselines(self, measured: MeasuredBundle, source: CandleSource) -> AccountBaselines | None:
        """The account beside its baselines; see `baselines_of`.

        Args:
            measured: the bundle whose target momentum uses.
            source: of candles, funding and mark prices.
        """
        from quorate.workflows.paper.baselines import DecidedAccount, baselines_of

        with self._state.open() as journal:
            account = DecidedAccount.of(self._refreshed(journal)[0])
        return baselines_of(account, measured.manifest, source, self.account.settings)

    def bundle(self) -> str:
        """Id of the bundle of the newest session; empty before the first."""
        with self._decisions.open() as journal:
            return self._voted(journal).bundle

    def performance(
        self, measured: MeasuredBundle, source: CandleSource, baselines: AccountBaselines | None
    ) -> PaperPerformance:
        """How well a bundle did; errors as of `PaperAccount.performance`.

        Args:
            measured: the bundle whose decisions are measured.
            source: of the candles.
            baselines: of the account, for the document.
        """
        from quorate.workflows.paper.performance import performance_of

        with self._decisions.open() as journal:
            votes = self._voted(journal)
            return performance_of(self.account.name, votes, measured, source, self.account.settings, baselines)

    def close(self) -> None:
        """Close the journal; a later call opens it again."""
        for reader in (self._state, self._decisions, self._searches, self._news, self._person):
            reader.close()

    def _refreshed(self, journal: Journal) -> tuple[AccountStatus, PaperStatus]:
        from quorate.trading.paper import AccountStatus

        # A status that fails half-way is not used again.
        status, self._status = self._status, None
        if status is None:
            status = AccountStatus(journal)
        else:
            try:
                status.refresh(journal)
            except JournalUnavailableError:
                self._status = status
                raise
        self._status = status
        newest = status.recovered.seq, status.running
        if self._shown is None or self._shown[0] != newest:
            self._shown = newest, status_of(status, self.account.settings)
        return status, self._shown[1]

    def _voted(self, journal: Journal) -> DecidedVotes:
        from quorate.trading.paper import DecidedVotes

        if self._votes is None:
            self._votes = DecidedVotes()
        self._votes.refresh(journal)
        return self._votes

    def _request(self, action: Literal["rearm", "promote"], guard: str, who: str, note: str) -> PaperRequest:
        with self._state.open() as reading:
            status, _ = self._refreshed(reading)
            with self._person.open() as journal:
                made = request(journal, status, action, guard, who, note, None)
        assert made is not None  # noqa: S101 - nothing is asked
        return made


class _Reader:
    """A journal that is opened when it is first needed, and closed after an error, for one thread at a time."""

    def __init__(self, account: PaperAccount, role: Role = "reader") -> None:
        self._account, self._role = account, role
        self._lock = threading.Lock()
        self._journal: Journal | None = None

    @contextmanager
    def open(self) -> Iterator[Journal]:
        with self._lock:
            if self._journal is None:
                from quorate.trading.journal import Journal

                account = self._account
                self._journal = Journal.open(
                    account.url, account.name, role=self._role, settings=account.settings.journal
                )
            try:
                yield self._journal
            except JournalError:
                self._forget()
                raise

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
