"""Import of candle files of other programs into a Freqtrade data folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from quorate.core.progress import Progress, silent
from quorate.workflows.results.market_files import ImportResult


def import_candles(
    files: str | Path | Iterable[str | Path],
    data: str | Path,
    *,
    symbol: str | None = None,
    timeframe: str | None = None,
    perpetual: bool | None = None,
    progress: Progress = silent,
) -> ImportResult:
    """Check candle files of other programs and merge them into a folder; a second run changes nothing.

    Args:
        files: CSV, Parquet, an exchange's zip archives, or folders of them.
        data: the Freqtrade data folder; created if missing.
        symbol: of all files, where their names do not contain it.
        timeframe: of all files, where their names do not contain it.
        perpetual: whether names such as BTCUSDT-1h.csv mean perpetuals; None if no name is ambiguous.
        progress: called with each market imported; the total is unknown until the last one.

    Raises:
        CandleError: an invalid row, with file, row and value.
        DataError: a file that cannot be read or whose market is unknown, or the folder cannot be written.
    """
    from quorate.market.files.imports import import_files

    paths = [files] if isinstance(files, str | Path) else files
    report = import_files(paths, data, symbol=symbol, timeframe=timeframe, perpetual=perpetual, progress=progress)
    return ImportResult(Path(data), report)
