"""Choice of markets: perpetuals by quote volume."""

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
    """Return the top `count` perpetuals of a source by quote volume, largest first (`rank`).

    Args:
        source: of the candles.
        timeframe: of the candles whose volume is summed.
        count: number of markets.
        start: first bar of the training span, ms UTC.
        settings: length of the window, and the stablecoins.

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
    """Return the top `count` markets by quote volume, largest first.

    Quote volume is the sum of close times volume over the `universe.days` days before `start`. Where fewer than `count`
    markets were traded then, all markets are ranked by the first days of the span instead: one window for all markets.
    Of a coin with perpetuals in several quote currencies, such as USDT and USDC, the one of most volume counts: the
    coin would else be learned from and held twice.

    Args:
        panel: symbol -> candles over `window(start, settings)`, of the eligible markets.
        count: number of markets.
        start: first bar of the training span, ms UTC.
        settings: length of the window.

    Raises:
        TooLittleHistoryError: fewer than `count` such markets.
    """
    earliest, latest = window(start, settings)
    traded: dict[str, float] = {}
    for first, last in ((earliest, start), (start, latest)):
        windows = {name: _quote_volume(candles.between(first, last)) for name, candles in panel.items()}
        traded = one_a_coin({name: volume for name, volume in windows.items() if volume > 0})
        if len(traded) >= count:
            return largest(traded, count)
    raise TooLittleHistoryError(
        f"choose the top {count} perpetuals by quote volume",
        found=f"{len(traded)} of {len(_coins(panel))} with trades within {settings.days} days of {format_ms(start)}",
        expected=f"at least {count}",
        remedy="Choose a lower `top`, download more symbols, or choose another `start`.",
    )


def window(start: int, settings: UniverseSettings) -> tuple[int, int]:
    """Span of the candles that `rank` uses for a training span that begins at `start`: start, end exclusive, ms UTC."""
    span = settings.days * DAY_MS
    return start - span, start + span


def eligible(symbols: Iterable[str], settings: UniverseSettings) -> list[str]:
    """Select the perpetuals that can be ranked.

    Stablecoins are left out, and perpetuals that do not settle in their quote currency (the volume of coin-margined
    perpetuals is in contracts).
    """
    return [symbol for symbol in symbols if _is_eligible(symbol, settings)]


def one_a_coin(volumes: Mapping[str, float]) -> dict[str, float]:
    """Leave each base currency the market of most volume; of equal ones the first by name.

    >>> one_a_coin({"BTC/USDC:USDC": 1.0, "BTC/USDT:USDT": 3.0, "ETH/USDT:USDT": 2.0})
    {'BTC/USDT:USDT': 3.0, 'ETH/USDT:USDT': 2.0}
    """
    return {name: volumes[name] for name in _coins(largest(volumes, len(volumes))).values()}


def _coins(names: Iterable[str]) -> dict[str, str]:
    """Base currency -> the first of these markets that has it."""
    coins: dict[str, str] = {}
    for name in names:
        coins.setdefault(name.partition("/")[0], name)
    return coins


def largest(volumes: Mapping[str, float], count: int) -> tuple[str, ...]:
    """Return the `count` names of largest volume, largest first; ties by name.

    >>> largest({"A": 1.0, "C": 3.0, "B": 3.0}, 2)
    ('B', 'C')
    """
    return tuple(sorted(volumes, key=lambda name: (-volumes[name], name))[:count])


def require_count(count: int) -> None:
    """Check the number of markets.

    Raises:
        DataError: `count` below 1.
    """
    if count < 1:
        raise DataError("choose markets by quote volume", found=f"`top` = {count}", expected="at least 1")


def _quote_volume(candles: Candles) -> float:
    return float(np.dot(candles.close, candles.volume))


def _is_eligible(symbol: str, settings: UniverseSettings) -> bool:
    pair, _, settlement = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return is_perpetual(symbol) and quote == settlement and base not in settings.stablecoins
