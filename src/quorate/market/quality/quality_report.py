"""Report of the checks of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quorate.core.clock import format_ms, iso_ms
from quorate.core.errors import CandleError
from quorate.core.scale_changes import ScaleChange

#: Range of valid prices and volumes; ratios beyond it would not fit a float32.
LEAST, MOST = 1e-18, 1e18

#: Largest funding rate in size: the whole position.
MOST_FUNDING = 1.0

_EXPECTED = {
    "no_time": "a date in every row",
    "not_finite": "finite numbers",
    "price": f"prices from {LEAST:g} to {MOST:g}",
    "high_low": "low <= open, close <= high",
    "volume": f"a volume of 0, or from {LEAST:g} to {MOST:g}",
    "misaligned": "open times on the timeframe's grid, in UTC",
    "future": "open times in the past",
    "rate": f"rates from {-MOST_FUNDING:g} to {MOST_FUNDING:g}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of invalid rows.

    Attributes:
        kind: no_time, not_finite, price, high_low, volume, misaligned, future or rate.
        row: number of the first such row, from 0, the header not counted.
        time: time of that row in ms UTC; None where it has none.
        value: its value, as text.
        rows: number of such rows.
    """

    kind: str
    row: int
    time: int | None
    value: str
    rows: int

    def __str__(self) -> str:
        when = "without a time" if self.time is None else f"at {format_ms(self.time)}"
        others = f" ({self.rows} such rows)" if self.rows > 1 else ""
        return f"row {self.row} {when} with {self.value}{others}"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "row": self.row,
            "time": _iso(self.time),
            "value": self.value,
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Result of the checks of one market's rows.

    Attributes:
        rows: number of rows in the file.
        kept: number of valid, closed candles.
        start, end: open times of the first and the last kept candle in ms UTC; None where none is kept.
        gaps: number of gaps.
        missing_bars: number of missing bars.
        longest_gap: largest number of consecutive missing bars.
        largest_gaps: the longest gaps, at most 3: times of the first missing bar and of the next bar, in ms UTC.
        duplicates: rows dropped because they equal another row of the same time.
        conflicts: rows quarantined because another row of the same time has other values.
        out_of_order: rows earlier than the previous row.
        running: rows of a bar that is not closed.
        zero_volume: kept candles without volume.
        quiet: those of them whose four prices are equal: bars without a trade, or filled in by another program.
        spikes: open times of single-candle spikes in ms UTC.
        scale_changes: bars from which on prices are at another scale, such as after a redenomination.
        changes_inside: bars that seem to open at one price scale and close at another.
        funding_gaps: spans between settlements in which at least one is missing: when the first was due, and when
            settlements begin again, in ms UTC.
        faults: reasons to reject the file; empty when it can be used.
    """

    rows: int
    kept: int
    start: int | None = None
    end: int | None = None
    gaps: int = 0
    missing_bars: int = 0
    longest_gap: int = 0
    largest_gaps: tuple[tuple[int, int], ...] = ()
    duplicates: int = 0
    conflicts: int = 0
    out_of_order: int = 0
    running: int = 0
    zero_volume: int = 0
    quiet: int = 0
    spikes: tuple[int, ...] = ()
    scale_changes: tuple[ScaleChange, ...] = ()
    changes_inside: tuple[ScaleChange, ...] = ()
    funding_gaps: tuple[tuple[int, int], ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file can be used."""
        return not self.faults

    def require(self, name: str) -> None:
        """Check that the file can be used; `name` names it in the error.

        Raises:
            CandleError: the first fault, with file, row and value.
        """
        if self.faults:
            fault = min(self.faults, key=lambda fault: fault.row)
            raise CandleError(
                f"use the rows of {name}",
                found=str(fault),
                expected=_EXPECTED[fault.kind],
                remedy="Remove these rows or download them again; `quorate data check` lists all faults of a folder.",
            )

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in self.__slots__ if name not in ("start", "end")}
        counts["spikes"] = [iso_ms(time) for time in self.spikes]
        counts["scale_changes"] = [change.to_json() for change in self.scale_changes]
        counts["changes_inside"] = [
            {"time": iso_ms(change.time), "factor": change.factor} for change in self.changes_inside
        ]
        for name in ("funding_gaps", "largest_gaps"):
            counts[name] = [{"from": iso_ms(start), "to": iso_ms(end)} for start, end in getattr(self, name)]
        counts["faults"] = [fault.to_json() for fault in self.faults]
        return {"ok": self.ok, "start": _iso(self.start), "end": _iso(self.end), **counts}


def _iso(time: int | None) -> str | None:
    """ISO 8601; None without a time or for one outside the calendar."""
    return None if time is None or not 0 <= time < 253_402_300_800_000 else iso_ms(time)
