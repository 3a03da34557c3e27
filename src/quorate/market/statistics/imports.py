"""Import of files of market statistics into a data folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.text import counted
from quorate.market.statistics.archives import parse_archive, read_statistics_archive, read_taker_volumes
from quorate.market.statistics.checks import StatisticRows, check_statistics
from quorate.market.statistics.store import merge_statistics, set_aside
from quorate.market.tables.import_report import Imported

#: Called with a file that is not imported, and the reason.
Refuse = Callable[[Path, DataError], None]


def merge_archives(
    folder: Path, symbol: str, timeframe: str, paths: Sequence[Path], now: int, refuse: Refuse
) -> Imported | None:
    """Check the statistics of one market in several files together, and merge them into its file.

    Args:
        folder: the data folder.
        symbol: of all files.
        timeframe: length of their intervals.
        paths: archives of market statistics, and of candles with taker volumes.
        now: the current time in ms UTC.
        refuse: called for each file that cannot be used; the others are imported.

    Returns:
        None if every file was refused.

    Raises:
        DataError: the folder cannot be written.
    """
    good: list[tuple[Path, StatisticRows]] = []
    for path in paths:
        try:
            rows = _read(path, symbol)
            # Each file by itself first, so that a fault is reported with its file and row.
            check_statistics(rows, symbol, timeframe, now, str(path))
            good.append((path, rows))
        except DataError as error:
            refuse(path, error)
    if not good:
        return None
    files = tuple(dict.fromkeys(path for path, _ in good))
    checked = check_statistics(
        StatisticRows.joined([rows for _, rows in good]), symbol, timeframe, now, ", ".join(map(str, files[:3]))
    )
    if not checked.report.kept:
        for path in files:
            refuse(path, _without_rows(path, checked.report.rows, checked.report.conflicts))
        return None
    merged = merge_statistics(folder, checked.kept, source=files[0].name, now=now)
    if len(checked.quarantined):
        set_aside(merged.stored.path, checked.quarantined, files[0].name)
    times = checked.quarantined.time
    conflicting = [path for path, rows in good if len(times) and np.isin(rows.time, times).any()]
    if merged.conflicts and not conflicting:
        conflicting = list(files)
    notes = (f"market statistics: {', '.join(checked.kept.known)}",)
    return Imported(
        *(symbol, timeframe, "statistics", files, checked.report, merged),
        notes=notes,
        conflicting=tuple(dict.fromkeys(conflicting)),
    )


def _read(path: Path, symbol: str) -> StatisticRows:
    archive = parse_archive(path, symbol)
    if archive is not None:
        return read_statistics_archive(archive)
    volumes = read_taker_volumes(path)
    if volumes is None:
        raise DataError(
            f"import market statistics of {symbol} from {path}",
            found="no volume that takers bought in its columns",
            expected="candles as the exchange's archive has them, with taker_buy_volume",
            remedy="Import the file without `statistics`: its candles can be used.",
        )
    return volumes


def _without_rows(path: Path, rows: int, conflicts: int) -> DataError:
    what = f"{conflicts} rows that contradict each other" if conflicts else f"no value in {counted(rows, 'row')}"
    return TooLittleHistoryError(
        f"import {path}", found=what, expected="at least one interval that has ended, with a value"
    )
