"""A synthetic market of ten perpetuals and a book of one member, trained on its first days."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from quorate.book.bundle import Book, load_book
from quorate.core.clock import HOUR_MS
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.book.markets import BookMarkets, read_markets
from quorate.workflows.book.train import train_book
from stubs.book_agreement import SETTINGS

BAR_MS = 4 * HOUR_MS
BARS, TRAINED = 1_260, 1_080


@dataclass(frozen=True)
class Traded:
    """A market whose candles lie in a folder, and a book of it in another."""

    data: Path
    folder: Path
    book: Book
    markets: BookMarkets
    start: int
    end: int


@pytest.fixture(scope="session")
def traded(tmp_path_factory):
    root = tmp_path_factory.mktemp("book")
    market = SyntheticMarket(seed=3, symbols=10, bars=BARS, timeframe="4h", edge=0.2)
    market.write(root / "data")
    first = int(market.candles(market.names[0]).time[0])
    settings = replace(SETTINGS, train=replace(SETTINGS.train, threads=1))
    trained = train_book(root / "data", root / "books", settings=settings, end=first + TRAINED * BAR_MS)
    markets = read_markets(market)
    return Traded(
        root / "data", root / "books", load_book(trained.path), markets, first + TRAINED * BAR_MS, first + BARS * BAR_MS
    )
