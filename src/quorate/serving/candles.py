"""The newest closed candles of the served markets, kept in memory: read from a source, or from a feed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from quorate.core.clock import newest_closed_ms, now_ms, timeframe_ms
from quorate.core.errors import QuorateError, ShardError, TooLittleHistoryError, UnknownSymbolError, close_match
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.core.types.shards import ALL, Shard
from quorate.market.files.formats import release_memory
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import candle_kind
from quorate.market.memory import MemorySource
from quorate.market.source import CandleSource

_log = logging.getLogger(__name__)


class NewestCandles:
    """The newest candles of each served market. Requests read them from memory.

    A market whose candles can no longer be read keeps those that it has, and the error is kept beside them.

    Args:
        symbols: served markets, in order.
        timeframe: of the candles.
        shard: that they are of; other services answer for the markets of the others.

    Attributes:
        errors: symbol -> why its candles could not be read the last time.
    """

    def __init__(self, symbols: Sequence[str], timeframe: str, shard: Shard = ALL) -> None:
        self.symbols = tuple(symbols)
        self.timeframe, self.shard = timeframe, shard
        self.errors: dict[str, QuorateError] = {}
        self._kept: dict[str, Candles] = {}
        self._news: dict[str, int] = {}

    def of(self, symbol: str) -> Candles:
        """The newest candles of a market, at least one.

        Raises:
            ShardError: it is of another shard, which is named; whether there is such a market is not known here.
            UnknownSymbolError: it is not served; the close match is named.
            DataError: its candles could never be read.
        """
        found = self._kept.get(symbol)
        if found is not None:
            return found
        if symbol in self.errors:
            raise self.errors[symbol]
        own = self.shard.of(symbol)
        if own != self.shard:
            raise ShardError(
                f"find the market {symbol[:60]!a}",
                found=f"a name of shard {own}",
                expected=f"a market of shard {self.shard}, which this service answers for",
                remedy=f"Ask the service of shard {own}.",
            )
        shown = ", ".join(self.symbols[:5]) + (f" and {len(self.symbols) - 5} more" if len(self.symbols) > 5 else "")
        raise UnknownSymbolError(
            f"find the market {symbol[:60]!a}",
            found="no such market in this service",
            expected=shown,
            remedy=close_match(symbol[:60], self.symbols),
        )

    @property
    def known(self) -> tuple[Candles, ...]:
        """Candles of all markets that have any, in order."""
        kept = self._kept
        return tuple(kept[symbol] for symbol in self.symbols if symbol in kept)

    def newest(self, symbol: str) -> int | None:
        """Open time of a market's newest bar in ms; None without candles."""
        found = self._kept.get(symbol)
        return None if found is None else int(found.time[-1])

    def refresh(self) -> dict[str, int]:
        """Read the candles that may be new; market -> open time in ms of its newest bar, where it is another one now
        than at the last call.
        """
        # One by one: a feed may add others meanwhile, in its own thread.
        return {symbol: self._news.pop(symbol) for symbol in self.symbols if symbol in self._news}

    def _keep(self, candles: Candles) -> None:
        """Keep newer candles of a market."""
        symbol, newest = candles.symbol, int(candles.time[-1])
        before = self.newest(symbol)
        self._kept[symbol] = _copy(candles)
        self.errors.pop(symbol, None)
        if newest != before:
            self._news[symbol] = newest

    def _fail(self, symbol: str, error: QuorateError) -> None:
        """Keep why a market's candles cannot be read, and log it once."""
        if str(error) != str(self.errors.get(symbol)):
            _log.warning("%s: candles cannot be read: %s", symbol, error)
        self.errors[symbol] = error


class StoredCandles(NewestCandles):
    """Candles of a source; `refresh` reads those that have changed.

    Args:
        source: of the candles.
        symbols: served markets, in order.
        timeframe: of the candles.
        bars: candles kept of each market.
        clock: returns the current time in ms.
        shard: that the markets are of.
    """

    def __init__(
        self,
        source: CandleSource,
        symbols: Sequence[str],
        timeframe: str,
        *,
        bars: int,
        clock: Callable[[], int] = now_ms,
        shard: Shard = ALL,
    ) -> None:
        super().__init__(symbols, timeframe, shard)
        self.source = source
        self._bars, self._clock = bars, clock
        self._read: dict[str, object] = {}  # symbol -> what its candles were read from

    def refresh(self) -> dict[str, int]:
        """Read the candles of the markets whose files or source may have new ones; as of `NewestCandles`."""
        reread = False
        closed = newest_closed_ms(self.timeframe, self._clock())
        # Of what is stored, the newest bars count, however old they are; elsewhere others would have to be sent.
        stored = isinstance(self.source, FreqtradeFolder | MemorySource)
        first = None if stored else closed - (self._bars - 1) * timeframe_ms(self.timeframe)
        for symbol in self.symbols:
            origin = self._origin(symbol, closed)
            if self.newest(symbol) == closed if origin is None else self._read.get(symbol) == origin:
                continue
            try:
                candles = self.source.candles(symbol, self.timeframe, first).tail(self._bars)
                if not len(candles):
                    raise TooLittleHistoryError(
                        f"read candles of {symbol}", found="no closed candle", expected="at least one"
                    )
            except QuorateError as error:
                self._fail(symbol, error)
                continue
            self._read[symbol], reread = origin, True
            self._keep(candles)
        if reread:
            release_memory()
        return super().refresh()

    def _origin(self, symbol: str, closed: int) -> object:
        """What changes whenever a market may have other candles: its files, and the newest bar that can be closed.

        None for a source without files, which is asked until it has that bar.
        """
        if not isinstance(self.source, FreqtradeFolder):
            return None
        files: list[Any] = []
        for path in self.source.paths_of(symbol, self.timeframe, candle_kind(symbol)):
            try:
                found = path.stat()
            except OSError:  # replaced at this moment, or reading it says why not
                return object()
            files.append((path.name, found.st_ino, found.st_mtime_ns, found.st_size))
        return closed, tuple(files)


def _copy(candles: Candles) -> Candles:
    """The same candles with arrays of their own: a view would keep the whole history in memory."""
    columns = {name: getattr(candles, name).copy() for name in ("time", *CANDLE_COLUMNS)}
    return Candles(candles.symbol, candles.timeframe, **columns, synthetic=candles.synthetic)
