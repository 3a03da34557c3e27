"""Market statistics on disk: a feather file for each market and length of interval, in a subfolder of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from quorate.core.clock import now_ms
from quorate.core.errors import DataError
from quorate.core.files import write_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.types import STATISTICS, BoolArray, MarketStatistics
from quorate.market.columns import differs
from quorate.market.files.folders import entries, is_empty, is_file, is_folder
from quorate.market.files.formats import DATE, FOREIGN, numbers, read_bytes, times
from quorate.market.files.names import STATISTICS_FOLDER, MarketFile, is_symbol, market_path
from quorate.market.files.quarantine import quarantine_rows
from quorate.market.files.stored import Merged, Stored
from quorate.market.statistics.checks import StatisticRows, check_statistics

_NAME = re.compile(
    r"(?P<base>.+)_(?P<quote>[^_]+)_(?P<settle>[^_]+)-(?P<timeframe>[1-9]\d{0,3}[mhdw])-statistics\.feather"
)


def statistics_path(folder: Path, symbol: str, timeframe: str) -> Path:
    """Path of a market's statistics in a data folder.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: not in ccxt's form, or not a timeframe.

    >>> statistics_path(Path("binance"), "BTC/USDT:USDT", "5m").as_posix()
    'binance/statistics/BTC_USDT_USDT-5m-statistics.feather'
    """
    return market_path(folder, symbol, timeframe, "statistics")


def list_statistics(folder: Path) -> Iterator[MarketFile]:
    """List the files of market statistics of a data folder, by name.

    Raises:
        DataError: the folder cannot be read.
    """
    inside = folder / STATISTICS_FOLDER
    if not is_folder(inside):
        return
    for path in entries(inside):
        match = _NAME.fullmatch(path.name)
        symbol = f"{match['base']}/{match['quote']}:{match['settle']}" if match else ""
        if match and is_symbol(symbol):
            yield MarketFile(symbol, match["timeframe"], "statistics", path)


def read_rows(path: Path) -> StatisticRows:
    """Read the rows of a file, unchecked.

    Raises:
        DataError: the file cannot be read, is of another format, or has no dates.
    """
    try:
        with pa.ipc.open_file(pa.py_buffer(read_bytes(path))) as file:
            table = file.read_all()
    except FOREIGN as error:
        raise DataError(
            f"read {path}",
            found=" ".join(str(error).split())[:200],
            expected="a feather file",
            remedy="Remove the file, and download or import the statistics again.",
        ) from error
    if table.column_names.count(DATE) != 1:
        raise DataError(f"read {path}", found=f"the columns {', '.join(table.column_names)}", expected=f"one {DATE}")
    found = [name for name in STATISTICS if table.column_names.count(name) == 1]
    return StatisticRows(times(table, DATE, path.name), {name: numbers(table, name, path.name) for name in found})


def read_statistics(folder: Path | str, symbol: str, timeframe: str, *, now: int | None = None) -> MarketStatistics:
    """Read the checked statistics of one file: those stored at this timeframe, without those of shorter intervals.

    Args:
        folder: the data folder.
        symbol: in ccxt's form.
        timeframe: of the file.
        now: the current time in ms UTC; None for the clock's.

    Returns:
        The rows of closed intervals; none without a file.

    Raises:
        DataError: the file cannot be read, or a row is invalid.
    """
    path = statistics_path(Path(folder), symbol, timeframe)
    if not is_folder(path.parent) or not is_file(path) or is_empty(path):
        return MarketStatistics.of(symbol, timeframe, np.zeros(0, np.int64), {})
    return check_statistics(read_rows(path), symbol, timeframe, now_ms() if now is None else now, str(path)).kept


def write_statistics(folder: Path | str, statistics: MarketStatistics) -> Stored:
    """Write a market's statistics and replace the file; one that holds the same rows is not written.

    Raises:
        DataError: the folder cannot be written or the disk is full, and the file is unchanged.
    """
    path = statistics_path(Path(folder), statistics.symbol, statistics.timeframe)
    with folder_lock(Path(folder)):
        if path.exists() and not is_empty(path) and _same(read_rows(path), statistics):
            return Stored(path, len(statistics), changed=False)
        columns = {DATE: pa.array(statistics.time, pa.int64()).cast(pa.timestamp("ms", tz="UTC"))}
        for name in statistics.known:
            columns[name] = pa.array(getattr(statistics, name), pa.float64())
        write_atomic(path, partial(_write_feather, pa.table(columns)))
    return Stored(path, len(statistics), changed=True)


def merge_statistics(
    folder: Path | str, statistics: MarketStatistics, *, source: str, now: int | None = None
) -> Merged:
    """Add statistics to a market's file: new intervals, and values that it lacks in those that it has.

    Values of the file are kept; rows with another value for the same interval are written to the quarantine file.
    Merging the same statistics again changes nothing.

    Args:
        folder: the data folder.
        statistics: the new rows.
        source: origin of the rows, for the quarantine file.
        now: the current time in ms UTC; None for the clock's.

    Raises:
        DataError: the file has an invalid row; else as `write_statistics`.
    """
    with folder_lock(Path(folder)):
        old = read_statistics(folder, statistics.symbol, statistics.timeframe, now=now)
        time = np.union1d(old.time, statistics.time)
        places = np.searchsorted(time, old.time), np.searchsorted(time, statistics.time)
        shared = np.isin(statistics.time, old.time)
        apart, filled = np.zeros(len(time), np.bool_), np.zeros(len(time), np.bool_)
        values = {}
        for name in STATISTICS:
            there, given = np.full(len(time), np.nan), np.full(len(time), np.nan)
            there[places[0]], given[places[1]] = getattr(old, name), getattr(statistics, name)
            apart |= differs(there, given)
            filled |= np.isnan(there) & np.isfinite(given)
            values[name] = np.where(np.isfinite(there), there, given)
        merged = MarketStatistics(statistics.symbol, statistics.timeframe, time, **values)
        stored = write_statistics(folder, merged) if len(merged) else _nothing(Path(folder), statistics)
        contradicting: BoolArray = apart[places[1]]
        if contradicting.any():
            set_aside(stored.path, StatisticRows(statistics.time, statistics.values).take(contradicting), source)
        conflicts = int(contradicting.sum())
        repeated = int(np.count_nonzero(shared & ~filled[places[1]] & ~contradicting))
        return Merged(stored, len(statistics) - repeated - conflicts, repeated, conflicts)


def set_aside(path: Path, rows: StatisticRows, source: str) -> Path:
    """Add rows to the quarantine file of a file of statistics; rows that it already holds are not added again.

    Args:
        path: the file that the rows belong to.
        rows: the contradicting rows.
        source: the file or exchange that they come from.

    Raises:
        DataError: the quarantine file cannot be read or written.
    """
    return quarantine_rows(path, rows.time, {name: rows.column(name) for name in STATISTICS}, source)


def _same(rows: StatisticRows, statistics: MarketStatistics) -> bool:
    return np.array_equal(rows.time, statistics.time) and all(
        np.array_equal(rows.column(name), getattr(statistics, name), equal_nan=True) for name in STATISTICS
    )


def _nothing(folder: Path, statistics: MarketStatistics) -> Stored:
    return Stored(statistics_path(folder, statistics.symbol, statistics.timeframe), 0, changed=False)


def _write_feather(table: pa.Table, path: Path) -> None:
    from pyarrow import feather

    feather.write_feather(table, str(path), compression="lz4", version=2)
