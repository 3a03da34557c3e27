"""From the weights of sleeves to target weights of the account."""

from quorate.book.portfolio.positions import WeightReturns
from quorate.book.portfolio.returns import MarketReturns, book_returns, market_returns
from quorate.book.portfolio.weights import SleeveWeights

__all__ = ["MarketReturns", "SleeveWeights", "WeightReturns", "book_returns", "market_returns"]
