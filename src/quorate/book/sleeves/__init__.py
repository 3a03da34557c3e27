"""Sleeves: each turns the panel into the target weights of one effect."""

from quorate.book.sleeves.learned import LearnedSleeve, SleeveRows
from quorate.book.sleeves.sleeve import Sleeve

__all__ = ["LearnedSleeve", "Sleeve", "SleeveRows"]
