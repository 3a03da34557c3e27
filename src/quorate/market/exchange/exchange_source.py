"""An exchange as a source of candles, through ccxt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Self

from quorate.core.clock import DAY_MS, MINUTE_MS, newest_closed_ms, now_ms, timeframe_ms
from quorate.core.errors import QuorateError, UnknownSymbolError
from quorate.core.sections.exchange import ExchangeSettings
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, FundingColumns
from quorate.market.exchange.connection import Connection
from quorate.market.exchange.pages import Present, read_candles, read_funding
from quorate.market.files.names import is_perpetual, require_symbol
from quorate.market.quality.candle_checks import CheckedCandles, CheckedFunding, judge, judge_funding
from quorate.market.source import unknown_market

_LOG = logging.getLogger(__name__)

# ccxt takes the start 0 for none.
_BEGINNING_MS = 1

# Exchanges date some listings after their first candles: Binance by 17 days for its BTCUSDT perpetual.
_BEFORE_LISTING_MS = 90 * DAY_MS

# The year 2200: no exchange's clock is beyond it.
_LAST_MS = 7_258_118_400_000


class Exchange:
    """A `CandleSource` over an exchange's public REST: spot and linear perpetuals.

    The clocks of this machine and of the exchange are both asked, and a bar is closed once it is so by both. Requests
    are paced, and repeated where that may help (`Connection.read`).

    Args:
        settings: which exchange, and how patiently it is asked.
        clock: says what the present is here, in ms UTC.

    Raises:
        UnknownExchangeError: not one of ccxt's; the close match is named.
        MissingExtraError: ccxt is not installed.
    """

    def __init__(self, settings: ExchangeSettings | None = None, *, clock: Callable[[], int] = now_ms) -> None:
        self.settings = settings or ExchangeSettings()
        self.clock = clock
        self.connection = Connection(self.settings)
        self._markets: dict[str, Mapping[str, Any]] | None = None
        self._skew_ms: int | None = None
        self._asking = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Exchange({self.settings.name!r})"

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets that are traded now, sorted: all, only perpetuals, or spot. Every one has every timeframe."""
        timeframe_ms(timeframe)
        if timeframe not in self.timeframes:
            return ()
        return tuple(
            sorted(
                symbol
                for symbol, market in self.markets.items()
                if market.get("active") is not False and perpetual in (None, is_perpetual(symbol))
            )
        )

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Those that the exchange makes, shortest first."""
        known = [name for name in self.connection.client.timeframes or () if name[-1] in "mhdw"]
        return tuple(sorted(known, key=timeframe_ms))

    @property
    def markets(self) -> Mapping[str, Mapping[str, Any]]:
        """Symbol -> ccxt's market structure, of spot and linear perpetuals, delisted ones too; asked for once."""
        if self._markets is None:
            self._markets = self.connection.run(self._load_markets())
        return self._markets

    def tiers(self, symbols: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Perpetual -> its leverage tiers as ccxt has them; empty without an account's key, which they need."""
        client = self.connection.client
        if not (client.apiKey and client.secret and client.has["fetchLeverageTiers"]):
            return {}
        what = f"ask {self.settings.name} for leverage tiers"
        found = self.connection.run(self.connection.read(what, lambda: client.fetch_leverage_tiers(list(symbols))))
        return {symbol: list(rows) for symbol, rows in found.items()}

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's closed candles, judged; without a start from its first one on."""
        self.require(symbol, timeframe)
        return self.connection.run(self.read_candles(symbol, timeframe, start, end))

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """The perpetual's closed mark price candles; None for spot, and where the exchange has none."""
        self.require(symbol, timeframe)
        if not self.has_mark(symbol):
            return None
        return self.connection.run(self.read_candles(symbol, timeframe, start, end, mark=True))

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """The perpetual's settlements; None for spot, and where the exchange has none."""
        self.require(symbol)
        return self.connection.run(self.read_funding(symbol, start, end)) if self.has_funding(symbol) else None

    def panel(
        self, symbols: Collection[str], timeframe: str, start: int | None = None, end: int | None = None
    ) -> dict[str, Candles]:
        """The candles of many markets, read at once.

        Raises:
            QuorateError: the first market's that failed; errors as `candles`.
        """
        for symbol in symbols:
            self.require(symbol, timeframe)

        async def read() -> list[Candles | QuorateError]:
            return await self.connection.each(self.read_candles(symbol, timeframe, start, end) for symbol in symbols)

        found = {}
        for symbol, candles in zip(symbols, self.connection.run(read()), strict=True):
            if isinstance(candles, QuorateError):
                raise candles
            found[symbol] = candles
        return found

    def has_mark(self, symbol: str) -> bool:
        """Whether the exchange tells this market's mark price."""
        return is_perpetual(symbol) and bool(self.connection.client.has["fetchMarkOHLCV"])

    def has_funding(self, symbol: str) -> bool:
        """Whether the exchange tells this market's settlements."""
        return is_perpetual(symbol) and bool(self.connection.client.has["fetchFundingRateHistory"])

    def listed(self, symbol: str) -> int:
        """Before which the market has no candles, in ms UTC; the beginning of time where the exchange does not tell."""
        created = self.markets[symbol].get("created")
        return max(_BEGINNING_MS, created - _BEFORE_LISTING_MS) if isinstance(created, int) else _BEGINNING_MS

    def require(self, symbol: str, timeframe: str | None = None) -> None:
        """Refuse a market or a timeframe that the exchange does not have.

        Raises:
            UnknownSymbolError, UnknownTimeframeError: the close match, or what there is.
        """
        require_symbol(symbol)
        if timeframe is not None:
            timeframe_ms(timeframe)
        if symbol not in self.markets:
            raise unknown_market(self.settings.name, symbol, timeframe, {(name, "1h") for name in self.markets})
        if timeframe is not None and timeframe not in self.timeframes:
            raise unknown_market(self.settings.name, symbol, timeframe, {(symbol, name) for name in self.timeframes})

    def present(self) -> Present:
        """The present by both clocks.

        Raises:
            ExchangeError: the exchange does not tell its time.
        """
        if self._skew_ms is None:
            self.connection.run(self.read_skew())
        return self.known_present()

    @property
    def skew_ms(self) -> int | None:
        """The exchange's clock minus ours, as it was asked last; None before."""
        return self._skew_ms

    async def read_skew(self, attempts: int | None = None) -> int:
        """Ask the exchange for its time, and keep how far its clock is from ours, in ms."""
        client = self.connection.client
        if not client.has["fetchTime"]:
            self._skew_ms = 0
            return 0
        took = [0, 0.0]

        async def ask() -> int:
            began = time.monotonic()
            told = await client.fetch_time()
            took[:] = self.clock(), (time.monotonic() - began) * 1000
            if not 0 < int(told) < _LAST_MS:
                raise ValueError(f"{told} as the time")
            return int(told)

        told = await self.connection.read(f"ask {self.settings.name} for the time", ask, attempts)
        # What was said in the middle of the request arrived half of it ago.
        self._skew_ms = told - round(took[0] - took[1] / 2)
        return self._skew_ms

    async def read_candles(
        self,
        symbol: str,
        timeframe: str,
        start: int | None = None,
        end: int | None = None,
        *,
        mark: bool = False,
    ) -> Candles:
        """As `candles` and `mark`, in the connection's loop, for many markets at once."""
        verdict = await self.read_verdict(symbol, timeframe, start, end, mark=mark)
        return self._told(symbol, timeframe, verdict)

    async def read_verdict(
        self,
        symbol: str,
        timeframe: str,
        start: int | None = None,
        end: int | None = None,
        *,
        mark: bool = False,
    ) -> CheckedCandles:
        """The market's closed rows, judged, and those that contradict each other."""
        await self._know()
        first = max(self.listed(symbol), _BEGINNING_MS if start is None else start)
        last = newest_closed_ms(timeframe, self.known_present().early) + 1
        last = last if end is None else min(last, end)
        rows = await read_candles(self.connection, symbol, timeframe, first, last, self.known_present, mark=mark)
        return judge(rows, timeframe, self.known_present().late, has_volume=not mark)

    async def read_funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding:
        """As `funding`, in the connection's loop."""
        verdict = await self.read_funding_verdict(symbol, start, end)
        if len(verdict.quarantined):
            _LOG.warning("%s: %d settlements contradict each other", symbol, len(verdict.quarantined))
        return Funding(symbol, verdict.kept.time, verdict.kept.rate)

    async def read_funding_verdict(
        self, symbol: str, start: int | None = None, end: int | None = None
    ) -> CheckedFunding:
        """The market's settlements, judged, and those that contradict each other."""
        await self._know()
        first = max(self.listed(symbol), _BEGINNING_MS if start is None else start)
        present = self.known_present().early + 1
        last = present if end is None else min(present, end)
        # Settlements are stamped a little late, and cut to the minute by the judge.
        rows = await read_funding(self.connection, symbol, first, min(present, last + MINUTE_MS), self.known_present)
        verdict = judge_funding(rows, self.known_present().late)
        kept = verdict.kept
        inside = (kept.time >= first) & (kept.time < last)
        return CheckedFunding(verdict.report, FundingColumns(kept.time[inside], kept.rate[inside]), verdict.quarantined)

    def known_present(self) -> Present:
        """The present by both clocks, or by ours alone while the exchange's is unknown; asks nobody."""
        here = self.clock()
        there = here + (self._skew_ms or 0)
        return Present(min(here, there), max(here, there))

    async def _know(self) -> None:
        """Ask for the markets and the time, once: of many reads that need them the first asks."""
        async with self._asking:
            if self._markets is None:
                self._markets = await self._load_markets()
            if self._skew_ms is None:
                await self.read_skew()

    def _told(self, symbol: str, timeframe: str, verdict: CheckedCandles) -> Candles:
        if len(verdict.quarantined):
            _LOG.warning("%s: %d candles contradict each other and are left out", symbol, len(verdict.quarantined))
        return as_candles(symbol, timeframe, verdict.kept)

    async def _load_markets(self) -> dict[str, Mapping[str, Any]]:
        client = self.connection.client

        async def ask() -> dict[str, Mapping[str, Any]]:
            loaded = await client.load_markets(True)
            return {symbol: market for symbol, market in loaded.items() if _is_ours(symbol, market)}

        return await self.connection.read(f"ask {self.settings.name} for its markets", ask)


def as_candles(symbol: str, timeframe: str, rows: Columns) -> Candles:
    """Judged rows as candles."""
    return Candles(symbol, timeframe, **{name: getattr(rows, name) for name in ("time", *CANDLE_COLUMNS)})


def _is_ours(symbol: str, market: Mapping[str, Any]) -> bool:
    """Spot or a linear perpetual, under a name that a file can bear."""
    try:
        require_symbol(symbol)
    except UnknownSymbolError:
        return False
    return bool(market.get("spot")) or bool(market.get("swap") and market.get("linear"))
