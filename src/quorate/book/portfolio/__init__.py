"""From the weights of sleeves to target weights of the account."""

from quorate.book.portfolio.returns import WeightReturns, book_returns
from quorate.book.portfolio.weights import SleeveWeights

__all__ = ["SleeveWeights", "WeightReturns", "book_returns"]
