"""Plan of a download: the spans that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quorate.core.clock import bar_offset_ms, timeframe_ms
from quorate.core.types import IntArray
from quorate.market.exchange.download_funding import Span, wanted_settlements
from quorate.market.files.folders import is_folder
from quorate.market.files.formats import read_times
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import Kind, candle_kind


@dataclass(frozen=True, slots=True)
class Job:
    """One file of a download, and its missing spans.

    Attributes:
        symbol, timeframe, kind: of the file; funding has the timeframe of its file's name.
        spans: start and exclusive end in ms UTC, in order.
    """

    symbol: str
    timeframe: str
    kind: Kind
    spans: tuple[Span, ...]


def plan(folder: Path, symbol: str, timeframe: str, kind: Kind, start: int, end: int) -> Job:
    """Compare one file with the wanted span.

    Raises:
        DataError: the file cannot be read.
    """
    times = stored_times(folder, symbol, timeframe, kind)
    if kind == "funding_rate":
        return Job(symbol, "1h", kind, tuple(wanted_settlements(times, start, end)))
    return Job(symbol, timeframe, kind, tuple(missing(times, timeframe, start, end)))


def missing(times: IntArray, timeframe: str, start: int, end: int) -> Iterator[Span]:
    """Yield the spans of missing bars between `start` and `end`, in ms UTC.

    >>> hour = 3_600_000
    >>> list(missing(np.array([2, 3, 6]) * hour, "1h", 0, 8 * hour)) == [(0, 2 * hour), (4 * hour, 6 * hour),
    ...     (7 * hour, 8 * hour)]
    True
    """
    length, offset = timeframe_ms(timeframe), bar_offset_ms(timeframe)
    first = -(-(start - offset) // length) * length + offset
    last = (end - 1 - offset) // length * length + offset
    if last < first:
        return
    there = np.unique(times[(times >= first) & (times <= last)])
    edges = np.concatenate([[first - length], there, [last + length]])
    for hole in np.flatnonzero(np.diff(edges) > length):
        yield int(edges[hole]) + length, int(edges[hole + 1])


def parts(span: Span, length: int, bars: int) -> Iterator[Span]:
    """Split a span into parts of `bars` bars, each of which is stored before the next one is requested."""
    first, end = span
    for begin in range(first, end, length * bars):
        yield begin, min(end, begin + length * bars)


def kinds(symbol: str, *, mark: bool, funding: bool) -> tuple[Kind, ...]:
    """Kinds of the files of one market."""
    return (candle_kind(symbol), *(("mark",) if mark else ()), *(("funding_rate",) if funding else ()))


def stored_times(folder: Path, symbol: str, timeframe: str, kind: Kind) -> IntArray:
    """Read the times of the stored rows, in any format; empty without a file.

    Raises:
        DataError: the file cannot be read.
    """
    if not is_folder(folder):
        return np.zeros(0, dtype=np.int64)
    files = FreqtradeFolder(folder)
    path = files.funding_path(symbol) if kind == "funding_rate" else files.path_of(symbol, timeframe, kind)
    return np.zeros(0, dtype=np.int64) if path is None else read_times(path)[0]
