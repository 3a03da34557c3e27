"""Candles of an exchange, through ccxt: as a source, as a download into a folder, and live."""

from quorate.market.exchange.download import Downloaded, download
from quorate.market.exchange.exchange_source import Exchange
from quorate.market.exchange.live import LiveFeed
from quorate.market.exchange.ranking import Ranking, top

__all__ = ["Downloaded", "Exchange", "LiveFeed", "Ranking", "download", "top"]
