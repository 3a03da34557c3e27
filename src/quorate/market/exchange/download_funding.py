"""Spans of a market's funding that a download requests, and those that are missing after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from quorate.core.types import IntArray
from quorate.market.quality.funding_gaps import funding_gaps, funding_intervals

Span = tuple[int, int]

# Interval of a market with fewer than two settlements.
_USUAL_INTERVAL_MS = 8 * HOUR_MS

# Exchanges begin to settle some days after the first trade.
_FIRST_SETTLEMENT_MS = 3 * DAY_MS


def wanted_settlements(times: IntArray, start: int, end: int) -> Iterator[Span]:
    """Yield the spans to request: before the first settlement, gaps between settlements, and after the last one.

    Args:
        times: (n,) of the stored settlements, in ms UTC.
        start: of the wanted span, in ms UTC.
        end: of the wanted span, exclusive.
    """
    times = np.unique(times)
    if not len(times):
        if start < end:
            yield start, end
        return
    intervals = _intervals(times)
    if start < times[0] - intervals[0] - MINUTE_MS:
        yield start, min(int(times[0]), end)
    for _, following in funding_gaps(times).tolist():
        last = int(times[np.searchsorted(times, following) - 1])
        if max(start, last + MINUTE_MS) < min(following, end):
            yield max(start, last + MINUTE_MS), min(following, end)
    after = max(start, int(times[-1]) + MINUTE_MS)
    if after < end:
        yield after, end


def missing_settlements(times: IntArray, candles: IntArray, length: int, start: int, end: int) -> tuple[Span, ...]:
    """Spans without settlements in which the market traded when they were due.

    Args:
        times: (n,) of the stored settlements, in ms UTC.
        candles: (m,) open times of the stored candles, in ms UTC.
        length: of a candle, in ms.
        start: of the wanted span, in ms UTC.
        end: of the wanted span, exclusive.

    Returns:
        From when the first missing settlement was due to the next settlement, or to the end; ascending. A market may
        begin to settle three days after a first candle inside the span. None are due without candles.
    """
    candles = np.unique(candles[(candles >= start) & (candles < end)])
    if not len(candles):
        return ()
    first, last = int(candles[0]), min(end, int(candles[-1]) + length)
    if first >= start + length:
        first += _FIRST_SETTLEMENT_MS
    times = np.unique(times)
    if not len(times):
        spans = [(first + _USUAL_INTERVAL_MS, last, _USUAL_INTERVAL_MS)]
    else:
        intervals, gaps = _intervals(times), funding_gaps(times)
        before = (int(times[0]) - first) // int(intervals[0]) * int(intervals[0])
        spans = [(int(times[0]) - before, int(times[0]), int(intervals[0]))]
        rows = np.searchsorted(times, gaps[:, 1]) - 1
        spans += [
            (due, following, due - int(times[row])) for (due, following), row in zip(gaps.tolist(), rows, strict=True)
        ]
        # The newest settlement may not be published yet.
        spans.append((int(times[-1] + intervals[-1]), last - int(intervals[-1]), int(intervals[-1])))
    found = (_traded_span(*span, candles, length, start, end) for span in spans)
    return tuple(span for span in found if span is not None)


def _traded_span(
    first: int, last: int, interval: int, candles: IntArray, length: int, start: int, end: int
) -> Span | None:
    """From the first time at which a settlement was due and the market traded, to the end of a span."""
    due = np.arange(first, min(last, end) - MINUTE_MS, interval)
    due = due[due >= start]
    row = np.searchsorted(candles, due, side="left") - 1
    during = (row >= 0) & (due - candles[np.maximum(row, 0)] <= length)
    traded = due[during | ((due == start) & (candles[0] == start))]
    return (int(traded[0]), min(last, end)) if len(traded) else None


def _intervals(times: IntArray) -> IntArray:
    intervals = funding_intervals(times)
    return np.where(intervals > 0, intervals, _USUAL_INTERVAL_MS)
