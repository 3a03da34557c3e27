"""Source of candles in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding, MarketStatistics
from quorate.market.columns import Columns
from quorate.market.files.names import is_perpetual
from quorate.market.files.spellings import same_name
from quorate.market.quality.candle_checks import check_candles
from quorate.market.source import one_market, unknown_market
from quorate.market.statistics.checks import StatisticRows, check_statistics
from quorate.market.statistics.intervals import in_intervals


class MemorySource:
    """A `CandleSource` and `StatisticsSource` for candles in memory.

    They are checked as those of files: an invalid row is an error, and the bar that is not closed is left out.

    Args:
        candles: of any markets and timeframes, each pair once.
        funding: symbol -> settlements, of perpetuals.
        marks: mark price candles, each symbol and timeframe once; their volume is ignored.
        statistics: market statistics, each symbol and timeframe once.
        clock: returns the current time in ms UTC.

    Raises:
        DataError: a market twice in one timeframe, or under two names; funding, mark prices or statistics of a market
            without candles; or an invalid row of statistics.
        CandleError: an invalid row, with row and value.
    """

    def __init__(
        self,
        candles: Iterable[Candles],
        funding: Mapping[str, Funding] | None = None,
        marks: Iterable[Candles] = (),
        *,
        statistics: Iterable[MarketStatistics] = (),
        clock: Callable[[], int] = now_ms,
    ) -> None:
        now = clock()
        self._clock = clock
        self._candles = _by_market(candles, now, "candles")
        self._marks = _by_market(marks, now, "mark prices")
        self._funding = dict(funding or {})
        there = {symbol for symbol, _ in self._candles}
        self._statistics: dict[str, dict[str, MarketStatistics]] = {}
        for each in statistics:
            own = self._statistics.setdefault(each.symbol, {})
            if each.timeframe in own:
                raise DataError(
                    f"use statistics of {each.symbol} from memory", found=f"{each.timeframe} twice", expected="one"
                )
            rows = StatisticRows(each.time, each.values)
            own[each.timeframe] = check_statistics(rows, each.symbol, each.timeframe, now, each.symbol).kept
        for symbol in (*(symbol for symbol, _ in self._marks), *self._funding, *self._statistics):
            if symbol not in there:
                raise DataError(
                    f"use {symbol} from memory",
                    found="funding, mark prices or statistics without candles",
                    expected="candles",
                )

    def __repr__(self) -> str:
        return f"MemorySource({len(self._candles)} markets)"

    @property
    def timeframe(self) -> str | None:
        """Timeframe of all candles; None for several timeframes or no candles."""
        found = {timeframe for _, timeframe in self._candles}
        return found.pop() if len(found) == 1 else None

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets with candles of this timeframe, sorted: all, only perpetuals (True), or only others (False)."""
        timeframe_ms(timeframe)
        found = (symbol for symbol, has in self._candles if has == timeframe)
        return tuple(sorted(symbol for symbol in found if perpetual in (None, is_perpetual(symbol))))

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's candles."""
        timeframe_ms(timeframe)
        found = self._candles.get((symbol, timeframe))
        if found is None:
            raise unknown_market("memory", symbol, timeframe, self._candles.keys())
        return found.between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """The market's funding settlements; None without any."""
        self._require(symbol)
        found = self._funding.get(symbol)
        if found is None:
            return None
        first = 0 if start is None else int(np.searchsorted(found.time, start))
        last = len(found) if end is None else max(first, int(np.searchsorted(found.time, end)))
        return Funding(symbol, found.time[first:last], found.rate[first:last])

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """The market's mark prices as candles of volume 0; None without any."""
        self._require(symbol)
        found = self._marks.get((symbol, timeframe))
        return None if found is None else found.between(start, end)

    def statistics(
        self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None
    ) -> MarketStatistics | None:
        """The market's statistics, of this timeframe and of shorter ones; None without any."""
        timeframe_ms(timeframe)
        self._require(symbol)
        found = in_intervals(tuple(self._statistics.get(symbol, {}).values()), timeframe, self._clock())
        return None if found is None else found.between(start, end)

    def _require(self, symbol: str) -> None:
        if not any(symbol == known for known, _ in self._candles):
            raise unknown_market("memory", symbol, None, self._candles.keys())


def _by_market(candles: Iterable[Candles], now: int, what: str) -> dict[tuple[str, str], Candles]:
    found: dict[tuple[str, str], Candles] = {}
    given = list(candles)
    twice = same_name(each.symbol for each in given)
    if twice is not None:
        raise one_market(f"use {what} from memory", *twice)
    for each in given:
        market = (each.symbol, each.timeframe)
        if market in found:
            raise DataError(f"use {what} of {each.symbol} from memory", found=f"{each.timeframe} twice", expected="one")
        values = {name: getattr(each, name) for name in ("time", *CANDLE_COLUMNS)}
        columns = Columns(**values, synthetic=each.synthetic)
        checked = check_candles(columns, each.timeframe, now, has_volume=what == "candles")
        checked.report.require(f"{what} of {each.symbol}")
        kept = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
        found[market] = replace(each, **kept)
    return found
