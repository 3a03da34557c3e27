"""The universe of an exchange: `quorate data download --top N`."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.clock import format_ms
from quorate.core.errors import ExchangeRefusedError, QuorateError, TooLittleHistoryError
from quorate.core.sections.market import UniverseSettings
from quorate.core.types import Candles
from quorate.market.exchange.exchange_source import Exchange
from quorate.market.universe import eligible, largest, rank, require_count, window

# Days are enough to rank by, and a twentieth of the requests that hours take.
_TIMEFRAME = "1d"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The chosen markets, largest first, and the rule that chose them, in words."""

    symbols: tuple[str, ...]
    rule: str


def top(exchange: Exchange, count: int, start: int, settings: UniverseSettings | None = None) -> Ranking:
    """The `count` perpetuals of an exchange with the most quote volume (`universe.rank`, over daily candles).

    Where the exchange has too little history for that, its tickers rank by the last 24 hours, and the rule says so:
    the future of the span chose its markets then.

    Raises:
        TooLittleHistoryError: fewer than `count` such markets.
        DataError: `count` below 1.
        ExchangeError: the exchange could not be asked.
    """
    settings = settings or UniverseSettings()
    require_count(count)
    names = eligible(exchange.symbols(_TIMEFRAME, perpetual=True), settings)
    first, end = window(start, settings)
    exchange.present()  # the clocks once, and not by each read

    async def read() -> list[Candles | QuorateError]:
        reads = (exchange.read_candles(name, _TIMEFRAME, first, end) for name in names)
        return await exchange.connection.each(reads)

    panel = {}
    for name, candles in zip(names, exchange.connection.run(read()) if names else [], strict=True):
        if isinstance(candles, Candles):
            panel[name] = candles
        elif not isinstance(candles, ExchangeRefusedError):  # a market that went away meanwhile
            raise candles
    try:
        chosen = rank(panel, count, start, settings)
    except TooLittleHistoryError:
        return _by_tickers(exchange, names, count)
    return Ranking(chosen, f"by quote volume within {settings.days} days of {format_ms(start)}")


def _by_tickers(exchange: Exchange, names: list[str], count: int) -> Ranking:
    client = exchange.connection.client
    what = f"ask {exchange.settings.name} for its tickers"
    tickers = exchange.connection.run(exchange.connection.read(what, client.fetch_tickers))
    volumes = {name: tickers[name].get("quoteVolume") for name in names if name in tickers}
    traded = {name: float(volume) for name, volume in volumes.items() if isinstance(volume, int | float) and volume > 0}
    if len(traded) < count:
        raise TooLittleHistoryError(
            f"choose the {count} most traded perpetuals of {exchange.settings.name}",
            found=f"{len(traded)} that were traded in the last 24 hours",
            expected=f"at least {count}",
            remedy="Ask for fewer.",
        )
    return Ranking(largest(traded, count), "by quote volume of the last 24 hours: there is no earlier history")
