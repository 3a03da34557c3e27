from __future__ import annotations

import numpy as np
import pytest

from quorate.features.arithmetic import bounded, change, ratio


@pytest.fixture(autouse=True)
def _quiet_division():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1.0, 4.0, 0.25), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (-3.0, -0.0, 0.0)]
)
def test_a_ratio_over_zero_is_zero(part, whole, expected):
    assert ratio(np.array([part]), np.array([whole]))[0] == expected


def test_a_change_from_zero_is_zero():
    np.testing.assert_array_equal(change(np.array([0.0, 5.0, 10.0, 0.0, 0.0]), 1), [0.0, 1.0, -1.0, 0.0])
    np.testing.assert_array_equal(change(np.array([2.0, 5.0, 3.0]), 2), [0.5])
    assert len(change(np.array([2.0]), 4)) == 0


def test_bounded_only_trims_what_is_beyond():
    np.testing.assert_array_equal(bounded(np.array([-1.0000001, -0.5, 1.2])), [-1.0, -0.5, 1.0])
