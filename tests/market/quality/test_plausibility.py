"""Newest prices against the bars beside them, by hand."""

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import QualitySettings
from quorate.market.columns import Columns
from quorate.market.quality.plausibility import excess, judge, limit

BEFORE = [(100, 101, 99, 100), (100, 101, 99, 100.5), (100.5, 101, 99, 100)]


def columns(rows, first=0, times=None):
    table = np.array(rows, float).reshape(-1, 4)
    time = HOUR_MS * (np.array(times) if times is not None else first + np.arange(len(table)))
    return Columns(time.astype(np.int64), *table.T, np.ones(len(table)))


@pytest.mark.parametrize(
    ("rows", "verdicts"),
    [
        ([(100, 110, 99, 109)], "b"),  # 110 / 101 is 8.9 % above, within 10 %
        ([(100, 112, 99, 109)], "d"),  # 10.9 %
        ([(100, 101, 90.1, 91)], "b"),  # 99 / 90.1 is 9.9 % below
        ([(100, 101, 89, 91)], "d"),
        ([(100, 112, 99, 109), (109, 112, 108, 110)], "bb"),  # the next bar agrees
        ([(100, 130, 99, 100), (100, 101, 99, 100)], "bb"),  # a spike, as in stored candles
        ([(100, 505, 99, 100), (100, 101, 99, 100)], "fb"),  # 5 times: `scale_adjacent`
        ([(100, 504, 99, 100), (100, 101, 99, 100)], "bb"),
        ([(100, 101, 0.1, 100), (100, 101, 99, 100)], "fb"),
        ([(1e5, 1.01e5, 9.9e4, 1e5), (1e5, 1.01e5, 9.9e4, 1e5)], "bb"),  # another scale that lasts
        ([(1e5, 1.01e5, 9.9e4, 1e5), (100, 101, 99, 100), (100, 101, 99, 100)], "fbb"),
        ([(1e5, 1.01e5, 9.9e4, 1e5), (1, 1.01, 0.99, 1)], "fd"),  # three scales in three bars
    ],
)
def test_each_bar_by_its_neighbours(rows, verdicts):
    found = judge(columns(BEFORE), columns(rows, 3), "1h")
    assert not (found.believed & found.doubtful).any()
    marks = {"b": found.believed, "d": found.doubtful, "f": ~(found.believed | found.doubtful)}  # f: false
    assert "".join(next(name for name, mask in marks.items() if mask[row]) for row in range(len(rows))) == verdicts


def test_after_a_gap_the_limit_grows_with_the_root_of_the_bars():
    # Four bars on: 20 %.
    assert judge(columns(BEFORE), columns([(120, 121, 119, 120)], times=[6]), "1h").believed.all()
    assert judge(columns(BEFORE), columns([(120, 122, 119, 120)], times=[6]), "1h").doubtful.all()


def test_the_first_bar_of_all_is_believed():
    assert judge(columns([]), columns(BEFORE), "1h").believed.all()
    assert judge(columns([]), columns([]), "1h").believed.size == 0
    assert judge(columns([]), columns([*BEFORE, (300, 300, 300, 300)]), "1h").doubtful.tolist() == [False] * 3 + [True]


def test_limits():
    calm, wild = np.array([100.0, 100.1, 100.0]), np.array([100.0, 102.0, 100.0])
    assert limit(calm, 1) == 0.10
    assert limit(wild, 1) == pytest.approx(20 * np.median([0.02, 2 / 102]))
    assert limit(calm, 4) == 0.20
    assert limit(calm, 1, QualitySettings(spike=0.5)) == 0.5
    assert limit(calm[:1], 1) == 0.10
    assert excess(110, 100, 100, 100) == pytest.approx(0.1)
    assert excess(100, 80, 100, 100) == pytest.approx(0.25)
    assert excess(99, 98, 100, 97) < 0
