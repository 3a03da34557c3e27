"""Which kind of bundle a path means."""

from __future__ import annotations

from pathlib import Path


def is_book(path: str | Path) -> bool:
    """Whether a path is the folder of a book, or of books.

    Raises:
        BundleError: a folder of books whose pointer names none.
    """
    from quorate.book.bundle.book_files import book_path

    return book_path(Path(path)) is not None
