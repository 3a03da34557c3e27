"""The files of a Freqtrade data folder, listed and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.progress import Progress, silent
from quorate.workflows.results.market_files import CheckResult, FileList

if TYPE_CHECKING:
    from quorate.core.settings import QualitySettings


def list_candles(data: str | Path) -> FileList:
    """Every file of a Freqtrade data folder: market, kind, rows and span. A file that cannot be read has its error.

    Raises:
        DataError: the folder cannot be read.
    """
    from quorate.market.files.listing import list_folder

    return FileList(Path(data), list_folder(data))


def check(data: str | Path, *, settings: QualitySettings | None = None, progress: Progress = silent) -> CheckResult:
    """Check every file of a Freqtrade data folder; nothing on disk is changed.

    Args:
        data: the folder.
        settings: what counts as a spike; None for the defaults.
        progress: called with each file checked.

    Raises:
        DataError: the folder cannot be read; a file that cannot be read is part of the result.
    """
    from quorate.market.files.inspection import check_folder, count_files

    total, reports = count_files(data), []
    for number, report in enumerate(check_folder(data, settings=settings), 1):
        reports.append(report)
        progress("checking files", number, total)
    return CheckResult(Path(data), tuple(reports))
