"""Import of candle files of other programs into a Freqtrade data folder, and joining of price scales in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from quorate.core.arguments import FLAG, FUNCTION, MAPPING, path_of, require_texts, require_type, require_types
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
    columns: str | Mapping[str, str] | None = None,
    tz: str | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    splits: str | Iterable[str] = (),
    statistics: bool = False,
    progress: Progress = silent,
) -> ImportResult:
    """Check candle files of other programs and merge them into a folder; a second run changes nothing.

    A file that cannot be used does not stop the others: it is in `refused` of the result.

    Args:
        files: CSV, TSV, TXT, XLSX, Parquet, Feather, JSON, zip archives of these, or folders of them.
        data: the Freqtrade data folder; created if missing.
        symbol: of all files; None to take it from their columns or names.
        timeframe: of all files; None to take it from their names or the distance of their rows.
        perpetual: whether names such as BTCUSDT mean perpetuals; None if no name is ambiguous.
        columns: where headers are unknown, open, high, low, close, volume, date, symbol or timeframe -> header, or
            number of the column from 1; a mapping, or a text as "date=Zeit,open=Kurs".
        tz: zone of times that do not state theirs, such as Europe/Berlin; None for UTC.
        date_format: order of dates such as 01/05/2025, "dmy" or "mdy"; or a format of `datetime.strptime`.
        decimal: "." or ",", where the numbers of a file do not decide which one stands before decimals.
        splits: changes of a price scale, as "BNX/USDT:USDT=100@2023-02-22T08:00": older prices are stored times 100,
            and volumes by 100, so that the history is one.
        statistics: also store the taker volumes of perpetuals in Binance's archives of candles. Its archives of market
            statistics, `metrics` and `premiumIndexKlines`, are always read.
        progress: called with each market imported; the total is unknown until the last one.

    Raises:
        ArgumentError: a split, column, zone or format that cannot be used.
        DataError: no file could be imported; the error of the first one. Or the folder cannot be written.
    """
    result = import_each(
        files,
        data,
        symbol=symbol,
        timeframe=timeframe,
        perpetual=perpetual,
        columns=columns,
        tz=tz,
        date_format=date_format,
        decimal=decimal,
        splits=splits,
        statistics=statistics,
        progress=progress,
    )
    if result.refused and not result.markets:
        raise result.refused[0].error
    return result


def import_each(
    files: str | Path | Iterable[str | Path],
    data: str | Path,
    *,
    symbol: str | None = None,
    timeframe: str | None = None,
    perpetual: bool | None = None,
    columns: str | Mapping[str, str] | None = None,
    tz: str | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    splits: str | Iterable[str] = (),
    statistics: bool = False,
    progress: Progress = silent,
) -> ImportResult:
    """Import as `import_candles`, also where every file is refused."""
    from quorate.core.tables import ReadOptions
    from quorate.market.files.join_scales import expect_split, settle_split
    from quorate.market.files.splits import parse_splits
    from quorate.market.tables.command_line import ImportOptions, parse_columns
    from quorate.market.tables.imports import import_files

    attempted, expected = "import candles", "paths of files or folders"
    if hasattr(files, "keys") or not isinstance(files, str | Path | Iterable):  # the keys of a mapping are no files
        raise ArgumentError(attempted, found=f"`files` of type {type(files).__name__}", expected=expected)
    several = [files] if isinstance(files, str | Path) else files
    paths = [path_of(attempted, "files", each, expected) for each in several]
    data = path_of(attempted, "data", data, "the path of a Freqtrade data folder")
    require_types(
        attempted, perpetual=(perpetual, FLAG.optional), statistics=(statistics, FLAG), progress=(progress, FUNCTION)
    )
    if not isinstance(splits, str):
        require_texts(attempted, "splits", splits, "texts such as BNX/USDT:USDT=100@2023-02-22T08:00")
    texts = {"symbol": symbol, "timeframe": timeframe, "tz": tz, "date_format": date_format, "decimal": decimal}
    for name, value in texts.items():
        if value is not None:
            require_type(attempted, name, value, str, "a text, or None for what the files say")
    if decimal not in (None, ".", ","):
        raise ArgumentError(attempted, found=f"`decimal` {decimal!r}", expected="a point or a comma")
    if date_format is not None and "%" not in date_format and date_format not in ("dmy", "mdy", "ymd"):
        raise ArgumentError(
            attempted,
            found=f"`date_format` {date_format!r}",
            expected="dmy, mdy, ymd, or a format of datetime.strptime such as %d/%m/%Y %H:%M",
        )
    if columns is not None and not isinstance(columns, str):
        require_types(attempted, columns=(columns, MAPPING))
    named = parse_columns(columns) if isinstance(columns, str) else dict(columns or {})
    options = ImportOptions(symbol, timeframe, perpetual, ReadOptions(named, tz, date_format, decimal), statistics)
    waiting = [split for split in parse_splits(splits) if not expect_split(data, split)]
    report = import_files(paths, data, options, progress=progress)
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
