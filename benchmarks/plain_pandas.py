"""The columns of full65 in pandas, the reference of features.py: rolling, ewm and shift.

Nothing calls Python for each row: `rolling.apply`, which is usual for the two of `SHIFTED`, takes ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

#: Columns without a function in pandas, computed from one shifted series for each bar of their window.
SHIFTED = ("cci", "aroon_osc_25")


def over(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Ratio, 0 where the denominator is 0."""
    return (part / whole).where(whole != 0, 0.0)


class Plain:
    """Columns of full65 in pandas; intermediate results are kept only with `share`."""

    def __init__(self, frame: pd.DataFrame, *, share: bool) -> None:
        self.o, self.h, self.l, self.c, self.v = (frame[name] for name in ("open", "high", "low", "close", "volume"))
        self.date = frame["date"]
        self._kept: dict[str, pd.Series] | None = {} if share else None

    def keep(self, name: str, compute: Callable[[], pd.Series]) -> pd.Series:
        if self._kept is None:
            return compute()
        if name not in self._kept:
            self._kept[name] = compute()
        return self._kept[name]

    def ema(self, span: int) -> pd.Series:
        return self.keep(f"ema {span}", lambda: self.c.ewm(span=span, adjust=False).mean())

    def wilder(self, values: pd.Series, bars: int) -> pd.Series:
        return values.ewm(alpha=1 / bars, adjust=False).mean()

    def delta(self) -> pd.Series:
        return self.keep("delta", lambda: self.c.diff())

    def change(self) -> pd.Series:
        return self.keep("change", lambda: self.c.pct_change())

    def rsi(self, bars: int) -> pd.Series:
        up = self.wilder(self.delta().clip(lower=0), bars)
        down = self.wilder(-self.delta().clip(upper=0), bars)
        return 100 * over(up, up + down)

    def macd(self) -> pd.Series:
        return self.keep("macd", lambda: self.ema(12) - self.ema(26))

    def signal(self) -> pd.Series:
        return self.keep("signal", lambda: self.macd().ewm(span=9, adjust=False).mean())

    def middle(self) -> pd.Series:
        return self.keep("middle", lambda: self.c.rolling(20).mean())

    def deviation(self) -> pd.Series:
        return self.keep("deviation", lambda: self.c.rolling(20).std(ddof=0))

    def true_range(self) -> pd.Series:
        def compute() -> pd.Series:
            before = self.c.shift()
            return np.maximum(self.h - self.l, np.maximum((self.h - before).abs(), (self.l - before).abs()))

        return self.keep("true range", compute)

    def atr(self, bars: int) -> pd.Series:
        return self.keep(f"atr {bars}", lambda: self.wilder(self.true_range(), bars))

    def directional(self, sign: int) -> pd.Series:
        def compute() -> pd.Series:
            rise, fall = self.h.diff(), -self.l.diff()
            mine, other = (rise, fall) if sign > 0 else (fall, rise)
            return 100 * over(self.wilder(mine.where((mine > other) & (mine > 0), 0.0), 14), self.atr(14))

        return self.keep(f"directional {sign}", compute)

    def adx(self) -> pd.Series:
        def compute() -> pd.Series:
            plus, minus = self.directional(1), self.directional(-1)
            return self.wilder(100 * over((plus - minus).abs(), plus + minus), 14)

        return self.keep("adx", compute)

    def obv(self) -> pd.Series:
        balance = (np.sign(self.delta()).fillna(0) * self.v).cumsum()
        return over(balance - balance.rolling(20).mean(), balance.rolling(20).std())

    def lowest(self, bars: int) -> pd.Series:
        return self.keep(f"lowest {bars}", lambda: self.l.rolling(bars).min())

    def highest(self, bars: int) -> pd.Series:
        return self.keep(f"highest {bars}", lambda: self.h.rolling(bars).max())

    def stochastic(self) -> pd.Series:
        def compute() -> pd.Series:
            lowest = self.lowest(14)
            return (100 * over(self.c - lowest, self.highest(14) - lowest)).rolling(3).mean()

        return self.keep("stochastic", compute)

    def williams(self) -> pd.Series:
        highest = self.highest(14)
        return -100 * over(highest - self.c, highest - self.lowest(14))

    def money_flow(self) -> pd.Series:
        typical = (self.h + self.l + self.c) / 3
        money, step = typical * self.v, typical.diff()
        up = money.where(step > 0, 0.0).rolling(14).sum()
        return 100 * over(up, up + money.where(step < 0, 0.0).rolling(14).sum())

    def ema_of_window(self, span: int, bars: int) -> pd.Series:
        """Exponential average of exactly so many bars: that of all, less what is older."""
        average, older = self.ema(span), (1 - 2 / (span + 1)) ** bars
        return (average - older * average.shift(bars)) / (1 - older)

    def cci(self) -> pd.Series:
        typical = (self.h + self.l + self.c) / 3
        mean = typical.rolling(20).mean()
        away = (typical - mean).abs()
        for back in range(1, 20):
            away += (typical.shift(back) - mean).abs()
        return over(typical - mean, 0.015 * away / 20)

    def aroon(self) -> pd.Series:
        since = []
        for prices, extreme in ((self.l, self.l.rolling(26).min()), (self.h, self.h.rolling(26).max())):
            bars = pd.Series(0.0, prices.index)
            for back in range(25, 0, -1):
                bars = bars.mask(prices.shift(back) == extreme, back)
            since.append(bars.mask(prices == extreme, 0))
        return 4 * (since[0] - since[1])

    def volume_change(self, bars: int) -> pd.Series:
        before = self.v.shift(bars)
        return over(self.v - before, before)

    def parkinson(self) -> pd.Series:
        return np.sqrt((np.log(self.h / self.l) ** 2).rolling(20).mean() / (4 * math.log(2)))

    def close_time(self) -> pd.Series:
        return self.keep("close time", lambda: self.date + pd.Timedelta(hours=1))

    def hour(self) -> pd.Series:
        return self.keep("hour", lambda: self.close_time().dt.hour)

    def weekday(self) -> pd.Series:
        return self.keep("weekday", lambda: self.close_time().dt.day_of_week)


COLUMNS: dict[str, Callable[[Plain], pd.Series]] = {
    "rsi_7": lambda p: p.rsi(7),
    "rsi_14": lambda p: p.rsi(14),
    "rsi_21": lambda p: p.rsi(21),
    "macd": lambda p: p.macd() / p.c,
    "macd_signal": lambda p: p.signal() / p.c,
    "macd_diff": lambda p: (p.macd() - p.signal()) / p.c,
    "bb_upper": lambda p: (p.middle() + 2 * p.deviation()) / p.c - 1,
    "bb_lower": lambda p: (p.middle() - 2 * p.deviation()) / p.c - 1,
    "bb_width": lambda p: 4 * p.deviation() / p.middle(),
    "atr_7": lambda p: p.atr(7) / p.c,
    "atr_14": lambda p: p.atr(14) / p.c,
    "ema_9": lambda p: p.c / p.ema(9) - 1,
    "ema_21": lambda p: p.c / p.ema(21) - 1,
    "ema_50": lambda p: p.c / p.ema(50) - 1,
    "ema_200": lambda p: p.c / p.ema_of_window(200, 370) - 1,
    "sma_20": lambda p: p.c / p.middle() - 1,
    "sma_50": lambda p: p.c / p.c.rolling(50).mean() - 1,
    "volume_sma_20": lambda p: over(p.v, p.v.rolling(20).mean()),
    "obv": lambda p: p.obv(),
    "adx": lambda p: p.adx(),
    "adx_plus": lambda p: p.directional(1),
    "adx_minus": lambda p: p.directional(-1),
    "stoch_k": lambda p: p.stochastic(),
    "stoch_d": lambda p: p.stochastic().rolling(3).mean(),
    "cci": lambda p: p.cci(),
    "williams_r": lambda p: p.williams(),
    **{f"change_{bars}": lambda p, bars=bars: p.c.pct_change(bars) for bars in (1, 4, 12, 24, 48, 96)},
    "high_low_range": lambda p: (p.h - p.l) / p.c,
    "price_position": lambda p: over(p.c - p.l, p.h - p.l),
    "upper_wick": lambda p: (p.h - np.maximum(p.o, p.c)) / p.c,
    "lower_wick": lambda p: (np.minimum(p.o, p.c) - p.l) / p.c,
    "from_high_96": lambda p: p.c / p.highest(96) - 1,
    "from_low_96": lambda p: p.c / p.lowest(96) - 1,
    **{f"volume_change_{bars}": lambda p, bars=bars: p.volume_change(bars) for bars in (1, 4, 24)},
    "volume_price_corr": lambda p: p.v.rolling(20).corr(p.c).fillna(0),
    "signed_volume_20": lambda p: over((np.sign(p.delta()) * p.v).rolling(20).sum(), p.v.rolling(20).sum()),
    "mfi_14": lambda p: p.money_flow(),
    "volatility_1d": lambda p: p.change().rolling(24).std(),
    "volatility_7d": lambda p: p.change().rolling(168).std(),
    "bb_pct": lambda p: over(p.c - p.middle() + 2 * p.deviation(), 4 * p.deviation()),
    "parkinson_20": lambda p: p.parkinson(),
    "skew_48": lambda p: p.change().rolling(48).skew(),
    "ema_cross_short": lambda p: (p.ema(9) > p.ema(21)).astype(float),
    "ema_cross_medium": lambda p: (p.ema(21) > p.ema(50)).astype(float),
    "macd_momentum": lambda p: (p.macd() > p.signal()).astype(float),
    "efficiency_ratio_20": lambda p: over((p.c - p.c.shift(20)).abs(), p.delta().abs().rolling(20).sum()),
    "autocorr_20": lambda p: p.change().rolling(20).corr(p.change().shift()),
    "aroon_osc_25": lambda p: p.aroon(),
    "is_trending": lambda p: (p.adx() > 25).astype(float),
    "is_ranging": lambda p: ((p.adx() < 20) & (p.atr(14) / p.c < 0.02)).astype(float),
    "is_volatile": lambda p: ((p.atr(14) / p.c > 0.025) & (4 * p.deviation() / p.middle() > 0.04)).astype(float),
    "hour": lambda p: p.hour().astype(float),
    "day_of_week": lambda p: p.weekday().astype(float),
    "day_of_month": lambda p: p.close_time().dt.day.astype(float),
    "hour_sin": lambda p: np.sin(2 * math.pi * p.hour() / 24),
    "hour_cos": lambda p: np.cos(2 * math.pi * p.hour() / 24),
    "day_sin": lambda p: np.sin(2 * math.pi * p.weekday() / 7),
    "day_cos": lambda p: np.cos(2 * math.pi * p.weekday() / 7),
}


def in_pandas(frame: pd.DataFrame, names: Sequence[str], *, share: bool) -> pd.DataFrame:
    """The named columns as float32."""
    plain = Plain(frame, share=share)
    return pd.DataFrame({name: COLUMNS[name](plain).astype(np.float32) for name in names})
