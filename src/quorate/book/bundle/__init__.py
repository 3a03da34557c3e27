"""A trained book on disk and in memory."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.book.bundle.manifest import BookManifest as BookManifest
    from quorate.book.bundle.trained_book import Book as Book
    from quorate.book.bundle.trained_book import load_book as load_book
else:
    __getattr__, __all__ = deferred(__name__, {"manifest": "BookManifest", "trained_book": "Book load_book"})
