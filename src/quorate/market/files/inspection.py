"""Every file of a folder, judged: `quorate data check`."""

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
from quorate.market.files.names import Kind, MarketFile
from quorate.market.quality.candle_checks import judge, judge_funding
from quorate.market.quality.quality_report import QualityReport


@dataclass(frozen=True, slots=True)
class FileReport:
    """What is wrong with one file.

    Attributes:
        symbol, timeframe, kind, path: which file.
        report: what its rows are like; None where it cannot be read at all.
        synthetic: the file says that it was made.
        error: why it cannot be read; empty when it can.
    """

    symbol: str
    timeframe: str
    kind: Kind
    path: Path
    report: QualityReport | None
    synthetic: bool = False
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether Quorate will use the file."""
        return self.report is not None and self.report.ok

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "kind": self.kind,
            "path": str(self.path),
            "synthetic": self.synthetic,
            "error": self.error or None,
            **({"ok": False} if self.report is None else self.report.to_json()),
        }


def check_folder(
    folder: Path | str, *, now: int | None = None, settings: QualitySettings | None = None
) -> Iterator[FileReport]:
    """Judge every file of a Freqtrade folder, one after the other, so that progress can be shown.

    Reads only: nothing is sorted, collapsed or quarantined on disk. How many there will be: `count_files`.

    Args:
        folder: such as user_data/data/binance.
        now: the present in ms UTC, by default the clock's.
        settings: what counts as a spike.

    Raises:
        DataError: the folder itself cannot be read; a file that cannot be read is a report with an error.
    """
    files = sorted(FreqtradeFolder(folder).files())
    return (_check(file, now_ms() if now is None else now, settings) for file in files)


def count_files(folder: Path | str) -> int:
    """How many reports `check_folder` will give."""
    return sum(1 for _ in FreqtradeFolder(folder).files())


def _check(file: MarketFile, now: int, settings: QualitySettings | None) -> FileReport:
    what = (file.symbol, file.timeframe, file.kind, file.path)
    try:
        if file.kind == "funding_rate":
            funding = read_funding_columns(file.path)
            return FileReport(*what, judge_funding(funding, now).report, funding.synthetic)
        columns = read_columns(file.path)
    except DataError as error:
        return FileReport(*what, None, error=str(error))
    has_volume = file.kind != "mark"
    verdict = judge(columns, file.timeframe, now, has_volume=has_volume, settings=settings)
    return FileReport(*what, verdict.report, columns.synthetic)
