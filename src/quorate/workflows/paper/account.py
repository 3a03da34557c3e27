"""A paper account by its name and its journal: run, status, requests, records, copy."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Unpack, cast

from quorate.core.arguments import FUNCTION, TEXT, require_type, require_types
from quorate.core.progress import Progress, silent
from quorate.workflows.book.kinds import BookLike, is_book
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_count, settings_of
from quorate.workflows.paper.options import PaperOptions
from quorate.workflows.paper.paper_run import Listener, PaperRun
from quorate.workflows.paper.requests import Confirm, PaperRequest, request
from quorate.workflows.paper.search import search_of
from quorate.workflows.paper.session import prepare
from quorate.workflows.paper.status import PaperStatus, status_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.journal import Entry, Journal, Role, Search
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike
    from quorate.workflows.inputs.selection import Moment
    from quorate.workflows.paper.performance import PaperPerformance
    from quorate.workflows.results import Evaluation


class PaperAccount:
    """An account that trades on paper, identified by its name and its journal.

    Its status, its records and requests to it need no running session.

    Args:
        name: in the journal; None for `paper.account` of the settings.
        journal: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; None for `journal.url` of the settings.
        settings: None for those of quorate.toml and the environment.

    Attributes:
        name: of the account.
        url: of its journal.
        settings: in force.
    """

    def __init__(
        self, name: str | None = None, journal: str | None = None, *, settings: Settings | None = None
    ) -> None:
        self.settings = settings = settings_of(settings)
        attempted = "open a paper account"
        require_types(attempted, name=(name, TEXT.optional), journal=(journal, TEXT.optional))
        self.name = name or settings.paper.account
        self.url = journal or settings.journal.url

    def run(
        self,
        bundle: BundleLike | BookLike,
        data: Data | None = None,
        *,
        exchange: str | None = None,
        listener: Listener | None = None,
        progress: Progress = silent,
        **options: Unpack[PaperOptions],
    ) -> PaperStatus:
        """Trade from where the journal ends: a replay to the end of its candles, live candles until interrupted.

        Args:
            bundle: folder of a bundle, of bundles (its champion), of a series or of a book, or one that is loaded.
            data: stored candles to replay: a Freqtrade data folder, or candles as `open_source` takes them.
            exchange: instead: live candles of this exchange, as ccxt names it.
            listener: called with every record once it is in the journal.
            progress: of reading candles.
            **options: see `PaperOptions`.

        Raises:
            ArgumentError: arguments that contradict each other.
            BundleError: the bundle is missing, altered, of another timeframe, or lacks the policy.
            TrainingSpanError: a replay of bars that trained the bundle, unless allowed.
            JournalTakenError: another session writes this account.
            JournalError: the journal cannot be opened, or is of another bundle or configuration.
            ExchangeError: a request to the exchange failed.
        """
        with self.session(bundle, data, exchange=exchange, listener=listener, progress=progress, **options) as session:
            return session.run()

    @contextmanager
    def session(
        self,
        bundle: BundleLike | BookLike,
        data: Data | None = None,
        *,
        exchange: str | None = None,
        listener: Listener | None = None,
        progress: Progress = silent,
        **options: Unpack[PaperOptions],
    ) -> Iterator[PaperRun]:
        """A session that is ready to run and can be stopped from another thread; arguments and errors as of `run`."""
        require_arguments(self.run, options, PaperOptions.__optional_keys__)
        require_types(
            "run the paper session", listener=(listener, FUNCTION.optional), exchange=(exchange, TEXT.optional)
        )
        require_callback(progress=progress)
        given = data, exchange, listener, progress, options
        if is_book(bundle):
            from quorate.workflows.book.paper import prepare_book

            with prepare_book(self.name, self.url, self.settings, cast("BookLike", bundle), *given) as session:
                yield session
        else:
            with prepare(self.name, self.url, self.settings, cast("BundleLike", bundle), *given) as session:
                yield session

    def status(self) -> PaperStatus:
        """Equity, positions, guards and criteria, read from the journal.

        Raises:
            JournalError: no such account, one that never began, or a journal that contradicts itself.
        """
        from quorate.trading.paper import AccountStatus

        with self._open("reader") as journal:
            return status_of(AccountStatus(journal), self.settings)

    def watch(self) -> Generator[PaperStatus, None, None]:
        """Yield the status without end; the journal is read once, and then what is new in it.

        Raises:
            JournalError: as `status`.
        """
        from quorate.trading.paper import AccountStatus

        with self._open("reader") as journal:
            status = AccountStatus(journal)
            while True:
                yield status_of(status, self.settings)
                status.refresh(journal)

    def performance(
        self, bundle: BundleLike, data: Data | None = None, *, exchange: str | None = None
    ) -> PaperPerformance:
        """Measure how well the model does: skill on the bars whose outcome is known by now, beside what it promised.

        Nothing is predicted again: the votes are those of the journal, and candles show what happened after them. The
        account stands beside buy and hold, simple strategies and random entries on the same bars.

        Args:
            bundle: a folder of bundles, of which the account's newest is measured; or one bundle or series.
            data: stored candles: a Freqtrade data folder, or candles as `open_source` takes them.
            exchange: instead: candles of this exchange, as ccxt names it.

        Raises:
            ArgumentError: neither or both of `data` and `exchange`.
            BundleError: the bundle is missing or altered.
            EvaluationError: no decision of this bundle in the account, or a stack.
            JournalError: no such account, or a record that cannot be read.
            DataError: candles that cannot be read.
        """
        from quorate.trading.paper import AccountStatus, DecidedVotes
        from quorate.workflows.inputs.predictors import require_bundle
        from quorate.workflows.paper.baselines import DecidedAccount, baselines_of
        from quorate.workflows.paper.live_decisions import candle_source, require_measurable
        from quorate.workflows.paper.measured_bundle import trained_of
        from quorate.workflows.paper.performance import performance_of

        require_bundle(bundle)
        votes = DecidedVotes()
        with candle_source(data, exchange, self.settings) as source:
            with self._open("reader") as journal:
                votes.refresh(journal)
                account = DecidedAccount.of(AccountStatus(journal))
            trained = trained_of(bundle, votes.bundle, self.settings)
            require_measurable(self.name, trained, votes)
            baselines = baselines_of(account, trained.manifest, source, self.settings)
            return performance_of(self.name, votes, trained, source, self.settings, baselines)

    def evaluate(
        self,
        bundle: BundleLike,
        data: Data | None = None,
        *,
        exchange: str | None = None,
        progress: Progress = silent,
    ) -> Evaluation:
        """Evaluate what the account has done so far, as `quorate.evaluate` does a bundle: for the page and the trades.

        The trades, the equity and the votes are those of the journal, and nothing is predicted again or recorded in the
        trial log. Baselines trade by the account's rules, without guards.

        Args:
            bundle: a folder of bundles, of which the account's newest is taken; or one bundle or series.
            data: stored candles: a Freqtrade data folder, or candles as `open_source` takes them.
            exchange: instead: candles of this exchange, as ccxt names it.
            progress: of scoring.

        Raises:
            ArgumentError, BundleError, EvaluationError, JournalError, DataError: as `performance`.
        """
        from pathlib import Path

        from quorate.trading.paper import AccountStatus, DecidedVotes
        from quorate.workflows.inputs.predictors import load_predictor, require_bundle
        from quorate.workflows.paper.baselines import DecidedAccount
        from quorate.workflows.paper.live_decisions import candle_source, require_measurable
        from quorate.workflows.paper.report import evaluation_of

        require_bundle(bundle)
        require_callback(progress=progress)
        votes = DecidedVotes()
        with candle_source(data, exchange, self.settings) as source:
            with self._open("reader") as journal:
                votes.refresh(journal)
                decided = DecidedAccount.of(AccountStatus(journal))
            own = isinstance(bundle, str | Path) and bool(votes.bundle) and (Path(bundle) / votes.bundle).is_dir()
            loaded = load_predictor(Path(str(bundle)) / votes.bundle if own else bundle, self.settings)
            require_measurable(self.name, loaded, votes)
            return evaluation_of(self.name, decided, votes, loaded, source, self.settings, progress)

    def rearm(self, guard: str, *, who: str, note: str = "", confirm: Confirm | None = None) -> PaperRequest | None:
        """Record the request to re-arm a guard that has halted the account; it applies from the next bar.

        Args:
            guard: losses, drawdown or confidence.
            who: whose decision it is.
            note: the reason, for the journal.
            confirm: called with what would change; where it returns False, nothing is recorded and None returned.

        Raises:
            GuardError: a session without guards, no such guard, or one that is not halted.
            JournalError: as `status`.
        """
        require_type("re-arm a guard", "guard", guard, str, "the name of a guard")
        return self._request("rearm", guard, who, note, confirm)

    def promote(self, *, who: str, note: str = "", confirm: Confirm | None = None) -> PaperRequest | None:
        """Record the confirmation of the ladder's next step; it applies from the next bar.

        Args:
            who: whose decision it is.
            note: the reason, for the journal.
            confirm: called with what would change; where it returns False, nothing is recorded and None returned.

        Raises:
            GuardError: a session without guards, or a step whose conditions are not met.
            JournalError: as `status`.
        """
        return self._request("promote", "", who, note, confirm)

    def records(
        self,
        last: int | None = 50,
        *,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[str] | str = (),
        symbol: str | None = None,
        text: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Iterator[Entry]:
        """Records of the journal, oldest first, read while they are iterated over.

        Args:
            last: number of records, the newest ones that fit; None for all.
            after: only those with a larger number.
            before: only those with a smaller number; the number of a page's first record gives the page before it.
            kinds: only these, such as "filled" or "closed", as a sequence or a text with commas; empty for all.
            symbol: only those of this market.
            text: only those whose stored body has this text, in upper or lower case.
            start: only those of bars that open at or after it.
            end: only those of bars that open before it.

        Raises:
            ArgumentError: a kind that no record has; the close match is named.
            JournalError: no such account, or a record that cannot be read.
        """
        require_count("last", last)
        return self._records(last, search_of(after, before, kinds, symbol, text, start, end))

    def copy(self, to: str) -> int:
        """Copy the whole journal, every account of it, into a database that holds none; the number of records.

        Args:
            to: URL of the target.

        Raises:
            JournalTakenError: a session is running.
            JournalError: the target holds accounts already, or one of the two cannot be used.
        """
        from quorate.trading.journal.copy import copy

        require_type("copy the journal", "to", to, str, "the URL of a journal")

        return copy(self.url, to, self.settings.journal)

    def _request(
        self, action: Literal["rearm", "promote"], guard: str, who: str, note: str, confirm: Confirm | None
    ) -> PaperRequest | None:
        require_types(f"{action} the account", who=(who, TEXT), note=(note, TEXT), confirm=(confirm, FUNCTION.optional))
        from quorate.trading.paper import AccountStatus

        with self._open("human") as journal:
            return request(journal, AccountStatus(journal), action, guard, who, note, confirm)

    def _records(self, last: int | None, search: Search) -> Iterator[Entry]:
        with self._open("reader") as journal:
            yield from journal.matching(search) if last is None else journal.newest_matching(search, last)

    def _open(self, role: Role) -> Journal:
        from quorate.trading.journal import Journal

        return Journal.open(self.url, self.name, role=role, settings=self.settings.journal)
