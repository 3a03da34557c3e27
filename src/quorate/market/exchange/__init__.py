"""Candles of an exchange, through ccxt: as a source, downloaded into a folder, and live."""

from quorate.market.exchange.exchange import Exchange

__all__ = ["Exchange"]
