"""Forecasts of volatility on real 1h perpetuals beside trailing estimates, exponential averages and GARCH(1,1).

    QUORATE_DATA=DATA python benchmarks/volatility.py

The 30 perpetuals with the largest quote volume in December 2024, from 2025-01-01 to 2025-06-30; no later candle is
read. QLIKE is mean(x - log x - 1) of x = realised over forecast variance, which ranks forecasts as the unknown variance
itself would (Patton, 2011). Realised variance is the sum of the bars' range variances over the horizon, rescaled for
each market to its returns from close to close on the scored bars. Intervals resample days over all markets, for 7 days
weeks. Writes results/volatility.json and .md; takes about three minutes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.settings import EvaluationSettings
from quorate.core.types import Candles, FloatArray
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.market import FreqtradeFolder
from quorate.models.volatility import HorizonForecasts, forecast_all, horizons
from quorate.models.volatility.variance_history import VarianceHistory
from volatility_study.rivals import HALF_LIVES, RISKMETRICS, garch, pooled, returns, smoothed, trailing

START, END, MARKETS = parse_ms("2025-01-01"), parse_ms("2025-07-01"), 30
RESULTS = Path(__file__).parent / "results"
BARS = horizons("1h")
OURS, POOLED, GARCH = "log-HAR (`quorate.volatility`)", "log-HAR, weights of all markets", "GARCH(1,1) (`arch`)"
REFERENCE = ("trailing 24 bars", "trailing 168 bars")
TARGET = 0.30  # lower QLIKE than the better trailing estimate, at 5 bars

Forecasts = dict[str, dict[str, dict[str, FloatArray]]]  # horizon -> market -> model -> (n,) variance


def main() -> int:
    data = os.environ.get("QUORATE_DATA")
    if data is None:
        print("not run: set QUORATE_DATA to the folder that holds binance/, the real candles")
        return 0
    began = time.perf_counter()
    panel = largest(FreqtradeFolder(Path(data) / "binance"))
    found = measured(panel)
    found["seconds"] = round(time.perf_counter() - began)
    text = as_markdown(found)
    print(text)
    (RESULTS / "volatility.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "volatility.md").write_text(text, encoding="utf-8")
    return 0 if found["horizons"]["5 bars"]["models"][OURS]["skill"] >= TARGET else 1


def largest(folder: FreqtradeFolder, most: int = MARKETS) -> dict[str, Candles]:
    """The perpetuals with the largest quote volume over the 30 days before the start, candles before the end alone."""
    volumes, panel = {}, {}
    for symbol in folder.symbols("1h"):
        if not symbol.endswith("/USDT:USDT") or symbol.startswith("USDC/"):
            continue
        candles = folder.candles(symbol, "1h", None, END)
        before = candles.between(START - 30 * DAY_MS, START)
        if len(before) == 720 and candles.time[0] <= START - 65 * DAY_MS and candles.time[-1] == END - HOUR_MS:
            volumes[symbol], panel[symbol] = float(before.volume @ before.close), candles
    return {symbol: panel[symbol] for symbol in sorted(volumes, key=volumes.__getitem__, reverse=True)[:most]}


def measured(panel: Mapping[str, Candles]) -> dict[str, Any]:
    # Without the limit that forecasts are fitted with: what is forecast is the whole variance.
    histories = {symbol: VarianceHistory(candles, limit=np.inf) for symbol, candles in panel.items()}
    lives = {name: best_half_lives(panel, histories, name) for name in BARS}
    limited = {symbol: VarianceHistory(candles) for symbol, candles in panel.items()}
    shared = {name: pooled(limited, bars, START) for name, bars in BARS.items()}
    forecasts: Forecasts = {name: {} for name in BARS}
    intervals: dict[str, dict[str, HorizonForecasts]] = {name: {} for name in BARS}
    for symbol, candles in panel.items():
        ours, of_garch = forecast_all(candles), garch(candles, START, BARS)
        for name in BARS:
            made = plain_forecasts(candles, histories[symbol], BARS[name], lives[name])
            made |= {GARCH: of_garch[name], POOLED: shared[name][symbol], OURS: ours[name].value ** 2}
            forecasts[name][symbol], intervals[name][symbol] = made, ours[name]
    return {
        "command": "QUORATE_DATA=DATA python benchmarks/volatility.py",
        "markets": [symbol.split("/")[0] for symbol in panel],
        "from": "2025-01-01",
        "to": "2025-06-30",
        "timeframe": "1h",
        "half_lives": lives,
        "milliseconds": speed(next(iter(panel.values()))),
        "horizons": {name: scored(panel, histories, intervals[name], forecasts[name], BARS[name]) for name in BARS},
    }


def plain_forecasts(
    candles: Candles, history: VarianceHistory, bars: int, lives: Mapping[str, int]
) -> dict[str, FloatArray]:
    """Name -> (n,) variance over the horizon by estimates that nothing is fitted for but a half-life."""
    of_a_bar = {
        "trailing 24 bars": trailing(history, candles, 24),
        "trailing 168 bars": trailing(history, candles, 168),
        "trailing 24 bars, ranges": trailing(history, candles, 24, ranges=True),
        "trailing 168 bars, ranges": trailing(history, candles, 168, ranges=True),
        "EWMA 0.94 (RiskMetrics)": smoothed(returns(candles) ** 2, RISKMETRICS),
        "EWMA, best half-life": ewma(candles, history, lives["closes"], ranges=False),
        "EWMA of ranges, best half-life": ewma(candles, history, lives["ranges"], ranges=True),
    }
    return {name: bars * variance for name, variance in of_a_bar.items()}


def ewma(candles: Candles, history: VarianceHistory, life: int, *, ranges: bool) -> FloatArray:
    variance = history.variance if ranges else returns(candles) ** 2
    average = smoothed(variance, 0.5 ** (1 / life))
    return average * history.close_to_close() if ranges else average


def best_half_lives(
    panel: Mapping[str, Candles], histories: Mapping[str, VarianceHistory], name: str
) -> dict[str, int]:
    """Half-lives with the least QLIKE on bars of 2024, whose horizons end in it."""
    best = {}
    for kind in ("closes", "ranges"):
        losses = []
        for life in HALF_LIVES:
            values = []
            for symbol, candles in panel.items():
                history = histories[symbol]
                rows = np.flatnonzero((candles.time >= START - 50 * DAY_MS) & (candles.time < START - 8 * DAY_MS))
                scale = history.close_to_close()[np.searchsorted(candles.time, START) - 1]
                realised = scale * history.ahead(BARS[name])[rows]
                values.append(qlike(realised, BARS[name] * ewma(candles, history, life, ranges=kind == "ranges")[rows]))
            losses.append(np.nanmean(np.concatenate(values)))
        best[kind] = HALF_LIVES[int(np.argmin(losses))]
    return best


def qlike(realised: FloatArray, expected: FloatArray) -> FloatArray:
    """(n,) losses; NaN where the realised variance is 0 or unknown."""
    ratio = np.divide(realised, expected, out=np.full(len(realised), np.nan), where=(realised > 0) & (expected > 0))
    return ratio - np.log(ratio) - 1


def scored(
    panel: Mapping[str, Candles],
    histories: Mapping[str, VarianceHistory],
    intervals: Mapping[str, HorizonForecasts],
    forecasts: Mapping[str, Mapping[str, FloatArray]],
    bars: int,
) -> dict[str, Any]:
    """Figures of one horizon: each model's QLIKE, its skill beside the better trailing estimate, and coverage."""
    tables: list[dict[str, FloatArray]] = []
    for symbol, candles in panel.items():
        ahead = histories[symbol].ahead(bars)
        rows = np.flatnonzero((candles.time >= START) & np.isfinite(ahead))
        squared, scored_bars = returns(candles) ** 2, candles.time >= START
        scale = squared[scored_bars].mean() / histories[symbol].variance[scored_bars].mean()
        realised = scale * ahead[rows]
        running = np.concatenate([[0.0], np.cumsum(squared)])
        of_closes = running[rows + 1 + bars] - running[rows + 1]
        low, high = intervals[symbol].low[rows], intervals[symbol].high[rows]
        table = {
            "time": candles.time[rows],
            "inside": ((np.sqrt(realised) >= low) & (np.sqrt(realised) <= high)).astype(float),
            "width": high / low,
        }
        for model, expected in forecasts[symbol].items():
            table[model] = qlike(realised, expected[rows])
            table[f"{model}, closes"] = qlike(of_closes, expected[rows])
        tables.append(table)
    whole = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    models = list(next(iter(forecasts.values())))
    known = np.isfinite([whole[model] for model in models]).all(axis=0)
    by_close = np.isfinite([whole[f"{model}, closes"] for model in models]).all(axis=0)
    blocks = TimeBlocks(whole["time"][known], EvaluationSettings(block_hours=max(24, bars), resamples=2_000))
    losses = {model: whole[model][known] for model in models}
    base = min(REFERENCE, key=lambda model: losses[model].mean())
    figures = {}
    for model in models:
        of_closes = [whole[f"{name}, closes"][by_close].mean() for name in (model, base)]
        figures[model] = {
            "qlike": float(losses[model].mean()),
            "skill": float(1 - losses[model].mean() / losses[base].mean()),
            "skill_ci": blocks.interval(1 - blocks.ratios(losses[model], losses[base])),
            "skill_of_closes": float(1 - of_closes[0] / of_closes[1]) if bars > 1 else None,
        }
    return {
        "bars": bars,
        "rows": int(known.sum()),
        "reference": base,
        "models": figures,
        "coverage": float(whole["inside"][known].mean()),
        "coverage_ci": blocks.interval(blocks.means(whole["inside"][known])),
        "width": float(np.median(whole["width"][known])),
    }


def speed(candles: Candles) -> dict[str, float]:
    """Least milliseconds of seven forecasts from 5,000 bars."""
    newest = candles.tail(5_000)
    found = {}
    for name, alone in (("newest bar", True), ("every bar", False)):
        seconds = []
        for _ in range(7):
            began = time.perf_counter()
            forecast_all(newest, newest=alone)
            seconds.append(time.perf_counter() - began)
        found[name] = round(1_000 * min(seconds), 1)
    return found


def as_markdown(found: Mapping[str, Any]) -> str:
    timing = found["milliseconds"]
    lines = [
        "# Forecasts of volatility", "",
        f"`{found['command']}`: {len(found['markets'])} perpetuals of the largest volume in December 2024, 1h, "
        f"{found['from']} to {found['to']}. No later candle was read.", "",
        "QLIKE of the variance over the horizon; skill is the share by which it is lower than that of the better of "
        "the two trailing estimates from closes, with its 95 % interval over days (7 days: weeks). Realised variance "
        "is that of ranges; in the last column it is the sum of squared hourly returns, whose noise every forecast has "
        "in its QLIKE. Half-lives are the best on 2024. Log-HAR is refitted daily on each market's own candles, "
        "GARCH(1,1) every 30 days.", "",
    ]  # fmt: skip
    for name, figures in found["horizons"].items():
        lines += [
            f"## {name}", "",
            f"{figures['rows']:,} forecasts; skill beside {figures['reference']}.", "",
            "| | QLIKE | skill | 95 % | skill, closes |", "|---|---:|---:|---:|---:|",
        ]  # fmt: skip
        for model, row in figures["models"].items():
            low, high = row["skill_ci"]
            closes = "" if row["skill_of_closes"] is None else f"{row['skill_of_closes']:+.1%}"
            lines.append(
                f"| {model} | {row['qlike']:.4f} | {row['skill']:+.1%} | {low:+.1%} .. {high:+.1%} | {closes} |"
            )
        lines.append("")
    lines += [
        "## Intervals", "",
        "Share of realised volatilities inside the 90 % interval, and the median of its upper over its lower end.", "",
        "| horizon | inside | 95 % | upper / lower |", "|---|---:|---:|---:|",
    ]  # fmt: skip
    for name, figures in found["horizons"].items():
        low, high = figures["coverage_ci"]
        lines.append(f"| {name} | {figures['coverage']:.1%} | {low:.1%} .. {high:.1%} | {figures['width']:.2f} |")
    lines += [
        "",
        f"Time for 5,000 bars, all horizons: {timing['newest bar']} ms for the newest bar, {timing['every bar']} ms "
        "for every bar.",
    ]  # fmt: skip
    lives = ", ".join(f"{name} {each['closes']} / {each['ranges']}" for name, each in found["half_lives"].items())
    return "\n".join([*lines, f"Best half-lives in bars, of closes / of ranges: {lives}.", ""])


if __name__ == "__main__":
    sys.exit(main())
