"""The book: daily target weights of many perpetuals, from sleeves that each follow one effect.

panel      candles and funding of all markets, by day
sleeves    panel to the target weights of one effect
portfolio  weights of sleeves to those of the account
training   fits of the members of learned sleeves
bundle     a trained book on disk
"""

from quorate.book.bundle import Book
from quorate.book.panel import DailyPanel
from quorate.book.sleeves import LearnedSleeve, Sleeve, SleeveRows

__all__ = ["Book", "DailyPanel", "LearnedSleeve", "Sleeve", "SleeveRows"]
