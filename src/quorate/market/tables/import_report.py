"""Result of an import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.errors import QuorateError
from quorate.market.files.names import Kind
from quorate.market.files.quarantine import side_path
from quorate.market.files.stored import Merged
from quorate.market.quality.quality_report import QualityReport


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of the import of one market.

    Attributes:
        symbol, timeframe, kind: of the market.
        sources: the files that were read.
        report: checks of their rows.
        merged: result of the merge.
        naive: the times have no zone in the files, and are read as UTC or in the zone of the import.
        notes: what was decided about the files.
        conflicting: the files whose rows contradict others.
    """

    symbol: str
    timeframe: str
    kind: Kind
    sources: tuple[Path, ...]
    report: QualityReport
    merged: Merged
    naive: bool = False
    notes: tuple[str, ...] = ()
    conflicting: tuple[Path, ...] = ()

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
            "start": None if self.report.start is None else iso_ms(self.report.start),
            "end": None if self.report.end is None else iso_ms(self.report.end),
            "naive": self.naive,
            "notes": list(self.notes),
            "duplicates": self.merged.duplicates + self.report.duplicates,
            "conflicts": self.conflicts,
            "conflicting": [str(path) for path in self.conflicting],
            "quarantine": None if self.quarantine is None else str(self.quarantine),
            "running": self.report.running,
            "gaps": self.report.gaps,
        }


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was not imported.

    Attributes:
        path: the file.
        error: why, and what to do.
        commands: command lines that import it; the first one is the likely one. Empty where the file has to change.
    """

    path: Path
    error: QuorateError
    commands: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "found": self.error.found,
            "expected": self.error.expected,
            "remedy": self.error.remedy,
            "commands": list(self.commands),
        }


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Result of an import.

    Attributes:
        markets: one result per market.
        skipped: files of folders that hold no candles.
        refused: files that were not imported, each with the reason.
    """

    markets: tuple[Imported, ...]
    skipped: tuple[Path, ...] = ()
    refused: tuple[RefusedFile, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no file was refused, and no row was left out because it contradicts another one."""
        return not self.refused and not any(market.conflicts for market in self.markets)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "markets": [market.to_json() for market in self.markets],
            "skipped": [str(path) for path in self.skipped],
            "refused": [each.to_json() for each in self.refused],
        }
