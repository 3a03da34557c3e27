from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, format_ms, parse_ms
from quorate.core.errors import TargetError
from quorate.core.settings import SplitSettings
from quorate.targets import time_split, training_slices, validation_slices

SHARES = (SplitSettings().train, SplitSettings().validation)


def test_the_documented_window():
    # 4,183 rows, 70/15/15: 2,928 / 627 / 628 bar times, of which each seam takes the labels that reach across it.
    time = 4 * HOUR_MS * np.arange(4_183)
    unpurged = time_split(time, time - 1, *SHARES)
    assert [len(part) for part in (unpurged.train, unpurged.validation, unpurged.test)] == [2_928, 627, 628]
    split = time_split(time, time + 4 * 4 * HOUR_MS, *SHARES)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [2_924, 623, 628]


def test_dates_of_two_symbols_as_a_table():
    # Daily bars of January: 20 times, cut at numbers 14 and 17. Labels read two days ahead.
    day = 24 * HOUR_MS
    january = parse_ms("2025-01-01") + day * np.arange(20)
    first, second = january, january[10:]  # the second symbol was listed on the 11th
    time = np.concatenate([first, second])
    split = time_split(time, time + 2 * day, *SHARES)

    def dates(rows):
        return [format_ms(int(t))[:10] for t in (time[rows].min(), time[rows].max())]

    assert dates(split.train) == ["2025-01-01", "2025-01-12"]
    assert dates(split.validation) == ["2025-01-15", "2025-01-15"]
    assert dates(split.test) == ["2025-01-18", "2025-01-20"]
    assert [len(part) for part in (split.train, split.validation, split.test)] == [12 + 2, 2, 6]


@given(st.data())
def test_no_label_of_a_part_reaches_the_next(data):
    rows = data.draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), min_size=30, max_size=120))
    time = np.array([t for t, _ in rows])
    span_end = time + np.array([length for _, length in rows])
    train, validation = data.draw(st.sampled_from([SHARES, (0.5, 0.0), (0.6, 0.4), (1.0, 0.0), (0.34, 0.33)]))
    times = np.unique(time)
    if len(times) < 12:
        return
    split = time_split(time, span_end, train, validation)
    parts = [split.train, split.validation, split.test]
    assert len(np.unique(np.concatenate(parts))) == sum(len(part) for part in parts)
    for earlier, later in ((0, 1), (0, 2), (1, 2)):
        if len(parts[earlier]) and len(parts[later]):
            assert span_end[parts[earlier]].max() < time[parts[later]].min()
    # Only rows that reach across a seam are missing, and none of the test part.
    cut = [int(np.floor(share * len(times) + 1e-9)) for share in (train, train + validation)]
    seams = [times[c] if c < len(times) else 10**9 for c in cut]
    for row in np.setdiff1d(np.arange(len(time)), np.concatenate(parts)):
        assert time[row] < seams[1]
        assert any(time[row] < seam <= span_end[row] for seam in seams)


@pytest.mark.parametrize(
    ("count", "train", "validation", "cuts"),
    [
        (10, 0.7, 0.15, (7, 8)),
        (20, 0.7, 0.15, (14, 17)),
        (7, 0.7, 0.15, (4, 5)),
        (100, 0.1, 0.2, (10, 30)),
        (100, 0.29, 0.28, (29, 57)),
    ],
)
def test_cut_points_are_floors_of_the_shares(count, train, validation, cuts):
    time = np.arange(count)
    split = time_split(time, time - 1, train, validation)
    assert (len(split.train), len(split.train) + len(split.validation)) == cuts


@pytest.mark.parametrize(
    ("time", "span_end", "train", "validation"),
    [
        ([], [], 0.7, 0.15),
        ([1, 2], [1], 0.7, 0.15),
        ([1, 2, 3], [1, 2, 3], 0.0, 0.5),
        ([1, 2, 3], [1, 2, 3], 0.8, 0.3),
        ([1, 2, 3], [1, 2, 3], 0.8, -0.1),
        ([1, 2, 3], [9, 9, 9], 0.7, 0.15),
    ],
)
def test_impossible_splits_are_refused(time, span_end, train, validation):
    with pytest.raises(TargetError, match="split the rows"):
        time_split(np.array(time, np.int64), np.array(span_end, np.int64), train, validation)


def test_the_slices_of_a_validation_part_as_a_table():
    # Bars 10 to 29, labels of two bars: cut at bars 16 and 24, two rows purged at each seam.
    time = np.arange(40)
    cut = validation_slices(time, time + 2, np.arange(10, 30), SplitSettings(stop=0.3, calibrate=0.4))
    assert [part.tolist() for part in (cut.stop, cut.calibrate, cut.choose)] == [
        [10, 11, 12, 13],
        [16, 17, 18, 19, 20, 21],
        [24, 25, 26, 27, 28, 29],
    ]
    none = validation_slices(time, time + 2, np.empty(0, np.int64), SplitSettings())
    assert not len(none.stop) + len(none.calibrate) + len(none.choose)


@given(st.data())
def test_what_is_fitted_on_outputs_never_shares_a_row_nor_a_label(data):
    rows = data.draw(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), min_size=30, max_size=120))
    time = np.array([t for t, _ in rows])
    span_end = time + np.array([length for _, length in rows])
    chosen = np.flatnonzero(np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))))
    shares = SplitSettings(stop=data.draw(st.sampled_from([0.0, 0.3, 1.0])), calibrate=0.0)
    shares = data.draw(st.sampled_from([SplitSettings(), shares, SplitSettings(validation=0.0)]))
    trained, cut = training_slices(time, span_end, chosen, shares)
    parts = [trained, cut.stop, cut.calibrate, cut.choose]
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together)
    assert set(together) <= set(chosen)
    for place, earlier in enumerate(parts):
        for later in parts[place + 1 :]:
            if len(earlier) and len(later):
                assert span_end[earlier].max() < time[later].min()
    # Where anything may be learned from, something is.
    assert len(trained) or not len(chosen)


def test_too_short_a_span_trains_on_all_of_it_and_keeps_no_slice():
    time = np.arange(6)
    trained, cut = training_slices(time, time + 5, np.arange(6), SplitSettings())
    assert trained.tolist() == [0, 1, 2, 3, 4, 5]
    assert not len(cut.stop) + len(cut.calibrate) + len(cut.choose)
