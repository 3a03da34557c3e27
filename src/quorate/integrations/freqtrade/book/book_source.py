"""Loading of a strategy's book, and its replacement while the bot runs."""

from __future__ import annotations

import logging
from pathlib import Path

from quorate.book.bundle import Book, load_book
from quorate.book.bundle.book_files import book_path
from quorate.core.errors import FreqtradeError, QuorateError
from quorate.integrations.freqtrade.strategy_options import StrategyOptions

_log = logging.getLogger(__name__)


class BookSource:
    """The book of a strategy.

    Args:
        options: path of the book.

    Attributes:
        path: a book, or a folder of books for its newest.
    """

    def __init__(self, options: StrategyOptions) -> None:
        self.path: Path = options.path(options.freqtrade.bundle)
        self._book: Book | None = None
        self._folder: Path | None = None

    @property
    def book(self) -> Book:
        """As last loaded.

        Raises:
            FreqtradeError: before `start`.
        """
        if self._book is None:
            raise FreqtradeError("use the book of a strategy", found="none", expected="one that `bot_start` has loaded")
        return self._book

    def start(self) -> None:
        """Load the book.

        Raises:
            FreqtradeError: it cannot be loaded.
        """
        try:
            self._folder = book_path(self.path)
            self._book = load_book(self.path)
        except QuorateError as error:
            raise FreqtradeError(
                f"start the strategy, which has to {error.attempted}",
                found=error.found,
                expected=error.expected,
                remedy=f'{error.remedy} Set "quorate": {{"bundle": ...}} in Freqtrade\'s configuration; '
                "`quorate train --recipe book --out DIR` trains a book.",
            ) from error

    def refresh(self) -> bool:
        """Load the folder's newest book if it is another one; returns whether it is in use now.

        If it cannot be loaded, this is logged once and the one in use stays.
        """
        try:
            folder = book_path(self.path)
            if folder is None or folder == self._folder:
                return False
            self._folder = folder
            loaded = load_book(folder)
        except QuorateError as error:
            _log.error("the new book cannot be loaded: %s The book %s stays in use.", error, self.book.manifest.id)
            return False
        _log.warning("book %s replaces %s", loaded.manifest.id, self.book.manifest.id)
        self._book = loaded
        return True
