"""Freqtrade data folder: spot at the top, perpetuals, mark prices and funding in `futures/`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from quorate.core.arguments import path_of, require_type
from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding, MarketStatistics
from quorate.market.columns import NO_FUNDING, NO_ROWS, Columns, FundingColumns
from quorate.market.files.duplicates import require_equal_rows
from quorate.market.files.folders import entries, is_empty, is_file, is_folder, require_folder
from quorate.market.files.formats import read_columns, read_funding_columns
from quorate.market.files.names import (
    FORMATS,
    Kind,
    MarketFile,
    candle_kind,
    is_perpetual,
    is_symbol,
    market_path,
    parse,
)
from quorate.market.files.quarantine import quarantine
from quorate.market.files.spellings import normal_timeframe, same_name, usual_symbol
from quorate.market.files.splits import read_splits
from quorate.market.quality.candle_checks import CheckedCandles, check_candles, check_funding
from quorate.market.source import one_market, unknown_market
from quorate.market.statistics.intervals import in_intervals
from quorate.market.statistics.scales import at_newest_scale
from quorate.market.statistics.store import list_statistics, read_statistics

_LOG = logging.getLogger(__name__)

Rows = TypeVar("Rows", Columns, FundingColumns)

# Timeframes in the names of Freqtrade's funding files, newest convention first; the settlements are the same.
_FUNDING_TIMEFRAMES = ("1h", "8h", "4h", "2h")


def load_candles(folder: Path | str, symbol: str, timeframe: str, *, now: int | None = None) -> Candles:
    """Read the closed, checked candles of one market in a Freqtrade folder.

    Args:
        folder: such as user_data/data/binance.
        symbol: "BTC/USDT" is spot, "BTC/USDT:USDT" a perpetual.
        timeframe: "1h", "4h", ...
        now: the current time in ms UTC; None for the clock's.

    Raises:
        UnknownSymbolError: no such market; the close match is named.
        UnknownTimeframeError: not a timeframe, or one that this market does not have.
        CandleError: an invalid row, with file, row and value.
        TooLittleHistoryError: no closed candle.
        DataError: the folder or the file cannot be read.
    """
    attempted = "load candles"
    path = path_of(attempted, "folder", folder, "the path of a Freqtrade data folder")
    require_type(attempted, "symbol", symbol, str, "a symbol, such as BTC/USDT:USDT")
    if now is not None:
        require_type(attempted, "now", now, int, "a time in ms UTC")
    source = FreqtradeFolder(path, clock=now_ms if now is None else lambda: now)
    return source.candles(
        usual_symbol(symbol), normal_timeframe(timeframe) if isinstance(timeframe, str) else timeframe
    )


class FreqtradeFolder:
    """A `CandleSource` and `StatisticsSource` for a Freqtrade data folder, in any of Freqtrade's formats.

    Several files of a market in different formats must hold the same rows, unless `formats` says which are read. Rows
    that contradict each other are written to a quarantine file beside the data and read as a gap. A file of mark prices
    or funding without a row is the same as none.

    Args:
        path: the folder, such as user_data/data/binance.
        clock: returns the current time in ms UTC.
        formats: endings of the files that are read, of which the first one found counts; None for all of Freqtrade's.

    Raises:
        DataError: no such folder, or it cannot be read.
    """

    def __init__(
        self, path: Path | str, *, clock: Callable[[], int] = now_ms, formats: tuple[str, ...] | None = None
    ) -> None:
        self.path = require_folder(Path(path))
        self.formats = formats
        self._clock = clock

    def __repr__(self) -> str:
        return f"FreqtradeFolder({str(self.path)!r})"

    def files(self) -> Iterator[MarketFile]:
        """List the files of candles, mark prices and funding under Freqtrade's names, by name.

        Raises:
            DataError: the folder cannot be read.
        """
        futures = self.path / "futures"
        for folder in (self.path, futures):
            if folder is self.path or is_folder(folder):
                for file in filter(None, map(parse, entries(folder))):
                    if file.path.name.endswith(self.formats or FORMATS):
                        yield file

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets with candles of this timeframe, sorted: all, only perpetuals (True), or only others (False)."""
        timeframe_ms(timeframe)
        found = {file.symbol for file in self.files() if file.timeframe == timeframe and _is_candles(file)}
        twice = same_name(sorted(found))
        if twice is not None:
            raise one_market(f"list the markets of {self.path}", *twice)
        return tuple(sorted(symbol for symbol in found if perpetual in (None, is_perpetual(symbol))))

    def path_of(self, symbol: str, timeframe: str, kind: Kind) -> Path | None:
        """File that is read for a market; None without one.

        Raises:
            DataError: files in several formats that hold different rows, without `formats`.
        """
        found = self.paths_of(symbol, timeframe, kind)
        if len(found) > 1 and self.formats is None:
            require_equal_rows(found, timeframe, kind)
        return found[0] if found else None

    def paths_of(self, symbol: str, timeframe: str, kind: Kind) -> list[Path]:
        """Every file of a market in the formats that are read, feather first."""
        paths = (market_path(self.path, symbol, timeframe, kind, suffix) for suffix in self.formats or FORMATS)
        return [path for path in paths if is_file(path)]

    def funding_path(self, symbol: str) -> Path | None:
        """File that is read for a market's funding, of any timeframe; None without one."""
        paths = (self.path_of(symbol, timeframe, "funding_rate") for timeframe in _FUNDING_TIMEFRAMES)
        return next((path for path in paths if path is not None), None)

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's closed, checked candles; errors as `load_candles`."""
        timeframe_ms(timeframe)
        path = self.path_of(symbol, timeframe, candle_kind(symbol)) if is_symbol(symbol) else None
        if path is None:
            raise self._unknown(symbol, timeframe)
        checked = self._read(path, timeframe, has_volume=True)
        if not checked.report.kept:
            raise TooLittleHistoryError(
                f"read candles of {symbol}",
                found=f"no closed candle in the {checked.report.rows} rows of {path}",
                expected="at least one",
                remedy="Download the market's history.",
            )
        return _candles(symbol, timeframe, checked.kept).between(start, end)

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """The market's mark prices as candles of volume 0; None without a file or a closed row in it."""
        path = self.path_of(symbol, timeframe, "mark")
        if path is None:
            self._require_market(symbol)
            return None
        kept = self._read(path, timeframe, has_volume=False).kept
        if not len(kept):
            self._say_empty(path, ": last prices are used as mark prices")
            return None
        return _candles(symbol, timeframe, kept).between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """The market's funding settlements, in either of Freqtrade's layouts; None without a file or a row in it."""
        path = self.funding_path(symbol)
        if path is None:
            self._require_market(symbol)
            return None
        checked = check_funding(_or_empty(path, read_funding_columns, NO_FUNDING), self._clock())
        checked.report.require(str(path))
        if len(checked.quarantined):
            self._put_aside(path, checked.report.conflicts, quarantine(path, checked.quarantined, path.name))
        time, rate = checked.kept.time, checked.kept.rate
        if not len(time):
            self._say_empty(path)
            return None
        first = 0 if start is None else int(np.searchsorted(time, start))
        last = len(time) if end is None else max(first, int(np.searchsorted(time, end)))
        return Funding(symbol, time[first:last], rate[first:last])

    def statistics(
        self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None
    ) -> MarketStatistics | None:
        """The market's statistics, of files of this timeframe and of shorter ones; None without any."""
        timeframe_ms(timeframe)
        now = self._clock()
        files = [file for file in list_statistics(self.path) if file.symbol == symbol]
        if not files:
            self._require_market(symbol)
            return None
        splits = read_splits(self.path)
        stored = [
            at_newest_scale(read_statistics(self.path, symbol, file.timeframe, now=now), splits) for file in files
        ]
        found = in_intervals(stored, timeframe, now)
        return None if found is None else found.between(start, end)

    def _read(self, path: Path, timeframe: str, *, has_volume: bool) -> CheckedCandles:
        columns = read_columns(path) if has_volume else _or_empty(path, read_columns, NO_ROWS)
        checked = check_candles(columns, timeframe, self._clock(), has_volume=has_volume)
        checked.report.require(str(path))
        if len(checked.quarantined):
            self._put_aside(path, checked.report.conflicts, quarantine(path, checked.quarantined, path.name))
        return checked

    def _say_empty(self, path: Path, instead: str = "") -> None:
        _LOG.warning("%s holds no row and is read as a missing file%s", path, instead)

    def _put_aside(self, path: Path, rows: int, side: Path) -> None:
        _LOG.warning("%s: %d contradicting rows were written to %s", path, rows, side.name)

    def _require_market(self, symbol: str) -> None:
        if not any(file.symbol == symbol for file in self.files()):
            raise self._unknown(symbol, None)

    def _unknown(self, symbol: str, timeframe: str | None) -> DataError:
        """Build the error for a market or timeframe that the folder does not have."""
        known = [(file.symbol, file.timeframe) for file in self.files() if _is_candles(file)]
        return unknown_market(self.path, symbol, timeframe, known, "" if known else _nearby(self.path))


def _candles(symbol: str, timeframe: str, kept: Columns) -> Candles:
    arrays = {name: getattr(kept, name) for name in ("time", *CANDLE_COLUMNS)}
    return Candles(symbol, timeframe, **arrays, synthetic=kept.synthetic)


def _or_empty(path: Path, read: Callable[[Path], Rows], empty: Rows) -> Rows:
    """The rows of a file that need not exist: a file of no bytes has none."""
    return empty if is_empty(path) else read(path)


def _is_candles(file: MarketFile) -> bool:
    return file.kind in ("spot", "futures")


def _nearby(folder: Path) -> str:
    """Suggest a subfolder with candles, since Freqtrade has one folder per exchange."""
    inner = [path for path in entries(folder) if is_folder(path) and any(map(parse, entries(path)))]
    return f"Did you mean '{inner[0]}'?" if inner else "Download or import candles first."
