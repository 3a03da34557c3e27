"""Results of books."""

from quorate.workflows.results.book.book_backtest import BookBacktest, figure_text
from quorate.workflows.results.book.book_demo import BookDemo
from quorate.workflows.results.book.target_book import TargetBook, TargetPosition
from quorate.workflows.results.book.trained_book import TrainedBook

__all__ = ["BookBacktest", "BookDemo", "TargetBook", "TargetPosition", "TrainedBook", "figure_text"]
