"""The book: daily target weights of many perpetuals, from sleeves that each follow one effect.

panel      candles and funding of all markets, by day
sleeves    panel to the target weights of one effect
portfolio  weights of sleeves to those of the account
training   fits of the members of learned sleeves
bundle     a trained book on disk
"""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.book.bundle.trained_book import Book as Book
    from quorate.book.panel.daily_panel import DailyPanel as DailyPanel
    from quorate.book.sleeves.learned import LearnedSleeve as LearnedSleeve
    from quorate.book.sleeves.learned import SleeveRows as SleeveRows
    from quorate.book.sleeves.sleeve import Sleeve as Sleeve
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "bundle.trained_book": "Book",
            "panel.daily_panel": "DailyPanel",
            "sleeves.learned": "LearnedSleeve SleeveRows",
            "sleeves.sleeve": "Sleeve",
        },
    )
