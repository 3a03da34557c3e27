"""Which kind of bundle a path means, and the book that a user names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.book.bundle import Book
    from quorate.workflows.results.book import TrainedBook

#: A folder of a book or of books (the newest), what training returned, or a book that is loaded.
BookLike: TypeAlias = Union[str, Path, "TrainedBook", "Book"]


def is_book(path: str | Path) -> bool:
    """Whether a path is the folder of a book, or of books.

    Raises:
        BundleError: a folder of books whose pointer names none.
    """
    from quorate.book.bundle.book_files import book_path

    return book_path(Path(path)) is not None


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
