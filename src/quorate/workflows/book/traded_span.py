"""A book over candles that it may trade: what its backtest and the replay of its paper account share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.book.bundle import Book
from quorate.book.panel import DailyPanel
from quorate.book.panel.bar_grid import BAR_MS, four_hour_bars
from quorate.book.portfolio.targets import BookTargets
from quorate.core.clock import format_ms
from quorate.core.errors import ArgumentError, DataError, TrainingSpanError
from quorate.core.progress import Progress
from quorate.core.types import Candles
from quorate.market.source import CandleSource
from quorate.workflows.book.kinds import BookLike, book_of
from quorate.workflows.book.markets import BookMarkets, read_markets
from quorate.workflows.inputs.market_data import Data, open_source, read_marks
from quorate.workflows.inputs.selection import Selection, span, split_names, timeframe_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, eq=False)
class TradedSpan:
    """The decisions of a book over a span, and the bars in which they are filled.

    Attributes:
        source: of candles, mark prices and contracts.
        markets: candles and funding, from the first there are.
        panel: of the same markets.
        targets: of the book.
        moments: ms, at which something is decided in the span; at least one.
        end: of the span in ms, exclusive; None for the end of the candles.
    """

    source: CandleSource
    markets: BookMarkets
    panel: DailyPanel
    targets: BookTargets
    moments: tuple[int, ...]
    end: int | None

    @classmethod
    def of(
        cls,
        source: CandleSource,
        markets: BookMarkets,
        panel: DailyPanel,
        targets: BookTargets,
        start: int,
        end: int | None,
    ) -> TradedSpan:
        """Of targets from `start` on, in ms.

        Raises:
            DataError: no decision in the span.
        """
        moments = targets.moments(start, end)
        if not moments:
            raise DataError(
                "trade a book",
                found=f"candles that end at {format_ms(int(panel.grid.moments[-1]))}",
                expected=f"days from {format_ms(start)} on",
            )
        return cls(source, markets, panel, targets, moments, end)

    @property
    def first(self) -> int:
        """Open time in ms of the bar at whose close is decided first; it is filled at the open of the next one."""
        return self.moments[0] - BAR_MS

    @property
    def decided_bars(self) -> frozenset[int]:
        """Open times in ms of the bars at whose close something is decided."""
        return frozenset(moment - BAR_MS for moment in self.moments)

    def bars(self) -> dict[str, Candles]:
        """Symbol -> bars of 4 hours, of the markets that have one in the span."""
        bars = {symbol: four_hour_bars(candles) for symbol, candles in self.markets.candles.items()}
        return {symbol: each for symbol, each in bars.items() if len(each.between(self.first, self.end))}

    def marks(self, bars: Mapping[str, Candles]) -> dict[str, Candles]:
        """Symbol -> mark prices of these markets, where the source has them."""
        return read_marks(self.source, tuple(bars), "4h", self.first, self.end)


def open_span(
    attempted: str, book: BookLike, data: Data, selection: Selection, *, allow_training_span: bool, progress: Progress
) -> tuple[Book, TradedSpan, bool]:
    """Load a book and what it decides over a selection.

    Args:
        attempted: for errors, such as "backtest a book".
        book: a folder of a book or of books, or one that is loaded.
        data: candles.
        selection: `start` (default: the end of the training) and `end`, `symbols` (default: those of the book).
        allow_training_span: also days of the training span.
        progress: of reading.

    Returns:
        The book, the span, and whether it has days that trained the book.

    Raises:
        ArgumentError: `top`, or a date that cannot be read.
        BundleError: no book there, or an altered one.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
    """
    if selection.get("top") is not None:
        raise ArgumentError(attempted, found=f"`top` {selection['top']!r}", expected="`symbols`, or neither")
    symbols, timeframe = split_names(selection.get("symbols")), timeframe_of(selection)
    start, end = span(selection)
    loaded = book_of(book)
    trained = loaded.manifest.training_end
    first = trained if start is None else start
    if first < trained and not allow_training_span:
        raise TrainingSpanError(
            f"{attempted} from {format_ms(first)}",
            found=f"days of the training span, to {format_ms(trained)}",
            expected=f"`start` {format_ms(trained)} or later",
            remedy="Or allow it with `allow_training_span=True`; the result is then marked.",
        )
    source, settings = open_source(data), loaded.manifest.settings
    markets = read_markets(source, symbols or loaded.manifest.symbols, timeframe, end=end, progress=progress)
    panel = markets.panel(settings)
    targets = BookTargets(panel, loaded.weights(panel), settings)
    return loaded, TradedSpan.of(source, markets, panel, targets, first, end), first < trained
