"""Checks of candle and funding rows.

| fault | consequence |
|---|---|
| no time, NaN or infinite, price or volume out of range, high or low violated, misaligned, future | rejected |
| exact duplicate | collapsed to one row |
| conflicting duplicate | every row of that time is quarantined; the bar becomes a gap |
| rows out of order | sorted, before duplicates are searched |
| gap, in candles or in funding | kept |
| a bar that is not closed | left out |
| zero volume, a quiet bar (see `quiet_bars`), single-candle spike | reported |
| change of price scale, also inside a bar (see `changes_inside`) | reported |

Pure functions of columns; the current time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import bar_offset_ms, timeframe_ms
from quorate.core.scale_changes import ScaleChange, scale_changes
from quorate.core.sections.market import QualitySettings
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, BoolArray, FloatArray, IntArray
from quorate.market.columns import Columns, FundingColumns, differs
from quorate.market.quality.changes_inside import changes_inside
from quorate.market.quality.funding_gaps import funding_gaps
from quorate.market.quality.quality_report import LEAST, MOST, MOST_FUNDING, Fault, QualityReport
from quorate.market.quality.quiet_bars import quiet_bars


@dataclass(frozen=True, slots=True, eq=False)
class CheckedCandles:
    """Result of `check_candles`.

    Attributes:
        report: what was found.
        kept: the closed rows, sorted; to be used only where the report is ok.
        quarantined: rows in conflict with another row of their time.
    """

    report: QualityReport
    kept: Columns
    quarantined: Columns


@dataclass(frozen=True, slots=True, eq=False)
class CheckedFunding:
    """Result of `check_funding`, as `CheckedCandles`."""

    report: QualityReport
    kept: FundingColumns
    quarantined: FundingColumns


def check_candles(
    columns: Columns, timeframe: str, now: int, *, has_volume: bool = True, settings: QualitySettings | None = None
) -> CheckedCandles:
    """Check candle rows.

    Args:
        columns: rows in file order.
        timeframe: their timeframe.
        now: the current time in ms UTC; a bar is closed once time + timeframe <= now.
        has_volume: False for mark prices: their volume is set to 0.
        settings: limits of a spike; None for the defaults.
    """
    if not has_volume:
        columns = Columns(
            **{name: getattr(columns, name) for name in ("time", *PRICE_COLUMNS)},
            volume=np.zeros(len(columns)),
            synthetic=columns.synthetic,
        )
    rows = len(columns)
    faults, faulty = _faults(columns, timeframe, now)
    if faults:
        columns = columns.take(~faulty)
    columns, out_of_order = _sorted(columns)
    closed = int(np.searchsorted(columns.time, now - timeframe_ms(timeframe), side="right"))
    running = len(columns) - closed
    if running:
        columns = columns.take(np.arange(closed))
    keep, conflict = _duplicates(columns.time, [getattr(columns, name) for name in CANDLE_COLUMNS])
    quarantined = columns.take(conflict)
    duplicates = len(columns) - int(keep.sum()) - len(quarantined)
    if duplicates or len(quarantined):
        columns = columns.take(keep)
    missing = _missing(columns.time, timeframe)
    spikes = _spikes(columns, timeframe, settings or QualitySettings())
    report = QualityReport(
        rows=rows,
        kept=len(columns),
        start=int(columns.time[0]) if len(columns) else None,
        end=int(columns.time[-1]) if len(columns) else None,
        gaps=int(np.count_nonzero(missing)),
        missing_bars=int(missing.sum()),
        longest_gap=int(missing.max(initial=0)),
        largest_gaps=_largest(columns.time, missing, timeframe),
        duplicates=duplicates,
        conflicts=len(quarantined),
        out_of_order=out_of_order,
        running=running,
        zero_volume=int(np.count_nonzero(columns.volume == 0)) if has_volume else 0,
        quiet=int(np.count_nonzero(quiet_bars(columns))) if has_volume else 0,
        spikes=spikes,
        scale_changes=_scale_changes(columns, timeframe, spikes),
        changes_inside=changes_inside(columns),
        faults=faults,
    )
    return CheckedCandles(report, columns, quarantined)


def check_funding(columns: FundingColumns, now: int) -> CheckedFunding:
    """Check funding rows; `now` is the current time in ms UTC.

    A gap is judged by the market's own interval on both sides, since exchanges change it. Times are rounded down to the
    minute, since exchanges stamp settlements some milliseconds late.
    """
    known = columns.time > 0
    finite = np.isfinite(columns.rate)
    with np.errstate(invalid="ignore"):
        possible = np.abs(columns.rate) <= MOST_FUNDING
    masks = {
        "no_time": ~known,
        "not_finite": known & ~finite,
        "rate": known & finite & ~possible,
        "future": known & finite & possible & (columns.time > now),
    }
    faults = tuple(
        _fault(kind, mask, columns.time, lambda row: f"the rate {float(columns.rate[row])!r}")
        for kind, mask in masks.items()
        if mask.any()
    )
    good = ~np.logical_or.reduce(list(masks.values()))
    time, rate = columns.time[good] // 60_000 * 60_000, columns.rate[good]
    out_of_order = int(np.count_nonzero(time[1:] < time[:-1]))
    order = np.argsort(time, kind="stable")
    time, rate = time[order], rate[order]
    keep, conflict = _duplicates(time, [rate])
    kept = FundingColumns(time[keep], rate[keep], columns.synthetic)
    quarantined = FundingColumns(time[conflict], rate[conflict], columns.synthetic)
    gaps = tuple((int(start), int(end)) for start, end in funding_gaps(kept.time))
    report = QualityReport(
        rows=len(columns),
        kept=len(kept),
        start=int(kept.time[0]) if len(kept) else None,
        end=int(kept.time[-1]) if len(kept) else None,
        duplicates=len(time) - len(kept) - len(quarantined),
        conflicts=len(quarantined),
        out_of_order=out_of_order,
        gaps=len(gaps),
        funding_gaps=gaps,
        faults=faults,
    )
    return CheckedFunding(report, kept, quarantined)


def _faults(columns: Columns, timeframe: str, now: int) -> tuple[tuple[Fault, ...], BoolArray]:
    """Each kind of fault with its first row, and a mask of all faulty rows."""
    low, high, volume = columns.low, columns.high, columns.volume
    # One pass for the usual case of no fault; NaN fails every comparison.
    good = (low >= LEAST) & (low <= columns.open) & (low <= columns.close)
    good &= (columns.open <= high) & (columns.close <= high) & (high <= MOST)
    good &= (volume == 0) | ((volume >= LEAST) & (volume <= MOST))
    on_grid = _on_grid(columns.time, timeframe)
    good &= on_grid & (columns.time > 0) & (columns.time <= now)
    if good.all():
        return (), ~good
    prices = [getattr(columns, name) for name in PRICE_COLUMNS]
    masks = {
        "no_time": columns.time <= 0,
        "not_finite": ~np.logical_and.reduce([np.isfinite(values) for values in (*prices, volume)]),
        "price": ~np.logical_and.reduce([(values >= LEAST) & (values <= MOST) for values in prices]),
        "high_low": (high < np.maximum(columns.open, columns.close)) | (low > np.minimum(columns.open, columns.close)),
        "volume": ~((volume == 0) | ((volume >= LEAST) & (volume <= MOST))),
        "misaligned": ~on_grid,
        "future": columns.time > now,
    }
    faults, unexplained = [], ~good
    for kind, mask in masks.items():
        first_reason = mask & unexplained
        unexplained &= ~mask
        if first_reason.any():
            faults.append(_fault(kind, first_reason, columns.time, lambda row: _values(columns, kind, row)))  # noqa: B023
    return tuple(faults), ~good


def _fault(kind: str, mask: BoolArray, time: IntArray, value: Any) -> Fault:
    row = int(np.argmax(mask))
    moment = int(time[row])
    value_text = "its open time" if kind in ("misaligned", "future") else "no date" if kind == "no_time" else value(row)
    return Fault(kind, row, moment if moment > 0 else None, value_text, int(np.count_nonzero(mask)))


def _values(columns: Columns, kind: str, row: int) -> str:
    """The values of a row that a fault concerns, as text."""
    value = {name: float(getattr(columns, name)[row]) for name in CANDLE_COLUMNS}
    if kind == "not_finite":
        name = next(name for name in CANDLE_COLUMNS if not np.isfinite(value[name]))
    elif kind == "price":
        name = next(name for name in PRICE_COLUMNS if not LEAST <= value[name] <= MOST)
    elif kind == "volume":
        name = "volume"
    else:
        return ", ".join(f"{name} {value[name]!r}" for name in PRICE_COLUMNS)
    return f"{name} {value[name]!r}"


def _on_grid(time: IntArray, timeframe: str) -> BoolArray:
    """(n,) bool, whether each time is an open time of this timeframe."""
    length, offset = timeframe_ms(timeframe), bar_offset_ms(timeframe)
    if len(time) and (time[0] - offset) % length == 0 and bool((np.diff(time) == length).all()):
        return np.ones(len(time), dtype=np.bool_)
    on_grid: BoolArray = (time - offset) % length == 0
    return on_grid


def _sorted(columns: Columns) -> tuple[Columns, int]:
    """Rows sorted by time, and the number of rows that were earlier than the previous one."""
    out_of_order = int(np.count_nonzero(columns.time[1:] < columns.time[:-1]))
    if out_of_order:
        columns = columns.take(np.argsort(columns.time, kind="stable"))
    return columns, out_of_order


def _duplicates(time: IntArray, values: list[FloatArray]) -> tuple[BoolArray, BoolArray]:
    """Masks over sorted rows: rows to keep, and rows in conflict with another row of their time."""
    first = np.ones(len(time), dtype=np.bool_)
    first[1:] = time[1:] != time[:-1]
    if first.all():
        return first, np.zeros(len(time), dtype=np.bool_)
    group = np.cumsum(first) - 1
    leader = np.flatnonzero(first)[group]
    apart = np.logical_or.reduce([differs(column, column[leader]) for column in values])
    conflict = np.bincount(group, weights=apart)[group] > 0
    return first & ~conflict, conflict


def _missing(time: IntArray, timeframe: str) -> IntArray:
    """(n-1,) number of missing bars after each bar but the last."""
    return np.diff(time) // timeframe_ms(timeframe) - 1


def _largest(time: IntArray, missing: IntArray, timeframe: str) -> tuple[tuple[int, int], ...]:
    """The three longest gaps, longest first: times of the first missing bar and of the next one there is."""
    places = np.argsort(-missing, kind="stable")[:3]
    length = timeframe_ms(timeframe)
    return tuple((int(time[place]) + length, int(time[place + 1])) for place in places if missing[place])


def _scale_changes(columns: Columns, timeframe: str, spikes: tuple[int, ...]) -> tuple[ScaleChange, ...]:
    """Changes of scale, without the two that a single candle of another scale makes: that candle is a spike."""
    found = scale_changes(columns, timeframe)
    lone = {time + shift for time in spikes for shift in (0, timeframe_ms(timeframe))}
    return tuple(change for change in found if change.missing or change.time not in lone)


def _spikes(columns: Columns, timeframe: str, settings: QualitySettings) -> tuple[int, ...]:
    """Open times of bars whose high or low exceeds both neighbours' by the limits of a spike."""
    if len(columns) < 3:
        return ()
    high, low = columns.high, columns.low
    above = high[1:-1] / np.maximum(high[:-2], high[2:]) - 1
    below = np.minimum(low[:-2], low[2:]) / low[1:-1] - 1
    excess = np.maximum(above, below)
    bars = np.flatnonzero(excess > settings.spike) + 1
    if bars.size == 0:
        return ()
    usual = float(np.median(np.abs(np.diff(columns.close) / columns.close[:-1])))
    bars = bars[excess[bars - 1] > settings.spike_moves * usual]
    neighbours = columns.time[bars + 1] - columns.time[bars - 1] == 2 * timeframe_ms(timeframe)
    return tuple(columns.time[bars[neighbours]].tolist())
