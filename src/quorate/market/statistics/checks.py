"""Checks of rows of market statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import bar_offset_ms, format_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.types import STATISTICS, BoolArray, FloatArray, IntArray, MarketStatistics
from quorate.market.columns import differs
from quorate.market.quality.quality_report import MOST, QualityReport


@dataclass(frozen=True, slots=True, eq=False)
class StatisticRows:
    """Rows of market statistics in file order, not sorted and not checked.

    Attributes:
        time: (n,) int64, when the intervals begin, in ms UTC; `NO_TIME` where there is none.
        values: name -> (n,) float64 of some of `STATISTICS`; NaN where unknown.
    """

    time: IntArray
    values: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: IntArray | BoolArray) -> StatisticRows:
        """Select rows by indices or by a mask."""
        return StatisticRows(self.time[rows], {name: values[rows] for name, values in self.values.items()})

    @classmethod
    def joined(cls, parts: Sequence[StatisticRows]) -> StatisticRows:
        """The rows of several files one after the other."""
        names = [name for name in STATISTICS if any(name in part.values for part in parts)]
        time = np.concatenate([np.zeros(0, np.int64), *(part.time for part in parts)])
        return cls(time, {name: np.concatenate([part.column(name) for part in parts]) for name in names})

    def column(self, name: str) -> FloatArray:
        """(n,) values of a statistic, NaN where the file does not have it."""
        return self.values.get(name, np.full(len(self), np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class CheckedStatistics:
    """Checked rows.

    Attributes:
        report: counts of what was found.
        kept: the rows of closed intervals, sorted, each interval once.
        quarantined: rows that contradict another row of their interval.
    """

    report: QualityReport
    kept: MarketStatistics
    quarantined: StatisticRows


def check_statistics(rows: StatisticRows, symbol: str, timeframe: str, now: int, source: str) -> CheckedStatistics:
    """Check rows of one market and sort them; rows of one interval that do not contradict each other become one.

    Rows without any value and the interval that is still running are left out.

    Args:
        rows: of one market.
        symbol: in ccxt's form.
        timeframe: length of an interval.
        now: the current time in ms UTC.
        source: names the rows in errors.

    Raises:
        DataError: a row without a time, in the future or off the grid of the timeframe, or a value that cannot be:
            with its row and value.
    """
    _require_times(rows.time, timeframe, now, source)
    _require_values(rows, source)
    known = np.zeros(len(rows), np.bool_)
    for values in rows.values.values():
        known |= np.isfinite(values)
    closed = rows.time <= newest_closed_ms(timeframe, now)
    out_of_order = int(np.count_nonzero(rows.time[1:] < rows.time[:-1]))
    good = rows.take(known & closed)
    good = good.take(np.argsort(good.time, kind="stable"))
    kept, quarantined = _each_once(good)
    length = timeframe_ms(timeframe)
    holes = np.diff(kept.time) // length - 1 if len(kept) else np.zeros(0, np.int64)
    report = QualityReport(
        rows=len(rows),
        kept=len(kept),
        start=int(kept.time[0]) if len(kept) else None,
        end=int(kept.time[-1]) if len(kept) else None,
        gaps=int(np.count_nonzero(holes)),
        missing_bars=int(holes.sum()),
        longest_gap=int(holes.max(initial=0)),
        duplicates=len(good) - len(kept) - len(quarantined),
        conflicts=len(quarantined),
        out_of_order=out_of_order,
        running=int(np.count_nonzero(~closed)),
    )
    return CheckedStatistics(report, MarketStatistics.of(symbol, timeframe, kept.time, kept.values), quarantined)


def _each_once(rows: StatisticRows) -> tuple[StatisticRows, StatisticRows]:
    """Sorted rows with each interval once, of the values that are known in any of its rows; and the contradicting."""
    first = np.ones(len(rows), np.bool_)
    first[1:] = rows.time[1:] != rows.time[:-1]
    if first.all():
        return rows, rows.take(~first)
    group = np.cumsum(first) - 1
    groups = int(group[-1]) + 1
    merged, apart = {}, np.zeros(groups, np.bool_)
    for name, values in rows.values.items():
        known = np.isfinite(values)
        value = np.full(groups, np.nan)
        value[group[known][::-1]] = values[known][::-1]  # the first known one of each interval
        merged[name] = value
        np.logical_or.at(apart, group[known], differs(values[known], value[group[known]]))
    whole = StatisticRows(rows.time[first], merged)
    return whole.take(~apart), rows.take(apart[group])


def _require_times(time: IntArray, timeframe: str, now: int, source: str) -> None:
    length, offset = timeframe_ms(timeframe), bar_offset_ms(timeframe)
    for mask, found, expected in (
        (time <= 0, "without a time", "a time in every row"),
        (time > now, "in the future", "times in the past, in UTC"),
        (
            (time - offset) % length != 0,
            "off the grid",
            f"intervals that begin at whole multiples of {timeframe}, in UTC",
        ),
    ):
        if mask.any():
            row = int(np.argmax(mask))
            when = f" at {format_ms(int(time[row]))}" if time[row] > 0 else ""
            raise _refused(source, f"row {row}{when} {found}", expected)


def _require_values(rows: StatisticRows, source: str) -> None:
    for name, values in rows.values.items():
        least, most = (-1.0, 1.0) if name == "premium" else (0.0, MOST)
        with np.errstate(invalid="ignore"):
            wrong = ~np.isnan(values) & ~((values >= least) & (values <= most))
        if wrong.any():
            row = int(np.argmax(wrong))
            found = f"row {row} at {format_ms(int(rows.time[row]))} with {name} {float(values[row])!r}"
            raise _refused(source, found, f"{name} from {least:g} to {most:g}")


def _refused(source: str, found: str, expected: str) -> DataError:
    return DataError(
        f"use the market statistics of {source}",
        found=found,
        expected=expected,
        remedy="Remove these rows, or download the file again.",
    )
