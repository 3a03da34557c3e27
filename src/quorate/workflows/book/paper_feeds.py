"""The bars of a paper account of a book, and the decisions on them: replayed, or live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress
from quorate.market.feed import BarReport, Feed
from quorate.workflows.book.kinds import BookLike, book_of
from quorate.workflows.inputs.market_data import Data, read_contracts, require_data
from quorate.workflows.inputs.selection import split_names, timeframe_of
from quorate.workflows.paper.options import PaperOptions, selection_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.account.contract import Contract
    from quorate.trading.paper.portfolio import DecideTargets


class PaperFeed(NamedTuple):
    """What a session trades.

    Attributes:
        feed: bars of 4 hours.
        decide: the weights after each of them.
        contracts: symbol -> the exchange's rules.
        book: id of the book that decides.
        synthetic: whether some candles, or those that trained the book, are synthetic.
        in_training_span: whether days that trained the book are among the bars.
    """

    feed: Feed
    decide: DecideTargets
    contracts: Mapping[str, Contract]
    book: str
    synthetic: bool
    in_training_span: bool


def replayed(book: BookLike, data: Data, options: PaperOptions, progress: Progress) -> PaperFeed:
    """Stored candles; arguments and errors as of `prepare_book`."""
    from quorate.trading.paper import ReplayFeed
    from quorate.workflows.book.traded_span import open_span

    require_data(data)
    # Every row of the panel and of the weights depends on earlier candles only.
    loaded, traded, overlaps = open_span(
        "replay a book",
        book,
        data,
        selection_of(options),
        allow_training_span=options.get("allow_training_span", False),
        progress=progress,
    )
    bars, due, targets = traded.bars(), traded.decided_bars, traded.targets
    marks = traded.marks(bars)
    feed = ReplayFeed(
        bars,
        traded.first,
        traded.end,
        funding=traded.markets.funding,
        marks=marks,
        bars_per_second=options.get("speed"),
    )

    def decide(
        report: BarReport, equity_usd: float, held: Mapping[str, float], *, whole: bool
    ) -> Mapping[str, float] | None:
        wanted = whole or report.time in due
        return targets.after_bar(report.time, equity_usd, held, whole=whole) if wanted else None

    contracts = read_contracts(traded.source)
    return PaperFeed(feed, decide, contracts, loaded.manifest.id, traded.markets.synthetic, overlaps)


@contextmanager
def live(book: BookLike, settings: Settings, options: PaperOptions) -> Iterator[PaperFeed]:
    """Live candles of the exchange of the settings; arguments and errors as of `prepare_book`."""
    from quorate.workflows.book.live import LiveTargets, open_live

    selection = selection_of(options)
    if timeframe_of(selection) not in (None, "4h"):
        raise ArgumentError("trade a book live", found=f"`timeframe` {selection['timeframe']!r}", expected="4h")
    loaded = book_of(book)
    with open_live(loaded, split_names(selection.get("symbols")), settings) as (feed, contracts):
        synthetic = loaded.manifest.synthetic
        yield PaperFeed(feed, LiveTargets(loaded, feed), contracts, loaded.manifest.id, synthetic, False)
