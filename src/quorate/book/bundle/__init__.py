"""A trained book on disk and in memory."""

from quorate.book.bundle.manifest import BookManifest
from quorate.book.bundle.trained_book import Book, is_book, load_book

__all__ = ["Book", "BookManifest", "is_book", "load_book"]
