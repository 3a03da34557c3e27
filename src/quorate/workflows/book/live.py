"""The decisions of a book on the closing bars of an exchange."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from quorate.book.bundle import Book
from quorate.book.panel.bar_grid import BAR_MS
from quorate.book.panel.daily_panel import DAY_BARS
from quorate.book.panel.funding_days import settled_by
from quorate.book.portfolio.targets import BookTargets
from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError
from quorate.core.text.plural import counted
from quorate.core.types import Funding
from quorate.market.feed import BarReport, Feed
from quorate.workflows.book.markets import BookMarkets

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.account.contract import Contract

_log = logging.getLogger(__name__)

# A round of requests reads more than a year of candles of every market at the start.
_FIRST_ROUND_S = 900.0


class LiveTargets:
    """Target weights of a book from the windows of a live feed, which reach back as far as the book reads.

    A market that lacks the bar is not decided: what is held of it stays.

    Args:
        book: that decides.
        feed: of bars of 4 hours, whose windows have `window_bars(book)`.
    """

    def __init__(self, book: Book, feed: Feed) -> None:
        self._book, self._feed = book, feed
        self._funding: dict[str, Funding] = {}

    def __call__(
        self, report: BarReport, equity_usd: float, held: Mapping[str, float], *, whole: bool
    ) -> Mapping[str, float] | None:
        """The weights after the close of a bar; arguments as `DecideTargets`."""
        moment = report.time + BAR_MS
        candles = {symbol: known for symbol, known in report.candles.items() if known.time[-1] == report.time}
        if not candles:
            return None
        self._read_funding(moment, tuple(candles))
        known = {symbol: self._funding.get(symbol) for symbol in candles}
        funding = {symbol: None if each is None else settled_by(each, moment) for symbol, each in known.items()}
        markets = BookMarkets(candles, funding)
        panel = markets.panel(self._book.manifest.settings)
        targets = BookTargets(panel, self._book.weights(panel), self._book.manifest.settings)
        decided = targets.after_bar(report.time, equity_usd, held, whole=whole)
        if decided is None:
            return None
        return {**decided, **{symbol: weight for symbol, weight in held.items() if symbol not in candles}}

    def _read_funding(self, moment: int, symbols: Sequence[str]) -> None:
        """Read the settlements up to a moment that are not known yet. Where there is no response, earlier ones stay."""
        first = moment - self._book.lookback_days * DAY_MS
        new = [symbol for symbol in symbols if symbol not in self._funding]
        old = [symbol for symbol in symbols if symbol in self._funding]
        since = min((int(self._funding[symbol].time[-1]) + 1 for symbol in old), default=first)
        for chosen, start in ((new, first), (old, since)):
            if not chosen:
                continue
            for symbol, settled in self._feed.funding(start, moment + DAY_MS, chosen).items():
                known = self._funding.get(symbol)
                joined = settled if known is None else _joined(known, settled)
                if len(joined):
                    self._funding[symbol] = joined


def window_bars(book: Book) -> int:
    """Bars of 4 hours that the book reads to decide."""
    return book.lookback_days * DAY_BARS


@contextmanager
def open_live(book: Book, symbols: Sequence[str], settings: Settings) -> Iterator[tuple[Feed, dict[str, Contract]]]:
    """Closing bars of the exchange of the settings, and the rules of its markets.

    Args:
        book: that trades them.
        symbols: markets; none for those of the book that the exchange lists, the others are named in the log.
        settings: exchange, feed and quality.

    Raises:
        DataError: the exchange lists no market of the book.
        UnknownSymbolError: it does not have one of `symbols`.
        ExchangeError: its markets could not be read.
    """
    from quorate.market.exchange import Exchange, LiveFeed
    from quorate.trading.account.contracts import ask_contracts

    with Exchange(settings.exchange) as exchange:
        chosen = tuple(symbols) or _listed(book.manifest.symbols, exchange.symbols("4h", perpetual=True))
        feed = replace(
            settings.feed,
            window_bars=window_bars(book),
            longest_s=max(settings.feed.longest_s, _FIRST_ROUND_S),
        )
        contracts = ask_contracts(exchange, chosen)
        yield LiveFeed(exchange, chosen, "4h", feed, settings.quality), contracts


def _listed(symbols: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
    """The markets of a book that an exchange lists."""
    here = set(listed)
    chosen = tuple(symbol for symbol in symbols if symbol in here)
    gone = [symbol for symbol in symbols if symbol not in here]
    if gone:
        _log.warning("%s of the book not listed any more: %s", counted(len(gone), "market"), ", ".join(gone))
    if not chosen:
        raise DataError(
            "trade a book live",
            found="an exchange that lists none of its markets",
            expected=f"perpetuals such as {symbols[0]}",
            remedy="Name the exchange whose candles trained it.",
        )
    return chosen


def _joined(known: Funding, settled: Funding) -> Funding:
    """Settlements that are known, and those after them."""
    later = settled.time > known.time[-1]
    return Funding(
        known.symbol,
        np.concatenate([known.time, settled.time[later]]),
        np.concatenate([known.rate, settled.rate[later]]),
    )
