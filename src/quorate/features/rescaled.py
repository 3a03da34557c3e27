"""Rows whose features still hold prices of another scale, after a redenomination or a swap of a token.

`build` computes these rows as all others, since it cannot know what a jump is. Training leaves them out, and members
abstain there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.scale_changes import scale_change_bars
from quorate.core.types import BarColumns, BoolArray

# Bars after which averages with a long memory, such as ATR(14), have forgotten a price of another scale.
_FORGOTTEN = 200


def rescaled_rows(bars: BarColumns, timeframe: str, warmup: int = 0) -> BoolArray | None:
    """Bars so soon after a change of the price scale that indicators still hold older prices.

    Args:
        bars: of one market.
        timeframe: of the bars.
        warmup: bars that the longest column needs.

    Returns:
        (n,) bool; None where the scale never changes.
    """
    changes = scale_change_bars(bars, timeframe)
    if not changes.size:
        return None
    rows = np.zeros(len(bars.time), np.bool_)
    for bar in changes.tolist():
        rows[bar : bar + max(warmup, _FORGOTTEN)] = True
    return rows


def hide_rescaled(X: npt.NDArray[np.floating[Any]], bars: BarColumns, timeframe: str, warmup: int) -> None:
    """Set rows of features to NaN on the bars of `rescaled_rows`.

    Args:
        X: (rows, F), of the newest bars.
        bars: n bars of one market, n >= rows.
        timeframe: of the bars.
        warmup: of the features.
    """
    rows = rescaled_rows(bars, timeframe, warmup)
    if rows is not None:
        X[rows[len(rows) - len(X) :]] = np.nan
