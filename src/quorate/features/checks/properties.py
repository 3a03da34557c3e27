"""What must hold of every column: no look-ahead, an honest warm-up, and finite values.

Each function compares columns of the whole history with the same columns computed from less or from other candles, and
returns the first bar at which a column differs; None if none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from quorate.core.clock import timeframe_ms
from quorate.core.types import IntArray
from quorate.features.checks.failures import TOLERANCE, Check, ColumnFailure
from quorate.features.checks.markets import CheckMarket
from quorate.features.column import Column
from quorate.features.own import LIVE_BARS, LIVE_ROWS


def repetition(columns: Sequence[Column], market: CheckMarket) -> ColumnFailure | None:
    """Computed twice from the same bars, columns have the same values: they change no array and draw no numbers."""
    bars = market.bars(columns)
    with np.errstate(all="ignore"):
        passes = [[np.array(column.compute(bars), np.float32) for column in columns] for _ in range(2)]
    for column, once, again in zip(columns, *passes, strict=True):
        rows = len(bars) - column.warmup
        time, values = bars.time[column.warmup :], (again[len(again) - rows :], once[len(once) - rows :])
        failure = _difference("repetition", (column,), market, time, values[0][:, None], values[1][:, None])
        if failure is not None:
            return failure
    return None


def truncation(columns: Sequence[Column], market: CheckMarket, cuts: Iterable[int]) -> ColumnFailure | None:
    """Without the bars from a cut on, the rows before it are the same.

    Args:
        columns: that are computed together.
        market: whose candles are cut.
        cuts: rows of the first bar that is removed.
    """
    whole, time = market.compute(columns), market.candles.time
    for cut in cuts:
        less = market.until(int(time[cut])).compute(columns)
        failure = _difference("truncation", columns, market, time, less, whole[: len(less)])
        if failure is not None:
            return failure
    return None


def poisoned_future(
    columns: Sequence[Column], market: CheckMarket, cuts: Iterable[int], *, seed: int
) -> ColumnFailure | None:
    """With random values in the bars from a cut on, the rows before it are the same.

    Args:
        columns: that are computed together.
        market: whose candles are changed.
        cuts: rows of the first bar that is changed.
        seed: of the values.
    """
    whole, time = market.compute(columns), market.candles.time
    for cut in cuts:
        other = market.poisoned(int(time[cut]), seed).compute(columns)
        failure = _difference("poisoned future", columns, market, time, other[:cut], whole[:cut])
        if failure is not None:
            return failure
    return None


def live_tail(columns: Sequence[Column], market: CheckMarket) -> ColumnFailure | None:
    """The newest 120 rows of the newest 498 candles are those of the whole history, within the tolerance."""
    whole = market.compute(columns)[-LIVE_ROWS:]
    live = market.tail(LIVE_BARS).compute(columns)[-LIVE_ROWS:]
    return _difference("live tail", columns, market, market.candles.time[-LIVE_ROWS:], live, whole, TOLERANCE)


def newest_rows(
    columns: Sequence[Column], market: CheckMarket, rows: Iterable[int], *, tolerance: float = 0.0
) -> ColumnFailure | None:
    """A row that is computed alone when its bar has closed, as for a live signal, is that of the whole history."""
    whole, time = market.compute(columns), market.candles.time
    step = timeframe_ms(market.candles.timeframe)
    for row in rows:
        alone = market.until(int(time[row]) + step).compute(columns, newest=1)
        failure = _difference("newest rows", columns, market, time[row:], alone, whole[row : row + 1], tolerance)
        if failure is not None:
            return failure
    return None


def finiteness(columns: Sequence[Column], market: CheckMarket) -> ColumnFailure | None:
    """After the warm-up every value is finite; for columns without context."""
    bars = market.bars(columns)
    for column in columns:
        with np.errstate(all="ignore"):
            values = np.asarray(column.compute(bars), np.float64)[column.warmup - len(bars) :]
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            time = int(bars.time[len(bars) - len(values) + wrong[0]])
            return ColumnFailure(column.name, "finiteness", market.label, time, float(values[wrong[0]]))
    return None


def _difference(
    check: Check,
    columns: Sequence[Column],
    market: CheckMarket,
    time: IntArray,
    found: npt.NDArray[np.float32],
    expected: npt.NDArray[np.float32],
    tolerance: float = 0.0,
) -> ColumnFailure | None:
    """The first row of two (rows, F) matrices that differs, NaN being equal to NaN."""
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        off = np.abs(found - expected) > tolerance * np.maximum(1, np.abs(expected))
    off |= np.isnan(found) != np.isnan(expected)
    if not off.any():
        return None
    row, place = (int(number) for number in np.argwhere(off)[0])
    return ColumnFailure(
        columns[place].name, check, market.label, int(time[row]), float(found[row, place]), float(expected[row, place])
    )
