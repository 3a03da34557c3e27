"""Reads of an exchange in pages: histories, and the newest rows."""

from quorate.market.exchange.paging.candle_walk import walk_candles
from quorate.market.exchange.paging.funding_walk import walk_funding
from quorate.market.exchange.paging.pages import CandlePages, Present, read_candles

__all__ = ["CandlePages", "Present", "read_candles", "walk_candles", "walk_funding"]
