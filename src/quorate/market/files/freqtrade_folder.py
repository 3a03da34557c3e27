"""Freqtrade's data folder: spot at the top, perpetuals, mark prices and funding in `futures/`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.files.folders import entries, is_file, is_folder, require_folder
from quorate.market.files.formats import read_columns, read_funding_columns
from quorate.market.files.names import FORMATS, Kind, MarketFile, candle_kind, is_perpetual, market_path, parse
from quorate.market.files.quarantine import quarantine
from quorate.market.quality.candle_checks import judge, judge_funding
from quorate.market.source import unknown_market

_LOG = logging.getLogger(__name__)

# Where Freqtrade keeps funding, newest convention first; the settlements are the same in each.
_FUNDING_TIMEFRAMES = ("1h", "8h", "4h", "2h")


def load_candles(folder: Path | str, symbol: str, timeframe: str, *, now: int | None = None) -> Candles:
    """The closed, judged candles of one market in a Freqtrade folder.

    Args:
        folder: such as user_data/data/binance.
        symbol: "BTC/USDT" is spot, "BTC/USDT:USDT" a perpetual.
        timeframe: "1h", "4h", ...
        now: the present in ms UTC, by default the clock's.

    Raises:
        UnknownSymbolError: no such market; the close match is named.
        UnknownTimeframeError: not a timeframe, or none that this market has.
        CandleError: a row that cannot be true, by file, row and value.
        TooLittleHistoryError: not one closed candle.
        DataError: the folder or the file cannot be read.
    """
    return FreqtradeFolder(folder, clock=now_ms if now is None else lambda: now).candles(symbol, timeframe)


class FreqtradeFolder:
    """A `CandleSource` over a Freqtrade data folder, in any of Freqtrade's formats.

    Where a market has several files, feather comes first, then parquet, gzipped JSON and JSON. Rows that contradict
    each other are put into a side file beside the data (`market.quarantine`) and read as a gap.

    Args:
        path: the folder, such as user_data/data/binance.
        clock: says what the present is, in ms UTC.

    Raises:
        DataError: no such folder, or it cannot be read.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], int] = now_ms) -> None:
        self.path = require_folder(Path(path))
        self._clock = clock

    def __repr__(self) -> str:
        return f"FreqtradeFolder({str(self.path)!r})"

    def files(self) -> Iterator[MarketFile]:
        """Every file that Freqtrade would know as candles, mark prices or funding, by name.

        Raises:
            DataError: the folder cannot be read.
        """
        futures = self.path / "futures"
        for folder in (self.path, futures):
            if folder is self.path or is_folder(folder):
                yield from filter(None, map(parse, entries(folder)))

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets with candles of this timeframe, sorted: all, only perpetuals, or all but them."""
        timeframe_ms(timeframe)
        found = {file.symbol for file in self.files() if file.timeframe == timeframe and _is_candles(file)}
        return tuple(sorted(symbol for symbol in found if perpetual in (None, is_perpetual(symbol))))

    def path_of(self, symbol: str, timeframe: str, kind: Kind) -> Path | None:
        """The file that is read for a market; None where there is none."""
        paths = (market_path(self.path, symbol, timeframe, kind, suffix) for suffix in FORMATS)
        return next((path for path in paths if is_file(path)), None)

    def funding_path(self, symbol: str) -> Path | None:
        """The file that is read for a market's funding, whatever timeframe its name says; None where there is none."""
        paths = (self.path_of(symbol, timeframe, "funding_rate") for timeframe in _FUNDING_TIMEFRAMES)
        return next((path for path in paths if path is not None), None)

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's closed candles, judged; `load_candles` lists the errors."""
        path = self.path_of(symbol, timeframe, candle_kind(symbol))
        if path is None:
            raise self._unknown(symbol, timeframe)
        return self._read(path, symbol, timeframe, has_volume=True).between(start, end)

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """The market's mark prices as candles of volume 0; None where there is no such file."""
        path = self.path_of(symbol, timeframe, "mark")
        if path is None:
            self._require_market(symbol)
            return None
        return self._read(path, symbol, timeframe, has_volume=False).between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """The market's funding settlements, of either of Freqtrade's layouts; None where there is no such file."""
        path = self.funding_path(symbol)
        if path is None:
            self._require_market(symbol)
            return None
        verdict = judge_funding(read_funding_columns(path), self._clock())
        verdict.report.require(str(path))
        if len(verdict.quarantined):
            self._put_aside(path, verdict.report.conflicts, quarantine(path, verdict.quarantined, path.name))
        time, rate = verdict.kept.time, verdict.kept.rate
        first = 0 if start is None else int(np.searchsorted(time, start))
        last = len(time) if end is None else max(first, int(np.searchsorted(time, end)))
        return Funding(symbol, time[first:last], rate[first:last])

    def _read(self, path: Path, symbol: str, timeframe: str, *, has_volume: bool) -> Candles:
        columns = read_columns(path)
        verdict = judge(columns, timeframe, self._clock(), has_volume=has_volume)
        verdict.report.require(str(path))
        if len(verdict.quarantined):
            self._put_aside(path, verdict.report.conflicts, quarantine(path, verdict.quarantined, path.name))
        if not verdict.report.kept:
            raise TooLittleHistoryError(
                f"read candles of {symbol}",
                found=f"no closed candle in the {verdict.report.rows} rows of {path}",
                expected="at least one",
                remedy="Download the market's history.",
            )
        kept = verdict.kept
        arrays = {name: getattr(kept, name) for name in ("time", *CANDLE_COLUMNS)}
        return Candles(symbol, timeframe, **arrays, synthetic=kept.synthetic)

    def _put_aside(self, path: Path, rows: int, side: Path) -> None:
        _LOG.warning("%s: %d rows contradict each other and were put into %s", path, rows, side.name)

    def _require_market(self, symbol: str) -> None:
        if not any(file.symbol == symbol for file in self.files()):
            raise self._unknown(symbol, None)

    def _unknown(self, symbol: str, timeframe: str | None) -> DataError:
        """What to say of a market that is not there: the close match, or the timeframes that are."""
        known = [(file.symbol, file.timeframe) for file in self.files() if _is_candles(file)]
        return unknown_market(self.path, symbol, timeframe, known, "" if known else _nearby(self.path))


def _is_candles(file: MarketFile) -> bool:
    return file.kind in ("spot", "futures")


def _nearby(folder: Path) -> str:
    """Freqtrade keeps one folder for each exchange: name one that was probably meant."""
    inner = [path for path in entries(folder) if is_folder(path) and any(map(parse, entries(path)))]
    return f"Did you mean '{inner[0]}'?" if inner else "Download or import candles first."
