"""Candles of one market with the intermediate results that columns share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, BoolArray, Candles, FloatArray, IntArray
from quorate.features import indicators, rolling
from quorate.features.arithmetic import ROUNDING
from quorate.features.candle_limits import PRICE_RANGE, VOLUME_RANGE, limits, price_unit
from quorate.features.context import Context

T = TypeVar("T")


class Bars:
    """Candles of one market; intermediate results that several columns read are computed once.

    Prices that begin far from 1 are in units of the largest power of two below the first close. No column depends on
    the unit, and TA-Lib, which treats values under 1e-14 as zero, gives the same results for BTC and for a coin worth
    a billionth of it. Prices are clipped at 2**100 units and at 2**-100, volumes at 2**200.

    Args:
        candles: n closed candles of one market, oldest first. Gaps are not filled: the row before is the bar before.
        context: data that context columns read; None where no column needs any.

    Attributes:
        unit: the price unit, in quote currency.
        time: (n,) int64 open times in ms.
        open, high, low, close: (n,) float64 in `unit`.
        volume: (n,) float64 in base units.

    Raises:
        CandleError: a price that is not finite and positive, or a volume that is not finite and at least 0.
    """

    #: The shape of arrays before the bars, which those of several markets have (`market_stack`).
    markets: tuple[int, ...] = ()

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __init__(self, candles: Candles, context: Context | None = None) -> None:
        self.symbol = candles.symbol
        self.timeframe = candles.timeframe
        self.time: IntArray = candles.time
        self.context = context
        self._memory: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, RLock] = {}
        self._whole: Bars | None = None
        self._rows = slice(None)
        lowest, highest, busiest = limits(candles)
        self.unit = price_unit(float(candles.close[0])) if len(candles) else 1.0
        beyond = highest > self.unit * PRICE_RANGE or lowest < self.unit / PRICE_RANGE
        for name in PRICE_COLUMNS:
            prices: FloatArray = getattr(candles, name)
            if self.unit != 1.0:
                with np.errstate(over="ignore", under="ignore"):
                    prices = prices / self.unit
            setattr(self, name, np.clip(prices, 1 / PRICE_RANGE, PRICE_RANGE) if beyond else prices)
        self.volume = candles.volume if busiest <= VOLUME_RANGE else np.minimum(candles.volume, VOLUME_RANGE)

    def __len__(self) -> int:
        return int(self.time.shape[-1])

    def part(self, first: int, last: int) -> Bars:
        """Rows `first` to `last`, exclusive: results over windows are its own, those that carry a state are shared."""
        if last - first == len(self):
            return self
        part = object.__new__(Bars)
        rows = slice(first, last)
        for name in ("time", *CANDLE_COLUMNS):
            setattr(part, name, getattr(self, name)[rows])
        part.symbol, part.timeframe, part.unit, part.context = self.symbol, self.timeframe, self.unit, self.context
        part._memory, part._whole, part._rows = {}, self, rows
        return part

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of `compute`, called once for this key.

        Args:
            key: of the result. Columns of your own use one that holds their name, such as ("my_column", "mean").
            compute: computes it from these bars.
        """
        memory = self._memory
        if key not in memory:
            memory[key] = compute()
        value: T = memory[key]
        return value

    def carried(self, key: Hashable, compute: Callable[[Bars], FloatArray]) -> FloatArray:
        """A result that carries a state from the first candle on, such as an exponential average.

        Args:
            key: as for `once`.
            compute: (n,) values from n bars. Called once with all bars, also for a part of them.
        """
        whole = self._whole
        if whole is None:
            return self._once_in_all_threads(key, compute)
        return whole._once_in_all_threads(key, compute)[self._rows]

    def _once_in_all_threads(self, key: Hashable, compute: Callable[[Bars], T]) -> T:
        """`once` of all bars, whose parts may be computed in several threads: the first computes, the others wait."""
        memory = self._memory
        if key not in memory:
            with self._locks.setdefault(key, RLock()):
                if key not in memory:
                    memory[key] = compute(self)
        value: T = memory[key]
        return value

    # Indicators of TA-Lib that carry a state.

    def ema(self, period: int) -> FloatArray:
        """Exponential moving average of the close."""
        return self.carried(("ema", period), lambda bars: indicators.EMA(bars.close, period))

    def rsi(self, period: int) -> FloatArray:
        """Relative strength index of the close, 0 to 100."""
        return self.carried(("rsi", period), lambda bars: indicators.RSI(bars.close, period))

    def atr(self, period: int) -> FloatArray:
        """Average true range, in `unit`."""
        return self.carried(("atr", period), lambda bars: indicators.ATR(bars.high, bars.low, bars.close, period))

    def adx(self) -> FloatArray:
        """Average directional index over 14 bars, 0 to 100."""
        return self.carried("adx", lambda bars: indicators.ADX(bars.high, bars.directional_low(), bars.close, 14))

    def directional_low(self) -> FloatArray:
        """Lows for the directional indicators, in `unit`: see `indicators.lows_with_ties`."""
        return self.carried("directional low", lambda bars: indicators.lows_with_ties(bars.high, bars.low))

    def plus_di(self) -> FloatArray:
        """Positive directional indicator over 14 bars, 0 to 100."""
        return self.carried(
            "plus_di", lambda bars: indicators.PLUS_DI(bars.high, bars.directional_low(), bars.close, 14)
        )

    def minus_di(self) -> FloatArray:
        """Negative directional indicator over 14 bars, 0 to 100."""
        return self.carried(
            "minus_di", lambda bars: indicators.MINUS_DI(bars.high, bars.directional_low(), bars.close, 14)
        )

    def macd(self) -> FloatArray:
        """The MACD line, EMA(12) - EMA(26) of the close, in `unit`."""
        return self.carried("macd", lambda bars: bars._macd_lines()[0])

    def macd_signal(self) -> FloatArray:
        """The signal line, EMA(9) of the MACD, in `unit`."""
        return self.carried("macd_signal", lambda bars: bars._macd_lines()[1])

    def macd_difference(self) -> FloatArray:
        """The MACD less its signal line, in `unit`."""
        return self.carried("macd_difference", lambda bars: bars._macd_lines()[2])

    def _macd_lines(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        lines: tuple[FloatArray, FloatArray, FloatArray] = self._once_in_all_threads(
            "macd lines", lambda bars: indicators.MACD(bars.close, 12, 26, 9)
        )
        return lines

    # Results over windows: values of the newest rows, from the first full window on.

    def change(self, bars: int = 1) -> FloatArray:
        """Change of the close over `bars`, a fraction: (n - bars,)."""
        if bars == 1:
            return self.once(("change", 1), lambda: self._terms()[0, ..., 1:])
        return self.once(("change", bars), lambda: self.close[..., bars:] / self.close[..., :-bars] - 1)

    def change_moments(self, bars: int) -> FloatArray:
        """Mean and mean square of the newest `bars` one-bar changes: (2, n - bars).

        Changes lie around zero, so that sums of their powers do not cancel.
        """
        return self.once(("means", bars), lambda: self._sums().mean(bars))[:2, ..., 1:]

    def change_powers(self) -> FloatArray:
        """One-bar changes and their squares: (2, n - 1)."""
        return self._terms()[:2, ..., 1:]

    def _sums(self) -> rolling.Sums:
        return self.once("sums", lambda: rolling.sums(self._terms()))

    def _terms(self) -> FloatArray:
        """One-bar changes and their squares, 0 for the first bar, and volumes: (3, n).

        One array, since a live frame needs sums of 20 bars of all three, and calls take longer than the numbers.
        """

        def terms() -> FloatArray:
            values = np.empty((3, *self.close.shape))
            change, square = values[0, ..., 1:], values[1]
            values[0, ..., :1] = 0.0
            np.divide(self.close[..., 1:], self.close[..., :-1], out=change)
            change -= 1
            np.multiply(values[0], values[0], out=square)
            values[2] = self.volume
            return values

        return self.once("terms", terms)

    def change_deviation(self, bars: int) -> FloatArray:
        """Sample standard deviation of the newest `bars` one-bar changes: (n - bars,)."""
        mean, square = self.change_moments(bars)
        variance: FloatArray = square - mean * mean
        np.maximum(variance, 0.0, out=variance)
        variance *= bars / (bars - 1)
        return np.sqrt(variance, out=variance)

    def close_moments(self) -> rolling.Rows:
        """Mean of 20 closes, and the sum of their squared deviations: (n - 19,) each, in `unit`."""
        return self.once("close moments", lambda: rolling.moments(self.close).over(20))

    def close_deviation(self) -> FloatArray:
        """Standard deviation of 20 closes, of a population as in TA-Lib's bands, in `unit`: (n - 19,)."""
        return self.once("close deviation", lambda: np.sqrt(self.close_moments()[1] / 20))

    def mean_volume(self) -> FloatArray:
        """Mean of 20 volumes: (n - 19,)."""
        means: FloatArray = self.once(("means", 20), lambda: self._sums().mean(20))[2]
        return means

    def mean_close(self, bars: int) -> FloatArray:
        """Simple moving average of the close, in `unit`: (n - bars + 1,)."""
        return rolling.sums(self.close).mean(bars)

    def signed_volume(self) -> FloatArray:
        """Volume, negative on falling bars, 0 on unchanged ones and on the first."""

        def signed() -> FloatArray:
            signs = np.zeros(self.close.shape)
            np.sign(self.close[..., 1:] - self.close[..., :-1], out=signs[..., 1:])
            signs *= self.volume
            return signs

        return self.once("signed volume", signed)

    def talib(self, function: Callable[..., Any], period: int, *series: FloatArray) -> FloatArray:
        """A function of TA-Lib over windows of each market's series: (n,)."""
        values: FloatArray = function(*series, period)
        return values

    def highest(self, bars: int) -> FloatArray:
        """Highest high of the newest `bars`, in `unit`: (n,)."""
        return self.once(("highest", bars), lambda: self.talib(indicators.MAX, bars, self.high))

    def lowest(self, bars: int) -> FloatArray:
        """Lowest low of the newest `bars`, in `unit`: (n,)."""
        return self.once(("lowest", bars), lambda: self.talib(indicators.MIN, bars, self.low))

    def typical(self) -> FloatArray:
        """(high + low + close) / 3, in `unit`."""
        return self.once("typical", lambda: (self.high + self.low + self.close) / 3)

    def typical_moves(self) -> tuple[BoolArray, BoolArray]:
        """Whether the typical price rises from a bar to the next, and whether it moves: (n - 1,) each.

        Equal typical prices may differ by a rounding error, which is neither.
        """

        def moves() -> tuple[BoolArray, BoolArray]:
            typical = self.typical()
            step, apart = typical[..., 1:] - typical[..., :-1], ROUNDING * typical[..., 1:]
            return step > apart, np.abs(step, out=step) > apart

        return self.once("typical moves", moves)

    def bars_in(self, days: int, least: int, most: int) -> int:
        """Whole bars in a number of days, clamped to `least` and `most`."""
        return min(max(days * DAY_MS // timeframe_ms(self.timeframe), least), most)
