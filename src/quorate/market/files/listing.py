"""List of the files in a data folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.errors import DataError
from quorate.market.files.formats import read_times
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import FORMATS, MarketFile
from quorate.market.statistics.store import list_statistics

_END_OF_CALENDAR = 253_402_300_800_000  # ms; the year 10000


@dataclass(frozen=True, slots=True)
class ListedFile(MarketFile):
    """One file of a data folder, with what its dates show; other columns are not read.

    Attributes:
        format: feather, parquet, json or json.gz.
        rows: number of rows.
        start, end: earliest and latest time in ms UTC; None without rows.
        size: bytes on disk.
        synthetic: the file is marked as synthetic.
        error: why it cannot be read; empty if it can.
    """

    format: str
    rows: int = 0
    start: int | None = None
    end: int | None = None
    size: int = 0
    synthetic: bool = False
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            **MarketFile.to_json(self),
            "format": self.format,
            "rows": self.rows,
            "start": None if self.start is None else iso_ms(self.start),
            "end": None if self.end is None else iso_ms(self.end),
            "bytes": self.size,
            "synthetic": self.synthetic,
            "error": self.error or None,
        }


def list_folder(folder: Path | str) -> tuple[ListedFile, ...]:
    """List the files of candles, mark prices, funding and statistics of a folder, by symbol, timeframe and kind.

    A file that cannot be read is listed with its error.

    Raises:
        DataError: the folder itself cannot be read.
    """
    files = FreqtradeFolder(folder)
    return tuple(_listed(file) for file in sorted((*files.files(), *list_statistics(files.path))))


def _listed(file: MarketFile) -> ListedFile:
    suffix = next(suffix for suffix in FORMATS if file.path.name.endswith(suffix))
    listed = ListedFile(file.symbol, file.timeframe, file.kind, file.path, format=suffix[1:], size=_size(file.path))
    try:
        time, synthetic = read_times(file.path)
    except DataError as error:
        return replace(listed, error=str(error))
    known = time[(time > 0) & (time < _END_OF_CALENDAR)]
    start, end = (int(known.min()), int(known.max())) if len(known) else (None, None)
    return replace(listed, rows=len(time), start=start, end=end, synthetic=synthetic)


def _size(path: Path) -> int:
    """Bytes on disk; 0 for a file that cannot be accessed, whose error is listed."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
