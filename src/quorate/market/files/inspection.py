"""Checks of all files of a data folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import now_ms
from quorate.core.errors import DataError
from quorate.core.sections.market import QualitySettings
from quorate.market.columns import FundingColumns
from quorate.market.files.folders import entries, is_empty, is_folder
from quorate.market.files.formats import read_columns, read_funding_columns
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import MarketFile
from quorate.market.quality.candle_checks import check_candles, check_funding
from quorate.market.quality.quality_report import QualityReport
from quorate.market.statistics.checks import check_statistics
from quorate.market.statistics.store import list_statistics, read_rows

# What a file without a row means, by its kind.
_MISSING = {
    "mark": "no rows: read as missing, so that last prices are used as mark prices",
    "funding_rate": "no rows: read as missing, so that funding is unknown",
    "statistics": "no rows: read as missing, so that features of market statistics are unknown",
}


@dataclass(frozen=True, slots=True)
class FileReport(MarketFile):
    """Checks of one file.

    Attributes:
        report: checks of its rows; None if it cannot be read or has no bytes.
        synthetic: the file is marked as synthetic.
        error: why it cannot be read or used; empty if it can.
        note: why it is read as missing; empty if it is not.
    """

    report: QualityReport | None
    synthetic: bool = False
    error: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file can be used, or is read as a missing one that need not exist."""
        return not self.error and (self.report is None or self.report.ok)

    def to_json(self) -> dict[str, Any]:
        return {
            **MarketFile.to_json(self),
            "synthetic": self.synthetic,
            "error": self.error or None,
            "note": self.note or None,
            **({} if self.report is None else self.report.to_json()),
            "ok": self.ok,
        }


def check_folder(
    folder: Path | str, *, now: int | None = None, settings: QualitySettings | None = None
) -> Iterator[FileReport]:
    """Check the files of a Freqtrade folder, one by one, so that progress can be shown (`count_files`).

    Several files of a market in different formats are errors unless they hold the same rows.

    Files are only read: nothing is sorted, dropped or quarantined on disk.

    Args:
        folder: such as user_data/data/binance.
        now: the current time in ms UTC; None for the clock's.
        settings: limits of a spike and of a change of scale.

    Returns:
        Reports by symbol, timeframe and kind.

    Raises:
        DataError: the folder cannot be read. A file that cannot be read has a report with an error.
    """
    source = FreqtradeFolder(folder)
    files = sorted((*source.files(), *list_statistics(source.path)))
    present = now_ms() if now is None else now
    claims = Counter((file.symbol, file.timeframe, file.kind) for file in files)

    def check(file: MarketFile) -> FileReport:
        report = _check(file, present, settings)
        if claims[file.symbol, file.timeframe, file.kind] > 1 and not report.error:
            try:
                source.path_of(file.symbol, file.timeframe, file.kind)
            except DataError as error:
                return replace(report, error=str(error))
        return report

    return map(check, files)


def nearest_folder(folder: Path) -> Path:
    """The folder itself if it has files of candles, else the nearest one below it that does, at most 3 levels down.

    Raises:
        DataError: none has, or the folder cannot be read.
    """
    level = [folder]
    for _ in range(4):
        inner: list[Path] = []
        for path in level:
            if next(FreqtradeFolder(path).files(), None) is not None:
                return path
            inner += [each for each in entries(path) if is_folder(each) and not each.name.startswith(".")]
        level = inner
    raise DataError(
        f"check the files of {folder}",
        found="no file of candles in it or in the folders below it",
        expected="the data folder of one exchange, such as user_data/data/binance",
        remedy="Fill one with `quorate data download` or `quorate data import`.",
    )


def count_files(folder: Path | str) -> int:
    """Number of reports of `check_folder`."""
    files = FreqtradeFolder(folder)
    return sum(1 for _ in (*files.files(), *list_statistics(files.path)))


def _check(file: MarketFile, now: int, settings: QualitySettings | None) -> FileReport:
    what = (file.symbol, file.timeframe, file.kind, file.path)
    optional = file.kind in _MISSING
    try:
        if optional and is_empty(file.path):
            return FileReport(*what, None, note=_MISSING[file.kind])
        if file.kind == "statistics":
            checked = check_statistics(read_rows(file.path), file.symbol, file.timeframe, now, str(file.path))
            return FileReport(*what, checked.report, note="" if checked.report.kept else _MISSING[file.kind])
        columns = read_funding_columns(file.path) if file.kind == "funding_rate" else read_columns(file.path)
    except DataError as error:
        return FileReport(*what, None, error=str(error))
    if isinstance(columns, FundingColumns):
        report = check_funding(columns, now).report
    else:
        has_volume = file.kind != "mark"
        report = check_candles(columns, file.timeframe, now, has_volume=has_volume, settings=settings).report
    empty = not report.kept and report.ok
    return FileReport(
        *what,
        report,
        columns.synthetic,
        error="no closed candle; download the market's history" if empty and not optional else "",
        note=_MISSING[file.kind] if empty and optional else "",
    )
