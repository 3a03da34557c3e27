"""Import of candle files of other programs into a Freqtrade data folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import now_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.progress import Progress, silent
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, join
from quorate.market.files.candle_store import Merged, merge_candles, merge_funding
from quorate.market.files.folders import files_below, is_folder
from quorate.market.files.formats import read_columns, read_funding_columns
from quorate.market.files.names import Kind, MarketFile
from quorate.market.files.quarantine import SUFFIX, quarantine, side_path
from quorate.market.files.table_folder import read_table
from quorate.market.files.table_names import TABLE_FORMATS, parse_table, require_table, table_ending
from quorate.market.quality.candle_checks import check_candles, check_funding
from quorate.market.quality.quality_report import QualityReport


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of the import of one market.

    Attributes:
        symbol, timeframe, kind: of the market.
        sources: the files that were read.
        report: checks of their rows.
        merged: result of the merge.
    """

    symbol: str
    timeframe: str
    kind: Kind
    sources: tuple[Path, ...]
    report: QualityReport
    merged: Merged

    @property
    def conflicts(self) -> int:
        """Number of rows that contradict another row of the files or of the folder, and were quarantined."""
        return self.merged.conflicts + self.report.conflicts

    @property
    def quarantine(self) -> Path | None:
        """The file of these rows; None without any."""
        return side_path(self.merged.stored.path) if self.conflicts else None

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "kind": self.kind,
            "sources": [str(path) for path in self.sources],
            "path": str(self.merged.stored.path),
            "rows": self.merged.stored.rows,
            "changed": self.merged.stored.changed,
            "added": self.merged.added,
            "duplicates": self.merged.duplicates + self.report.duplicates,
            "conflicts": self.conflicts,
            "quarantine": None if self.quarantine is None else str(self.quarantine),
            "running": self.report.running,
            "gaps": self.report.gaps,
        }


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Result of an import.

    Attributes:
        markets: one result per market.
        skipped: files whose name does not state a market.
    """

    markets: tuple[Imported, ...]
    skipped: tuple[Path, ...]

    @property
    def ok(self) -> bool:
        """Whether no row was left out because it contradicts another one."""
        return not any(market.conflicts for market in self.markets)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "markets": [market.to_json() for market in self.markets],
            "skipped": [str(path) for path in self.skipped],
        }


def import_files(
    paths: Iterable[Path | str],
    folder: Path | str,
    *,
    symbol: str | None = None,
    timeframe: str | None = None,
    perpetual: bool | None = None,
    now: int | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Read candle tables and Freqtrade's files, check them, and merge them into a data folder.

    Files of one market, such as monthly ones, are checked together. Importing the same files again changes nothing.
    Markets are stored one after the other: after an error, the markets before it are stored and the others are not.

    Args:
        paths: files, and folders that are searched with their subfolders.
        folder: a Freqtrade data folder; created if missing.
        symbol: of all files, where their names do not state it or are wrong.
        timeframe: of all files, likewise.
        perpetual: whether names such as BTCUSDT-1h.csv are perpetuals.
        now: the current time in ms UTC; None for the clock's.
        progress: called after each market.

    Raises:
        CandleError: an invalid row, with file, row and value.
        DataError: a file cannot be read, or its market is unknown; the folder cannot be written.
    """
    present = now_ms() if now is None else now
    groups: dict[tuple[str, str, Kind], list[Path]] = defaultdict(list)
    skipped: list[Path] = []
    for path in map(Path, paths):
        searched = is_folder(path)
        for candidate in files_below(path, _could_hold_candles) if searched else [path]:
            identify = parse_table if searched else require_table
            file = identify(candidate, symbol=symbol, timeframe=timeframe, perpetual=perpetual)
            if file is None:
                skipped.append(candidate)
            else:
                groups[file.symbol, file.timeframe, file.kind].append(candidate)
    markets: list[Imported] = []
    for number, ((name, frame, kind), files) in enumerate(sorted(groups.items()), 1):
        market = MarketFile(name, frame, kind, files[0])
        unique = tuple(dict.fromkeys(files))
        read = _import_funding if kind == "funding_rate" else _import_candles
        markets.append(read(market, unique, Path(folder), present))
        progress("importing markets", number, len(groups))
    return ImportReport(tuple(markets), tuple(skipped))


def _import_candles(market: MarketFile, files: tuple[Path, ...], folder: Path, now: int) -> Imported:
    mark = market.kind == "mark"
    parts = [_read(path, market.symbol) for path in files]
    for path, part in zip(files, parts, strict=True):
        # Each file by itself first, so that a fault is reported with its file and row.
        check_candles(part, market.timeframe, now, has_volume=not mark).report.require(str(path))
    checked = check_candles(join(parts), market.timeframe, now, has_volume=not mark)
    _require_rows(market, checked.report)
    arrays = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
    candles = Candles(market.symbol, market.timeframe, **arrays, synthetic=checked.kept.synthetic)
    merged = merge_candles(folder, candles, source=market.path.name, mark=mark, now=now)
    if len(checked.quarantined):
        quarantine(merged.stored.path, checked.quarantined, market.path.name)
    return Imported(market.symbol, market.timeframe, market.kind, files, checked.report, merged)


def _import_funding(market: MarketFile, files: tuple[Path, ...], folder: Path, now: int) -> Imported:
    if len(files) > 1:
        raise DataError(
            f"import funding of {market.symbol}",
            found=f"{len(files)} files of {market.timeframe}",
            expected="one",
            remedy="Import the files one by one.",
        )
    columns = read_funding_columns(files[0])
    checked = check_funding(columns, now)
    checked.report.require(str(files[0]))
    _require_rows(market, checked.report)
    funding = Funding(market.symbol, checked.kept.time, checked.kept.rate)
    merged = merge_funding(folder, funding, source=files[0].name, synthetic=columns.synthetic, now=now)
    if len(checked.quarantined):
        quarantine(merged.stored.path, checked.quarantined, files[0].name)
    return Imported(market.symbol, market.timeframe, market.kind, files, checked.report, merged)


def _read(path: Path, symbol: str) -> Columns:
    return read_table(path, symbol) if path.name.endswith(TABLE_FORMATS) else read_columns(path)


def _could_hold_candles(path: Path) -> bool:
    return bool(table_ending(path)) and not path.name.endswith(SUFFIX)


def _require_rows(market: MarketFile, report: QualityReport) -> None:
    if not report.kept:
        raise TooLittleHistoryError(
            f"import {market.kind} of {market.symbol}",
            found=f"no closed row in the {report.rows} rows of {market.path}",
            expected="at least one",
            remedy="Download more of the market's history.",
        )
