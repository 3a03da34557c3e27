"""Long/short ratios: which side more accounts are on, and which side the largest accounts hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.statistics.open_interest import log_change
from quorate.features.groups.statistics.published import published

_NAMES = ("long_short_accounts", "long_short_top_accounts", "long_short_top_positions")
_DAY = 24


def _columns(name: str) -> Iterator[Column]:
    def level(bars: Bars) -> FloatArray:
        values = published(bars, name)
        return np.log(np.where(values > 0, values, np.nan))

    def change(bars: Bars) -> FloatArray:
        return log_change(bars, name, _DAY)

    yield Column(name, 0, level, context=True)
    yield Column(f"{name}_change_{_DAY}", 0, change, context=True)


#: Of each ratio its logarithm, 0 where both sides are equal, and the change of that over 24 bars.
COLUMNS = tuple(column for name in _NAMES for column in _columns(name))
