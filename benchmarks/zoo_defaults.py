"""Trials of the defaults of the members of single rows, on bars before 2025-07-01.

    QUORATE_DATA=DATA python benchmarks/zoo_defaults.py [--members NAMES]

Twelve perpetuals, two anchored folds, raw scores against the class prior; zoo.py gives the skill on later bars apart.
Every trial is in results/zoo_defaults-trials.jsonl, those that were worse too; what is there already is not run again.
Writes results/zoo_defaults.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import parse_ms
from quorate.core.settings import Settings
from quorate.evaluation.metrics.classification import prior_scores, row_log_loss
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.features import feature_set
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models import build
from quorate.targets import ForwardClass

RESULTS = Path(__file__).parent / "results"
START, END, MARKETS, FOLDS = "2024-11-01", "2025-07-01", 12, 2


def grid(names: str, *values: tuple[float, ...]) -> list[dict[str, float]]:
    """A trial for each tuple of values."""
    return [dict(zip(names.split(), row, strict=False)) for row in values]


# Beside them, for comparison, xgboost and logistic as they are. In the order in which they were tried.
TRIALS: Mapping[str, list[dict[str, float]]] = {
    "xgboost": [{}],
    "logistic": [{}],
    "qda": grid(
        "pooled identity power tail",
        (0.5, 0.1, 0.2), (0.5, 0.1, 0.1), (0.5, 0.1, 0.05), (0.2, 0.1, 0.1), (0.8, 0.1, 0.1), (0.5, 0.01, 0.1),
        (0.5, 0.3, 0.1), (0.5, 0.1, 0.1, 0.01), (0.5, 0.1, 0.4), (0.5, 0.1, 0.6), (0.5, 0.1, 1), (0.2, 0.1, 0.3),
        (0.2, 0.1, 0.5), (0.8, 0.1, 0.6), (0.8, 0.1, 1), (0.5, 0.3, 0.4), (0.5, 0.5, 0.6), (0.5, 0.7, 0.6),
        (0.2, 0.5, 0.3), (0.2, 0.5, 0.5), (0.2, 0.3, 0.4, 0.005), (0.7, 0.2, 0.5), (0.8, 0.2, 0.6), (0.8, 0.3, 0.6),
        (0.5, 0.3, 0.5), (0.9, 0.2, 0.7), (0.8, 0.3, 1),
    ),
    "extra_trees": grid(
        "trees depth leaf_share colsample_node",
        (200, 12, 0.005, 0.5), (200, 12, 0.002, 0.5), (200, 12, 0.01, 0.5), (200, 12, 0.005, 0.2),
        (200, 12, 0.005, 1 / 30), (200, 20, 0.002, 1 / 30), (200, 12, 0.01, 0.2), (200, 12, 0.02, 0.2),
        (100, 12, 0.01, 0.2), (200, 12, 0.01, 0.1), (200, 12, 0.01, 1.0),
    ),
    "catboost": grid(
        "depth learning_rate l2_share colsample",
        (6, 0.1, 0.004, 0.5), (6, 0.1, 0.03, 0.5), (6, 0.1, 0.01, 0.5), (4, 0.1, 0.004, 0.5), (6, 0.05, 0.004, 0.5),
        (4, 0.1, 0.03, 0.5), (6, 0.05, 0.03, 0.5), (6, 0.1, 0.1, 0.5), (4, 0.1, 0.1, 0.5), (4, 0.05, 0.03, 0.5),
        (6, 0.1, 0.03, 0.2),
    ),
    "tabm": [
        {"learning_rate": 0.001}, {"learning_rate": 0.003}, {"learning_rate": 0.001, "weight_decay": 0.1},
        {"learning_rate": 0.001, "dropout": 0.3},
    ],
    "tabnet": [
        {"own": 2, "learning_rate": 0.005}, {"own": 2, "learning_rate": 0.01},
        {"own": 2, "learning_rate": 0.005, "width": 16}, {"own": 2, "learning_rate": 0.005, "steps": 2},
        {"own": 2, "learning_rate": 0.02}, {"own": 2, "learning_rate": 0.01, "width": 16},
        {"own": 2, "learning_rate": 0.02, "width": 16}, {"own": 2, "learning_rate": 0.02, "weight_decay": 0.01},
        {"own": 2, "learning_rate": 0.02, "batch": 512}, {"own": 2, "learning_rate": 0.02, "sparsity": 0.001},
        {"own": 1, "learning_rate": 0.01}, {"own": 2, "learning_rate": 0.01, "clip": 10.0},
    ],
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", default=",".join(TRIALS), help="names, separated by commas")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    log: Path = options.out / "zoo_defaults-trials.jsonl"
    done = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = [(one["member"], one["settings"]) for one in done]
    wanted = [(name, own) for name in options.members.split(",") for own in TRIALS[name]]
    missing = [trial for trial in wanted if trial not in known]
    if missing:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder that holds binance/, the real candles", file=sys.stderr)
            return 2
        rows = read(Path(data) / "binance")
        with log.open("a") as file:
            for name, own in missing:
                done.append({"member": name, "settings": own, **trial_of(name, own, rows)})
                file.write(json.dumps(done[-1]) + "\n")
                file.flush()
    options.out.joinpath("zoo_defaults.md").write_text("\n".join(as_markdown(done)) + "\n", encoding="utf-8")
    return 0


def read(candles: Path) -> LabelledBars:
    source, settings = FreqtradeFolder(candles), Settings()
    start, end = parse_ms(START), parse_ms(END)
    markets = top(source, "1h", MARKETS, start, settings=settings.universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    target = ForwardClass(settings.target.horizon, settings.target.band)
    return build_rows(panel, feature_set(settings.train.features, settings.features), target, start, end)


def trial_of(name: str, own: Mapping[str, float], rows: LabelledBars) -> dict[str, Any]:
    """Skill over both folds with its interval, by fold, and seconds of both fits, of raw scores."""
    base = Settings()
    models = replace(base.models, **{name: replace(getattr(base.models, name), **own)})
    losses, references, times, seconds = [], [], [], 0.0
    for fold in split_folds(rows, FOLDS, embargo_bars=base.target.horizon):
        test = fold.test[rows.trainable[fold.test]]
        model = build(name, "class", models, seed=1, threads=1, features=rows.columns)
        began = time.process_time()
        model.fit(rows.X[fold.train], rows.y[fold.train])
        seconds += time.process_time() - began
        shares = np.bincount(rows.y[fold.train], minlength=3) / len(fold.train)
        losses.append(row_log_loss(rows.y[test], model.predict_proba(rows.X[test])))
        references.append(row_log_loss(rows.y[test], prior_scores(shares, len(test))))
        times.append(rows.time[test])
    loss, reference = np.concatenate(losses), np.concatenate(references)
    blocks = TimeBlocks(np.concatenate(times), base.evaluation)
    return {
        "skill": 1 - loss.mean() / reference.mean(),
        "interval": blocks.interval(1 - blocks.ratios(loss, reference)),
        "folds": [float(1 - one.mean() / other.mean()) for one, other in zip(losses, references, strict=True)],
        "fit_s": seconds,
    }


def as_markdown(done: list[dict[str, Any]]) -> Iterator[str]:
    """A table of all trials, best first for each member."""
    yield "# Trials of the defaults"
    yield ""
    yield (
        f"`QUORATE_DATA=DATA python benchmarks/zoo_defaults.py`: {MARKETS} perpetuals, 1h, {START} to {END}, {FOLDS} "
        "anchored folds; skill of the raw scores over the class prior of the training rows, in %, with the interval of "
        "a bootstrap over days; seconds of both fits on one thread. Neighbours differ by less than the intervals: "
        "defaults are from the middle of what is good, not its best row."
    )
    yield ""
    yield "| member | settings | skill, % | fold 1 | fold 2 | fits, s |"
    yield "|---|---|---|---|---|---|"
    order = list(TRIALS)
    for one in sorted(done, key=lambda one: (order.index(one["member"]), -one["skill"])):
        settings = ", ".join(f"{key} {value:.3g}" for key, value in one["settings"].items()) or "as they are"
        low, high = (100 * end for end in one["interval"])
        folds = " | ".join(f"{100 * skill:+.2f}" for skill in one["folds"])
        skill = f"{100 * one['skill']:+.2f} ({low:+.2f} to {high:+.2f})"
        yield f"| `{one['member']}` | {settings} | {skill} | {folds} | {one['fit_s']:.1f} |"


if __name__ == "__main__":
    raise SystemExit(main())
