"""What came of a position after its day began: labels and the accounting of weights read it, sleeves do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.book.panel.daily_panel import DAY_BARS, DailyPanel
from quorate.book.panel.funding_days import settled_by_day
from quorate.book.panel.rolling import carried_forward, shifted
from quorate.core.types import FloatArray, Funding

# Funding of a market whose settlements are unknown: the mean of the known ones of the day, more for one that rose
# above the others over a week, since longs then pay more. The slope was fitted before 2025; a rate of the whole market
# where none is known.
_SLOPE, _WEEK, _USUAL, _MOST = 0.0015, 7, 0.0003, 0.003


@dataclass(frozen=True, slots=True, eq=False)
class PositionOutcomes:
    """Arrays (D, S) of the panel's days, and (B, S) of its bars.

    Attributes:
        fill: open of the bar that begins with the day; the last close where that bar is missing.
        returns: of a position from this fill to the next day's; to the last price of a market that ends. NaN without.
        funding: rate paid by that position; estimated where unknown.
        funding_known: the same, NaN where unknown.
        bar_returns: (B, S) from each bar's open to the next one's; the last bar's to its close.
    """

    fill: FloatArray
    returns: FloatArray
    funding: FloatArray
    funding_known: FloatArray
    bar_returns: FloatArray

    @classmethod
    def of(cls, panel: DailyPanel, funding: Mapping[str, Funding | None]) -> PositionOutcomes:
        """Of the panel of the same markets."""
        grid = panel.grid
        bars, markets = grid.open.shape
        opens = np.concatenate([grid.open, np.full((1, markets), np.nan)])[panel.moment]
        fill = np.where(np.isfinite(opens), opens, panel.close)
        with np.errstate(divide="ignore", invalid="ignore"):
            returns = shifted(fill, -1) / fill - 1
            last = np.concatenate([np.full((1, markets), np.nan), carried_forward(grid.close, DAY_BARS)])[panel.moment]
            returns = np.where(np.isfinite(returns), returns, shifted(last, -1) / fill - 1)
            bar_returns = shifted(grid.open, -1) / grid.open - 1
            bar_returns[bars - 1] = grid.close[-1] / grid.open[-1] - 1
        known = _paid(settled_by_day(funding, panel.symbols, panel.time))
        return cls(fill, returns, _estimated(known, panel), known, bar_returns)


def _paid(settled: FloatArray) -> FloatArray:
    """(D, S) paid by the position of each day; days without a settlement between others paid none."""
    paid = shifted(settled, -1)
    known = np.isfinite(paid)
    before, after = np.logical_or.accumulate(known, 0), np.logical_or.accumulate(known[::-1], 0)[::-1]
    return np.where(known, paid, np.where(before & after, 0.0, np.nan))


def _estimated(known: FloatArray, panel: DailyPanel) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        week = np.log(panel.close / shifted(panel.close, _WEEK))
    listed = np.isfinite(week)
    middle = np.full(len(week), np.nan)
    middle[listed.any(axis=1)] = np.nanmedian(week[listed.any(axis=1)], axis=1)
    some = np.isfinite(known).any(axis=1)
    mean = np.full(len(known), _USUAL)
    mean[some] = np.nanmean(known[some], axis=1)
    estimate = np.clip((week - middle[:, None]) * _SLOPE + mean[:, None], -_MOST, _MOST)
    return np.where(np.isfinite(known), known, np.where(np.isfinite(estimate), estimate, 0.0))
