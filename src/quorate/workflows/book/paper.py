"""The paper account of a book: stored candles replayed bar by bar, or live ones, in a journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress
from quorate.workflows.book.kinds import BookLike
from quorate.workflows.inputs.market_data import Data
from quorate.workflows.paper.options import PaperOptions, require_consistent
from quorate.workflows.paper.paper_run import Listener, PaperRun, chain, webhook_listener
from quorate.workflows.paper.replay import bar_progress, beside_replay

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.account.contract import Contract
    from quorate.trading.paper import AccountConfig, AccountStatus


@contextmanager
def prepare_book(
    name: str,
    url: str,
    settings: Settings,
    book: BookLike,
    data: Data | None,
    exchange: str | None,
    listener: Listener | None,
    progress: Progress,
    options: PaperOptions,
) -> Iterator[PaperRun]:
    """Load the book, open feed and journal, and hold both open: for a book what `paper.session.prepare` is.

    A replay trades as `backtest_book` on the same span, unless a guard trips. The targets of a moment read candles that
    were closed by then only. Live, a first round of requests reads as many candles as the book needs, more than a year.

    Args:
        name: of the account.
        url: of its journal.
        settings: account, costs, `book_guards`, feed, exchange.
        book: a folder of a book or of books, or one that is loaded.
        data: stored candles to replay.
        exchange: instead: live candles of this exchange, as ccxt names it.
        listener: called with every record once it is written.
        progress: of reading candles, and of a replay's bars.
        options: markets, span and how to trade, without `policy`, `bench` and `top`.

    Raises:
        ArgumentError: options that contradict each other, or that a book does not have.
        BundleError: no book there, or an altered one.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span; an exchange without the markets of the book.
        ExchangeError: a request to the exchange failed.
        JournalTakenError: another session writes this account.
        JournalError: the journal cannot be opened, or is of another strategy.
    """
    from quorate.trading.account.currency import account_currency
    from quorate.trading.journal import Journal
    from quorate.trading.paper import ReplayFeed
    from quorate.trading.paper.portfolio import TargetSession
    from quorate.trading.webhook import url_of
    from quorate.workflows.book.paper_feeds import live, replayed

    require_consistent(data, exchange, options)
    unused = [option for option in ("policy", "bench", "top") if options.get(option) is not None]
    if unused:
        raise ArgumentError(
            "run the paper account of a book", found=f"`{unused[0]}`", expected="a book and its markets alone"
        )
    url_of()  # before anything is read or written
    guarded = options.get("guards", True)
    with ExitStack() as stack:
        if data is not None:
            traded = replayed(book, data, options, progress)
        else:
            chosen = replace(settings, exchange=replace(settings.exchange, name=exchange or settings.exchange.name))
            traded = stack.enter_context(live(book, chosen, options))
        feed, config = traded.feed, book_account(settings, traded.contracts, guarded=guarded)
        journal = stack.enter_context(
            Journal.open(url, name, settings_hash=config.hash, bundle_id=traded.book, settings=settings.journal)
        )
        currency = account_currency(feed.symbols, config.account)
        notify = stack.enter_context(webhook_listener(name, url, settings, journal, currency))
        session = TargetSession(
            feed,
            traded.decide,
            journal,
            config,
            fresh=settings.book_guards.fresh if guarded and exchange is not None else 0.0,
            bundle_id=traded.book,
            mode="replay" if exchange is None else "live",
            synthetic=traded.synthetic,
            settings=settings.paper,
            listener=chain(listener, notify, bar_progress(feed, progress) if isinstance(feed, ReplayFeed) else None),
        )

        def more(status: AccountStatus) -> dict[str, Any]:
            found: dict[str, Any] = {"in_training_span": traded.in_training_span}
            return found | beside_replay(feed, journal, status, None, settings)

        yield PaperRun(session, journal, settings, more)


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
        by_target=True,
    )
