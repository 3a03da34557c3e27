"""Market statistics beside candles: open interest, long/short ratios, taker volumes and the premium index."""

from quorate.market.statistics.source import StatisticsSource
from quorate.market.statistics.store import read_statistics, write_statistics

__all__ = ["StatisticsSource", "read_statistics", "write_statistics"]
