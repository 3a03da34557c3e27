"""The paper account of a book: stored candles replayed bar by bar, in a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from quorate.core.progress import Progress, silent
from quorate.workflows.book.kinds import BookLike
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_flags
from quorate.workflows.inputs.market_data import Data, read_contracts, require_data
from quorate.workflows.inputs.selection import Selection
from quorate.workflows.paper import PaperAccount
from quorate.workflows.paper.replay import bar_progress
from quorate.workflows.paper.status import PaperStatus, status_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.account.contract import Contract
    from quorate.trading.journal import Journal, Record
    from quorate.trading.paper import AccountConfig
    from quorate.trading.paper.portfolio import TargetSession


class BookPaperRun:
    """A session of a book that is ready to run, from where its journal ends.

    Args:
        session: the session.
        journal: of the account, opened by the session.
        settings: intervals and criteria of the status.
        in_training_span: whether days that trained the book are replayed.
    """

    def __init__(self, session: TargetSession, journal: Journal, settings: Settings, *, in_training_span: bool) -> None:
        self._session, self._journal, self._settings = session, journal, settings
        self._in_training_span = in_training_span

    def run(self) -> PaperStatus:
        """Trade until the candles end or `stop` is called; the account's status, with all trades and its equity.

        Raises:
            JournalError: the journal contradicts the session; `JournalUnavailableError` where it cannot be written.
        """
        from quorate.trading.paper import AccountStatus

        self._session.run()
        more = {"in_training_span": self._in_training_span}
        return status_of(AccountStatus(self._journal), self._settings, whole=True, more=more)

    def stop(self) -> None:
        """End after the step at hand; may be called from any thread."""
        self._session.stop()


@contextmanager
def book_session(
    account: PaperAccount,
    book: BookLike,
    data: Data,
    *,
    guards: bool = True,
    allow_training_span: bool = False,
    speed: float | None = None,
    listener: Callable[[Record], None] | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> Iterator[BookPaperRun]:
    """A replay of stored candles in the account of a book, from where its journal ends.

    Trades as `backtest_book` on the same span, unless a guard trips. The targets of a moment read candles that were
    closed by then only.

    Args:
        account: its name, journal and settings.
        book: a folder of a book or of books, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        guards: apply the guards of the settings `book_guards`.
        allow_training_span: also replay days of the training span; the status is marked.
        speed: bars a second; as fast as possible without.
        listener: called with every record once it is in the journal.
        progress: of reading candles, and of the replay's bars.
        **selection: `start` (default: the end of the training) and `end`; `symbols`, default those of the book.

    Raises:
        BundleError: no book there, or an altered one.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
        JournalTakenError: another session writes this account.
        JournalError: the journal cannot be opened, or is of another strategy.
    """
    from quorate.trading.journal import Journal
    from quorate.trading.paper import ReplayFeed
    from quorate.trading.paper.portfolio import TargetSession
    from quorate.workflows.book.traded_span import open_span

    require_arguments(book_session, selection, Selection.__optional_keys__)
    require_flags(guards=guards, allow_training_span=allow_training_span)
    require_callback(progress=progress)
    require_data(data)
    settings = account.settings
    # Every row of the panel and of the weights depends on earlier candles only.
    loaded, traded, overlaps = open_span(
        "replay a book", book, data, selection, allow_training_span=allow_training_span, progress=progress
    )
    manifest, bars, due = loaded.manifest, traded.bars(), traded.decided_bars
    marks = traded.marks(bars)
    feed = ReplayFeed(
        bars, traded.first, traded.end, funding=traded.markets.funding, marks=marks, bars_per_second=speed
    )
    config = book_account(settings, read_contracts(traded.source), guarded=guards)

    def decide(time: int, equity_usd: float, held: Mapping[str, float]) -> Mapping[str, float] | None:
        return traded.targets.after_bar(time, equity_usd, held) if time in due else None

    shown = bar_progress(feed, progress)

    def listen(record: Record) -> None:
        shown(record)
        if listener is not None:
            listener(record)

    with Journal.open(
        account.url, account.name, settings_hash=config.hash, bundle_id=manifest.id, settings=settings.journal
    ) as journal:
        session = TargetSession(
            feed,
            decide,
            journal,
            config,
            bundle_id=manifest.id,
            mode="replay",
            synthetic=traded.markets.synthetic,
            settings=settings.paper,
            listener=listen,
        )
        yield BookPaperRun(session, journal, settings, in_training_span=overlaps)


def book_account(
    settings: Settings, contracts: Mapping[str, Contract] | None = None, *, guarded: bool = True
) -> AccountConfig:
    """The rules under which a paper account follows a book: cross margin, and the guards of books.

    Args:
        settings: account, costs, guards of books and name of the strategy.
        contracts: symbol -> the exchange's rules.
        guarded: with guards.
    """
    from quorate.core.settings import ExitSettings
    from quorate.trading.oversight import Oversight
    from quorate.trading.paper import AccountConfig

    return AccountConfig(
        horizon=1,  # of entries with a stop, which such an account does not have
        account=replace(settings.account, margin="cross"),
        costs=settings.costs,
        exits=ExitSettings(),
        contracts=dict(contracts or {}),
        oversight=Oversight(settings.book_guards.limits, ladder=None) if guarded else None,
        strategy=f"{settings.paper.strategy}-book",
    )
