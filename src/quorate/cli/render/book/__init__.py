"""Books in the terminal."""

from quorate.cli.render.book.judgement import show_book_judgement

__all__ = ["show_book_judgement"]
