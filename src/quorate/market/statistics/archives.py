"""Public archives of Binance with market statistics: `metrics`, `premiumIndexKlines`, and candles with taker volumes.

Formats: https://github.com/binance/binance-public-data, USD-M futures and spot. A file is CSV, alone or in a zip, with
or without a header. Times are in ms, since 2025 in us for spot; those of `metrics` are texts in UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from quorate.core.errors import DataError, UnknownSymbolError
from quorate.core.types import FloatArray, IntArray
from quorate.core.types.times import milliseconds
from quorate.market.files.spellings import cuts, normal_symbol, normal_timeframe, same_market
from quorate.market.statistics.archive_rows import Row, number, read_archive, stamp
from quorate.market.statistics.checks import StatisticRows
from quorate.market.tables.readers import ending_of

Kind = Literal["metrics", "premium"]

#: Length of the intervals of `metrics`.
METRICS_TIMEFRAME = "5m"
_METRICS_MS = 300_000

#: Columns of `metrics` -> statistics.
_METRICS = {
    "sum_open_interest": "open_interest",
    "sum_open_interest_value": "open_interest_usd",
    "count_toptrader_long_short_ratio": "long_short_top_accounts",
    "sum_toptrader_long_short_ratio": "long_short_top_positions",
    "count_long_short_ratio": "long_short_accounts",
    "sum_taker_long_short_vol_ratio": "taker_buy_ratio",
}
_METRICS_COLUMNS = ("create_time", "symbol", *_METRICS)
_KLINES_COLUMNS = (
    *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count"),
    *("taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)

# BTCUSDT-metrics-2024-10-28.zip and BTCUSDT-1h-2024-10.zip as published; the second one's folder says which prices.
_DATE = r"-\d{4}-\d{2}(?:-\d{2})?"
_NAME = re.compile(
    rf"(?:futures-um-(?P<prefix>\w+)-)?(?P<pair>[^\W_]{{3,40}})-(?P<what>metrics|[1-9]\d{{0,3}}[mhdw]){_DATE}"
)
_PREMIUM = "premiumIndexKlines"


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of market statistics.

    Attributes:
        path: the file.
        kind: of its rows.
        symbol: in ccxt's form.
        timeframe: length of the intervals.
    """

    path: Path
    kind: Kind
    symbol: str
    timeframe: str


def parse_archive(path: Path, symbol: str | None = None) -> Archive | None:
    """Identify a file of market statistics by its name and folders; None for any other file.

    Args:
        path: the file.
        symbol: its market, where the user names it.

    Raises:
        UnknownSymbolError: such a file, of a market that its name leaves open.

    >>> parse_archive(Path("BTCUSDT-metrics-2024-10-28.zip")).symbol
    'BTC/USDT:USDT'
    >>> parse_archive(Path("um/daily/premiumIndexKlines/BTCUSDT/1h/BTCUSDT-1h-2024-10-28.csv")).timeframe
    '1h'
    >>> parse_archive(Path("um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-10-28.csv")) is None
    True
    """
    ending = ending_of(path)
    match = (
        _NAME.fullmatch(path.name[: len(path.name) - len(ending)]) if ending in (".csv", ".csv.gz", ".zip") else None
    )
    if match is None:
        return None
    metrics = match["what"] == "metrics"
    if not metrics and _PREMIUM not in (match["prefix"] or "", *path.parts[:-1]):
        return None
    if symbol is None:
        ways = cuts(match["pair"])
        if len(ways) != 1:
            raise UnknownSymbolError(
                f"import {path}",
                found=f"{match['pair']}, which can be {' or '.join('/'.join(way) for way in ways) or 'no market'}",
                expected="a name with one meaning",
                remedy="Name the market with `symbol`.",
            )
        symbol = normal_symbol("/".join(ways[0]), perpetual=True)
    if metrics:
        return Archive(path, "metrics", symbol, METRICS_TIMEFRAME)
    return Archive(path, "premium", symbol, normal_timeframe(match["what"]))


def read_statistics_archive(archive: Archive) -> StatisticRows:
    """Read the rows of a file of market statistics, unchecked.

    A row of `metrics` stamped t holds what the exchange computed for t and published some time after it, and nothing
    says whether its taker ratio is that of the five minutes before or after. So it belongs to the interval that begins
    at t, whose end is the first time at which it counts as known. Where older files have several stamps in one
    interval, the last one counts.

    Raises:
        DataError: the file cannot be read, lacks columns, names another market, or has a value that is no number.
    """
    return (_metrics if archive.kind == "metrics" else _premium)(archive)


def read_taker_volumes(path: Path) -> StatisticRows | None:
    """Read the taker volumes of a file of candles; None for a file whose columns are not those of an archive.

    Raises:
        DataError: the file cannot be read, or a value is no number.
    """
    read = read_archive(path, _KLINES_COLUMNS, optional=True)
    if read is None or not len(read):
        return None
    bought = _column(path, read, "taker_buy_volume")
    volume = _column(path, read, "volume")
    return StatisticRows(
        _times(path, read), {"taker_buy_volume": bought, "taker_sell_volume": np.maximum(volume - bought, 0.0)}
    )


def _metrics(archive: Archive) -> StatisticRows:
    path = archive.path
    rows = read_archive(path, _METRICS_COLUMNS) or []
    stamps = np.array([stamp(path, place, row["create_time"]) for place, row in enumerate(rows)], np.int64)
    for name, place in {row["symbol"]: place for place, row in reversed([*enumerate(rows)])}.items():
        if not same_market(name, archive.symbol):
            raise DataError(
                f"import {path}",
                found=f"rows of {name[:40]} from row {place} on",
                expected=f"rows of {archive.symbol}",
                remedy="Rename the file as the exchange names it, or give the right `symbol`.",
            )
    _require_five_minutes(path, stamps)
    opened = stamps // _METRICS_MS * _METRICS_MS
    began, group = np.unique(opened, return_inverse=True)
    newest = np.zeros(len(began), np.int64)
    np.maximum.at(newest, group, stamps)
    values = {statistic: _column(path, rows, column) for column, statistic in _METRICS.items()}
    return StatisticRows(opened, values).take(stamps == newest[group])


def _premium(archive: Archive) -> StatisticRows:
    rows = read_archive(archive.path, _KLINES_COLUMNS) or []
    return StatisticRows(_times(archive.path, rows), {"premium": _column(archive.path, rows, "close")})


def _column(path: Path, rows: list[Row], name: str) -> FloatArray:
    return np.array([number(path, place, name, row[name]) for place, row in enumerate(rows)], np.float64)


def _times(path: Path, rows: list[Row]) -> IntArray:
    found = _column(path, rows, "open_time")
    return milliseconds(np.where(np.isfinite(found), found, 0).astype(np.int64))


def _require_five_minutes(path: Path, stamps: IntArray) -> None:
    """Refuse files of the years in which the exchange published one row a day, whose day has no time.

    Raises:
        DataError: rows that are further apart than an hour, or a single row at midnight.
    """
    apart = np.diff(np.unique(stamps))
    daily = bool(len(apart)) and int(np.median(apart)) > 3_600_000
    if daily or (len(stamps) == 1 and int(stamps[0]) % 86_400_000 == 0):
        raise DataError(
            f"import {path}",
            found="one row a day, without the time at which it was known",
            expected="a row for every five minutes",
            remedy="Download the file again from the exchange's archive, which had such rows until 2023.",
        )
