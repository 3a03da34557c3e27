"""Scores of members whose quality is planted: by how much noise each adds to the true probabilities."""

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.regime import REGIME

HORIZON = 5


def planted(noise, *, seed=0, bars=700, symbols=3, folds=4, regime=None):
    """Predictions of members on hourly bars.

    Args:
        noise: member -> standard deviation of its noise in log-probabilities; or a pair, where `regime` is above 0 and
            where it is below; None for a member that knows nothing of the label.
        regime: column in which the regime of a pair is shown.
    """
    generator = np.random.default_rng(seed)
    time, symbol = np.repeat(np.arange(bars) * HOUR_MS, symbols), np.tile(np.arange(symbols), bars)
    n = len(time)
    true = generator.dirichlet((3, 4, 3), n)
    y = (generator.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1).astype(np.int8)
    columns = {name: np.repeat(generator.standard_normal(bars), symbols) for name in REGIME}
    above = np.zeros(n) if regime is None else columns[regime]

    def scores(level):
        if level is None:
            return generator.dirichlet((3, 4, 3), n)
        first, second = level if isinstance(level, tuple) else (level, level)
        raw = np.log(true) + np.where(above > 0, first, second)[:, None] * generator.standard_normal((n, 3))
        raw = np.exp(raw)
        return raw / raw.sum(axis=1, keepdims=True)

    return MemberPredictions(
        members={name: scores(level) for name, level in noise.items()},
        y=y,
        forward_return=0.01 * (y - 1.0) + 0.005 * generator.standard_normal(n),
        time=time,
        span_end=time + HORIZON * HOUR_MS,
        fold=np.arange(n) // -(-n // folds),
        symbol=symbol,
        symbols=tuple(f"{name}/USDT:USDT" for name in "ABCDEFG"[:symbols]),
        volatility=np.full(n, 0.01),
        regime=columns,
        timeframe="1h",
        synthetic=True,
    )


@pytest.fixture(scope="session")
def make():
    return planted
