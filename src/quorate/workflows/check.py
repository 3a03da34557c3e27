"""Checks of a Freqtrade data folder and of a user's own feature columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import FUNCTION, path_of, require_type, require_types
from quorate.core.progress import Progress, silent
from quorate.workflows.results.checked_files import CheckResult
from quorate.workflows.results.market_files import FileList
from quorate.workflows.results.own_columns import OwnColumnsResult

if TYPE_CHECKING:
    from quorate.core.settings import FeatureSettings, QualitySettings


def list_candles(data: str | Path) -> FileList:
    """List the files of a Freqtrade data folder: market, kind, rows and span.

    A file that cannot be read is part of the result, with its error.

    Args:
        data: the folder.

    Raises:
        DataError: the folder cannot be read.
    """
    from quorate.market.files.listing import list_folder

    data = path_of("list the files", "data", data, "the path of a Freqtrade data folder")
    return FileList(Path(data), list_folder(data))


def check(data: str | Path, *, settings: QualitySettings | None = None, progress: Progress = silent) -> CheckResult:
    """Check the files of a Freqtrade data folder for invalid and missing rows; nothing on disk is changed.

    Args:
        data: the folder; where it has no files itself, the nearest folder below it that has some is checked.
        settings: what counts as a spike; None for those of quorate.toml and the environment.
        progress: called with each file checked.

    Raises:
        SettingsError: settings that cannot be read.
        DataError: no file of candles, or the folder cannot be read. A file that cannot be read is part of the result,
            with its error.
    """
    from quorate.core.configuration import load_settings
    from quorate.core.sections.market import QualitySettings
    from quorate.market.files.inspection import check_folder, count_files, nearest_folder

    require_types("check the files", progress=(progress, FUNCTION))
    data = path_of("check the files", "data", data, "the path of a Freqtrade data folder")
    given = load_settings().quality if settings is None else settings
    limits = require_type(
        "check the files", "settings", given, QualitySettings, "a QualitySettings, as settings.quality"
    )
    data = nearest_folder(Path(data))
    total, reports = count_files(data), []
    for number, report in enumerate(check_folder(data, settings=limits), 1):
        reports.append(report)
        progress("checking files", number, total)
    return CheckResult(Path(data), tuple(reports))


def check_own_columns(settings: FeatureSettings | None = None) -> OwnColumnsResult:
    """Check your own feature columns: no look-ahead, the declared warm-up, finite values.

    The candles are synthetic and seeded, so that the result is always the same. Training and prediction run the same
    checks before they use a column.

    Args:
        settings: files with columns; None for those of quorate.toml and the environment. Columns of installed packages
            are always checked.

    Raises:
        SettingsError: a file that cannot be read or fails.
        FeatureError: two columns of one name, or a name of the catalogue. One that fails a check is part of the result.
    """
    from quorate.core.configuration import load_settings
    from quorate.core.sections.features import FeatureSettings
    from quorate.features.catalogue import available_own
    from quorate.features.checks import check_own

    given = load_settings().features if settings is None else settings
    require_type("check your columns", "settings", given, FeatureSettings, "a FeatureSettings, as settings.features")
    return OwnColumnsResult(tuple(check_own(column) for column in available_own(given)))
