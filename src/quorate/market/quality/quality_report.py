"""What was found in a file of candles, for a person and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quorate.core.clock import format_ms, iso_ms
from quorate.core.errors import CandleError

#: Prices and volumes beyond these are not of this world, and their ratios would not fit a float32.
LEAST, MOST = 1e-18, 1e18

#: No exchange settles more than the whole position at once.
MOST_FUNDING = 1.0

_EXPECTED = {
    "no_time": "a date in every row",
    "not_finite": "finite numbers",
    "price": f"prices from {LEAST:g} to {MOST:g}",
    "high_low": "low <= open, close <= high",
    "volume": f"a volume of 0, or from {LEAST:g} to {MOST:g}",
    "misaligned": "open times on the timeframe's grid, in UTC",
    "future": "rows that have already opened",
    "rate": f"rates from {-MOST_FUNDING:g} to {MOST_FUNDING:g}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which rows cannot be true.

    Attributes:
        kind: no_time, not_finite, price, high_low, volume, misaligned, future or rate.
        row: the first such row of the file, counted from 0 and without a header.
        time: that row's time in ms UTC; None where it has none.
        value: what was there, in words.
        rows: how many such rows there are.
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
    """What was found in one market's rows.

    Attributes:
        rows: rows in the file; kept: candles that reach the rest of the program.
        start, end: open times of the first and the last kept candle in ms UTC; None where none is kept.
        gaps, missing_bars: how often bars are missing, and how many in all; longest_gap: the most in a row.
        duplicates: rows collapsed into an equal one.
        conflicts: rows quarantined because another row claims the same time with other values.
        out_of_order: rows that were earlier than the row before them.
        running: rows of a bar that is not closed yet.
        zero_volume: kept candles without a trade.
        spikes: open times of single-candle spikes in ms UTC.
        faults: what makes the file unusable; empty when it can be read.
    """

    rows: int
    kept: int
    start: int | None = None
    end: int | None = None
    gaps: int = 0
    missing_bars: int = 0
    longest_gap: int = 0
    duplicates: int = 0
    conflicts: int = 0
    out_of_order: int = 0
    running: int = 0
    zero_volume: int = 0
    spikes: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file can be read: nothing in it has to be rejected."""
        return not self.faults

    def require(self, name: str) -> None:
        """Refuse rows that cannot be true.

        Raises:
            CandleError: the first fault, by file, row and value.
        """
        if self.faults:
            fault = min(self.faults, key=lambda fault: fault.row)
            raise CandleError(
                f"use the rows of {name}",
                found=str(fault),
                expected=_EXPECTED[fault.kind],
                remedy="Remove or download these rows again; 'quorate data check' lists every fault of a folder.",
            )

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in self.__slots__ if name not in ("start", "end")}
        counts["spikes"] = [iso_ms(time) for time in self.spikes]
        counts["faults"] = [fault.to_json() for fault in self.faults]
        return {"ok": self.ok, "start": _iso(self.start), "end": _iso(self.end), **counts}


def _iso(time: int | None) -> str | None:
    """ISO 8601, or None where there is no time or no calendar has it."""
    return None if time is None or not 0 <= time < 253_402_300_800_000 else iso_ms(time)
