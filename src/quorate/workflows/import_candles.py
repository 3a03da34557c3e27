"""Import of candle files of other programs into a Freqtrade data folder, and joining of price scales in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from quorate.core.arguments import FLAG, FUNCTION, path_of, require_texts, require_type, require_types
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.workflows.results.market_files import ImportResult, SplitResult


def import_candles(
    files: str | Path | Iterable[str | Path],
    data: str | Path,
    *,
    symbol: str | None = None,
    timeframe: str | None = None,
    perpetual: bool | None = None,
    splits: str | Iterable[str] = (),
    progress: Progress = silent,
) -> ImportResult:
    """Check candle files of other programs and merge them into a folder; a second run changes nothing.

    Args:
        files: CSV, Parquet, an exchange's zip archives, or folders of them.
        data: the Freqtrade data folder; created if missing.
        symbol: of all files, where their names do not contain it.
        timeframe: of all files, where their names do not contain it.
        perpetual: whether names such as BTCUSDT-1h.csv mean perpetuals; None if no name is ambiguous.
        splits: changes of a price scale, as "BNX/USDT:USDT=100@2023-02-22T08:00": older prices are stored times 100,
            and volumes by 100, so that the history is one.
        progress: called with each market imported; the total is unknown until the last one.

    Raises:
        ArgumentError: a split that cannot be read.
        CandleError: an invalid row, with file, row and value.
        DataError: a file that cannot be read or whose market is unknown, a split that is not there, or the folder
            cannot be written.
    """
    from quorate.market.files.imports import import_files
    from quorate.market.files.join_scales import expect_split, settle_split
    from quorate.market.files.splits import parse_splits

    attempted, expected = "import candles", "paths of files or folders"
    if hasattr(files, "keys") or not isinstance(files, str | Path | Iterable):  # the keys of a mapping are no files
        raise ArgumentError(attempted, found=f"`files` of type {type(files).__name__}", expected=expected)
    several = [files] if isinstance(files, str | Path) else files
    paths = [path_of(attempted, "files", each, expected) for each in several]
    data = path_of(attempted, "data", data, "the path of a Freqtrade data folder")
    require_types(attempted, perpetual=(perpetual, FLAG.optional), progress=(progress, FUNCTION))
    if not isinstance(splits, str):
        require_texts(attempted, "splits", splits, "texts such as BNX/USDT:USDT=100@2023-02-22T08:00")
    for name, value in (("symbol", symbol), ("timeframe", timeframe)):
        if value is not None:
            require_type(attempted, name, value, str, "a text, or None for that of the files' names")
    waiting = [split for split in parse_splits(splits) if not expect_split(data, split)]
    report = import_files(paths, data, symbol=symbol, timeframe=timeframe, perpetual=perpetual, progress=progress)
    for split in waiting:
        settle_split(data, split)
    return ImportResult(Path(data), report)


def split_prices(data: str | Path, splits: str | Iterable[str]) -> SplitResult:
    """Join the history of markets across changes of their price scale, such as redenominations.

    Candles and mark prices before each split are stored at the new scale. A second run changes nothing.

    Args:
        data: the Freqtrade data folder.
        splits: as "BNX/USDT:USDT=100@2023-02-22T08:00"; `check` reports factors and times.

    Raises:
        ArgumentError: a split that cannot be read.
        DataError: no such market, or no such change in its files; the splits before it are applied.
    """
    from quorate.market.files.join_scales import join_scales
    from quorate.market.files.splits import parse_splits

    return SplitResult(Path(data), tuple(file for split in parse_splits(splits) for file in join_scales(data, split)))
