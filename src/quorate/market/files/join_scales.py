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
from quorate.market.files.splits import Split, jump, read_splits, record_split, rescale, shows
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
    """

    symbol: str
    path: Path
    split: Split
    rows: int

    def to_json(self) -> dict[str, Any]:
        return {"symbol": self.symbol, "path": str(self.path), "split": self.split.to_json(), "rows": self.rows}


def join_scales(folder: Path | str, split: Split) -> tuple[JoinedFile, ...]:
    """Store the older candles and mark prices of a market at the new scale, in all its files.

    Prices before the split are multiplied by its factor and volumes divided by it. Each file is replaced atomically and
    only if it shows the change, so that a second run, also after a run that was killed, changes nothing twice. The
    split is recorded in the folder: rows that are merged later are converted too.

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
        files = [file for file in sorted(FreqtradeFolder(folder).files()) if file.kind != "funding_rate"]
        mine = [file for file in files if file.symbol == split.symbol]
        if not mine:
            raise unknown_market(folder, split.symbol, None, [(file.symbol, file.timeframe) for file in files])
        read: list[tuple[Path, Columns, bool]] = []
        for file in mine:
            columns = read_columns(file.path)
            report = check_candles(columns, file.timeframe, now_ms(), has_volume=file.kind != "mark").report
            report.require(str(file.path))
            read.append((file.path, columns, shows(columns, split) is True))
        if not any(matches for _, _, matches in read) and split not in read_splits(folder):
            jumps = [found for _, columns, _ in read if (found := jump(columns, split.time)) is not None]
            raise DataError(
                f"join {split.symbol} at {format_ms(split.time)}",
                found=", ".join(f"prices {found:.4g} times those before" for found in jumps)
                or "no bars on both sides of it",
                expected=f"about {split.factor:g} times",
                remedy="Give the factor and the time that `quorate data check` reports.",
            )
        record_split(folder, split)
        for path, columns, matches in read:
            if matches:
                write_columns([path], rescale(columns, split))
        return tuple(
            JoinedFile(split.symbol, path, split, int((columns.time < split.time).sum()) if matches else 0)
            for path, columns, matches in read
        )


def expect_split(folder: Path | str, split: Split) -> None:
    """Apply a split to the files of its market, or only record it for rows to come where there are none.

    Raises:
        As `join_scales`.
    """
    folder = Path(folder)
    if is_folder(folder) and any(
        file.symbol == split.symbol and file.kind != "funding_rate" for file in FreqtradeFolder(folder).files()
    ):
        join_scales(folder, split)
    else:
        record_split(folder, split)
