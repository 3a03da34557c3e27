"""Checks of all files of a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import now_ms
from quorate.core.errors import DataError
from quorate.core.sections.market import QualitySettings
from quorate.market.files.formats import read_columns, read_funding_columns
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import MarketFile
from quorate.market.quality.candle_checks import check_candles, check_funding
from quorate.market.quality.quality_report import QualityReport


@dataclass(frozen=True, slots=True)
class FileReport(MarketFile):
    """Checks of one file.

    Attributes:
        report: checks of its rows; None if it cannot be read.
        synthetic: the file is marked as synthetic.
        error: why it cannot be read; empty if it can.
    """

    report: QualityReport | None
    synthetic: bool = False
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file can be used."""
        return self.report is not None and self.report.ok

    def to_json(self) -> dict[str, Any]:
        return {
            **MarketFile.to_json(self),
            "synthetic": self.synthetic,
            "error": self.error or None,
            **({"ok": False} if self.report is None else self.report.to_json()),
        }


def check_folder(
    folder: Path | str, *, now: int | None = None, settings: QualitySettings | None = None
) -> Iterator[FileReport]:
    """Check the files of a Freqtrade folder, one by one, so that progress can be shown (`count_files`).

    Files are only read: nothing is sorted, dropped or quarantined on disk.

    Args:
        folder: such as user_data/data/binance.
        now: the current time in ms UTC; None for the clock's.
        settings: limits of a spike.

    Returns:
        Reports by symbol, timeframe and kind.

    Raises:
        DataError: the folder cannot be read. A file that cannot be read has a report with an error.
    """
    files = sorted(FreqtradeFolder(folder).files())
    return (_check(file, now_ms() if now is None else now, settings) for file in files)


def count_files(folder: Path | str) -> int:
    """Number of reports of `check_folder`."""
    return sum(1 for _ in FreqtradeFolder(folder).files())


def _check(file: MarketFile, now: int, settings: QualitySettings | None) -> FileReport:
    what = (file.symbol, file.timeframe, file.kind, file.path)
    try:
        if file.kind == "funding_rate":
            funding = read_funding_columns(file.path)
            return FileReport(*what, check_funding(funding, now).report, funding.synthetic)
        columns = read_columns(file.path)
    except DataError as error:
        return FileReport(*what, None, error=str(error))
    has_volume = file.kind != "mark"
    checked = check_candles(columns, file.timeframe, now, has_volume=has_volume, settings=settings)
    return FileReport(*what, checked.report, columns.synthetic)
