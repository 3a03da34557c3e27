"""Writing and merging of candles and funding: one file per market, timeframe and kind, in Freqtrade's format.

A file that exists is kept in its format, so that no two files claim one market; new ones are feather.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isclose
from pathlib import Path

import numpy as np
import pyarrow as pa

from quorate.core.clock import now_ms
from quorate.core.errors import DataError
from quorate.core.files import write_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import NO_ROWS, Columns, FundingColumns, differs, join
from quorate.market.files.folders import is_empty, is_file
from quorate.market.files.formats import (
    DATE,
    NOTE,
    SYNTHETIC_NOTE,
    WRITERS,
    read_columns,
    read_funding_columns,
    read_times,
)
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import Kind, candle_kind, market_path
from quorate.market.files.quarantine import quarantine
from quorate.market.files.splits import at_new_scale, read_splits
from quorate.market.files.stored import Merged, Stored
from quorate.market.quality.candle_checks import check_candles, check_funding

_DATE_TYPE = pa.timestamp("ms", tz="UTC")


def write_candles(folder: Path | str, candles: Candles, *, mark: bool = False) -> Stored:
    """Write a market's candles, or its mark prices, and replace the file.

    A file that already holds the same rows is not written. Writers of a folder wait for each other.

    Raises:
        DataError: the folder cannot be written or the disk is full, and the file is unchanged; or one of the file and
            `candles` is synthetic and the other is not.
    """
    kind: Kind = "mark" if mark else candle_kind(candles.symbol)
    columns = _columns(candles)
    with folder_lock(Path(folder)):
        path, *copies = _targets(Path(folder), candles.symbol, candles.timeframe, kind)
        if is_file(path) and not is_empty(path):
            present = read_columns(path)
            _require_same_origin(path, present.synthetic, columns.synthetic)
            if columns.same_rows(present):
                return Stored(path, len(columns), changed=False)
        write_columns([path, *copies], columns)
    return Stored(path, len(columns), changed=True)


def merge_candles(
    folder: Path | str, candles: Candles, *, source: str, mark: bool = False, now: int | None = None
) -> Merged:
    """Add a market's candles, or its mark prices, to its file.

    New rows from before a split of the folder are converted to its new scale; a bar that holds the split goes into the
    quarantine file, since its prices are of two scales. Rows of the file are kept; new rows with
    other values for the same bar are quarantined beside the file. Merging the same candles again changes nothing.
    Processes that merge into one folder wait for each other, so that no rows are lost.

    Args:
        folder: the data folder.
        candles: the new rows.
        source: origin of the rows, for the quarantine file.
        mark: whether they are mark prices.
        now: the current time in ms UTC; None for the clock's.

    Raises:
        CandleError: the file has an invalid row.
        DataError: as `write_candles`.
    """
    with folder_lock(Path(folder)):
        return _merge_candles(Path(folder), candles, source, mark=mark, now=now)


def _merge_candles(folder: Path, candles: Candles, source: str, *, mark: bool, now: int | None) -> Merged:
    kind: Kind = "mark" if mark else candle_kind(candles.symbol)
    candles, left_out = _at_new_scale(folder, candles)
    if len(left_out):
        quarantine(market_path(folder, candles.symbol, candles.timeframe, kind), left_out, source)
    present = FreqtradeFolder(folder).path_of(candles.symbol, candles.timeframe, kind)
    if not len(candles):
        path = present or market_path(folder, candles.symbol, candles.timeframe, kind)
        return Merged(Stored(path, 0 if present is None else len(read_times(path)[0]), changed=False), added=0)
    if present is None or is_empty(present):
        return Merged(write_candles(folder, candles, mark=mark), added=len(candles))
    there = read_columns(present)
    _require_same_origin(present, there.synthetic, candles.synthetic)
    checked = check_candles(there, candles.timeframe, now_ms() if now is None else now, has_volume=not mark)
    checked.report.require(str(present))
    old, new = checked.kept, _columns(candles)
    at = np.minimum(np.searchsorted(old.time, new.time), max(0, len(old) - 1))
    known = old.time[at] == new.time if len(old) else np.zeros(len(new), dtype=np.bool_)
    contradicts = np.zeros(len(new), dtype=np.bool_)
    for name in CANDLE_COLUMNS:
        contradicts[known] |= differs(getattr(old, name)[at[known]], getattr(new, name)[known])
    for rows, origin in ((checked.quarantined, present.name), (new.take(contradicts), source)):
        if len(rows):
            quarantine(present, rows, origin)
    both = join([old, new.take(~known)])
    order = np.argsort(both.time, kind="stable")
    arrays = {name: getattr(both, name)[order] for name in ("time", *CANDLE_COLUMNS)}
    merged = Candles(candles.symbol, candles.timeframe, **arrays, synthetic=both.synthetic)
    stored = write_candles(folder, merged, mark=mark)
    conflicts = int(contradicts.sum())
    return Merged(stored, int((~known).sum()), int(known.sum()) - conflicts, conflicts)


def _at_new_scale(folder: Path, candles: Candles) -> tuple[Candles, Columns]:
    """Candles at the newest scale of the folder's splits, and the bars that hold a split, which are left out."""
    given = _columns(candles)
    splits = [split for split in read_splits(folder) if split.symbol == candles.symbol]
    if not splits:
        return candles, NO_ROWS
    kept = at_new_scale(given, splits, candles.symbol, candles.timeframe)
    left_out = given.take(~np.isin(given.time, kept.time))
    return replace(candles, **{name: getattr(kept, name) for name in ("time", *CANDLE_COLUMNS)}), left_out


def merge_funding(
    folder: Path | str, funding: Funding, *, source: str, synthetic: bool = False, now: int | None = None
) -> Merged:
    """Add a perpetual's settlements to its file, as `merge_candles`."""
    with folder_lock(Path(folder)):
        return _merge_funding(Path(folder), funding, source, synthetic=synthetic, now=now)


def _merge_funding(folder: Path, funding: Funding, source: str, *, synthetic: bool, now: int | None) -> Merged:
    present = FreqtradeFolder(folder).funding_path(funding.symbol)
    if present is None or is_empty(present):
        return Merged(write_funding(folder, funding, synthetic=synthetic), added=len(funding))
    there = read_funding_columns(present)
    _require_same_origin(present, there.synthetic, synthetic)
    checked = check_funding(there, now_ms() if now is None else now)
    checked.report.require(str(present))
    old = dict(zip(checked.kept.time.tolist(), checked.kept.rate.tolist(), strict=True))
    new = dict(zip(funding.time.tolist(), funding.rate.tolist(), strict=True))
    contradicting = {
        time: rate for time, rate in new.items() if time in old and not isclose(old[time], rate, rel_tol=1e-12)
    }
    path = market_path(folder, funding.symbol, "1h", "funding_rate")
    aside = FundingColumns(np.array(list(contradicting), np.int64), np.array(list(contradicting.values()), np.float64))
    for rows, origin in ((checked.quarantined, present.name), (aside, source)):
        if len(rows):
            quarantine(path, rows, origin)
    both = dict(sorted({**new, **old}.items()))
    merged = Funding(funding.symbol, np.array(list(both), np.int64), np.array(list(both.values()), np.float64))
    stored = write_funding(folder, merged, synthetic=synthetic)
    added = len(both) - len(old)
    return Merged(stored, added, len(new) - added - len(contradicting), len(contradicting))


def write_funding(folder: Path | str, funding: Funding, *, synthetic: bool = False, timeframe: str = "1h") -> Stored:
    """Write a perpetual's funding settlements and replace the file.

    The layout is Freqtrade's older one, the rate in `open`, which old and new versions read. Errors as `write_candles`.
    """
    columns = FundingColumns(funding.time, funding.rate, synthetic)
    with folder_lock(Path(folder)):
        path, *copies = _targets(Path(folder), funding.symbol, timeframe, "funding_rate")
        if is_file(path) and not is_empty(path):
            present = read_funding_columns(path)
            _require_same_origin(path, present.synthetic, synthetic)
            if np.array_equal(present.time, columns.time) and np.array_equal(present.rate, columns.rate):
                return Stored(path, len(columns), changed=False)
        nothing = np.zeros(len(columns))
        rest = {name: nothing for name in CANDLE_COLUMNS if name != "open"}
        _write([path, *copies], {"time": columns.time, "open": columns.rate, **rest}, synthetic)
    return Stored(path, len(columns), changed=True)


def _columns(candles: Candles) -> Columns:
    arrays = {name: getattr(candles, name) for name in ("time", *CANDLE_COLUMNS)}
    return Columns(**arrays, synthetic=candles.synthetic)


def write_columns(paths: list[Path], columns: Columns) -> None:
    """Replace files of one market by rows, each atomically and in its own format.

    Raises:
        DataError: a file cannot be written; it is unchanged.
    """
    _write(paths, {name: getattr(columns, name) for name in ("time", *CANDLE_COLUMNS)}, columns.synthetic)


def _targets(folder: Path, symbol: str, timeframe: str, kind: Kind) -> list[Path]:
    """Files that are written for a market: those that exist, in all their formats, or else a new one.

    Raises:
        DataError: files of different rows.
    """
    files = FreqtradeFolder(folder)
    if files.path_of(symbol, timeframe, kind) is None:
        return [market_path(folder, symbol, timeframe, kind)]
    return files.paths_of(symbol, timeframe, kind)


def _write(paths: list[Path], arrays: dict[str, np.ndarray], synthetic: bool) -> None:
    names = {DATE: pa.array(arrays["time"], pa.int64()).cast(_DATE_TYPE)}
    names |= {name: pa.array(arrays[name], pa.float64()) for name in CANDLE_COLUMNS}
    table = pa.table(names, metadata={NOTE: SYNTHETIC_NOTE} if synthetic else None)
    for path in paths:
        write = WRITERS[next(suffix for suffix in WRITERS if path.name.endswith(suffix))]
        write_atomic(path, partial(write, table))


def _require_same_origin(path: Path, there: bool, new: bool) -> None:
    if there != new:
        kinds = {True: "synthetic", False: "real"}
        raise DataError(
            f"write {path}",
            found=f"{kinds[there]} candles in the file and {kinds[new]} candles to write",
            expected="either real or synthetic candles in a folder",
            remedy="Choose another folder.",
        )
