"""Error rate and power of the gate of retraining, on losses of real candles.

    QUORATE_DATA=DATA python benchmarks/retrain_gate.py            # some minutes
    QUORATE_DATA=DATA python benchmarks/retrain_gate.py --series 100 --out /tmp/retrain_gate.md

Two bundles of the trees are trained, five weeks apart, and predict the months after both: twelve perpetuals, hours. The
differences of their log-losses there are what the gate sees. Series of a slice's length are made of stretches of a week
of real days, so that days depend on those before them as they do, and shifted to a known true difference: the share
that passes is the error rate where the challenger is worse by the margin or more, and the power where it is not.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, format_ms, parse_ms
from quorate.core.settings import EvaluationSettings, Settings, TrainSettings
from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.inference.loading import load_bundle
from quorate.evaluation.metrics.classification import ece
from quorate.lifecycle.retrain.gate import judge_losses
from quorate.lifecycle.retrain.paired_losses import PairedLosses, paired_losses, unseen_from
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.workflows.inputs.market_data import read_panel
from quorate.workflows.train import train

RESULT = Path(__file__).parent / "results" / "retrain_gate.md"
MARKETS = tuple(
    f"{coin}/USDT:USDT"
    for coin in ("BTC", "ETH", "SOL", "XRP", "DOGE", "LINK", "ADA", "AVAX", "LTC", "BCH", "ATOM", "APT")
)
# Training spans of 120 days; the bars after the test part of the later one are predicted by both.
SPANS = (("2024-12-01", "2025-03-31"), ("2025-01-05", "2025-05-05"))
END = "2025-10-14"
SETTINGS = replace(Settings(), train=TrainSettings(threads=1), evaluation=EvaluationSettings(resamples=300))
STRETCH_DAYS, SLICES = 7, (14, 27, 54)
#: True differences, in margins.
TRUTHS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Days:
    """Losses of both bundles by day: the rows of each, and the champion's mean loss."""

    rows: tuple[IntArray, ...]
    losses: PairedLosses

    @property
    def difference(self) -> float:
        return float((self.losses.new - self.losses.old).mean())


def measured(data: Path) -> Days:
    """Train both bundles and measure them on the bars that neither has used."""
    source = FreqtradeFolder(data)
    with tempfile.TemporaryDirectory() as folder:
        bundles = []
        for start, end in SPANS:
            made = train(
                data,
                Path(folder),
                models="xgboost,lightgbm",
                settings=SETTINGS,
                symbols=MARKETS,
                timeframe="1h",
                start=start,
                end=end,
            )
            bundles.append(load_bundle(made.path))
        old, new = bundles
        first, end = unseen_from((old.manifest, new.manifest), SETTINGS), parse_ms(END)
        panel = read_panel(source, "1h", MARKETS, start=first, end=end)
        losses = paired_losses(new, old, panel, first)
    day = losses.time // DAY_MS
    whole = np.unique(day)[1:-1].tolist()  # the first and the last are not complete
    return Days(tuple(np.flatnonzero(day == number) for number in whole), losses)


def series(days: Days, length: int, truth: float, random: np.random.Generator) -> PairedLosses:
    """Losses of so many days in stretches of a week, whose true mean difference is a number."""
    chosen = [
        (start + place) % len(days.rows)
        for start in random.integers(0, len(days.rows), -(-length // STRETCH_DAYS))
        for place in range(STRETCH_DAYS)
    ][:length]
    rows = [days.rows[day] for day in chosen]
    old = np.concatenate([days.losses.old[each] for each in rows])
    new = np.concatenate([days.losses.new[each] for each in rows])
    date = np.concatenate([np.full(len(each), place * DAY_MS) for place, each in enumerate(rows)])
    return PairedLosses(date, new - days.difference + truth, old)


def passing(days: Days, length: int, truth: float, count: int) -> tuple[float, float]:
    """Share of the series that pass, and the mean standard error of the difference by the bootstrap."""
    random, passed, spreads = np.random.default_rng(7), 0, []
    margin = SETTINGS.retrain.margin * float(days.losses.old.mean())
    quantile = 1.6449  # of the standard normal distribution at 95 %
    for _ in range(count):
        found = judge_losses(series(days, length, truth * margin, random), 5 * HOUR_MS, SETTINGS)
        passed += next(check for check in found.checks if check.name == "loss").passed
        spreads.append(((found.figures["upper"] or 0) - (found.figures["difference"] or 0)) / quantile)
    return passed / count, float(np.mean(spreads))


def calibration_errors(losses: PairedLosses, length: int) -> FloatArray:
    """(windows,) calibration error of the challenger in windows of so many days, a day apart."""
    assert losses.y is not None
    assert losses.new_scores is not None
    day = losses.time // DAY_MS
    found = []
    for first in range(int(day.min()), int(day.max()) - length + 1):
        rows = (day >= first) & (day < first + length)
        found.append(ece(losses.y[rows], losses.new_scores[rows], SETTINGS.evaluation.bins))
    return np.array(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args()
    data = os.environ.get("QUORATE_DATA")
    if not data:
        print("not run: set QUORATE_DATA to the folder that holds binance/, the real candles")
        return 1
    began = time.perf_counter()
    days = measured(Path(data) / "binance")
    margin, old = SETTINGS.retrain.margin, float(days.losses.old.mean())
    first, last = int(days.losses.time.min()), int(days.losses.time.max())
    lines = [
        "# The gate of retraining",
        "",
        f"`python benchmarks/retrain_gate.py`: two bundles of the trees, trained on {SPANS[0][0]} to {SPANS[0][1]} and "
        f"{SPANS[1][0]} to {SPANS[1][1]}, on {len(MARKETS)} perpetuals from {format_ms(first)} to {format_ms(last)}: "
        f"{len(days.losses):,} rows, {len(days.rows)} whole days, log-loss {old:.4f} of the older one, "
        f"{float(days.losses.new.mean()):.4f} of the newer. {chosen.series:,} series of each length in stretches of "
        f"{STRETCH_DAYS} days, seed 7; margin {margin:.1%} of the loss, {SETTINGS.retrain.confidence:.0%}.",
        "",
        "Share of the challengers that pass the condition of the loss, by how much worse they are in truth:",
        "",
        "| days | standard error | " + " | ".join(label(truth) for truth in TRUTHS) + " |",
        "|---|---|" + "---|" * len(TRUTHS),
    ]
    for length in SLICES:
        found = [passing(days, length, truth, chosen.series) for truth in TRUTHS]
        error = found[1][1] / old
        lines.append(f"| {length} | {error:.2%} | " + " | ".join(f"{share:.1%}" for share, _ in found) + " |")
        print(lines[-1], f"{time.perf_counter() - began:.0f} s", flush=True)
    lines += [
        "",
        "Calibration error of the newer bundle in windows of real days, a day apart; the limit is "
        f"{SETTINGS.retrain.ece:g}:",
        "",
        "| days | windows | median | 95 % of the windows below | above the limit |",
        "|---|---|---|---|---|",
    ]
    for length in SLICES:
        errors = calibration_errors(days.losses, length)
        above = float((errors > SETTINGS.retrain.ece).mean())
        quantiles = np.quantile(errors, [0.5, 0.95])
        lines.append(f"| {length} | {len(errors)} | {quantiles[0]:.4f} | {quantiles[1]:.4f} | {above:.1%} |")
    chosen.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines[-6:]))
    return 0


def label(truth: float) -> str:
    if not truth:
        return "equal"
    return f"{'better' if truth < 0 else 'worse'} by {abs(truth):g} margin{'' if abs(truth) == 1 else 's'}"


if __name__ == "__main__":
    raise SystemExit(main())
