"""Loss of the networks' shapes against their cost, in folds before 2025-07-01.

    QUORATE_DATA=FOLDER python benchmarks/shapes.py [--only NAME] [--report] [--out FOLDER]

60 perpetuals from 2024-11-01, three anchored folds, three seeds, one thread. Each shape of `SHAPES` is fitted as in a
walk-forward, and scored on the bars after it, with its direction shrunk as in a bundle without evidence for it. Shapes
are chosen on the first two folds; the third one says whether the choice holds. Every fit is a line of
shapes-trials.jsonl, and is not repeated. `--report` writes the table of what was run; `--only` runs the shapes whose
name contains a text.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.sections.networks import DOCUMENTED, LSTMSettings, NetworkSettings, NHiTSSettings, PatchTSTSettings
from quorate.core.settings import EvaluationSettings, ModelSettings, Settings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import FoldRows, split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.features import feature_names
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models import StoppingRows, build
from quorate.models.move_head import shrink_direction
from quorate.models.networks.network_model import Network
from quorate.models.networks.operations import operations
from quorate.models.runtime import OnnxSession
from quorate.targets import ForwardClass, training_slices

RESULTS = Path(__file__).parent / "results"
START, FIRST, END = "2024-11-01", "2025-02-01", "2025-07-01"
MARKETS, FOLDS, SEEDS = 60, 3, (0, 1, 2)
CHOSEN_ON = 2  # folds; the last one confirms
DIRECTION = 0.05  # factor of a direction without evidence
LONGEST = 120  # bars of the longest window: all shapes are scored on the same rows

_COMPACT: Mapping[str, NetworkSettings] = {
    "nhits": NHiTSSettings(),
    "patchtst": PatchTSTSettings(),
    "lstm": LSTMSettings(),
}
_TRAINING: Mapping[str, Mapping[str, Any]] = {
    "weight decay 0.01": {"weight_decay": 0.01},
    "learning rate 5e-4": {"learning_rate": 5e-4},
    "learning rate 2e-3": {"learning_rate": 2e-3},
    "two passes": {"epochs": 8},
    "best weights": {"keep": "best"},
    "no perceptron": {"newest_width": 0},
    "core14 in the window": {"columns": ()},
}


def _shapes() -> dict[str, tuple[str, NetworkSettings]]:
    """Name of a shape -> its network and settings."""
    found: dict[str, tuple[str, NetworkSettings]] = {}
    for name, compact in _COMPACT.items():
        found[f"{name} documented"] = name, DOCUMENTED[name]()
        found[f"{name} compact"] = name, compact
        if name != "lstm":
            found |= {f"{name}, {change}": (name, replace(compact, **values)) for change, values in _TRAINING.items()}
    changes: dict[str, dict[str, dict[str, Any]]] = {
        "nhits": {
            "width 16": {"hidden": (16, 16, 16)},
            "width 32": {"hidden": (32, 32, 32)},
            "width 128": {"hidden": (128, 128, 128)},
            "window 24": {"window": 24},
            "window 96": {"window": 96},
            "one stack": {"pools": (4,), "hidden": (48,), "ratios": (12,)},
            "dropout 0.2": {"dropout": 0.2},
        },
        "patchtst": {
            "width 8": {"width": 8, "heads": 1, "feedforward": 16},
            "width 32": {"width": 32, "heads": 4, "feedforward": 64},
            "two layers": {"layers": 2},
            "patch 24": {"patch": 24, "stride": 24},
            "patch 8": {"patch": 8, "stride": 8},
            "window 24": {"window": 24},
            "window 96": {"window": 96},
        },
        "lstm": {"width 16": {"width": 16}, "width 64": {"width": 64}, "window 12": {"window": 12}},
    }
    for name, compact in _COMPACT.items():
        found |= {f"{name}, {label}": (name, replace(compact, **values)) for label, values in changes[name].items()}
    return found


SHAPES = _shapes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="text in the names of the shapes to run")
    parser.add_argument("--report", action="store_true", help="write the table, without a fit")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many of the seeds to run")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    log = options.out / "shapes-trials.jsonl"
    if not options.report:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder of real candles", file=sys.stderr)
            return 2
        run(Path(data) / "binance", log, options.only, SEEDS[: options.seeds])
    report(log, options.out)
    return 0


def run(folder: Path, log: Path, only: str, seeds: tuple[int, ...]) -> None:
    """Fit and score what is not in the log yet."""
    rows, folds = labelled_folds(folder)
    done = {(trial["shape"], trial["fold"], trial["seed"], json.dumps(trial["settings"])) for trial in trials(log)}
    for seed in seeds:
        for shape, (name, settings) in SHAPES.items():
            if only not in shape:
                continue
            for fold in folds:
                key = shape, fold.number, seed, json.dumps(asdict(settings))
                if key in done:
                    continue
                trial = {"shape": shape, "fold": fold.number, "seed": seed, "settings": asdict(settings)}
                trial |= fit(name, settings, rows, fold, seed)
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(trial) + "\n")
                print(f"{shape}, fold {fold.number + 1}, seed {seed}: {trial['skill']:+.4f}, {trial['seconds']:.0f} s")


def labelled_folds(folder: Path) -> tuple[LabelledBars, tuple[FoldRows, ...]]:
    """Rows of the markets, and the folds."""
    source, start, end = FreqtradeFolder(folder), parse_ms(START), parse_ms(END)
    markets = top(source, "1h", MARKETS, start, settings=Settings().universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    rows = build_rows(panel, "core30", ForwardClass(5, 0.005), start, end)
    return rows, split_folds(rows, FOLDS, embargo_bars=5, first=parse_ms(FIRST))


def trials(log: Path) -> list[dict[str, Any]]:
    """The lines of the log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def fit(name: str, settings: NetworkSettings, rows: LabelledBars, fold: FoldRows, seed: int) -> dict[str, Any]:
    """Fit a network on a fold's training rows and score it on the bars after them."""
    models = ModelSettings(**{name: settings})
    model = build(name, "class", models, seed=seed, threads=1, features=rows.columns)
    train, slices = training_slices(rows.time, rows.span_end, fold.train, Settings().split)
    whole = rows.inputs.whole(settings.window)
    train, stop = train[whole[train]], slices.stop[whole[slices.stop]]
    began = time.process_time()
    model.fit(
        rows.inputs.at(train, settings.window),
        rows.y[train],
        stopping=StoppingRows(rows.inputs.at(stop, settings.window), rows.y[stop]),
    )
    seconds = time.process_time() - began
    test = fold.test[rows.known[fold.test] & rows.inputs.whole(LONGEST)[fold.test]]
    session = OnnxSession(model.to_onnx(), len(rows.columns), name)
    scores = session.run(rows.inputs.at(test, settings.window))
    return {
        "train": len(train),
        "seconds": round(seconds, 2),
        "passes": model.history.epochs * settings.share if isinstance(model, Network) and model.history else None,
        **daily_losses(rows, fold, test, scores),
    }


def daily_losses(rows: LabelledBars, fold: FoldRows, test: IntArray, scores: FloatArray) -> dict[str, Any]:
    """Skill as served, and the summed log-loss of each day: as served, as scored, and of the training shares."""
    y = rows.y[test].astype(np.int64)
    shares = np.bincount(rows.y[fold.train], minlength=3) / len(fold.train)
    served, raw, prior = (
        -np.log(np.maximum(table[np.arange(len(y)), y], 1e-12))
        for table in (shrink_direction(scores, DIRECTION), scores, np.broadcast_to(shares, scores.shape))
    )
    days, place = np.unique(rows.time[test] // DAY_MS, return_inverse=True)
    return {
        "skill": 1 - served.mean() / prior.mean(),
        "days": days.tolist(),
        "rows": np.bincount(place).tolist(),
        **{
            key: np.round(np.bincount(place, losses), 6).tolist()
            for key, losses in (("served", served), ("raw", raw), ("prior", prior))
        },
    }


def report(log: Path, out: Path) -> None:
    """Write the table of the shapes that were run: shapes.json and shapes.md."""
    found: dict[str, list[dict[str, Any]]] = {}
    for trial in trials(log):
        shape = trial["shape"]
        if shape in SHAPES and trial["settings"] == json.loads(json.dumps(asdict(SHAPES[shape][1]))):
            found.setdefault(shape, []).append(trial)
    lines = []
    for shape in SHAPES:
        if shape in found:
            name, settings = SHAPES[shape]
            documented = found.get(f"{name} documented", [])
            lines.append({"shape": shape, **cost(name, settings), **figures(found[shape], documented)})
    (out / "shapes.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    (out / "shapes.md").write_text(page(lines), encoding="utf-8")
    print(page(lines))


def figures(own: list[dict[str, Any]], documented: list[dict[str, Any]]) -> dict[str, Any]:
    """Skills of a shape in the folds of the choice and in the last one, and its loss minus the documented shape's."""
    choice, last = ([trial for trial in own if (trial["fold"] < CHOSEN_ON) == first] for first in (True, False))
    return {
        "seeds": len({trial["seed"] for trial in own}),
        "seconds": sum(trial["seconds"] / trial["passes"] for trial in own)
        / sum(trial["train"] for trial in own)
        * 1e5,
        "skill": skill(choice, "served"),
        "skill_raw": skill(choice, "raw"),
        "spread": spread(choice),
        "skill_last": skill(last, "served"),
        "apart": difference(choice, documented),
        "apart_last": difference(last, documented),
    }


def skill(own: list[dict[str, Any]], kind: str) -> float | None:
    """1 - loss / the prior's, over the folds and seeds."""
    total = sum(sum(trial["prior"]) for trial in own)
    return 1 - sum(sum(trial[kind]) for trial in own) / total if total else None


def spread(own: list[dict[str, Any]]) -> float | None:
    """Standard deviation of the skill over the seeds."""
    seeds = {trial["seed"] for trial in own}
    each = [skill([trial for trial in own if trial["seed"] == seed], "served") or 0.0 for seed in seeds]
    return float(np.std(each, ddof=1)) if len(each) > 1 else None


def difference(own: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[float] | None:
    """Mean loss minus that of the other shape on the same rows, with its 95 % interval over days; mean of the seeds."""
    both = {trial["fold"] for trial in own} & {trial["fold"] for trial in other}
    if not both or own[0]["shape"] == other[0]["shape"]:
        return None
    mine, theirs = (daily([trial for trial in trials_ if trial["fold"] in both]) for trials_ in (own, other))
    days = np.array(sorted(mine))
    losses = np.array([mine[day][0] - theirs[day][0] for day in days])
    counts = np.array([mine[day][1] for day in days])
    blocks = TimeBlocks(days * DAY_MS, EvaluationSettings())
    interval = blocks.interval(blocks.ratios(losses, counts)) or (float("nan"),) * 2
    return [float(losses.sum() / counts.sum()), *interval]


def daily(own: list[dict[str, Any]]) -> Mapping[int, FloatArray]:
    """Day -> summed loss, mean of the seeds, and rows."""
    folds: dict[int, list[dict[str, Any]]] = {}
    for trial in own:
        folds.setdefault(trial["fold"], []).append(trial)
    found: dict[int, FloatArray] = {}
    for each in folds.values():
        losses = np.mean([trial["served"] for trial in each], axis=0)
        for day, loss, count in zip(each[0]["days"], losses, each[0]["rows"], strict=True):
            found[day] = np.add(found.get(day, np.zeros(2)), (loss, count))
    return found


def cost(name: str, settings: NetworkSettings) -> dict[str, Any]:
    """Parameters, operations and time of a window, of an untrained network."""
    columns = feature_names("core30")
    model = build(name, "class", ModelSettings(**{name: settings}), seed=0, threads=1, features=columns)
    random = np.random.default_rng(0)
    X = random.normal(size=(2048, settings.window, len(columns))).astype(np.float32)
    tiny = replace(settings, epochs=1, share=0.1, **({"pretrain_epochs": 0} if name == "patchtst" else {}))
    model = build(name, "class", ModelSettings(**{name: tiny}), seed=0, threads=1, features=columns)
    model.fit(X[:512], random.integers(0, 3, 512).astype(np.int8))
    assert isinstance(model, Network)
    assert model._fitted is not None
    mflop = operations(model._fitted, settings.window, len(columns)) / 1e6
    session = OnnxSession(model.to_onnx(), len(columns), name)
    rows = X if mflop < 20 else X[:128]
    session.run(rows)
    times = []
    for _ in range(5):
        began = time.process_time()
        session.run(rows)
        times.append(time.process_time() - began)
    return {
        "parameters": model.parameters,
        "mflop": mflop,
        "us": min(times) / len(rows) * 1e6,
    }


def page(lines: list[dict[str, Any]]) -> str:
    text = f"""# Shapes of the networks

`QUORATE_DATA=FOLDER python benchmarks/shapes.py` on {platform.machine()}, one thread: {MARKETS} perpetuals, 1h, {START}
to {END}, three anchored folds from {FIRST}. Skill is that of the log-loss over the class prior's, as served (direction
shrunk); the mean over the seeds, with their standard deviation. Chosen on folds 1 and 2, confirmed on fold 3. The
difference is in log-loss to the documented shape, with its 95 % interval over days: below 0 the shape is better.
Seconds are of the processor for a pass over 100,000 windows, microseconds those of ONNX Runtime for a window.

| shape | parameters | MFLOP | us | seconds | seeds | skill, folds 1-2 | raw | difference | skill, fold 3 | difference |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""
    for line in lines:
        spread_ = "" if line["spread"] is None else f" ±{100 * line['spread']:.2f}"
        text += (
            f"| {line['shape']} | {line['parameters']:,} | {line['mflop']:.3g} | {line['us']:.3g} "
            f"| {line['seconds']:.3g} | {line['seeds']} | {_percent(line['skill'])}{spread_} "
            f"| {_percent(line['skill_raw'])} | {_apart(line['apart'])} | {_percent(line['skill_last'])} "
            f"| {_apart(line['apart_last'])} |\n"
        )
    return text


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:+.2f} %"


def _apart(value: list[float] | None) -> str:
    return "" if value is None else f"{value[0]:+.4f} [{value[1]:+.4f}, {value[2]:+.4f}]"


if __name__ == "__main__":
    raise SystemExit(main())
