"""Requirements of every source of candles: spans, closed bars, checked rows, clear errors.

A source is tested over `reference_market()`: the caller writes it where the source reads, in the source's own format.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import UnknownSymbolError, UnknownTimeframeError
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.source import CandleSource
from quorate.market.synthetic import SyntheticMarket
from quorate.testing.contract_check import Check, Subject

START = parse_ms("2024-01-01")
BARS = 60
NOW = parse_ms("2025-01-01")
SYMBOL, OTHER = "SYNA/USDT:USDT", "SYNB/USDT:USDT"

#: A timeframe that no source has.
UNKNOWN_TIMEFRAME = "45m"

Clock = Callable[[], int]
#: Opens a source over the reference market: a folder to write into, and the clock the source is to use.
OpenSource = Callable[[Path, Clock], AbstractContextManager[CandleSource]]


def reference_market() -> SyntheticMarket:
    """The market that a source under test serves: two perpetuals, hourly, 60 bars from 2024-01-01."""
    return SyntheticMarket(seed=9, symbols=2, bars=BARS, start=START)


class SourceUnderTest(Subject):
    """A source of candles that serves `reference_market()`.

    Args:
        title: its name in messages.
        open_source: opens it.
        has_clock: whether it leaves out the bar that is still running at the clock's time.
    """

    def __init__(self, title: str, open_source: OpenSource, *, has_clock: bool = True) -> None:
        super().__init__(title)
        self._open = open_source
        self.has_clock = has_clock

    @contextmanager
    def source(self, now: int = NOW) -> Iterator[CandleSource]:
        """The source, opened over a new folder, at the time `now`."""
        with tempfile.TemporaryDirectory() as folder, self._open(Path(folder), lambda: now) as source:
            yield source


def source_checks(title: str, open_source: OpenSource, *, has_clock: bool = True) -> list[Check]:
    """Every requirement of a source.

    Args:
        title: its name in messages.
        open_source: opens it over `reference_market()`; a context manager.
        has_clock: whether it leaves out the bar that is still running at the clock's time.
    """
    subject = SourceUnderTest(title, open_source, has_clock=has_clock)
    return [Check(requirement, subject) for requirement in REQUIREMENTS]


def implements_the_protocol(s: SourceUnderTest) -> None:
    """It has the methods of `CandleSource`."""
    with s.source() as source:
        s.require(isinstance(source, CandleSource), type(source).__name__, "a CandleSource")


def lists_symbols_sorted_by_kind(s: SourceUnderTest) -> None:
    """Symbols are sorted, and are either perpetuals or not."""
    with s.source() as source:
        every = source.symbols("1h")
        perpetual, other = source.symbols("1h", perpetual=True), source.symbols("1h", perpetual=False)
        s.require(perpetual == (SYMBOL, OTHER), f"perpetuals {perpetual}", f"{(SYMBOL, OTHER)}")
        s.require(list(every) == sorted(set(every)), f"symbols {every}", "sorted, each once")
        s.require(sorted((*perpetual, *other)) == list(every), f"{perpetual} and {other}", f"together {every}")
        unknown = source.symbols(UNKNOWN_TIMEFRAME)
        s.require(unknown == (), f"{unknown} in {UNKNOWN_TIMEFRAME}", "none")


def returns_the_markets_candles(s: SourceUnderTest) -> None:
    """Candles equal those of the reference market, bit by bit."""
    with s.source() as source:
        for symbol, expected in reference_market().panel().items():
            found = source.candles(symbol, "1h")
            is_named = isinstance(found, Candles) and (found.symbol, found.timeframe) == (symbol, "1h")
            s.require(is_named, f"{found}", f"candles of {symbol} in 1h")
            _require_same_rows(s, found, expected, symbol)


def returns_checked_candles(s: SourceUnderTest) -> None:
    """Candles are in order, aligned, finite, consistent and read-only."""
    with s.source() as source:
        candles = source.candles(SYMBOL, "1h")
        aligned = bool(np.all(np.diff(candles.time) > 0)) and not np.any(candles.time % HOUR_MS)
        s.require(aligned, "times out of order or off the hour", "times that rise, on the hour")
        finite = bool(np.all(np.isfinite([getattr(candles, name) for name in CANDLE_COLUMNS])))
        s.require(finite, "values that are not finite", "finite values")
        low = (candles.low > 0) & (candles.low <= np.minimum(candles.open, candles.close))
        high = (candles.high >= np.maximum(candles.open, candles.close)) & (candles.volume >= 0)
        s.require(bool(np.all(low & high)), "inconsistent rows", "low <= open, close <= high; volume >= 0")
        s.require(not candles.close.flags.writeable, "writable columns", "read-only columns")


def includes_the_start_and_excludes_the_end(s: SourceUnderTest) -> None:
    """`start` is inclusive, `end` exclusive, for candles, mark prices and funding."""
    spans = ((0, 60, 60), (10, 20, 10), (10, 11, 1), (10, 10, 0), (20, 10, 0), (-50, 5, 5), (55, 99, 5), (70, 80, 0))
    with s.source() as source:
        for first, last, bars in spans:
            start, end = START + first * HOUR_MS, START + last * HOUR_MS
            candles = source.candles(SYMBOL, "1h", start, end)
            s.require(len(candles) == bars, f"{len(candles)} bars from {first} to {last}", f"{bars}")
            if bars:
                s.require(int(candles.time[0]) == max(start, START), f"first bar {candles.time[0]}", f"{start}")
            for rows in (candles, source.mark(SYMBOL, "1h", start, end), source.funding(SYMBOL, start, end)):
                inside = rows is None or bool(np.all((rows.time >= start) & (rows.time < end)))
                s.require(inside, f"{type(rows).__name__} outside {first} to {last}", "rows of the span only")
        between = source.candles(SYMBOL, "1h", START + 1, START + 2 * HOUR_MS + 1).time.tolist()
        expected = [START + HOUR_MS, START + 2 * HOUR_MS]
        s.require(between == expected, f"bars {between} for a start between bars", f"{expected}")


def returns_the_same_rows_twice(s: SourceUnderTest) -> None:
    """A second call returns the same rows."""
    with s.source() as source:
        for read in (source.candles, source.mark):
            first, second = read(OTHER, "1h"), read(OTHER, "1h")
            s.require((first is None) == (second is None), "rows in one of two calls", "the same rows twice")
            if first is not None and second is not None:
                _require_same_rows(s, second, first, "a second call")
        s.require(source.symbols("1h") == source.symbols("1h"), "other symbols in a second call", "the same symbols")


def returns_funding_in_order_or_none(s: SourceUnderTest) -> None:
    """Funding is None where unknown, else settlements of the symbol in order of time."""
    with s.source() as source:
        funding = source.funding(SYMBOL)
        if funding is not None:
            named = isinstance(funding, Funding) and funding.symbol == SYMBOL
            s.require(named, f"{funding}", f"funding of {SYMBOL}")
            valid = bool(np.all(np.diff(funding.time) > 0)) and bool(np.all(np.abs(funding.rate) < 0.1))
            s.require(valid, "settlements out of order or rates of 10 % and more", "rising times, plausible rates")


def returns_mark_prices_without_volume_or_none(s: SourceUnderTest) -> None:
    """Mark prices are None where unknown, else candles whose volume is 0."""
    with s.source() as source:
        mark = source.mark(SYMBOL, "1h")
        if mark is not None:
            s.require(isinstance(mark, Candles) and not mark.volume.any(), "mark prices with volume", "volume 0")


def names_the_close_match_of_an_unknown_symbol(s: SourceUnderTest) -> None:
    """An unknown symbol raises `UnknownSymbolError` that suggests the close match."""
    with s.source() as source:
        for read in (
            lambda: source.candles("SYNB/USDT", "1h"),
            lambda: source.funding("SYNB/USDT"),
            lambda: source.mark("SYNB/USDT", "1h"),
        ):
            with s.refuses("the symbol SYNB/USDT", f"Did you mean '{OTHER}'", error=UnknownSymbolError):
                read()


def names_the_timeframes_of_a_symbol(s: SourceUnderTest) -> None:
    """An unknown timeframe raises `UnknownTimeframeError` that names those of the symbol."""
    with s.source() as source:
        with s.refuses(UNKNOWN_TIMEFRAME, "1h", UNKNOWN_TIMEFRAME, error=UnknownTimeframeError):
            source.candles(SYMBOL, UNKNOWN_TIMEFRAME)
        with s.refuses("'1 hour'", "'1 hour'", error=UnknownTimeframeError):
            source.candles(SYMBOL, "1 hour")


def leaves_out_the_running_bar(s: SourceUnderTest) -> None:
    """A bar that has not closed at the clock's time is left out."""
    if not s.has_clock:
        return
    for late_ms, bars in ((0, BARS), (-1, BARS - 1), (-HOUR_MS, BARS - 1)):
        with s.source(START + BARS * HOUR_MS + late_ms) as source:
            found = len(source.candles(SYMBOL, "1h"))
            s.require(found == bars, f"{found} bars {late_ms} ms after the last close", f"{bars}")


def _require_same_rows(s: SourceUnderTest, found: Candles, expected: Candles, what: str) -> None:
    for name in ("time", *CANDLE_COLUMNS):
        same = np.array_equal(getattr(found, name), getattr(expected, name))
        s.require(same, f"other values in {name} of {what}", "the same values")


REQUIREMENTS: tuple[Callable[[SourceUnderTest], None], ...] = (
    implements_the_protocol,
    lists_symbols_sorted_by_kind,
    returns_the_markets_candles,
    returns_checked_candles,
    includes_the_start_and_excludes_the_end,
    returns_the_same_rows_twice,
    returns_funding_in_order_or_none,
    returns_mark_prices_without_volume_or_none,
    names_the_close_match_of_an_unknown_symbol,
    names_the_timeframes_of_a_symbol,
    leaves_out_the_running_bar,
)
