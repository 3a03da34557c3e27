import numpy as np
import pytest

from quorate.core.types.times import NO_TIME, milliseconds
from quorate.market.columns import differs, join


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_704_067_200, 1_704_067_200_000),
        (1_704_067_200_000, 1_704_067_200_000),
        (1_704_067_200_000_000, 1_704_067_200_000),
        (1_704_067_200_000_000_000, 1_704_067_200_000),
        (0, NO_TIME),
        (-1, NO_TIME),
        (NO_TIME, NO_TIME),
        (np.iinfo(np.int64).max, np.iinfo(np.int64).max // 1_000_000),
    ],
)
def test_an_integer_time_says_its_own_unit(value, expected):
    assert milliseconds(np.array([value, 1_704_067_200_000], dtype=np.int64)).tolist() == [
        expected,
        1_704_067_200_000,
    ]
    assert milliseconds(np.array([value], dtype=np.int64)).tolist() == [expected]


def test_no_times_are_no_times():
    assert milliseconds(np.array([], dtype=np.int64)).size == 0


def test_values_that_print_alike_do_not_differ():
    left = np.array([1.0520100000000001, 0.0, 1e-12, 5.0])
    right = np.array([1.05201, 0.0, 1.001e-12, 5.0001])
    assert differs(left, right).tolist() == [False, False, True, True]


def test_joined_rows_keep_their_order(hourly):
    first, second = hourly(3), hourly(2)
    both = join([first, second])
    assert both.time.tolist() == [*first.time.tolist(), *second.time.tolist()]
    assert both.close.tolist() == [*first.close.tolist(), *second.close.tolist()]
    assert not both.synthetic


def test_same_rows_sees_one_bit(hourly):
    rows = hourly(4)
    assert rows.same_rows(hourly(4))
    assert not rows.same_rows(hourly(4, close={2: np.nextafter(103.0, 200)}))
    assert not rows.same_rows(hourly(3))
