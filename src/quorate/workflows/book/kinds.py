"""Which kind of bundle a path means, and the book that a user names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.book.bundle import Book
    from quorate.workflows.results.book import TrainedBook

#: A folder of a book or of books (the newest), what training returned, or a book that is loaded.
BookLike: TypeAlias = Union[str, Path, "TrainedBook", "Book"]

_LOADED = (
    ("quorate.book.bundle.trained_book", "Book"),
    ("quorate.workflows.results.book.trained_book", "TrainedBook"),
)


def is_book(bundle: object) -> bool:
    """Whether this is a book, what training one returned, or the path of a folder of a book or of books.

    Raises:
        BundleError: a folder of books whose pointer names none.
    """
    if isinstance(bundle, str | Path):
        from quorate.book.bundle.book_files import book_path

        return book_path(Path(bundle)) is not None
    # Where there is such an object, its module is imported.
    types = [(sys.modules.get(module), name) for module, name in _LOADED]
    return any(module is not None and isinstance(bundle, getattr(module, name)) for module, name in types)


def book_of(book: BookLike) -> Book:
    """The book, read from a path or as it is.

    Raises:
        ArgumentError: neither of these.
        BundleError: no book there, or an altered one.
    """
    from quorate.book.bundle import Book, load_book
    from quorate.workflows.results.book import TrainedBook

    if isinstance(book, TrainedBook):
        book = book.path
    if isinstance(book, str | Path):
        return load_book(book)
    if not isinstance(book, Book):
        raise ArgumentError(
            "use `book`",
            found=f"an object of type {type(book).__name__}",
            expected="the path of a book or of a folder of books, or the result of quorate.train_book",
        )
    return book
