"""Market statistics in base units across a redenomination."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import MarketStatistics
from quorate.market.files.splits import Split

_VOLUMES = ("taker_buy_volume", "taker_sell_volume")


def at_newest_scale(statistics: MarketStatistics, splits: Iterable[Split]) -> MarketStatistics:
    """Statistics at the newest scale of their market, as its stored candles are.

    Files hold what the exchange published, and are converted when they are read, so that a split that is recorded later
    needs no change of them. Before a split, open interest and volumes in base units are divided by its factor. Volumes
    of an interval that holds the split are in base units of two sizes: unknown.

    Args:
        statistics: of one market.
        splits: of any markets.
    """
    for split in splits:
        if split.symbol != statistics.symbol:
            continue
        before = statistics.time < split.time
        inside = before & (statistics.time + timeframe_ms(statistics.timeframe) > split.time)
        columns = statistics.values
        columns["open_interest"] = np.where(before, columns["open_interest"] / split.factor, columns["open_interest"])
        for name in _VOLUMES:
            values = columns[name]
            columns[name] = np.where(inside, np.nan, np.where(before, values / split.factor, values))
        statistics = MarketStatistics.of(statistics.symbol, statistics.timeframe, statistics.time, columns)
    return statistics
