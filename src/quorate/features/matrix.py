"""Columns of a market side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.features.bars import Bars
from quorate.features.column import Column

# So many rows at a time, so that what the columns share stays in the processor's cache.
_BLOCK = 8192

# Most columns look back no further, and few rows are quicker than many where only the newest are asked for.
_NEAR = 96


def fill(X: npt.NDArray[np.floating[Any]], bars: Bars, columns: Sequence[Column]) -> None:
    """Put the newest rows of the columns side by side into X, (rows, F): NaN in each one's warm-up rows."""
    end = len(bars)
    begin = end - len(X)
    X[: max(0, max(column.warmup for column in columns) - begin)] = np.nan
    places = list(enumerate(columns))
    near = [place for place in places if place[1].warmup <= _NEAR]
    far = [place for place in places if place[1].warmup > _NEAR]
    with np.errstate(all="ignore"):
        for first in range(begin, end, _BLOCK):
            last = min(first + _BLOCK, end)
            for group in (near, far):
                # One bar more than any column looks back over, for those that start from a difference.
                reach = max((column.warmup for _, column in group), default=0) + 1
                part = bars.part(max(0, first - reach), last)
                for place, column in group:
                    known = max(first, column.warmup)
                    if known < last:
                        X[known - begin : last - begin, place] = column.compute(part)[known - last :]
