"""Files of candles that were checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.clock import format_ms, iso_ms, timeframe_ms
from quorate.core.text import counted
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.results import listing
from quorate.workflows.results.market_files import FileTable

if TYPE_CHECKING:
    from quorate.market.files.inspection import FileReport
    from quorate.market.quality.quality_report import QualityReport


@dataclass(frozen=True, slots=True, repr=False)
class CheckResult(FileTable):
    """The result of checking the files of a folder.

    Attributes:
        folder: the Freqtrade data folder.
        files: one report a file.
    """

    folder: Path
    files: tuple[FileReport, ...]

    @property
    def ok(self) -> bool:
        """Whether no file is rejected."""
        return all(file.ok for file in self.files)

    @property
    def scale_changes(self) -> tuple[str, ...]:
        """Changes of candles' price scale, in the form that `quorate data split` takes."""
        return tuple(change.text for change in self._changes() if not change.inside)

    @property
    def changes_inside(self) -> tuple[str, ...]:
        """Suspected changes inside a bar, in the same form: the times lie inside the bars."""
        return tuple(change.text for change in self._changes() if change.inside)

    def _changes(self) -> list[_Change]:
        """Changes of all files; of those that files of several timeframes show, the one of the shortest bars."""
        found: list[_Change] = []
        for file in sorted(self.files, key=lambda file: (file.symbol, timeframe_ms(file.timeframe))):
            if file.report is None or file.kind not in ("spot", "futures"):
                continue
            length = timeframe_ms(file.timeframe)
            shown = [_Change(file.symbol, each.time, each.factor, False) for each in file.report.scale_changes]
            shown += [
                _Change(file.symbol, each.time + length // 2, each.factor, True) for each in file.report.changes_inside
            ]
            found += [change for change in shown if not any(change.repeats(other, length) for other in found)]
        return found

    @property
    def rejected(self) -> int:
        """Number of files that are rejected."""
        return sum(not file.ok for file in self.files)

    @property
    def title(self) -> str:
        total = sum(file.report.rows for file in self.files if file.report is not None)
        return f"{counted(len(self.files), 'file')} in {self.folder}, {counted(total, 'row')}, {self.rejected} rejected"

    @property
    def marks(self) -> tuple[str, ...]:
        return (SYNTHETIC,) if any(file.synthetic for file in self.files) else ()

    @property
    def lines(self) -> listing.Lines:
        rows = []
        for file in self.files:
            report, result = file.report, _result(file)
            found = [] if report is None else _found(report)
            counts = ("", "") if report is None else (f"{report.rows:,}", f"{report.gaps:,}")
            rows.append((file.path.name, result, *counts, "; ".join(filter(None, [*found, file.note, file.error]))))
        return listing.Lines(("file", "result", "rows", "gaps", "found"), tuple(rows))

    def brief(self, most: int) -> listing.Lines:
        """The files with a problem, rejected ones first, with dates; at most so many.

        Bars without volume and bars that are not closed are no problem; `lines` shows them too.
        """
        found = [(file, problems) for file in self.files if (problems := _problems(file))]
        found.sort(key=lambda each: each[0].ok)
        rows = [(file.path.name, _result(file), problems) for file, problems in found[:most]]
        return listing.Lines(("file", "result", "found"), tuple(rows))

    @property
    def with_problems(self) -> int:
        """Number of files that `brief` would list."""
        return sum(bool(_problems(file)) for file in self.files)

    def rows(self) -> list[dict[str, Any]]:
        return self.to_json()

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate data check --json`."""
        return [file.to_json() for file in self.files]


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of scale at a time, or inside the bar that holds it."""

    symbol: str
    time: int
    factor: float
    inside: bool

    @property
    def text(self) -> str:
        return f"{self.symbol}={_round(self.factor):g}@{iso_ms(self.time)[:16]}"

    def repeats(self, other: _Change, length: int) -> bool:
        """Whether bars of this length would show the change of another file here."""
        near = abs(self.time - other.time) <= length and abs(math.log(self.factor / other.factor)) < math.log(2)
        return near and self.symbol == other.symbol


def _round(factor: float) -> float:
    """A factor that is likely to be meant: the power of ten within a third, else two digits."""
    power = 10.0 ** round(math.log10(factor))
    return power if power != 1 and 0.75 <= factor / power <= 1 / 0.75 else float(f"{factor:.2g}")


def _problems(file: FileReport) -> str:
    """What is wrong with a file, with dates; empty if nothing is."""
    report = file.report
    found = [file.error, file.note]
    if report is not None:
        found = [*map(str, report.faults), *found, *_changes(report, most=1)]
        if report.conflicts:
            found.append(counted(report.conflicts, "conflicting row"))
        if report.gaps and report.largest_gaps:
            start, end = report.largest_gaps[0]
            missing = counted(report.missing_bars, "missing bar")
            longest = "" if report.gaps == 1 else "the longest "
            found.append(f"{counted(report.gaps, 'gap')} of {missing}, {longest}{format_ms(start)} to {format_ms(end)}")
        if report.spikes:
            found.append(f"{counted(len(report.spikes), 'spike')}, first at {format_ms(report.spikes[0])}")
    return "; ".join(filter(None, found))


def _result(file: FileReport) -> str:
    return "rejected" if not file.ok else "missing" if file.note else "ok"


def _changes(report: QualityReport, most: int | None = None) -> list[str]:
    """Changes of the price scale, and spans without funding, of which at most so many."""
    found = [f"price scale {change} at {format_ms(change.time)}" for change in report.scale_changes]
    found += [
        f"suspected change of the price scale {change} inside the bar at {format_ms(change.time)}"
        for change in report.changes_inside
    ]
    gaps = [f"no funding from {format_ms(start)} to {format_ms(end)}" for start, end in report.funding_gaps]
    return [*found, *gaps[:most], *([f"{len(gaps) - most} more such spans"] if most and gaps[most:] else [])]


def _found(report: QualityReport) -> list[str]:
    """Counts of what was found, and the faults for which a file is rejected."""
    counts = (
        (report.missing_bars, "missing bar", "missing bars"),
        (report.duplicates, "equal duplicate", "equal duplicates"),
        (report.conflicts, "conflicting row", "conflicting rows"),
        (report.out_of_order, "row out of order", "rows out of order"),
        (report.running, "bar not closed", "bars not closed"),
        (report.zero_volume, "bar without volume", "bars without volume"),
        (report.quiet, *2 * ("of them quiet, of one price",)),
        (len(report.spikes), "spike", "spikes"),
    )
    found = [counted(count, one, many) for count, one, many in counts if count]
    return [*found, *_changes(report), *map(str, report.faults)]
