"""Numbers that each role reads: columns of the feature sets, with their names in words."""

from __future__ import annotations

from typing import Literal, NamedTuple

Unit = Literal["percent", "index", "ratio"]


class Number(NamedTuple):
    """A column of the feature catalogue as a prompt shows it.

    Attributes:
        column: its name in the catalogue.
        words: what it is.
        unit: percent, for fractions; index, for values around 0 to 100; ratio, for others.
    """

    column: str
    words: str
    unit: Unit

    def line(self, value: float) -> str:
        """The line of a prompt.

        >>> Number("change_4", "change over 4 bars", "percent").line(0.01234)
        '- change over 4 bars: +1.23 %'
        """
        match self.unit:
            case "percent":
                # A change of less than 0.005 % has no sign, so that -0.00 and +0.00 are the same text.
                shown = f"{100 * value:+.2f} %".replace("-0.00 %", "+0.00 %")
            case "index":
                shown = f"{value:.1f}".replace("-0.0", "0.0") if abs(value) < 0.05 else f"{value:.1f}"
            case "ratio":
                shown = f"{value:.2f}".replace("-0.00", "0.00") if abs(value) < 0.005 else f"{value:.2f}"
        return f"- {self.words}: {shown}"


_CHANGES = tuple(
    Number(f"change_{bars}", f"change of the close over {bars} bar{'s' if bars > 1 else ''}", "percent")
    for bars in (1, 4, 12, 24, 48, 96)
)
_RSI = Number("rsi_14", "RSI, 14 bars, 0 to 100", "index")
_VOLUME = Number("volume_ma_ratio", "volume over its mean of 20 bars", "ratio")
_VOLATILITY = Number("volatility_20", "standard deviation of one-bar changes over 20 bars", "percent")
_ATR = Number("atr_14", "average true range over 14 bars, of the close", "percent")

_TECHNICAL = (
    *_CHANGES,
    Number("price_to_ema_10", "close against its EMA of 10 bars", "percent"),
    Number("price_to_ema_20", "close against its EMA of 20 bars", "percent"),
    Number("price_to_ema_50", "close against its EMA of 50 bars", "percent"),
    Number("ema_10_20_cross", "EMA of 10 bars less that of 20, of the close", "percent"),
    Number("ema_10_50_cross", "EMA of 10 bars less that of 50, of the close", "percent"),
    _RSI,
    Number("macd", "MACD (12, 26), of the close", "percent"),
    Number("macd_signal", "signal line of the MACD (9), of the close", "percent"),
    Number("macd_hist", "MACD less its signal line, of the close", "percent"),
    Number("adx", "ADX, 14 bars, 0 to 100", "index"),
    Number("adx_plus", "+DI, 14 bars, 0 to 100", "index"),
    Number("adx_minus", "-DI, 14 bars, 0 to 100", "index"),
    Number("stoch_k", "stochastic %K (14, 3), 0 to 100", "index"),
    Number("bb_pct", "place in the Bollinger bands (20, 2): 0 lower band, 1 upper band", "ratio"),
    _ATR,
    _VOLUME,
)
_RISK = (
    *_CHANGES,
    _VOLATILITY,
    Number("volatility_1d", "standard deviation of one-bar changes over a day, 6 to 48 bars", "percent"),
    Number("parkinson_20", "volatility from highs and lows (Parkinson) over 20 bars", "percent"),
    _ATR,
    Number("bb_width", "width of the Bollinger bands (20, 2), of their middle", "percent"),
    Number("high_low_range", "range of the newest bar, of the close", "percent"),
    Number("from_high_96", "close against the highest high of 96 bars", "percent"),
    Number("from_low_96", "close against the lowest low of 96 bars", "percent"),
    Number("skew_48", "skewness of one-bar changes over 48 bars", "ratio"),
    Number("autocorr_20", "autocorrelation of one-bar changes over 20 bars, -1 to 1", "ratio"),
    _VOLUME,
)
_SENTIMENT = (
    *_CHANGES,
    _VOLUME,
    Number("volume_change_24", "change of the volume over 24 bars", "percent"),
    Number("signed_volume_20", "volume of rising less that of falling bars, of all, 20 bars, -1 to 1", "ratio"),
    Number("volume_price_corr", "correlation of volume and close over 20 bars, -1 to 1", "ratio"),
    Number("mfi_14", "money flow index, 14 bars, 0 to 100", "index"),
    Number("obv", "on-balance volume against its last 20 bars, in standard deviations", "ratio"),
    _RSI,
    Number("aroon_osc_25", "Aroon oscillator, 25 bars, -100 to 100", "index"),
    Number("efficiency_ratio_20", "efficiency ratio over 20 bars: 0 no trend, 1 a straight line", "ratio"),
    Number("upper_wick", "upper wick of the newest bar, of the close", "percent"),
    Number("lower_wick", "lower wick of the newest bar, of the close", "percent"),
)

#: Role -> the numbers of its prompts, in order.
NUMBERS: dict[str, tuple[Number, ...]] = {"technical": _TECHNICAL, "risk": _RISK, "sentiment": _SENTIMENT}
