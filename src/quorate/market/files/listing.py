"""What lies in a data folder: `quorate data list`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.errors import DataError
from quorate.market.files.formats import read_times
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import FORMATS, Kind, MarketFile

_END_OF_CALENDAR = 253_402_300_800_000  # ms; the year 10000


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file as its dates tell it; nothing else of it was read.

    Attributes:
        symbol, timeframe, kind: what Freqtrade's name says.
        path: the file.
        format: feather, parquet, json or json.gz.
        rows: in the file.
        start, end: earliest and latest time in ms UTC; None without rows.
        size: bytes on disk.
        synthetic: the file says that it was made.
        error: why it cannot be read; empty when it can.
    """

    symbol: str
    timeframe: str
    kind: Kind
    path: Path
    format: str
    rows: int = 0
    start: int | None = None
    end: int | None = None
    size: int = 0
    synthetic: bool = False
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "kind": self.kind,
            "path": str(self.path),
            "format": self.format,
            "rows": self.rows,
            "start": None if self.start is None else iso_ms(self.start),
            "end": None if self.end is None else iso_ms(self.end),
            "bytes": self.size,
            "synthetic": self.synthetic,
            "error": self.error or None,
        }


def list_folder(folder: Path | str) -> tuple[ListedFile, ...]:
    """Every candle, mark price and funding file of a Freqtrade folder, by symbol, timeframe and kind.

    A file that cannot be read is listed with its error.

    Raises:
        DataError: the folder itself cannot be read.
    """
    return tuple(_listed(file) for file in sorted(FreqtradeFolder(folder).files()))


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
    """Bytes on disk; 0 for a file that cannot be looked at, which its error says already."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
