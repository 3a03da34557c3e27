"""Quorate's own folder: one file per market, timeframe and kind, under Freqtrade's names and in its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather

from quorate.core.errors import DataError
from quorate.core.files import write_atomic
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, FundingColumns
from quorate.market.formats import DATE, NOTE, SYNTHETIC_NOTE, read_columns, read_funding_columns
from quorate.market.names import candle_kind, market_path

_DATE_TYPE = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a write: the file, how many rows it holds, and whether it had to be touched."""

    path: Path
    rows: int
    changed: bool


def write_candles(folder: Path | str, candles: Candles, *, mark: bool = False) -> Stored:
    """Write a market's candles, or its mark prices, in place of what is there.

    The same rows again leave the file untouched.

    Raises:
        DataError: the folder cannot be written, or the disk is full; nothing is half-written.
        DataError: the file there holds real candles and these are synthetic, or the other way round.
    """
    path = market_path(Path(folder), candles.symbol, candles.timeframe, "mark" if mark else candle_kind(candles.symbol))
    arrays = {name: getattr(candles, name) for name in ("time", *CANDLE_COLUMNS)}
    columns = Columns(**arrays, synthetic=candles.synthetic)
    if path.exists():
        present = read_columns(path)
        _require_same_world(path, present.synthetic, columns.synthetic)
        if columns.same_rows(present):
            return Stored(path, len(columns), changed=False)
    _write(path, {name: getattr(columns, name) for name in ("time", *CANDLE_COLUMNS)}, columns.synthetic)
    return Stored(path, len(columns), changed=True)


def write_funding(folder: Path | str, funding: Funding, *, synthetic: bool = False, timeframe: str = "1h") -> Stored:
    """Write a perpetual's funding settlements in place of what is there.

    The layout is Freqtrade's older one, the rate in `open`, which old and new versions read. Errors as `write_candles`.
    """
    path = market_path(Path(folder), funding.symbol, timeframe, "funding_rate")
    columns = FundingColumns(funding.time, funding.rate, synthetic)
    if path.exists():
        present = read_funding_columns(path)
        _require_same_world(path, present.synthetic, synthetic)
        if np.array_equal(present.time, columns.time) and np.array_equal(present.rate, columns.rate):
            return Stored(path, len(columns), changed=False)
    nothing = np.zeros(len(columns))
    rest = {name: nothing for name in CANDLE_COLUMNS if name != "open"}
    _write(path, {"time": columns.time, "open": columns.rate, **rest}, synthetic)
    return Stored(path, len(columns), changed=True)


def _write(path: Path, arrays: dict[str, np.ndarray], synthetic: bool) -> None:
    names = {DATE: pa.array(arrays["time"], pa.int64()).cast(_DATE_TYPE)}
    names |= {name: pa.array(arrays[name], pa.float64()) for name in CANDLE_COLUMNS}
    table = pa.table(names, metadata={NOTE: SYNTHETIC_NOTE} if synthetic else None)
    # lz4 at level 9 is what Freqtrade itself writes.
    write_atomic(
        path,
        lambda temporary: pa.feather.write_feather(
            table, str(temporary), compression="lz4", compression_level=9, version=2
        ),
    )


def _require_same_world(path: Path, there: bool, new: bool) -> None:
    if there != new:
        real, made = "real candles", "synthetic ones"
        raise DataError(
            f"write {path}",
            found=f"{made if there else real} there and {made if new else real} to write",
            expected="one or the other in a folder",
            remedy="Choose another folder.",
        )
