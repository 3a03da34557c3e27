"""Import of other programs' files of candles into a Freqtrade data folder."""

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
    """Read other programs' candles, check them, and merge them into a folder. A second run changes nothing.

    Args:
        files: CSV, Parquet, an exchange's zip archives, or folders of them.
        data: the Freqtrade data folder to fill; made if absent.
        symbol: of all files, where their names do not contain it.
        timeframe: the same.
        perpetual: whether names such as BTCUSDT-1h.csv mean perpetuals; None where they are not ambiguous.
        progress: called with each market imported; how many there are is not known before the last.

    Raises:
        CandleError: a row that cannot be true, by file, row and value.
        DataError: a file cannot be read or names no market, or the folder cannot be written.
    """
    from quorate.market.files.imports import import_files

    paths = [files] if isinstance(files, str | Path) else files
    report = import_files(paths, data, symbol=symbol, timeframe=timeframe, perpetual=perpetual, progress=progress)
    return ImportResult(Path(data), report)
