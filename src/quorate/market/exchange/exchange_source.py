"""An exchange as a source of candles, through ccxt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Self

from quorate.core.clock import DAY_MS, MINUTE_MS, format_ms, newest_closed_ms, now_ms, timeframe_ms
from quorate.core.errors import QuorateError, UnknownSymbolError
from quorate.core.sections.exchange import ExchangeSettings
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, FundingColumns
from quorate.market.exchange.connection import Connection
from quorate.market.exchange.paging.candle_walk import Span, walk_candles
from quorate.market.exchange.paging.funding_walk import walk_funding
from quorate.market.exchange.paging.pages import CandlePages, Present
from quorate.market.exchange.paging.volume_units import warn_of_unknown_unit
from quorate.market.exchange.responses import MOST_BYTES_OF_LISTS
from quorate.market.files.names import is_perpetual, require_symbol
from quorate.market.quality.candle_checks import CheckedCandles, CheckedFunding, check_candles, check_funding
from quorate.market.source import unknown_market

_LOG = logging.getLogger(__name__)

# ccxt treats the start 0 as none.
_BEGINNING_MS = 1

# Listing dates may lie after the first candle: by 17 days for Binance's BTCUSDT perpetual.
_BEFORE_LISTING_MS = 90 * DAY_MS

# Error of a Date header, which has whole seconds, and of the time under way.
_DATE_MS = 2_000

# The year 2200: latest valid time of an exchange.
_LAST_MS = 7_258_118_400_000


class Exchange:
    """A `CandleSource` for an exchange's public REST interface: spot and linear perpetuals.

    A bar is closed once it is closed by the local clock and by the exchange's. Requests respect the rate limit, and
    failed ones are retried (`Connection.read`).

    Args:
        settings: exchange, timeouts and retries.
        clock: returns the local time in ms UTC.

    Raises:
        UnknownExchangeError: not an exchange of ccxt; the close match is named.
        MissingExtraError: ccxt is not installed.
    """

    def __init__(self, settings: ExchangeSettings | None = None, *, clock: Callable[[], int] = now_ms) -> None:
        self.settings = settings or ExchangeSettings()
        self.clock = clock
        self.connection = Connection(self.settings)
        self._markets: dict[str, Mapping[str, Any]] | None = None
        self._skew_ms: int | None = None
        self._preparing = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Exchange({self.settings.name!r})"

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets traded now, sorted: all, only perpetuals (True), or only spot (False). All have every timeframe."""
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
        """Timeframes of the exchange, shortest first."""
        known = [name for name in self.connection.client.timeframes or () if name[-1] in "mhdw"]
        return tuple(sorted(known, key=timeframe_ms))

    @property
    def markets(self) -> Mapping[str, Mapping[str, Any]]:
        """Symbol -> ccxt's market structure, of spot and linear perpetuals, also delisted ones; read once."""
        if self._markets is None:
            self._markets = self.connection.run(self._load_markets())
        return self._markets

    def tiers(self, symbols: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Perpetual -> leverage tiers in ccxt's form; empty without the API key of an account, which they need."""
        client = self.connection.client
        if not (client.apiKey and client.secret and client.has["fetchLeverageTiers"]):
            return {}
        what = f"read leverage tiers from {self.settings.name}"
        read = self.connection.read(
            what, lambda: client.fetch_leverage_tiers(list(symbols)), most_bytes=MOST_BYTES_OF_LISTS
        )
        found = self.connection.run(read)
        return {symbol: list(rows) for symbol, rows in found.items()}

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's closed, checked candles; without `start` from its first one on."""
        self.require(symbol, timeframe)
        return self.connection.run(self.read_candles(symbol, timeframe, start, end))

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """The perpetual's closed mark price candles; None for spot and where the exchange has none."""
        self.require(symbol, timeframe)
        if not self.has_mark(symbol):
            return None
        return self.connection.run(self.read_candles(symbol, timeframe, start, end, mark=True))

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """The perpetual's funding settlements; None for spot and where the exchange has none."""
        self.require(symbol)
        return self.connection.run(self.read_funding(symbol, start, end)) if self.has_funding(symbol) else None

    def panel(
        self, symbols: Collection[str], timeframe: str, start: int | None = None, end: int | None = None
    ) -> dict[str, Candles]:
        """Symbol -> candles of many markets, read concurrently.

        Raises:
            QuorateError: the error of the first market that failed; errors as `candles`.
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
        """Whether the exchange has mark prices of this market."""
        return is_perpetual(symbol) and bool(self.connection.client.has["fetchMarkOHLCV"])

    def has_funding(self, symbol: str) -> bool:
        """Whether the exchange has funding settlements of this market."""
        return is_perpetual(symbol) and bool(self.connection.client.has["fetchFundingRateHistory"])

    def listed(self, symbol: str) -> int:
        """Time before which the market has no candles, in ms UTC; 1 where unknown."""
        created = self._created(symbol)
        return _BEGINNING_MS if created is None else max(_BEGINNING_MS, created - _BEFORE_LISTING_MS)

    def _created(self, symbol: str) -> int | None:
        created = self.markets[symbol].get("created")
        return created if isinstance(created, int) else None

    def require(self, symbol: str, timeframe: str | None = None) -> None:
        """Check that the exchange has a market and a timeframe.

        Raises:
            UnknownSymbolError, UnknownTimeframeError: it does not; the close match or what it has is named.
        """
        require_symbol(symbol)
        if timeframe is not None:
            timeframe_ms(timeframe)
        if symbol not in self.markets:
            raise unknown_market(self.settings.name, symbol, timeframe, {(name, "1h") for name in self.markets})
        if timeframe is not None and timeframe not in self.timeframes:
            raise unknown_market(self.settings.name, symbol, timeframe, {(symbol, name) for name in self.timeframes})

    def present(self) -> Present:
        """Current time by both clocks; the exchange's is read once.

        Raises:
            ExchangeError: the exchange's time could not be read.
        """
        if self._skew_ms is None:
            self.connection.run(self.read_skew())
        return self.known_present()

    @property
    def skew_ms(self) -> int | None:
        """The exchange's clock minus the local clock in ms, as last read; None before."""
        return self._skew_ms

    async def read_skew(self, attempts: int | None = None) -> int:
        """Read the exchange's time, and keep and return the difference to the local clock in ms.

        An exchange that does not tell its time is judged by the Date header of its last response, to the second.
        """
        client = self.connection.client
        if not client.has["fetchTime"]:
            self._skew_ms = self._skew_of_headers(*client.answered)
            return self._skew_ms
        received = [0, 0.0]

        async def request() -> int:
            began = time.monotonic()
            there = await client.fetch_time()
            received[:] = self.clock(), (time.monotonic() - began) * 1000
            if not 0 < int(there) < _LAST_MS:
                raise ValueError(f"{there} as the time")
            return int(there)

        there = await self.connection.read(f"read the time of {self.settings.name}", request, attempts)
        # The exchange read its clock about half the duration of the request before the response arrived.
        self._skew_ms = there - round(received[0] - received[1] / 2)
        return self._skew_ms

    def _skew_of_headers(self, date: str, arrived: float) -> int:
        """Difference of the clocks in ms by a Date header; 0 without one, and within its resolution."""
        try:
            there = parsedate_to_datetime(date).timestamp() * 1000
        except (ValueError, TypeError, OverflowError):
            return 0
        skew = round(there + (time.monotonic() - arrived) * 1000) - self.clock()
        return skew if abs(skew) > _DATE_MS else 0

    async def read_candles(
        self,
        symbol: str,
        timeframe: str,
        start: int | None = None,
        end: int | None = None,
        *,
        mark: bool = False,
    ) -> Candles:
        """Read candles or mark prices in the connection's loop, for many markets at once."""
        checked, withheld = await self.read_checked_candles(symbol, timeframe, start, end, mark=mark)
        for first, last in withheld:
            _LOG.warning(
                "%s: %s gives no candles from %s to %s", symbol, self.settings.name, *map(format_ms, (first, last))
            )
        if len(checked.quarantined):
            _LOG.warning("%s: %d contradicting candles are left out", symbol, len(checked.quarantined))
        return as_candles(symbol, timeframe, checked.kept)

    async def read_checked_candles(
        self,
        symbol: str,
        timeframe: str,
        start: int | None = None,
        end: int | None = None,
        *,
        mark: bool = False,
    ) -> tuple[CheckedCandles, tuple[Span, ...]]:
        """Read the market's closed rows and check them; also the spans that the exchange does not give."""
        await self._prepare()
        first = max(self.listed(symbol), _BEGINNING_MS if start is None else start)
        last = newest_closed_ms(timeframe, self.known_present().early) + 1
        last = last if end is None else min(last, end)
        pages = CandlePages(self.connection, symbol, timeframe, self.known_present, mark)
        walk = await walk_candles(pages, first, last, listed=self._created(symbol))
        checked = check_candles(walk.rows, timeframe, self.known_present().late, has_volume=not mark)
        return checked, walk.withheld

    async def read_funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding:
        """Read funding settlements in the connection's loop."""
        checked = await self.read_checked_funding(symbol, start, end)
        if len(checked.quarantined):
            _LOG.warning("%s: %d contradicting settlements are left out", symbol, len(checked.quarantined))
        return Funding(symbol, checked.kept.time, checked.kept.rate)

    async def read_checked_funding(
        self, symbol: str, start: int | None = None, end: int | None = None
    ) -> CheckedFunding:
        """Read the market's settlements and check them."""
        await self._prepare()
        first = max(self.listed(symbol), _BEGINNING_MS if start is None else start)
        present = self.known_present().early + 1
        last = present if end is None else min(present, end)
        # Settlements are stamped a little late, and rounded down to the minute by the checks.
        rows = await walk_funding(self.connection, symbol, first, min(present, last + MINUTE_MS), self.known_present)
        checked = check_funding(rows, self.known_present().late)
        kept = checked.kept
        inside = (kept.time >= first) & (kept.time < last)
        return CheckedFunding(checked.report, FundingColumns(kept.time[inside], kept.rate[inside]), checked.quarantined)

    def known_present(self) -> Present:
        """Current time by both clocks, or by the local one while the exchange's is unknown; sends no request."""
        here = self.clock()
        there = here + (self._skew_ms or 0)
        return Present(min(here, there), max(here, there))

    async def read_market_list(self, attempts: int | None = None) -> dict[str, Mapping[str, Any]]:
        """Read the markets again, as `markets`; neither these nor those of the client are replaced."""
        client = self.connection.client

        async def request() -> dict[str, Mapping[str, Any]]:
            found = await client.fetch_markets()
            return {market["symbol"]: market for market in found if _is_supported(market["symbol"], market)}

        what = f"read the markets of {self.settings.name}"
        return await self.connection.read(what, request, attempts, most_bytes=MOST_BYTES_OF_LISTS)

    async def _prepare(self) -> None:
        """Read the markets and the time once; concurrent reads wait for the first one."""
        async with self._preparing:
            if self._markets is None:
                self._markets = await self._load_markets()
            if self._skew_ms is None:
                await self.read_skew()

    async def _load_markets(self) -> dict[str, Mapping[str, Any]]:
        client = self.connection.client

        async def request() -> dict[str, Mapping[str, Any]]:
            loaded = await client.load_markets(True)
            kept = {symbol: market for symbol, market in loaded.items() if _is_supported(symbol, market)}
            warn_of_unknown_unit(self.settings.name, kept)
            return kept

        what = f"read the markets of {self.settings.name}"
        return await self.connection.read(what, request, most_bytes=MOST_BYTES_OF_LISTS)


def as_candles(symbol: str, timeframe: str, rows: Columns) -> Candles:
    """Convert checked rows to candles."""
    return Candles(symbol, timeframe, **{name: getattr(rows, name) for name in ("time", *CANDLE_COLUMNS)})


def _is_supported(symbol: str, market: Mapping[str, Any]) -> bool:
    """Whether a market is spot or a linear perpetual, with a symbol that file names can hold."""
    try:
        require_symbol(symbol)
    except UnknownSymbolError:
        return False
    return bool(market.get("spot")) or bool(market.get("swap") and market.get("linear"))
