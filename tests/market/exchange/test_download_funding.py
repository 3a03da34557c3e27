"""Settlements that a download requests and misses: worked examples in hours."""

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.market.exchange.download_funding import missing_settlements, wanted_settlements

MINUTE = 60_000


def hours(*values):
    return np.array(values, dtype=np.int64) * HOUR_MS


def missing(times, candles, start=0, end=200):
    found = missing_settlements(hours(*times), hours(*candles), HOUR_MS, start * HOUR_MS, end * HOUR_MS)
    return [(first / HOUR_MS, last / HOUR_MS) for first, last in found]


def test_gaps_inside_and_both_ends_are_requested():
    times = hours(16, 24, 32, 56, 64, 72)
    assert list(wanted_settlements(times, 0, 100 * HOUR_MS)) == [
        (0, 16 * HOUR_MS),
        (32 * HOUR_MS + MINUTE, 56 * HOUR_MS),
        (72 * HOUR_MS + MINUTE, 100 * HOUR_MS),
    ]
    assert list(wanted_settlements(times, 60 * HOUR_MS, 62 * HOUR_MS)) == []
    assert list(wanted_settlements(hours(), 5, 9)) == [(5, 9)]


@pytest.mark.parametrize(
    ("times", "candles", "expected"),
    [
        (range(0, 200, 8), range(200), []),
        (range(0, 200, 1), range(200), []),
        # A hole while the market traded, of two settlements of eight hours and of seven of one hour.
        ([*range(0, 100, 8), *range(120, 200, 8)], range(200), [(104, 120)]),
        ([*range(100), *range(107, 200)], range(200), [(100, 107)]),
        # The same hole in a halt, and in one that ends before the next settlement.
        ([*range(0, 100, 8), *range(120, 200, 8)], [*range(98), *range(115, 200)], []),
        # The newest 100 hours only.
        (range(104, 200, 8), range(200), [(0, 104)]),
        # Listed inside the span: some days until the first settlement.
        (range(104, 200, 8), range(50, 200), []),
        # Nothing after hour 120.
        (range(0, 121, 8), range(200), [(128, 192)]),
        # The newest one may come late.
        (range(0, 192, 8), range(199), []),
        # None at all.
        ([], range(200), [(8, 200)]),
        ([], range(6), []),
        ([], [], []),
    ],
)
def test_what_is_missing(times, candles, expected):
    assert missing(times, candles) == expected
