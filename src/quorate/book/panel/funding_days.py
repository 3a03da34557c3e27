"""Funding settlements by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorate.book.panel.rolling import carried_forward
from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from quorate.core.types import FloatArray, Funding, IntArray

# Days without a settlement between others that count as 0: a day of missing records, not an unknown market.
_MISSING_DAYS = 2


def settled_by(funding: Funding, moment: int) -> Funding:
    """The settlements up to a moment in ms; their stamps are some milliseconds late, up to a minute."""
    chosen = funding.time <= moment + MINUTE_MS
    return Funding(funding.symbol, funding.time[chosen], funding.rate[chosen])


def funding_known(funding: Mapping[str, Funding | None], symbols: Sequence[str], time: IntArray) -> FloatArray:
    """(D, S) sum of the rates settled in the day that ends at each day's start; NaN where unknown.

    Args:
        funding: symbol -> settlements.
        symbols: of the columns.
        time: (D,) starts of days in ms.
    """
    sums = settled_by_day(funding, symbols, time)
    recent = carried_forward(np.where(np.isfinite(sums), 0.0, np.nan), _MISSING_DAYS)
    return np.where(np.isfinite(sums), sums, recent)


def settled_by_day(funding: Mapping[str, Funding | None], symbols: Sequence[str], time: IntArray) -> FloatArray:
    """(D, S) sum of the rates settled after the day before each day's start and up to it; NaN without a settlement."""
    out = np.full((len(time), len(symbols)), np.nan)
    for number, symbol in enumerate(symbols):
        settled = funding.get(symbol)
        if settled is None or not len(settled):
            continue
        finite = np.isfinite(settled.rate)
        # Settlements are stamped some milliseconds late; one at the day's start is known to its decision.
        hour = (settled.time[finite] + HOUR_MS // 2) // HOUR_MS
        day = (hour * HOUR_MS - 1) // DAY_MS + 1
        row = day - time[0] // DAY_MS
        inside = (row >= 0) & (row < len(time))
        sums = np.bincount(row[inside], settled.rate[finite][inside], len(time))
        count = np.bincount(row[inside], minlength=len(time))
        out[:, number] = np.where(count > 0, sums, np.nan)
    return out
