"""Conversion of stored prices from before a change of scale to the scale after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import format_ms, now_ms
from quorate.core.errors import DataError
from quorate.core.folder_lock import folder_lock
from quorate.market.columns import Columns
from quorate.market.files.candle_store import write_columns
from quorate.market.files.folders import is_folder
from quorate.market.files.formats import read_columns
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import MarketFile
from quorate.market.files.quarantine import quarantine
from quorate.market.files.splits import Split, jump, read_splits, record_split, rescale, shows, sides
from quorate.market.quality.candle_checks import check_candles
from quorate.market.source import unknown_market


@dataclass(frozen=True, slots=True)
class JoinedFile:
    """What a split did to one file.

    Attributes:
        symbol: of the market.
        path: the file.
        split: the split.
        rows: number of rows that were converted; 0 where none shows the change, for example because they were before.
        left_out: number of bars that hold the split; they are in the quarantine file.
    """

    symbol: str
    path: Path
    split: Split
    rows: int
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "path": str(self.path),
            "split": self.split.to_json(),
            "rows": self.rows,
            "left_out": self.left_out,
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """Rows of one file, and what they show of a split: see `splits.sides` and `splits.shows`."""

    file: MarketFile
    columns: Columns
    shown: bool | None
    before: int
    inside: int

    @property
    def only_before(self) -> bool:
        return self.before + self.inside == len(self.columns) > 0


def join_scales(folder: Path | str, split: Split) -> tuple[JoinedFile, ...]:
    """Store the older candles and mark prices of a market at the new scale, in all its files.

    Prices before the split are multiplied by its factor and volumes divided by it. A bar that holds the split becomes a
    gap, since its prices are of two scales. Each file is replaced atomically and only if it shows the change, so that a
    second run, also after a run that was killed, changes nothing twice. A file that ends before the split is converted
    when the split is joined first, since another file shows it. The split is recorded in the folder: rows that are
    merged later are converted too.

    Args:
        folder: the data folder.
        split: the change of scale.

    Raises:
        UnknownSymbolError: the folder has no candles of the market.
        DataError: no file shows the change at that time, or one shows another change; nothing is written.
        CandleError: a file has an invalid row; nothing is written.
    """
    folder = Path(folder)
    FreqtradeFolder(folder)  # an error if there is no folder, before it is created
    with folder_lock(folder):
        stored = _read(folder, split)
        if not stored:
            known = [(file.symbol, file.timeframe) for file in _priced(folder)]
            raise unknown_market(folder, split.symbol, None, known)
        recorded = split in read_splits(folder)
        if not recorded and not any(each.shown for each in stored):
            raise _not_there(stored, split)
        record_split(folder, split)
        return tuple(_join(each, split, recorded=recorded) for each in stored)


def expect_split(folder: Path | str, split: Split) -> bool:
    """Apply a split to the files of its market, or only record it for rows to come where none is from before it.

    Returns:
        False if stored rows end before the split: `settle_split` joins them once rows from after it are stored.

    Raises:
        As `join_scales`.
    """
    folder = Path(folder)
    with folder_lock(folder):
        stored = _read(folder, split) if is_folder(folder) else []
        if split in read_splits(folder) or any(each.shown is not None for each in stored):
            join_scales(folder, split)
        elif any(each.before or each.inside for each in stored):
            return False
        else:
            record_split(folder, split)
    return True


def settle_split(folder: Path | str, split: Split) -> tuple[JoinedFile, ...]:
    """Join a split once the rows around it are stored; where none is from before it, record it for rows to come.

    Raises:
        As `join_scales`, also where all stored rows are from before the split: nothing shows yet that it is one.
    """
    folder = Path(folder)
    with folder_lock(folder):
        stored = _read(folder, split) if is_folder(folder) else []
        if stored and any(each.before or each.inside for each in stored):
            return join_scales(folder, split)
        record_split(folder, split)
    return ()


def _priced(folder: Path) -> list[MarketFile]:
    return [file for file in sorted(FreqtradeFolder(folder).files()) if file.kind != "funding_rate"]


def _read(folder: Path, split: Split) -> list[_Stored]:
    """Read the files of the market of a split.

    Raises:
        DataError: a file that cannot be read, or that shows another change there.
        CandleError: an invalid row.
    """
    stored = []
    for file in _priced(folder):
        if file.symbol == split.symbol:
            columns = read_columns(file.path)
            report = check_candles(columns, file.timeframe, now_ms(), has_volume=file.kind != "mark").report
            report.require(str(file.path))
            before, inside = sides(columns, split, file.timeframe)
            shown = shows(columns, split, file.timeframe)
            stored.append(_Stored(file, columns, shown, int(before.sum()), int(inside.sum())))
    return stored


def _join(stored: _Stored, split: Split, *, recorded: bool) -> JoinedFile:
    path, frame = stored.file.path, stored.file.timeframe
    # Rows of a file that ends before the split were converted when they were merged, if the split was known then.
    if not stored.shown and (recorded or not stored.only_before):
        return JoinedFile(split.symbol, path, split, 0)
    if stored.inside:
        quarantine(path, stored.columns.take(sides(stored.columns, split, frame)[1]), path.name)
    write_columns([path], rescale(stored.columns, split, frame))
    return JoinedFile(split.symbol, path, split, stored.before, stored.inside)


def _not_there(stored: list[_Stored], split: Split) -> DataError:
    jumps = [jump(each.columns, split, each.file.timeframe) for each in stored]
    found = ", ".join(f"prices {found:.4g} times those before" for found in jumps if found is not None)
    return DataError(
        f"join {split.symbol} at {format_ms(split.time)}",
        found=found or "no bars on both sides of it",
        expected=f"about {split.factor:g} times",
        remedy="Give the factor and the time that `quorate data check` reports."
        if found
        else "Store bars from before and after that time first.",
    )
