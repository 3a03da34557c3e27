"""Provenance of a figure: hash of the data, version of the code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from quorate.core.types import CANDLE_COLUMNS, STATISTICS, Candles, Funding, MarketStatistics
from quorate.core.version import __version__, code_digest

_DIGITS = 16


def data_hash(
    candles: Mapping[str, Candles],
    funding: Mapping[str, Funding] | None = None,
    marks: Mapping[str, Candles] | None = None,
) -> str:
    """16 hex digits of the SHA-256 of all data read; independent of the order of symbols.

    Args:
        candles: symbol -> candles, including those that warm up features.
        funding: symbol -> settlements.
        marks: symbol -> mark prices.
    """
    digest = hashlib.sha256()
    for kind, panel in (("candles", candles), ("mark", marks or {})):
        for symbol in sorted(panel):
            bars = panel[symbol]
            digest.update(f"{kind} {symbol} {bars.timeframe} {len(bars)}\n".encode())
            for name in ("time", *CANDLE_COLUMNS):
                digest.update(np.ascontiguousarray(getattr(bars, name)).data)
    for symbol in sorted(funding or {}):
        settled = (funding or {})[symbol]
        digest.update(f"funding {symbol} {len(settled)}\n".encode())
        digest.update(np.ascontiguousarray(settled.time).data)
        digest.update(np.ascontiguousarray(settled.rate).data)
    return digest.hexdigest()[:_DIGITS]


def statistics_hash(statistics: Mapping[str, MarketStatistics]) -> str:
    """16 hex digits of the SHA-256 of market statistics, symbol -> rows; independent of the order of symbols."""
    digest = hashlib.sha256()
    for symbol in sorted(statistics):
        own = statistics[symbol]
        digest.update(f"statistics {symbol} {own.timeframe} {len(own)}\n".encode())
        for name in ("time", *STATISTICS):
            digest.update(np.ascontiguousarray(getattr(own, name)).data)
    return digest.hexdigest()[:_DIGITS]


def code_version() -> str:
    """The release, and the first 12 hex digits of the digest of the source."""
    return f"{__version__}+{code_digest()[:12]}"
