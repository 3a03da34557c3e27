"""Which markets are worth a model: perpetuals by what was traded in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.sections.market import UniverseSettings
from quorate.core.types import Candles
from quorate.market.files.names import is_perpetual
from quorate.market.source import CandleSource


def top(
    source: CandleSource, timeframe: str, count: int, start: int, settings: UniverseSettings | None = None
) -> tuple[str, ...]:
    """The `count` perpetuals with the most quote volume, largest first: `rank` over those of a source.

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
    require_count(count)
    names = eligible(source.symbols(timeframe, perpetual=True), settings)
    first, end = window(start, settings)
    return rank({name: source.candles(name, timeframe, first, end) for name in names}, count, start, settings)


def rank(panel: Mapping[str, Candles], count: int, start: int, settings: UniverseSettings) -> tuple[str, ...]:
    """The `count` markets with the most quote volume, largest first.

    Quote volume is the sum of close times volume over the 30 days (F) before `start`. Where fewer than `count` were
    trading then, the span's own first 30 days rank instead, for all symbols alike: one window for all, so that nobody
    is ranked on another month than its neighbours.

    Args:
        panel: the eligible markets' candles over `window(start, settings)`.
        count: how many.
        start: first bar of the training span, ms UTC.
        settings: days.

    Raises:
        TooLittleHistoryError: fewer than `count` such markets.
    """
    earliest, latest = window(start, settings)
    traded: dict[str, float] = {}
    for first, last in ((earliest, start), (start, latest)):
        windows = {name: _quote_volume(candles.between(first, last)) for name, candles in panel.items()}
        traded = {name: volume for name, volume in windows.items() if volume > 0}
        if len(traded) >= count:
            return largest(traded, count)
    raise TooLittleHistoryError(
        f"choose the {count} most traded perpetuals",
        found=f"{len(traded)} with trades within {settings.days} days of {format_ms(start)}, of {len(panel)} there",
        expected=f"at least {count}",
        remedy="Ask for fewer, download more symbols, or start the span where there is history.",
    )


def window(start: int, settings: UniverseSettings) -> tuple[int, int]:
    """Which candles `rank` looks at for a training span that begins at `start`: from, and to exclusive, in ms UTC."""
    span = settings.days * DAY_MS
    return start - span, start + span


def eligible(symbols: Iterable[str], settings: UniverseSettings) -> list[str]:
    """The perpetuals among these markets that may be ranked.

    Pairs of stablecoins are left out, and so are perpetuals whose quote volume is not in the settlement currency
    (coin-margined contracts count in contracts).
    """
    return [symbol for symbol in symbols if _is_eligible(symbol, settings)]


def largest(volumes: Mapping[str, float], count: int) -> tuple[str, ...]:
    """The `count` names of most volume, largest first, equal ones by name.

    >>> largest({"A": 1.0, "C": 3.0, "B": 3.0}, 2)
    ('B', 'C')
    """
    return tuple(sorted(volumes, key=lambda name: (-volumes[name], name))[:count])


def require_count(count: int) -> None:
    """Refuse a universe of none.

    Raises:
        DataError: `count` below 1.
    """
    if count < 1:
        raise DataError("choose a universe", found=f"--top {count}", expected="at least 1")


def _quote_volume(candles: Candles) -> float:
    return float(np.dot(candles.close, candles.volume))


def _is_eligible(symbol: str, settings: UniverseSettings) -> bool:
    pair, _, settlement = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return is_perpetual(symbol) and quote == settlement and base not in settings.stablecoins
