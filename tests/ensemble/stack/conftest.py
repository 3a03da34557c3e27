"""Rows with a return of two parts, each visible to one member only."""

from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.features import Inputs
from quorate.targets import Dataset


@pytest.fixture(scope="session")
def planted():
    """Rows of three features: two parts of the return, and noise. Labels reach 4 bars ahead."""
    random = np.random.default_rng(3)
    n = 3_000
    X = random.normal(size=(n, 3)).astype(np.float32)
    y = 0.003 * X[:, 0] + 0.003 * X[:, 1] + 0.01 * random.normal(size=n)
    time = np.arange(n, dtype=np.int64) * HOUR_MS
    dataset = Dataset(
        inputs=Inputs(X, time, "1h"),
        row=np.arange(n),
        y=y,
        time=time,
        symbol=np.zeros(n, np.int16),
        span_end=time + 4 * HOUR_MS,
        forward_return=y,
        symbols=("SYN/USDT",),
        features="core14",
        candles=n,
    )
    return SimpleNamespace(dataset=dataset, X=X, y=y)
