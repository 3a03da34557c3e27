"""Every column of every set against a slow, plain calculation of the same thing.

The oracle works on lists, one row at a time, straight from the definition. None is a row that it cannot know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import fmean, stdev

import numpy as np
import pytest

from quorate.core.types import Candles
from quorate.features import build, feature_names, feature_set, feature_sets

Values = list[float | None]

# Columns that no set has yet are computed beside one.
OWN = [
    *(name for name in feature_sets() if not feature_set(name).context),
    "core14+log_volatility_336+log_volatility_720",
]
NAMES = sorted({name for features in OWN for name in feature_names(features)})


class Oracle:
    def __init__(self, candles):
        self.o, self.h, self.l, self.c, self.v = (
            [float(x) for x in getattr(candles, name)] for name in ("open", "high", "low", "close", "volume")
        )
        self.n = len(self.c)
        bar = {"1h": 3_600, "4h": 14_400, "5m": 300}[candles.timeframe]
        self.bar_s = bar
        self.closes_at = [datetime.fromtimestamp(int(t) / 1000 + bar, UTC) for t in candles.time]
        self.r = self.rows(1, lambda i: self.c[i] / self.c[i - 1] - 1)
        self.tp = [(h + low + c) / 3 for h, low, c in zip(self.h, self.l, self.c, strict=True)]

    def rows(self, first, value) -> Values:
        return [None] * min(first, self.n) + [value(i) for i in range(first, self.n)]

    def window(self, first, bars, of, value) -> Values:
        return self.rows(first, lambda i: value(of[i - bars + 1 : i + 1]))

    # Recursions as Wilder and TA-Lib write them.

    def ema(self, period, of=None, first=0) -> Values:
        of = self.c if of is None else of
        out: Values = [None] * self.n
        if self.n < first + period:
            return out
        out[first + period - 1] = math.fsum(of[first : first + period]) / period
        for i in range(first + period, self.n):
            out[i] = out[i - 1] + (of[i] - out[i - 1]) * 2 / (period + 1)
        return out

    def wilder(self, values, period, first) -> Values:
        """Mean of the first `period` values from `first` on, then 1/period of each new one."""
        out: Values = [None] * self.n
        last = first + period - 1
        if last < self.n:
            out[last] = fmean(values[first : last + 1])
            for i in range(last + 1, self.n):
                out[i] = (out[i - 1] * (period - 1) + values[i]) / period
        return out

    def rsi(self, period) -> Values:
        step = [0.0] + [b - a for a, b in zip(self.c, self.c[1:], strict=False)]
        up = self.wilder([max(s, 0) for s in step], period, 1)
        down = self.wilder([max(-s, 0) for s in step], period, 1)
        return self.rows(period, lambda i: 100 * up[i] / (up[i] + down[i]) if up[i] + down[i] > 0 else 0.0)

    def true_range(self, i):
        return max(self.h[i], self.c[i - 1]) - min(self.l[i], self.c[i - 1])

    def atr(self, period) -> Values:
        return self.wilder([0.0] + [self.true_range(i) for i in range(1, self.n)], period, 1)

    def directional(self, period=14) -> tuple[Values, Values, Values]:
        plus, minus, ranges = [0.0], [0.0], [0.0]
        for i in range(1, self.n):
            up, down = self.h[i] - self.h[i - 1], self.l[i - 1] - self.l[i]
            plus.append(up if up > down and up > 0 else 0.0)
            minus.append(down if down > up and down > 0 else 0.0)
            ranges.append(self.true_range(i))

        def smoothed(values):
            # Wilder's sum, which TA-Lib begins one bar short and then decays once.
            out: Values = [None] * self.n
            total = math.fsum(values[1:period])
            for i in range(period, self.n):
                total = total - total / period + values[i]
                out[i] = total
            return out

        p, m, t = smoothed(plus), smoothed(minus), smoothed(ranges)
        di_plus = self.rows(period, lambda i: 100 * p[i] / t[i] if t[i] else 0.0)
        di_minus = self.rows(period, lambda i: 100 * m[i] / t[i] if t[i] else 0.0)
        dx = [0.0] * self.n
        for i in range(period, self.n):
            total = di_plus[i] + di_minus[i]
            dx[i] = 100 * abs(di_plus[i] - di_minus[i]) / total if total else 0.0
        return di_plus, di_minus, self.wilder(dx, period, period)

    def macd_lines(self) -> tuple[Values, Values]:
        # TA-Lib seeds the fast average so that both begin on the same bar, and shows the line once the signal is known.
        fast, slow = self.ema(12, first=14), self.ema(26)
        line = self.rows(25, lambda i: fast[i] - slow[i])
        signal = self.ema(9, of=[0.0 if x is None else x for x in line], first=25)
        return [None] * min(33, self.n) + line[33:], signal

    # Windows.

    def sma(self, bars, of=None) -> Values:
        return self.window(bars - 1, bars, self.c if of is None else of, fmean)

    def change(self, bars, of=None) -> Values:
        of = self.c if of is None else of
        return self.rows(bars, lambda i: of[i] / of[i - bars] - 1 if of[i - bars] else 0.0)

    def sd(self, bars) -> Values:
        return self.window(bars, bars, self.r, stdev)

    def bands(self) -> Values:
        return self.window(19, 20, self.c, lambda w: 2 * math.sqrt(fmean([(x - fmean(w)) ** 2 for x in w])))

    def correlation(self, x, y):
        mx, my = fmean(x), fmean(y)
        sx, sy = math.fsum((a - mx) ** 2 for a in x), math.fsum((b - my) ** 2 for b in y)
        if len(set(x)) == 1 or len(set(y)) == 1:
            return 0.0
        return math.fsum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / math.sqrt(sx * sy)

    def bars_in(self, days, least, most):
        return min(max(days * 86_400 // self.bar_s, least), most)

    def sign(self, i):
        return 0.0 if i == 0 else math.copysign(1, self.c[i] - self.c[i - 1]) if self.c[i] != self.c[i - 1] else 0.0

    def over(self, part: Values, whole) -> Values:
        return [None if a is None or b is None else a / b for a, b in zip(part, whole, strict=True)]

    # Columns that take more than a line.

    def macd_difference(self) -> Values:
        line, signal = self.macd_lines()
        return self.rows(33, lambda i: (line[i] - signal[i]) / self.c[i])

    def close_to(self, level: Values) -> Values:
        return [None if x is None else c / x - 1 for c, x in zip(self.c, level, strict=True)]

    def ema_200(self) -> Values:
        weights = [(1 - 2 / 201) ** age for age in range(370)]
        total = math.fsum(weights)
        return self.close_to(
            self.rows(369, lambda i: math.fsum(w * self.c[i - age] for age, w in enumerate(weights)) / total)
        )

    def cross(self, fast, slow) -> Values:
        a, b = self.ema(fast), self.ema(slow)
        return self.rows(slow - 1, lambda i: (a[i] - b[i]) / self.c[i])

    def flag(self, values, holds) -> Values:
        return [None if x is None else float(holds(x)) for x in values]

    def volume_to_mean(self) -> Values:
        mean = self.sma(20, self.v)
        return self.rows(19, lambda i: self.v[i] / mean[i] if mean[i] else 0.0)

    def band(self, sign) -> Values:
        middle, reach = self.sma(20), self.bands()
        return self.rows(19, lambda i: (middle[i] + sign * reach[i]) / self.c[i] - 1)

    def band_width(self) -> Values:
        return self.over([None if x is None else 2 * x for x in self.bands()], self.sma(20))

    def band_place(self) -> Values:
        middle, reach = self.sma(20), self.bands()
        flat = self.window(19, 20, self.c, lambda w: len(set(w)) == 1)
        return self.rows(19, lambda i: 0.0 if flat[i] else (self.c[i] - middle[i] + reach[i]) / (2 * reach[i]))

    def obv(self) -> Values:
        level, levels = 0.0, []
        for i in range(self.n):
            level += self.sign(i) * self.v[i]
            levels.append(level)
        return self.window(19, 20, levels, lambda w: (w[-1] - fmean(w)) / stdev(w) if len(set(w)) > 1 else 0.0)

    def place_in_range(self, value) -> Values:
        def of(i):
            low, high = min(self.l[i - 13 : i + 1]), max(self.h[i - 13 : i + 1])
            return value(self.c[i], low, high) / (high - low) if high > low else 0.0

        return self.rows(13, of)

    def fast_k(self) -> Values:
        return self.place_in_range(lambda close, low, _: 100 * (close - low))

    def cci(self) -> Values:
        def value(w):
            spread = fmean([abs(x - fmean(w)) for x in w])
            return (w[-1] - fmean(w)) / (0.015 * spread) if len(set(w)) > 1 else 0.0

        return self.window(19, 20, self.tp, value)

    def signed_volume(self) -> Values:
        def value(i):
            total = math.fsum(self.v[i - 19 : i + 1])
            return math.fsum(self.sign(j) * self.v[j] for j in range(i - 19, i + 1)) / total if total else 0.0

        return self.rows(20, value)

    def money_flow(self) -> Values:
        def value(i):
            moved = [j for j in range(i - 13, i + 1) if not math.isclose(self.tp[j], self.tp[j - 1], rel_tol=1e-12)]
            up = math.fsum(self.tp[j] * self.v[j] for j in moved if self.tp[j] > self.tp[j - 1])
            down = math.fsum(self.tp[j] * self.v[j] for j in moved if self.tp[j] < self.tp[j - 1])
            return 100 * up / (up + down) if up + down else 0.0

        return self.rows(14, value)

    def declared(self, warmup, values) -> Values:
        return [None] * min(warmup, self.n) + values[warmup:]

    def parkinson(self) -> Values:
        squares = [math.log(high / low) ** 2 for high, low in zip(self.h, self.l, strict=True)]
        return self.window(19, 20, squares, lambda w: math.sqrt(fmean(w) / (4 * math.log(2))))

    def log_volatility(self, variances, first, bars) -> Values:
        return self.window(first, bars, variances, lambda w: math.log(max(math.sqrt(max(fmean(w), 0.0)) / 1e-5, 1)))

    def realised(self, bars) -> Values:
        return self.log_volatility([0.0, *(math.log(1 + r) ** 2 for r in self.r[1:])], bars, bars)

    def spans(self) -> list[float]:
        return [math.log(high / low) ** 2 / (4 * math.log(2)) for high, low in zip(self.h, self.l, strict=True)]

    def ranged(self, bars) -> Values:
        return self.log_volatility(self.spans(), bars - 1, bars)

    def garman_klass(self) -> Values:
        factor = 2 * math.log(2) - 1
        of_bar = [
            math.log(h / low) ** 2 / 2 - factor * math.log(c / o) ** 2
            for o, h, low, c in zip(self.o, self.h, self.l, self.c, strict=True)
        ]
        return self.log_volatility(of_bar, 23, 24)

    def rogers_satchell(self) -> Values:
        of_bar = [
            math.log(h / c) * math.log(h / o) + math.log(low / c) * math.log(low / o)
            for o, h, low, c in zip(self.o, self.h, self.l, self.c, strict=True)
        ]
        return self.log_volatility(of_bar, 23, 24)

    def decayed(self, half_life) -> Values:
        window, spans = 12 * half_life, self.spans()
        weights = [0.5 ** (age / half_life) for age in range(window)]

        def value(i):
            mean = math.fsum(weights[age] * spans[i - age] for age in range(window)) / math.fsum(weights)
            return math.log(max(math.sqrt(mean) / 1e-5, 1))

        return self.rows(window - 1, value)

    def same_time(self) -> Values:
        """The five bars after this time of day, on each of the last seven days; of hours in bars of five minutes."""
        spans, season = self.spans(), 12 if self.bar_s == 300 else 86_400 // self.bar_s

        def value(i):
            following = [spans[i - season * back + step] for back in range(1, 8) for step in range(1, 6)]
            return math.log(max(math.sqrt(fmean(following)) / 1e-5, 1))

        return self.rows(168, value)

    def skew(self) -> Values:
        def value(w):
            if len(set(w)) == 1:
                return 0.0
            m = fmean(w)
            m2, m3 = fmean([(x - m) ** 2 for x in w]), fmean([(x - m) ** 3 for x in w])
            return math.sqrt(48 * 47) / 46 * m3 / m2**1.5

        return self.window(48, 48, self.r, value)

    def efficiency(self) -> Values:
        def value(i):
            walked = math.fsum(abs(self.c[j] - self.c[j - 1]) for j in range(i - 19, i + 1))
            return abs(self.c[i] - self.c[i - 20]) / walked if walked else 0.0

        return self.rows(20, value)

    def aroon(self) -> Values:
        def age(values, i, extreme):
            return min(a for a in range(26) if values[i - a] == extreme(values[i - 25 : i + 1]))

        return self.rows(25, lambda i: 4.0 * (age(self.l, i, min) - age(self.h, i, max)))

    def both(self, first, a: Values, b: Values, hold) -> Values:
        return self.rows(first, lambda i: float(hold(a[i], b[i])))

    def at_close(self, value) -> Values:
        return [float(value(moment)) for moment in self.closes_at]


DEFINITIONS: dict[str, Callable[[Oracle], Values]] = {
    # core14
    "price_change": lambda o: o.change(1),
    "volume_change": lambda o: o.change(1, o.v),
    "volume_ma_ratio": lambda o: o.volume_to_mean(),
    "price_to_ema_10": lambda o: o.close_to(o.ema(10)),
    "price_to_ema_20": lambda o: o.close_to(o.ema(20)),
    "price_to_ema_50": lambda o: o.close_to(o.ema(50)),
    "ema_10_20_cross": lambda o: o.cross(10, 20),
    "ema_10_50_cross": lambda o: o.cross(10, 50),
    "volatility_20": lambda o: o.sd(20),
    "macd_hist": lambda o: o.macd_difference(),
    # technical
    "rsi_7": lambda o: o.rsi(7),
    "rsi_14": lambda o: o.rsi(14),
    "rsi_21": lambda o: o.rsi(21),
    "macd": lambda o: o.over(o.macd_lines()[0], o.c),
    "macd_signal": lambda o: o.over(o.macd_lines()[1], o.c),
    "macd_diff": lambda o: o.macd_difference(),
    "bb_upper": lambda o: o.band(1),
    "bb_lower": lambda o: o.band(-1),
    "bb_width": lambda o: o.band_width(),
    "atr_7": lambda o: o.over(o.atr(7), o.c),
    "atr_14": lambda o: o.over(o.atr(14), o.c),
    "ema_9": lambda o: o.close_to(o.ema(9)),
    "ema_21": lambda o: o.close_to(o.ema(21)),
    "ema_50": lambda o: o.close_to(o.ema(50)),
    "ema_200": lambda o: o.ema_200(),
    "sma_20": lambda o: o.close_to(o.sma(20)),
    "sma_50": lambda o: o.close_to(o.sma(50)),
    "volume_sma_20": lambda o: o.volume_to_mean(),
    "obv": lambda o: o.obv(),
    "adx": lambda o: o.directional()[2],
    "adx_plus": lambda o: o.directional()[0],
    "adx_minus": lambda o: o.directional()[1],
    "stoch_k": lambda o: o.window(17, 3, o.fast_k(), fmean),
    "stoch_d": lambda o: o.window(17, 3, o.window(15, 3, o.fast_k(), fmean), fmean),
    "cci": lambda o: o.cci(),
    "williams_r": lambda o: o.place_in_range(lambda close, _, high: -100 * (high - close)),
    # price
    "change_1": lambda o: o.change(1),
    "change_4": lambda o: o.change(4),
    "change_12": lambda o: o.change(12),
    "change_24": lambda o: o.change(24),
    "change_48": lambda o: o.change(48),
    "change_96": lambda o: o.change(96),
    "high_low_range": lambda o: o.rows(0, lambda i: (o.h[i] - o.l[i]) / o.c[i]),
    "price_position": lambda o: o.rows(0, lambda i: (o.c[i] - o.l[i]) / (o.h[i] - o.l[i]) if o.h[i] > o.l[i] else 0.0),
    "upper_wick": lambda o: o.rows(0, lambda i: (o.h[i] - max(o.o[i], o.c[i])) / o.c[i]),
    "lower_wick": lambda o: o.rows(0, lambda i: (min(o.o[i], o.c[i]) - o.l[i]) / o.c[i]),
    "from_high_96": lambda o: o.close_to(o.window(95, 96, o.h, max)),
    "from_low_96": lambda o: o.close_to(o.window(95, 96, o.l, min)),
    # volume
    "volume_change_1": lambda o: o.change(1, o.v),
    "volume_change_4": lambda o: o.change(4, o.v),
    "volume_change_24": lambda o: o.change(24, o.v),
    "volume_price_corr": lambda o: o.rows(19, lambda i: o.correlation(o.v[i - 19 : i + 1], o.c[i - 19 : i + 1])),
    "signed_volume_20": lambda o: o.signed_volume(),
    "mfi_14": lambda o: o.money_flow(),
    # volatility
    "volatility_1d": lambda o: o.declared(48, o.sd(o.bars_in(1, 6, 48))),
    "volatility_7d": lambda o: o.declared(288, o.sd(o.bars_in(7, 42, 288))),
    "bb_pct": lambda o: o.band_place(),
    "parkinson_20": lambda o: o.parkinson(),
    "skew_48": lambda o: o.skew(),
    # momentum
    "ema_cross_short": lambda o: o.flag(o.cross(9, 21), lambda x: x > 0),
    "ema_cross_medium": lambda o: o.flag(o.cross(21, 50), lambda x: x > 0),
    "macd_momentum": lambda o: o.flag(o.macd_difference(), lambda x: x > 0),
    "efficiency_ratio_20": lambda o: o.efficiency(),
    "autocorr_20": lambda o: o.rows(21, lambda i: o.correlation(o.r[i - 19 : i + 1], o.r[i - 20 : i])),
    "aroon_osc_25": lambda o: o.aroon(),
    # regime
    "is_trending": lambda o: o.flag(o.directional()[2], lambda x: x > 25),
    "is_ranging": lambda o: o.both(
        27, o.directional()[2], o.over(o.atr(14), o.c), lambda adx, atr: adx < 20 and atr < 0.02
    ),
    "is_volatile": lambda o: o.both(
        19, o.over(o.atr(14), o.c), o.band_width(), lambda atr, width: atr > 0.025 and width > 0.04
    ),
    # variance
    **{f"log_volatility_{bars}": lambda o, bars=bars: o.realised(bars) for bars in (1, 6, 24, 168, 336, 720)},
    **{f"log_range_{bars}": lambda o, bars=bars: o.ranged(bars) for bars in (1, 3, 6, 24, 168)},
    "log_garman_klass_24": lambda o: o.garman_klass(),
    "log_rogers_satchell_24": lambda o: o.rogers_satchell(),
    **{f"log_range_ewm_{bars}": lambda o, bars=bars: o.decayed(bars) for bars in (2, 8)},
    "log_range_same_time": lambda o: o.same_time(),
    # time
    "hour": lambda o: o.at_close(lambda t: t.hour),
    "day_of_week": lambda o: o.at_close(lambda t: t.weekday()),
    "day_of_month": lambda o: o.at_close(lambda t: t.day),
    "hour_of_week": lambda o: o.at_close(lambda t: 24 * t.weekday() + t.hour),
    "hour_sin": lambda o: o.at_close(lambda t: math.sin(2 * math.pi * t.hour / 24)),
    "hour_cos": lambda o: o.at_close(lambda t: math.cos(2 * math.pi * t.hour / 24)),
    "day_sin": lambda o: o.at_close(lambda t: math.sin(2 * math.pi * t.weekday() / 7)),
    "day_cos": lambda o: o.at_close(lambda t: math.cos(2 * math.pi * t.weekday() / 7)),
}

MARKETS = {
    "1h": {"bars": 620, "seed": 1},
    "1h quiet": {"bars": 620, "seed": 2, "quiet": True},
    "4h cheap": {"bars": 450, "seed": 3, "timeframe": "4h", "price": 3e-9},
    "5m": {"bars": 450, "seed": 4, "timeframe": "5m", "price": 90_000.0, "quiet": True},
}


@pytest.fixture(scope="module", params=MARKETS)
def computed(request, make_candles):
    candles = make_candles(**MARKETS[request.param])
    matrices = {features: build(candles, features) for features in OWN}
    return Oracle(candles), matrices


@pytest.mark.parametrize("name", NAMES)
def test_a_column_is_what_its_definition_says(computed, name):
    oracle, matrices = computed
    expected = np.array([np.nan if x is None else x for x in DEFINITIONS[name](oracle)])
    for features, matrix in matrices.items():
        if name not in feature_names(features):
            continue
        column = matrix[:, feature_names(features).index(name)].astype(np.float64)
        warmup = next(column.warmup for column in feature_set(features).columns if column.name == name)
        assert np.isnan(expected[:warmup]).all()
        assert np.isfinite(expected[warmup:]).all()
        np.testing.assert_array_equal(np.isnan(column), np.isnan(expected), err_msg=f"{features}: warm-up")
        np.testing.assert_allclose(column[warmup:], expected[warmup:], rtol=2e-6, atol=2e-6, err_msg=features)


def test_equal_typical_prices_are_neither_rise_nor_fall():
    # (2.0127 + 1.9818 + 2.0088) / 3 and (2.0147 + 1.9819 + 2.0067) / 3 are both 2.0011, and one bit apart in binary.
    high, low, close = np.array([[2.0127, 2.0147] * 15, [1.9818, 1.9819] * 15, [2.0088, 2.0067] * 15])
    typical = (high + low + close) / 3
    assert typical[0] != typical[1]
    candles = Candles("A/USDT", "1h", 3_600_000 * np.arange(30), close, high, low, close, np.ones(30))
    assert (column(candles, "mfi_14")[14:] == 0).all()
    assert (column(candles, "cci")[19:] == 0).all()
    # One true rise among them is all the money flow of the windows that hold it.
    lift = np.where(np.arange(30) < 15, 1.0, 2.0)
    lifted = Candles("A/USDT", "1h", candles.time, *(lift * x for x in (close, high, low, close)), np.ones(30))
    assert (column(lifted, "mfi_14")[15:29] == 100).all()
    assert column(lifted, "mfi_14")[29] == 0


def test_steady_growth_has_neither_skew_nor_autocorrelation():
    # Every change is 0.1 %, but for the last bit: correlating those bits would say anything.
    close = 100 * 1.001 ** np.arange(400)
    candles = Candles("A/USDT", "1h", 3_600_000 * np.arange(400), close, close, close, close, np.ones(400))
    assert len(set(np.diff(close) / close[:-1])) > 1
    assert (column(candles, "skew_48")[48:] == 0).all()
    assert (column(candles, "autocorr_20")[21:] == 0).all()


@pytest.mark.parametrize("volume", [0.1, 1 / 3, 1_234.567, 7e9 / 3])
def test_a_flat_volume_is_correlated_with_nothing(make_candles, volume):
    candles = make_candles(60, 3)
    flat = replace(candles, volume=np.full(60, volume))
    assert (column(flat, "volume_price_corr")[19:] == 0).all()
    still = replace(candles, close=np.full(60, volume))
    assert (column(still, "volume_price_corr")[19:] == 0).all()


def column(candles, name):
    return build(candles, "full65")[:, feature_names("full65").index(name)]


def test_no_column_is_constant_on_a_moving_market(make_candles):
    X = build(make_candles(2_000, 5), "full65")[feature_set("full65").warmup :]
    still = [name for name, column in zip(feature_names("full65"), X.T, strict=True) if np.ptp(column) == 0]
    assert still == []
