"""Top markets of an exchange by quote volume."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.clock import format_ms
from quorate.core.errors import ExchangeRefusedError, QuorateError, TooLittleHistoryError
from quorate.core.sections.market import UniverseSettings
from quorate.core.types import Candles
from quorate.market.exchange.exchange_source import Exchange
from quorate.market.exchange.responses import MOST_BYTES_OF_LISTS
from quorate.market.universe import eligible, largest, one_a_coin, rank, require_count, window

# Daily candles suffice for a ranking, with a twentieth of the requests of hourly ones.
_TIMEFRAME = "1d"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Result of a ranking.

    Attributes:
        symbols: the markets, largest first.
        rule: description of the ranking.
    """

    symbols: tuple[str, ...]
    rule: str


def top(exchange: Exchange, count: int, start: int, settings: UniverseSettings | None = None) -> Ranking:
    """Return the top `count` perpetuals of an exchange by quote volume (`universe.rank`, over daily candles).

    Where the exchange has too little history, markets are ranked by the last 24 hours of its tickers, as `rule` states:
    this choice uses data from after the span.

    Raises:
        TooLittleHistoryError: fewer than `count` such markets.
        DataError: `count` below 1.
        ExchangeError: a request to the exchange failed.
    """
    settings = settings or UniverseSettings()
    require_count(count)
    names = eligible(exchange.symbols(_TIMEFRAME, perpetual=True), settings)
    first, end = window(start, settings)
    exchange.present()  # reads the exchange's clock once for all reads

    async def read() -> list[Candles | QuorateError]:
        reads = (exchange.read_candles(name, _TIMEFRAME, first, end) for name in names)
        return await exchange.connection.each(reads)

    panel = {}
    for name, candles in zip(names, exchange.connection.run(read()) if names else [], strict=True):
        if isinstance(candles, Candles):
            panel[name] = candles
        elif not isinstance(candles, ExchangeRefusedError):  # a market that was delisted meanwhile
            raise candles
    try:
        chosen = rank(panel, count, start, settings)
    except TooLittleHistoryError:
        return _by_tickers(exchange, names, count)
    return Ranking(chosen, f"by quote volume within {settings.days} days of {format_ms(start)}")


def _by_tickers(exchange: Exchange, names: list[str], count: int) -> Ranking:
    client = exchange.connection.client
    what = f"read the tickers of {exchange.settings.name}"
    tickers = exchange.connection.run(
        exchange.connection.read(what, client.fetch_tickers, most_bytes=MOST_BYTES_OF_LISTS)
    )
    volumes = {name: tickers[name].get("quoteVolume") for name in names if name in tickers}
    traded = one_a_coin(
        {name: float(volume) for name, volume in volumes.items() if isinstance(volume, int | float) and volume > 0}
    )
    if len(traded) < count:
        raise TooLittleHistoryError(
            f"choose the top {count} perpetuals of {exchange.settings.name} by quote volume",
            found=f"{len(traded)} with trades in the last 24 hours",
            expected=f"at least {count}",
            remedy="Choose a lower `top`.",
        )
    return Ranking(largest(traded, count), "by quote volume of the last 24 hours: there is no earlier history")
