"""Window of the newest closed candles of one market."""

import numpy as np

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.market.columns import Columns
from quorate.market.exchange.live_windows import LiveWindow

START = parse_ms("2024-01-01")
NONE = np.zeros(0, dtype=np.int64)


def rows(*bars: int, price: float = 100.0) -> Columns:
    time = START + HOUR_MS * np.array(bars, dtype=np.int64)
    flat = np.full(len(bars), price) + np.array(bars)
    return Columns(time, flat, flat + 1, flat - 1, flat, np.ones(len(bars)))


def bars_of(window: LiveWindow) -> list[int]:
    return ((window.candles.time - START) // HOUR_MS).tolist()


def test_a_window_grows_and_keeps_gaps():
    window = LiveWindow("A/B:B", "1h")
    assert (window.newest, window.upto(START, 5), window.open_of(START)) == (None, None, None)
    assert window.add(rows(), rows(0)) == ()
    assert window.open_of(START) == 100.0
    window.add(rows(0, 1, 3), rows(4))
    window.add(rows(3, 4, 5), rows(6))
    assert bars_of(window) == [0, 1, 3, 4, 5]
    assert window.newest == START + 5 * HOUR_MS
    assert [window.open_of(START + bar * HOUR_MS) for bar in (1, 2, 6, 7)] == [101.0, None, 106.0, None]


def test_a_late_candle_is_put_in_its_place():
    window = LiveWindow("A/B:B", "1h")
    window.add(rows(0, 1, 3), rows())
    assert window.add(rows(2), rows()) == ()
    assert bars_of(window) == [0, 1, 2, 3]


def test_a_revised_candle_is_believed_and_named():
    window = LiveWindow("A/B:B", "1h")
    window.add(rows(0, 1, 2), rows())
    assert window.add(rows(1, 2), rows()) == ()
    changed = rows(1, 2, 3)
    changed.close[1] += 0.5
    assert window.add(changed, rows()) == (START + 2 * HOUR_MS,)
    assert window.candles.close.tolist() == [100.0, 101.0, 102.5, 103.0]


def test_a_window_ends_at_the_bar_and_has_its_length():
    window = LiveWindow("A/B:B", "1h")
    window.add(rows(*range(10)), rows(10))
    held = window.upto(START + 6 * HOUR_MS, 4)
    assert ((held.time - START) // HOUR_MS).tolist() == [3, 4, 5, 6]
    window.forget(START + 6 * HOUR_MS, 4)
    assert bars_of(window) == [3, 4, 5, 6, 7, 8, 9]
    assert window.upto(START + 2 * HOUR_MS, 4) is None
