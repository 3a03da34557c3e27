from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TargetError
from quorate.targets import uniqueness_weights


def test_labels_that_do_not_overlap_weigh_the_same():
    time = HOUR_MS * np.array([0, 3, 6])
    np.testing.assert_allclose(uniqueness_weights(time, time + 2 * HOUR_MS, "1h"), [1, 1, 1])


def test_by_hand():
    # Spans 0-2, 1-3 and 6-6. Bars 0 to 3 hold 1, 2, 2, 1 labels: uniqueness (1 + 1/2 + 1/2)/3 twice, and 1.
    time = HOUR_MS * np.array([0, 1, 6])
    end = HOUR_MS * np.array([2, 3, 6])
    expected = np.array([2 / 3, 2 / 3, 1])
    np.testing.assert_allclose(uniqueness_weights(time, end, "1h"), expected / expected.mean())


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 6)), min_size=1, max_size=40),
)
def test_against_counting(spans):
    symbol, first, length = (np.array(column) for column in zip(*spans, strict=True))
    weights = uniqueness_weights(HOUR_MS * first, HOUR_MS * (first + length), "1h", symbol)
    expected = []
    for s, f, n in spans:
        alive = [sum(s == t and g <= bar <= g + m for t, g, m in spans) for bar in range(f, f + n + 1)]
        expected.append(np.mean([1 / count for count in alive]))
    np.testing.assert_allclose(weights, np.array(expected) / np.mean(expected), rtol=1e-9)


def test_other_symbols_do_not_crowd():
    time = HOUR_MS * np.array([0, 1, 0, 1])
    alone = uniqueness_weights(time, time + HOUR_MS, "1h", np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(alone, 1)


def test_no_rows_have_no_weights():
    assert len(uniqueness_weights(np.array([], np.int64), np.array([], np.int64), "1h")) == 0


@pytest.mark.parametrize("end", [-HOUR_MS, HOUR_MS // 2])
def test_impossible_spans_are_refused(end):
    with pytest.raises(TargetError, match=r"in row 0.*whole bars of 1h"):
        uniqueness_weights(np.array([0]), np.array([end]), "1h")
