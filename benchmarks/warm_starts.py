"""Warm against cold starts of the networks along a walk-forward, before 2025-07-01.

    QUORATE_DATA=FOLDER python benchmarks/warm_starts.py [--markets 30] [--folds 6] [--seeds 3] [--only NAME] [--small]

Real hourly perpetuals from 2024-11-01. Each network is walked forward with cold starts and with each setting of
`WARM`, one fit after the other on one thread; scores have the direction of a member without evidence. The first fold is
cold either way. The second half of the other folds says whether what is seen in the first half holds. A difference in
log-loss is below 0 where warm starts are better; its interval resamples days, and rows are paired. Seconds are
processor time of the whole walk. Writes benchmarks/results/warm_starts.json and .md; --small, 4 markets, 3 folds and
one seed, only prints.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import parse_ms
from quorate.core.settings import EvaluationSettings, ModelSettings, PolicySettings, Settings, TrainSettings
from quorate.core.types import FloatArray
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.evaluation.walk_forward.walk_result import WalkResult
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models.move_head import shrink_direction
from quorate.targets import ForwardClass

RESULTS = Path(__file__).parent / "results"
START, FIRST, END = "2024-11-01", "2025-01-01", "2025-07-01"
NETWORKS = ("nhits", "patchtst", "lstm")
DIRECTION = 0.05  # factor of a direction without evidence

WARM = {
    "one quarter pass, rate 0.3": {"warm_epochs": 1, "warm_share": 0.25, "warm_rate": 0.3},
    "one quarter pass, rate 1": {"warm_epochs": 1, "warm_share": 0.25, "warm_rate": 1.0},
    "half a pass, rate 0.3": {"warm_epochs": 2, "warm_share": 0.25, "warm_rate": 0.3},
    "one pass, rate 0.3": {"warm_epochs": 4, "warm_share": 0.25, "warm_rate": 0.3},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", type=int, default=30)
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="a network")
    parser.add_argument("--small", action="store_true", help="4 markets, 3 folds, one seed")
    options = parser.parse_args()
    data = os.environ.get("QUORATE_DATA")
    if not data:
        print("set QUORATE_DATA to the folder of real candles", file=sys.stderr)
        return 2
    markets, folds, seeds = (4, 3, 1) if options.small else (options.markets, options.folds, options.seeds)
    rows = labelled(Path(data) / "binance", markets)
    found = {
        "command": f"python benchmarks/warm_starts.py --markets {markets} --folds {folds} --seeds {seeds}",
        "span": [START, FIRST, END],
        "rows": len(rows),
        "machine": f"{platform.machine()}, Python {platform.python_version()}, one thread",
        "networks": [compared(rows, name, folds, seeds) for name in NETWORKS if options.only in ("", name)],
    }
    text = as_markdown(found)
    print(text)
    if not options.small:
        (RESULTS / "warm_starts.json").write_text(json.dumps(found, indent=1) + "\n")
        (RESULTS / "warm_starts.md").write_text(text)
    return 0


def labelled(folder: Path, markets: int) -> LabelledBars:
    """The markets with the most volume before the first test span."""
    source, start, end = FreqtradeFolder(folder), parse_ms(START), parse_ms(END)
    chosen = top(source, "1h", markets, start, settings=Settings().universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in chosen}
    return build_rows(panel, Settings().train.features, ForwardClass(5, 0.005), start, end)


def compared(rows: LabelledBars, name: str, folds: int, seeds: int) -> dict[str, Any]:
    """Cold starts and every kind of warm start of one network."""
    cold = walked(rows, name, folds, seeds, {})
    print(f"{name} cold: {cold[1]:.1f} s, {np.nanmean(cold[0]):.5f}", file=sys.stderr)
    lines = []
    for label, settings in WARM.items():
        losses, seconds, walk_ = walked(rows, name, folds, seeds, settings)
        line: dict[str, Any] = {"start": label, **settings, "seconds": round(seconds, 1)}
        line["log_loss"] = float(np.nanmean(losses))
        warm_folds = walk_.folds[1:]
        middle = len(warm_folds) // 2
        for part, spans in (("all", warm_folds), ("first", warm_folds[:middle]), ("second", warm_folds[middle:])):
            tested = np.concatenate([fold.test for fold in spans] or [np.empty(0, np.int64)])
            line[part] = difference(losses[tested], cold[0][tested], rows.time[tested])
        lines.append(line)
        print(f"{name} {label}: {seconds:.1f} s, {line['all']}", file=sys.stderr)
    return {
        "network": name,
        "settings": asdict(getattr(ModelSettings(), name)),
        "cold": {"seconds": round(cold[1], 1), "log_loss": float(np.nanmean(cold[0]))},
        "warm": lines,
    }


def walked(
    rows: LabelledBars, name: str, folds: int, seeds: int, changed: dict[str, Any]
) -> tuple[FloatArray, float, WalkResult]:
    """(n,) log-loss of each row, the mean over the seeds, NaN where untested; processor time; the last walk."""
    losses, began = [], time.process_time()
    for seed in range(seeds):
        models = ModelSettings(**{name: replace(getattr(ModelSettings(), name), **changed)})
        settings = replace(
            Settings(),
            models=models,
            train=TrainSettings(seed=seed, threads=1, head="classes"),
            policy=PolicySettings(name="classic", refit="none"),
        )
        done = walk(rows, (name,), settings, WalkOptions(folds=folds, first=parse_ms(FIRST), workers=1))
        failures = [fits[name].failure for fits in done.fits if fits[name].failure]
        if failures:
            raise SystemExit(f"{name}: {failures[0]}")
        scores = shrink_direction(done.scores[name], DIRECTION)
        loss = -np.log(scores[np.arange(len(rows)), np.where(rows.known, rows.y, 0)])
        losses.append(np.where(rows.known, loss, np.nan))
    return np.mean(losses, axis=0), time.process_time() - began, done


def difference(warm: FloatArray, cold: FloatArray, at: Any) -> dict[str, Any]:
    """Mean difference in log-loss on the rows of both, with its interval by days, nats."""
    both = np.isfinite(warm) & np.isfinite(cold)
    if not both.any():
        return {"rows": 0, "difference": None, "interval": None}
    change = warm[both] - cold[both]
    blocks = TimeBlocks(at[both], EvaluationSettings(block_hours=24, resamples=2_000))
    return {
        "rows": int(both.sum()),
        "difference": float(change.mean()),
        "interval": blocks.interval(blocks.means(change)),
    }


def as_markdown(found: dict[str, Any]) -> str:
    lines = [
        "# Warm starts",
        "",
        f"`{found['command']}` on {found['machine']}: {found['rows']:,} rows, tested from {FIRST} to {END}. "
        "Differences in log-loss, 1e-5 nats, below 0 where warm starts are better, with the interval by days.",
        "",
        "| network | start | seconds | share of cold | log-loss | all warm folds | first half | second half |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for network in found["networks"]:
        cold = network["cold"]
        lines.append(f"| {network['network']} | cold | {cold['seconds']} | 1 | {cold['log_loss']:.5f} | | | |")
        for warm in network["warm"]:
            share = warm["seconds"] / cold["seconds"]
            parts = " | ".join(_cell(warm[part]) for part in ("all", "first", "second"))
            lines.append(
                f"| {network['network']} | {warm['start']} | {warm['seconds']} | {share:.2f} | {warm['log_loss']:.5f} "
                f"| {parts} |"
            )
    return "\n".join(lines) + "\n"


def _cell(part: dict[str, Any]) -> str:
    if part["difference"] is None:
        return ""
    interval = part["interval"]
    shown = "" if interval is None else f" ({1e5 * interval[0]:+.1f} to {1e5 * interval[1]:+.1f})"
    return f"{1e5 * part['difference']:+.1f}{shown}"


if __name__ == "__main__":
    raise SystemExit(main())
