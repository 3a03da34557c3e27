"""Candles in: sources behind one protocol, their quality, the store, the universe and the synthetic market."""

from quorate.market.freqtrade_files import FreqtradeFolder, load_candles
from quorate.market.report import QualityReport
from quorate.market.source import CandleSource
from quorate.market.store import write_candles, write_funding

__all__ = ["CandleSource", "FreqtradeFolder", "QualityReport", "load_candles", "write_candles", "write_funding"]
