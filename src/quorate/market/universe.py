"""Which markets are worth a model: perpetuals by what was traded in them."""

from __future__ import annotations

import numpy as np

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.settings import UniverseSettings
from quorate.core.types import Candles
from quorate.market.names import is_perpetual
from quorate.market.source import CandleSource


def top(
    source: CandleSource, timeframe: str, count: int, start: int, settings: UniverseSettings | None = None
) -> tuple[str, ...]:
    """The `count` perpetuals with the most quote volume, largest first.

    Quote volume is the sum of close times volume over the 30 days (F) before `start`. Where fewer than `count`
    perpetuals were trading then, the span's own first 30 days rank instead, for all symbols alike: one window for
    all, so that nobody is ranked on another month than its neighbours. Pairs of stablecoins are left out, and so are
    perpetuals whose quote volume is not in the settlement currency (coin-margined contracts count in contracts).

    Args:
        source: where the candles are.
        timeframe: of the candles that are summed.
        count: how many.
        start: first bar of the training span, ms UTC.
        settings: days, and what counts as a stablecoin.

    Raises:
        TooLittleHistoryError: fewer than `count` such markets.
        DataError: `count` below 1.
    """
    settings = settings or UniverseSettings()
    if count < 1:
        raise DataError("choose a universe", found=f"--top {count}", expected="at least 1")
    names = [name for name in source.symbols(timeframe, perpetual=True) if _is_eligible(name, settings)]
    span = settings.days * DAY_MS
    panel = [source.candles(name, timeframe, start - span, start + span) for name in names]
    traded: dict[str, float] = {}
    for first, last in ((start - span, start), (start, start + span)):
        windows = {candles.symbol: _quote_volume(candles.between(first, last)) for candles in panel}
        traded = {name: volume for name, volume in windows.items() if volume > 0}
        if len(traded) >= count:
            ranked = sorted(traded, key=lambda name: (-traded[name], name))
            return tuple(ranked[:count])
    raise TooLittleHistoryError(
        f"choose the {count} most traded perpetuals of {timeframe}",
        found=f"{len(traded)} with trades within {settings.days} days of {format_ms(start)}, of {len(names)} there",
        expected=f"at least {count}",
        remedy="Ask for fewer, download more symbols, or start the span where there is history.",
    )


def _quote_volume(candles: Candles) -> float:
    return float(np.dot(candles.close, candles.volume))


def _is_eligible(symbol: str, settings: UniverseSettings) -> bool:
    pair, _, settlement = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return is_perpetual(symbol) and quote == settlement and base not in settings.stablecoins
