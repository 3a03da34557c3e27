"""What is known of every market at 00:00 UTC of each day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from quorate.book.panel.bar_grid import BAR_MS, BarGrid
from quorate.book.panel.decayed import decayed_mean, half_life
from quorate.book.panel.funding_days import funding_known
from quorate.book.panel.ranks import ranks
from quorate.book.panel.rolling import rolling_median, shifted
from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError
from quorate.core.settings import BookSettings
from quorate.core.types import BoolArray, Candles, FloatArray, Funding, IntArray

Daily = TypeVar("Daily", FloatArray, BoolArray)

#: Bars of a day.
DAY_BARS = DAY_MS // BAR_MS

# Volatility of a day below which a market does not move: a stablecoin.
_FLAT = 0.002

# Days of variances before a volatility is known.
_VARIANCES = 20


@dataclass(frozen=True, slots=True, eq=False)
class DailyPanel:
    """Arrays (D, S) of D days and S markets. A row holds what is known at the day's start, from closed bars only.

    Attributes:
        grid: the 4-hour bars.
        time: (D,) int64 ms, 00:00 UTC.
        moment: (D,) int64, row of each day among `grid.moments`.
        close: the last closed price; NaN where the bar before the day's start is missing.
        high, low: of the day before.
        dollar_volume: of the day before; NaN where one of its bars is missing.
        log_return: of the day before.
        variance: realised, of the day before: squared 4-hour returns.
        volatility: of a day, exponentially weighted.
        age: days with a price so far.
        funding: sum of the rates settled in the day before; NaN where unknown.
        median_volume: median of the dollar volume of the trailing days.
    """

    grid: BarGrid
    time: IntArray
    moment: IntArray
    close: FloatArray
    high: FloatArray
    low: FloatArray
    dollar_volume: FloatArray
    log_return: FloatArray
    variance: FloatArray
    volatility: FloatArray
    age: IntArray
    funding: FloatArray
    median_volume: FloatArray
    _listed: BoolArray = field(repr=False)

    @classmethod
    def of(
        cls, candles: Mapping[str, Candles], funding: Mapping[str, Funding | None], settings: BookSettings
    ) -> DailyPanel:
        """The panel of these markets.

        Args:
            candles: symbol -> candles of 4h, or of a timeframe that divides it.
            funding: symbol -> settlements; unknown for markets that are left out.
            settings: of the book.

        Raises:
            DataError: no bars, a timeframe that does not divide 4h, or less than a day.
        """
        grid = BarGrid.of(candles)
        moments = grid.moments
        moment = np.flatnonzero(moments % DAY_MS == 0)
        moment = moment[moment > 0]
        if not len(moment):
            raise DataError("build the panel of a book", found=f"{len(grid.time)} bars", expected="a day or more")
        time, known = moments[moment], grid.known_close
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.diff(np.log(grid.close), axis=0, prepend=np.nan)
            typical = (grid.high + grid.low + grid.close) / 3
            close = known[moment]
            log_return = np.log(close) - np.log(shifted(close, 1))
        variance = _of_day(steps**2, moment, np.sum)
        dollar_volume = _of_day(grid.volume * typical, moment, np.sum)
        volatility = np.sqrt(decayed_mean(variance, half_life(settings.volatility_half_life), _VARIANCES))
        median = rolling_median(dollar_volume, settings.volume_days, settings.volume_days * 2 // 3)
        age = np.cumsum(np.isfinite(close), axis=0)
        listed = (age >= settings.age_days) & np.isfinite(close) & np.isfinite(median) & (volatility > _FLAT)
        return cls(
            grid,
            time,
            moment,
            close,
            _of_day(grid.high, moment, np.fmax.reduce),
            _of_day(grid.low, moment, np.fmin.reduce),
            dollar_volume,
            log_return,
            variance,
            volatility,
            age,
            funding_known(funding, grid.symbols, time),
            median,
            listed,
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """Of the columns."""
        return self.grid.symbols

    @property
    def leader(self) -> int:
        """Column of the market whose returns are the market's: Bitcoin, or without it the largest at the beginning.

        By the first median volume that is known, so that no later candle changes which one it is.
        """
        for number, symbol in enumerate(self.symbols):
            if symbol.partition("/")[0] == "BTC":
                return number
        known = np.isfinite(self.median_volume)
        volume = self.median_volume[int(np.argmax(known.any(axis=1)))]
        return int(np.argmax(np.where(np.isfinite(volume), volume, 0.0)))

    @property
    def day_of_moment(self) -> IntArray:
        """(B + 1,) row of the day that has begun at each of `grid.moments`; -1 before the first one."""
        return np.searchsorted(self.moment, np.arange(len(self.grid.time) + 1), side="right") - 1

    def by_moment(self, daily: Daily) -> Daily:
        """(B + 1, S) the values (D, S) of the day at each of `grid.moments`; 0 or false before the first one."""
        day = self.day_of_moment
        return np.where(day[:, None] >= 0, daily[np.maximum(day, 0)], np.zeros((), daily.dtype))

    def universe(self, markets: int) -> BoolArray:
        """(D, S) the listed markets of the largest trailing dollar volume, at most so many a day."""
        rank, _ = ranks(-self.median_volume, self._listed)
        return np.asarray(self._listed & (rank <= markets))

    def row(self, time: int) -> int:
        """The first day at or after `time` in ms; the number of days where there is none."""
        return int(np.searchsorted(self.time, time))


def _of_day(bars: FloatArray, moment: IntArray, join: object) -> FloatArray:
    """(D, S) the bars of the day before each moment, joined; NaN before the first whole day."""
    out = np.full((len(moment), bars.shape[1]), np.nan)
    whole = moment >= DAY_BARS
    rows = moment[whole][:, None] + np.arange(-DAY_BARS, 0)
    out[whole] = join(bars[rows], axis=1)  # type: ignore[operator]
    return out
