"""Features: many rows at once, one new bar, and a hundred symbols from files to labels.

    python benchmarks/features.py [--rows 1000000] [--json FILE]

The many rows are compared with the same columns written plainly in pandas (rolling and ewm, no rolling.apply): cci,
aroon_osc_25 and ema_200 have no such plain form, so pandas leaves them out and we do not. Both run on the same
candles in one process; the best of four runs counts. Peak memory is that of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from quorate.core.clock import HOUR_MS
from quorate.core.types import Candles
from quorate.features import Bars, build, feature_set
from quorate.features.catalogue import GROUPS
from quorate.features.column import Column
from quorate.features.matrix import fill
from quorate.market.freqtrade_files import FreqtradeFolder
from quorate.market.store import write_candles
from quorate.market.synthetic import SyntheticMarket
from quorate.targets import ForwardClass, build_dataset

LIVE = 498
SYMBOLS, BARS = 100, 2_160
LEFT_OUT = {"cci", "aroon_osc_25", "ema_200"}


def market(rows: int) -> Candles:
    """Candles of a price that wanders around 100, so that a million of them stay within what a market does."""
    random = np.random.default_rng(1)
    steps = random.normal(0, 0.006, rows)
    log = np.cumsum(steps) - np.cumsum(steps)[-1] * np.arange(rows) / rows
    close = 100 * np.exp(np.sin(log))
    opens = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opens, close) * np.exp(np.abs(random.normal(0, 0.003, rows)))
    low = np.minimum(opens, close) * np.exp(-np.abs(random.normal(0, 0.003, rows)))
    time_ = 1_577_836_800_000 + HOUR_MS * np.arange(rows)
    return Candles("SYN/USDT:USDT", "1h", time_, opens, high, low, close, random.lognormal(5, 1, rows), synthetic=True)


def over(part: pd.Series, whole: pd.Series) -> pd.Series:
    """A ratio, 0 over zero."""
    return (part / whole).where(whole != 0, 0.0)


class Plain:
    """full65 in pandas, each column as one would write it down; intermediates are kept only where asked to share."""

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
    "sma_20": lambda p: p.c / p.middle() - 1,
    "sma_50": lambda p: p.c / p.c.rolling(50).mean() - 1,
    "volume_sma_20": lambda p: over(p.v, p.v.rolling(20).mean()),
    "obv": lambda p: p.obv(),
    "adx": lambda p: p.adx(),
    "adx_plus": lambda p: p.directional(1),
    "adx_minus": lambda p: p.directional(-1),
    "stoch_k": lambda p: p.stochastic(),
    "stoch_d": lambda p: p.stochastic().rolling(3).mean(),
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


def plainly(frame: pd.DataFrame, names: Sequence[str], *, share: bool) -> pd.DataFrame:
    """Those of the columns that pandas has, as float32."""
    plain = Plain(frame, share=share)
    return pd.DataFrame({name: COLUMNS[name](plain).astype(np.float32) for name in names if name not in LEFT_OUT})


def timed(work: Callable[[], Any], times: int = 4) -> tuple[float, Any]:
    """Seconds of the best run, and what it gave."""
    best, result = math.inf, None
    for _ in range(times):
        result = None
        began = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - began)
    return best, result


def many_rows(rows: int) -> dict[str, Any]:
    """Seconds per group and over all, ours and pandas', and how far apart the values are."""
    candles = market(rows)
    frame = candles.to_pandas()
    wanted = feature_set("full65")
    parts = {
        group: tuple(column for column in columns if column.name in wanted.names)
        for group, columns in GROUPS.items()
        if group != "context"
    }
    parts["over all"] = wanted.columns
    groups, apart = {}, {}
    for group, columns in parts.items():
        names = [column.name for column in columns]

        def ours(columns: tuple[Column, ...] = columns) -> np.ndarray[Any, Any]:
            X = np.empty((rows, len(columns)), np.float32)
            fill(X, Bars(candles), columns)
            return X

        ours_s, X = timed(ours)
        for place, name in enumerate(names):
            if name not in LEFT_OUT and group != "over all":
                # After 2,000 rows nothing is left of how either seeded its averages; a flag may turn on the last bit.
                theirs = COLUMNS[name](Plain(frame, share=False)).to_numpy(np.float64)[2_000:]
                off = np.abs(X[2_000:, place] - theirs) / np.maximum(1, np.abs(theirs))
                apart[name] = float(np.quantile(off, 0.9999))
        del X
        plain_s, _ = timed(lambda names=names: plainly(frame, names, share=False))
        shared_s, _ = timed(lambda names=names: plainly(frame, names, share=True))
        groups[group] = {
            "columns": len(names),
            "ours_s": ours_s,
            "plain_s": plain_s,
            "shared_s": shared_s,
            "ratio": plain_s / ours_s,
            "shared_ratio": shared_s / ours_s,
        }
    return {"rows": rows, "groups": groups, "apart": apart, "memory": memory(rows)}


_MEMORY = """
import sys
sys.path.insert(0, {folder!r})
from features import market
from quorate.features import build
def resident(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(what))
candles = market({rows})
build(candles[:1000], "full65")
held = resident("VmRSS")
X = build(candles, "full65")
print(held, resident("VmHWM"), X.nbytes)
"""


def memory(rows: int) -> dict[str, float]:
    """Peak of a process beyond what it held with the candles, in MB; `output` is the matrix itself."""
    code = _MEMORY.format(folder=str(Path(__file__).parent), rows=rows)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    held, peak, output = (int(word) for word in done.stdout.split())
    return {"peak_mb": (peak - held) / 1e6, "output_mb": output / 1e6, "ratio": (peak - held) / output}


def one_bar(times: int = 400) -> dict[str, float]:
    """Milliseconds from candles to a row, median and best."""
    tail = market(5_000).tail(LIVE)
    out = {}
    for name, newest in (("newest bar", 1), ("all 498 bars", None)):
        build(tail, "full65", newest=newest)
        taken = [timed(lambda newest=newest: build(tail, "full65", newest=newest), 1)[0] * 1e3 for _ in range(times)]
        out[name] = {"median_ms": median(taken), "best_ms": min(taken)}
    return out


def many_symbols() -> dict[str, Any]:
    """Seconds per stage, from feather files to features and labels."""
    source = SyntheticMarket(seed=2, symbols=SYMBOLS, bars=BARS)
    with tempfile.TemporaryDirectory() as folder:
        for symbol in source.names:
            write_candles(folder, source.candles(symbol))
        files = FreqtradeFolder(folder)
        read, panel = timed(lambda: {symbol: files.candles(symbol, "1h") for symbol in source.names})
    out: dict[str, Any] = {"symbols": SYMBOLS, "bars": BARS, "read_s": read, "read_rows_s": SYMBOLS * BARS / read}
    for features in ("core14", "full65"):
        seconds, dataset = timed(lambda features=features: build_dataset(panel, features, ForwardClass()))
        out[f"{features}_s"], out[f"{features}_rows"] = seconds, len(dataset)
    return out


def report(result: dict[str, Any]) -> str:
    """The figures as a page of Markdown."""
    rows, live, files = result["many_rows"], result["one_bar"], result["many_symbols"]
    lines = [
        "# Features",
        "",
        f"`{result['command']}` on candles that were made up; {result['machine']}.",
        "",
        f"## {rows['rows']:,} rows of full65",
        "",
        "| group | columns | Quorate, s | pandas, s | ratio | pandas sharing, s | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {group} | {g['columns']} | {g['ours_s']:.3f} | {g['plain_s']:.3f} | {g['ratio']:.1f} "
        f"| {g['shared_s']:.3f} | {g['shared_ratio']:.1f} |"
        for group, g in rows["groups"].items()
    ]
    peak = rows["memory"]
    lines += [
        "",
        "pandas writes each column down by itself, then the same with intermediates shared by hand; it leaves out cci, "
        "aroon_osc_25 and ema_200, which need rolling.apply. 99.99 % of the values of each other column agree within "
        f"{max(rows['apart'].values()):.0e} x max(1, |x|).",
        "",
        f"Peak memory {peak['peak_mb']:.0f} MB beyond the candles, {peak['ratio']:.2f} times the "
        f"{peak['output_mb']:.0f} MB of the matrix, which it includes.",
        "",
        f"## One new bar, from {LIVE} candles to its row of full65",
        "",
        "| asked for | median, ms | best, ms |",
        "|---|---|---|",
        *(f"| {name} | {t['median_ms']:.3f} | {t['best_ms']:.3f} |" for name, t in live.items()),
        "",
        f"## {files['symbols']} symbols of {files['bars']:,} bars, from files to features and labels",
        "",
        "| stage | s | rows | rows a second |",
        "|---|---|---|---|",
        f"| read feather | {files['read_s']:.3f} | {SYMBOLS * BARS:,} | {files['read_rows_s']:,.0f} |",
        *(
            f"| {name} and labels | {files[f'{name}_s']:.3f} | {files[f'{name}_rows']:,} "
            f"| {SYMBOLS * BARS / files[f'{name}_s']:,.0f} |"
            for name in ("core14", "full65")
        ),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, help="folder for features.md and features.json")
    options = parser.parse_args()
    result = {
        "command": f"python benchmarks/features.py --rows {options.rows}",
        "machine": f"Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}",
        "many_rows": many_rows(options.rows),
        "one_bar": one_bar(),
        "many_symbols": many_symbols(),
    }
    page = report(result)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "features.md").write_text(page, encoding="utf-8")
        (options.out / "features.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
