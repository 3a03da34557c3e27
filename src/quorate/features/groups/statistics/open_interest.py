"""Open interest: contracts that are open, which grow where new positions are built."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.arithmetic import ratio
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.statistics.published import published

_DAY = 24


def log_change(bars: Bars, name: str, bars_back: int) -> FloatArray:
    """(n,) change of a statistic's logarithm over so many bars; NaN where either value is unknown or not above 0."""
    values = np.stack([published(bars, name), published(bars, name, bars_back)])
    newest, earlier = np.log(np.where(values > 0, values, np.nan))
    return np.asarray(newest - earlier)


def _change(bars_back: int) -> Column:
    def compute(bars: Bars) -> FloatArray:
        return log_change(bars, "open_interest", bars_back)

    return Column(f"open_interest_change_{bars_back}", 0, compute, context=True)


def _to_volume(bars: Bars) -> FloatArray:
    """Logarithm of 1 plus the open interest in volumes of 24 bars; 0 where nothing was traded."""
    traded = rolling.sums(bars.volume).over(_DAY)
    held = published(bars, "open_interest")[_DAY - 1 :]
    return np.where(np.isnan(held), np.nan, np.log1p(ratio(held, traded)))


COLUMNS = (
    *(_change(bars_back) for bars_back in (1, 24, 168)),
    Column("open_interest_to_volume_24", _DAY - 1, _to_volume, context=True),
)
