"""A pretrained member against the class prior on a sample of real bars, beside members of single rows.

    QUORATE_DATA=DATA python benchmarks/pretrained.py [--member fracast] [--out benchmarks/results/pretrained]

A forecast costs tens of milliseconds, so bars are sampled: every `--every` hours of each market, in a training part and
a later test part, purged by the horizon between them. Members beside it are fitted on the same sample. Scores are raw,
without the head of a vote. All bars lie before the publication of the weights: the figures are marked.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS, format_ms, parse_ms
from quorate.core.settings import Settings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.metrics.classification import auc, row_log_loss
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.features import feature_set
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models.pretraining import marks
from quorate.models.registry import build
from quorate.targets import ForwardClass

RESULTS = Path(__file__).parent / "results"
START, SPLIT, END, MARKETS, EVERY = "2025-04-01", "2025-08-01", "2025-10-14", 12, 31
BESIDE = ("logistic", "log_har")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--member", default="fracast")
    parser.add_argument("--every", type=int, default=EVERY, help="hours between two bars of a market")
    parser.add_argument("--out", type=Path, default=RESULTS / "pretrained", help="of the results, without suffix")
    options = parser.parse_args()
    found = measure(Path(os.environ["QUORATE_DATA"]) / "binance", options.member, options.every)
    options.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    options.out.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))
    return 0


def measure(candles: Path, member: str, every: int) -> dict[str, Any]:
    """The document of the results."""
    source, settings = FreqtradeFolder(candles), Settings()
    start, split, end = map(parse_ms, (START, SPLIT, END))
    markets = top(source, "1h", MARKETS, start, settings=settings.universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    target = ForwardClass(settings.target.horizon, settings.target.band)
    rows = build_rows(panel, feature_set(settings.train.features, settings.features), target, start, end)
    models = {
        name: build(name, "class", settings.models, seed=7, threads=1, features=rows.columns)
        for name in (member, *BESIDE)
    }
    inputs = rows.inputs_of(rows.columns)
    able = rows.known & rows.trainable & (rows.time // HOUR_MS % every == 0)
    able &= np.logical_and.reduce([inputs.whole(model.window) for model in models.values()])
    train = np.flatnonzero(able & (rows.span_end < split))
    test = np.flatnonzero(able & (rows.time >= split))
    y, prior = rows.y[test], np.bincount(rows.y[train], minlength=3) / len(train)
    reference, blocks = (
        row_log_loss(y, np.tile(prior, (len(test), 1))),
        TimeBlocks(rows.time[test], settings.evaluation),
    )
    found: dict[str, Any] = {}
    for name, model in models.items():
        model.fit(inputs.at(train, model.window), rows.y[train])
        scores = model.predict_proba(inputs.at(test, model.window))
        found[name] = figures(y, scores, reference, blocks)
    weights = models[member].pretraining
    return {
        "member": member,
        "markets": list(markets),
        "every_hours": every,
        "train": about(rows, train),
        "test": about(rows, test),
        "confidence": settings.evaluation.confidence,
        "marks": [] if weights is None else marks({member: weights}, split),
        "members": found,
    }


def about(rows: LabelledBars, part: IntArray) -> dict[str, Any]:
    return {"rows": len(part), "from": format_ms(rows.time[part].min()), "to": format_ms(rows.time[part].max())}


def figures(y: IntArray, scores: FloatArray, reference: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Log-loss, its share below the prior's with the interval, and the AUC of the direction."""
    loss = row_log_loss(y, scores)
    ratios = blocks.ratios(loss, reference)
    return {
        "log_loss": float(loss.mean()),
        "skill": float(1 - loss.mean() / reference.mean()),
        "skill_ci": blocks.interval(1 - ratios),
        "auc": auc(y, scores),
    }


def as_markdown(found: dict[str, Any]) -> str:
    train, test = found["train"], found["test"]
    lines = [
        "# A pretrained member",
        "",
        f"`QUORATE_DATA=DATA python benchmarks/pretrained.py`: {len(found['markets'])} perpetuals, 1h, a bar every "
        f"{found['every_hours']} hours; {train['rows']:,} training rows from {train['from']} to {train['to']}, "
        f"{test['rows']:,} test rows from {test['from']} to {test['to']}. Skill is 1 - log-loss / that of the class "
        "prior of the training rows, raw scores, all members fitted on the same sample; intervals are "
        f"{100 * found['confidence']:g} % of a bootstrap over days with all markets of each.",
        "",
        *(f"**{mark}.**" for mark in found["marks"]),
        "",
        "| member | log-loss | skill, % | AUC |",
        "|---|---|---|---|",
    ]
    for name, own in found["members"].items():
        low, high = (100 * end for end in own["skill_ci"])
        skill = f"{100 * own['skill']:+.2f} ({low:+.2f} to {high:+.2f})"
        lines.append(f"| `{name}` | {own['log_loss']:.4f} | {skill} | {own['auc']:.3f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
