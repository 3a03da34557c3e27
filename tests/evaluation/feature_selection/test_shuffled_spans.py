from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.evaluation.feature_selection.shuffled_spans import shuffled_spans

DAY = 24


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), bars=st.integers(1, 120), markets=st.integers(1, 3), span=st.integers(1, 60))
def test_every_market_keeps_its_own_values(seed: int, bars: int, markets: int, span: int) -> None:
    rng = np.random.default_rng(seed)
    symbol = np.repeat(np.arange(markets), bars)
    time = np.tile(np.arange(bars) * HOUR_MS, markets)
    there = rng.random(len(time)) < 0.8  # some bars are missing
    order = rng.permutation(int(there.sum()))
    symbol, time = symbol[there][order], time[there][order]
    source = shuffled_spans(time, symbol, span * HOUR_MS, rng)
    assert sorted(source.tolist()) == list(range(len(time)))
    assert (symbol[source] == symbol).all()


def test_neighbours_stay_neighbours_in_all_markets_alike_and_hours_move() -> None:
    bars = 100 * DAY
    time = np.tile(np.arange(bars) * HOUR_MS, 2)
    symbol = np.repeat([0, 1], bars)
    source = shuffled_spans(time, symbol, DAY * HOUR_MS, np.random.default_rng(3))
    assert (source[bars:] == source[:bars] + bars).all()
    torn = np.diff(source[:bars]) != 1
    assert 60 < torn.sum() < 150  # a hundred spans of a day on average
    assert (source[:bars] % DAY == np.arange(bars) % DAY).mean() < 0.2  # a column of the hour is shuffled too
