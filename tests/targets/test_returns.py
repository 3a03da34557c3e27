from __future__ import annotations

import numpy as np
import pytest

from quorate.core.errors import TargetError
from quorate.targets import ForwardReturn


def test_the_return_over_the_next_bars(candles):
    labels = ForwardReturn(horizon=2).label(candles([100.0, 50.0, 110.0, 75.0]))
    np.testing.assert_allclose(labels.y, [0.1, 0.5, np.nan, np.nan])
    np.testing.assert_array_equal(labels.y, labels.forward_return)
    assert labels.known.tolist() == [True, True, False, False]
    assert labels.y.dtype == np.float64


def test_the_default_is_four_bars():
    assert ForwardReturn().horizon == 4


def test_a_gap_leaves_the_return_unknown(candles):
    labels = ForwardReturn(horizon=1).label(candles([1.0, 2.0, 3.0], hours=[0, 2, 3]))
    assert labels.known.tolist() == [False, True, False]
    assert np.isnan(labels.y[[0, 2]]).all()


def test_no_horizon_is_refused():
    with pytest.raises(TargetError, match="at least 1 bar"):
        ForwardReturn(0)
