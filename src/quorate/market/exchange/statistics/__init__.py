"""Market statistics of an exchange: open interest, long/short ratios, taker volumes and the premium index."""

from quorate.market.exchange.statistics.download_statistics import download_statistics
from quorate.market.exchange.statistics.feeds import StatisticFeed, feeds_of

__all__ = ["StatisticFeed", "download_statistics", "feeds_of"]
