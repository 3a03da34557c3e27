"""Oscillators, bands and averages.

RSI, MACD, ATR, EMA, ADX, the stochastic, CCI and Williams %R are TA-Lib's values in TA-Lib's ranges; values in units of
price are divided by the close.
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import indicators, rolling
from quorate.features.arithmetic import ROUNDING, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column

# Exactly the newest closes, so that a live frame of 498 bars has the same value: TA-Lib's EMA(200) depends on its seed,
# the mean of the first 200 closes, far longer.
_EMA_200_BARS = 370
_EMA_200_DECAY = 1 - 2 / (200 + 1)


def _from_ema(period: int) -> Column:
    return Column(f"ema_{period}", period - 1, lambda bars: bars.close / bars.ema(period) - 1)


def _price_to_ema(period: int) -> Column:
    return Column(f"price_to_ema_{period}", period - 1, lambda bars: bars.close / bars.ema(period) - 1)


def _ema_cross(fast: int, slow: int) -> Column:
    return Column(f"ema_{fast}_{slow}_cross", slow - 1, lambda bars: (bars.ema(fast) - bars.ema(slow)) / bars.close)


def _rsi(period: int) -> Column:
    return Column(f"rsi_{period}", period, lambda bars: bars.rsi(period))


def _atr(period: int) -> Column:
    return Column(f"atr_{period}", period, lambda bars: atr_share(bars, period))


def _sma(period: int) -> Column:
    return Column(f"sma_{period}", period - 1, lambda bars: bars.close[..., period - 1 :] / bars.mean_close(period) - 1)


def volume_to_mean(bars: Bars) -> FloatArray:
    """Volume over the mean of 20: (n - 19,)."""
    return ratio(bars.volume[..., 19:], bars.mean_volume())


def volume_path(bars: Bars) -> rolling.Rows:
    """Mean, squared deviations and end of the on-balance volume of 20 bars, which starts at 0: (n - 19,) each."""
    return bars.once("volume path", lambda: rolling.path_moments(bars.signed_volume()).over(20))


def atr_share(bars: Bars, period: int) -> FloatArray:
    """Average true range over the close: (n,)."""
    return bars.atr(period) / bars.close


def band_middle(bars: Bars) -> FloatArray:
    """Mean of 20 closes, in `unit`: (n - 19,)."""
    return bars.close_moments()[0]


def band_reach(bars: Bars) -> FloatArray:
    """Distance of the Bollinger bands from their middle, 2 standard deviations of 20 closes, in `unit`: (n - 19,)."""
    return bars.once("band reach", lambda: 2 * bars.close_deviation())


def band_width(bars: Bars) -> FloatArray:
    """(upper - lower) / middle of the Bollinger bands: (n - 19,)."""
    return bars.once("band width", lambda: 2 * band_reach(bars) / band_middle(bars))


def _bb_upper(bars: Bars) -> FloatArray:
    return (band_middle(bars) + band_reach(bars)) / bars.close[..., 19:] - 1


def _bb_lower(bars: Bars) -> FloatArray:
    return (band_middle(bars) - band_reach(bars)) / bars.close[..., 19:] - 1


def _ema_200(bars: Bars) -> FloatArray:
    total = rolling.decayed_sums(bars.close, _EMA_200_DECAY).over(_EMA_200_BARS)
    weight = (1 - _EMA_200_DECAY**_EMA_200_BARS) / (1 - _EMA_200_DECAY)
    return bars.close[..., _EMA_200_BARS - 1 :] * weight / total - 1


def _obv(bars: Bars) -> FloatArray:
    """On-balance volume as a z-score over 20 bars, in which its starting level cancels."""
    mean, squares, end = volume_path(bars)
    return ratio(end - mean, np.sqrt(squares / 19))


def _stochastic(bars: Bars) -> FloatArray:
    """%K of 14 bars, smoothed over 3 without TA-Lib's running sum: (n - 15,)."""

    def smoothed() -> FloatArray:
        lowest = bars.lowest(14)
        return 100 / 3 * rolling.sums(ratio(bars.close - lowest, bars.highest(14) - lowest)[..., 13:]).over(3)

    return bars.once("stochastic", smoothed)


def _williams_r(bars: Bars) -> FloatArray:
    highest = bars.highest(14)
    return -100 * ratio(highest - bars.close, highest - bars.lowest(14))


def _cci(bars: Bars) -> FloatArray:
    """Commodity channel index of 20 bars, 0 where the typical price is flat: (n - 19,)."""
    typical = bars.typical()
    mean = rolling.sums(typical).mean(20)
    values = typical[..., 19:] - mean
    values /= 0.015 * rolling.mean_deviation(typical, mean, 20)
    _, moved = bars.typical_moves()
    if not moved.all():  # a flat window has no move
        span = bars.talib(indicators.MAX, 20, typical) - bars.talib(indicators.MIN, 20, typical)
        np.copyto(values, 0.0, where=(span <= ROUNDING * typical)[..., 19:])
    return values


COLUMNS = (
    _rsi(7),
    _rsi(14),
    _rsi(21),
    Column("macd", 33, lambda bars: bars.macd() / bars.close),
    Column("macd_signal", 33, lambda bars: bars.macd_signal() / bars.close),
    Column("macd_diff", 33, lambda bars: bars.macd_difference() / bars.close),
    Column("macd_hist", 33, lambda bars: bars.macd_difference() / bars.close),
    Column("bb_upper", 19, _bb_upper),
    Column("bb_lower", 19, _bb_lower),
    Column("bb_width", 19, band_width),
    _atr(7),
    _atr(14),
    _from_ema(9),
    _from_ema(21),
    _from_ema(50),
    Column("ema_200", _EMA_200_BARS - 1, _ema_200),
    Column("sma_20", 19, lambda bars: bars.close[..., 19:] / band_middle(bars) - 1),
    _sma(50),
    Column("volume_sma_20", 19, volume_to_mean),
    Column("obv", 19, _obv),
    Column("adx", 27, lambda bars: bars.adx()),
    Column("adx_plus", 14, lambda bars: bars.plus_di()),
    Column("adx_minus", 14, lambda bars: bars.minus_di()),
    Column("stoch_k", 17, _stochastic),
    Column("stoch_d", 17, lambda bars: rolling.sums(_stochastic(bars)).mean(3)),
    Column("cci", 19, _cci),
    Column("williams_r", 13, _williams_r),
    _price_to_ema(10),
    _price_to_ema(20),
    _price_to_ema(50),
    _ema_cross(10, 20),
    _ema_cross(10, 50),
)
