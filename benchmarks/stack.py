"""Experiment of the stack: BTC/USDT 4h, 2023-10-15 to 2025-10-15 exclusive, every method on the same rows.

    QUORATE_DATA=DATA python benchmarks/stack.py [--free]

Members are fitted once and predict out of fold once; each method then combines the same predictions. Nothing is
selected on the test rows, which begin on 2025-07-01; search/stack.py selected the members' settings. With --free, the
members have the settings of the original system. Writes results/stack.json and .md (--free: stack_free.json and .md).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from quorate.core.clock import format_ms, parse_ms
from quorate.core.sections.stack import Method
from quorate.core.settings import LightGBMSettings, LSTMSettings, Settings, XGBoostSettings
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.stack.fit_stack import FittedStack, fit_stack, predict_out_of_fold
from quorate.ensemble.training.fit_member import fit_member
from quorate.market import FreqtradeFolder
from quorate.models import build
from quorate.targets import Dataset, build_dataset, time_split
from quorate.targets.splits import TimeSplit
from quorate.workflows.runs.member_figures import return_figures

START, END, SYMBOL = "2023-10-15", "2025-10-15", "BTC/USDT"
RESULTS = Path(__file__).parent / "results"
RECIPE = RECIPES["stack"]
NAMES = {"predict_zero": "predicting zero", "predict_mean": "predicting the mean"}


def main() -> int:
    data = os.environ.get("QUORATE_DATA")
    if data is None:
        print("not run: set QUORATE_DATA to the folder that holds binance/, the real candles")
        return 0
    free = "--free" in sys.argv[1:]
    settings = original_members(Settings()) if free else Settings()
    settings = replace(settings, train=replace(settings.train, threads=1))
    dataset, split, candles = rows(Path(data) / "binance", settings)
    stacks = fitted(dataset, split, settings)
    name = "stack_free" if free else "stack"
    found = {
        "command": "QUORATE_DATA=DATA python benchmarks/stack.py" + (" --free" if free else ""),
        "market": f"{SYMBOL} 4h, {START} to {END} exclusive",
        "features": settings.stack.features,
        "rows": {
            "candles": candles,
            "labelled": len(dataset),
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
            "test_from": format_ms(int(dataset.time[split.test].min())),
        },
        "members": {name: repr(getattr(RECIPE.model_settings(settings), name)) for name in RECIPE.models},
        "methods": {
            method: {
                **{key: stack.about[key] for key in ("strength", "weights", "tried", "improvement")},
                "metrics": stack.figures["stack"],
            }
            for method, stack in stacks.items()
        },
        "alone": {name: parts for name, parts in stacks["ridge"].figures.items() if name != "stack"},
        "folds": stacks["ridge"].about["folds"],
    }
    text = as_markdown(found)
    print(text)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    return 0


def original_members(settings: Settings) -> Settings:
    """Settings with the members of the original system."""
    models = replace(
        settings.stack.models,
        xgboost=XGBoostSettings(trees=300, leaf_share=0.0, l2_share=0.0),
        lightgbm=LightGBMSettings(
            trees=500, learning_rate=0.05, patience=50, subsample=1.0, colsample=1.0, leaf_share=0.0, l2_share=0.0
        ),
        lstm=LSTMSettings(),
    )
    return replace(settings, stack=replace(settings.stack, models=models))


def rows(folder: Path, settings: Settings) -> tuple[Dataset, TimeSplit, int]:
    """Rows of the experiment, split 70/15/15: 4,386 candles, of which the first 199 and the last 4 have no row."""
    start, end = parse_ms(START), parse_ms(END)
    candles = FreqtradeFolder(folder).candles(SYMBOL, "4h", None, end)
    panel = {SYMBOL: candles}
    first = RECIPE.first_bar(panel, start, settings)
    target = RECIPE.make_target(settings.target)
    dataset = build_dataset(
        panel, RECIPE.features(settings), target, first, end, lead=settings.stack.models.lstm.window
    )
    split = time_split(dataset.time, dataset.span_end, settings.split.train, settings.split.validation)
    return dataset, split, len(candles.between(start, end))


def fitted(dataset: Dataset, split: TimeSplit, settings: Settings) -> dict[str, FittedStack]:
    """Method -> stack, all of the same members."""
    seed, horizon = settings.train.seed, settings.target.return_horizon
    makers = {
        name: partial(build, name, RECIPE.task, RECIPE.model_settings(settings), seed=seed, threads=1)
        for name in RECIPE.models
    }
    prior = dataset.y[split.train].mean(keepdims=True)
    graphs = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in makers.items():
            files, _ = fit_member(make(), dataset, split, prior, lambda *_: {}, lambda *_: None, Path(folder) / name)
            graphs[name] = files[f"{name}.onnx"]
            print(f"{name} fitted", file=sys.stderr)

    def progress(stage: str, done: int, total: int) -> None:
        print(f"{stage}: {done}/{total}", file=sys.stderr)

    predicted = predict_out_of_fold(makers, dataset, split, settings, horizon, progress)
    measure = partial(return_figures, settings.evaluation, horizon)
    return {
        method: fit_stack(
            predicted, graphs, dataset, split, replace(settings, stack=replace(settings.stack, method=method)), measure
        )
        for method in get_args(Method)
    }


def as_markdown(found: dict[str, Any]) -> str:
    """Page with a table of all methods for each part of the rows."""
    counts = found["rows"]
    lines = [
        "# The stack on BTC/USDT 4h",
        "",
        f"`{found['command']}`: {found['market']}, {counts['candles']:,} candles, {counts['labelled']:,} rows; "
        f"{counts['train']:,} for training, {counts['validation']:,} for validation, {counts['test']:,} for the "
        f"test, from {counts['test_from']} on; features {found['features']}.",
        "",
        "Returns over the next 4 bars, errors in percent. R2 is relative to predicting zero; p is that of a two-sided "
        "Diebold-Mariano test of squared errors against predicting zero. Beyond cost: share of the rows whose "
        "predicted return exceeds the cost of a round trip, on which a stack acts. The default method is ridge.",
        "",
    ]
    titles = {
        "out_of_fold": "Out of fold, inside the training part",
        "validation": "Validation rows (used for early stopping)",
        "test": "Test rows (no selection used them)",
    }
    for part, title in titles.items():
        table = {name: parts[part] for name, parts in found["alone"].items()}
        table |= {f"stack by {method}": stack["metrics"][part] for method, stack in found["methods"].items()}
        lines += [
            f"## {title}",
            "",
            "| | rows | RMSE | MAE | MSE | R2 | p | rank IC | beyond cost |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
            *(_row(NAMES.get(name, name), figures) for name, figures in table.items()),
            "",
        ]
    lines += ["## Weights", "", "| method | strength | weights |", "|---|---:|---|"]
    for method, stack in found["methods"].items():
        weights = stack["weights"] or {}
        shares = ", ".join(f"{name} {weight:+.3f}" for name, weight in weights.items()) or "a forest"
        lines.append(f"| {method} | {'' if stack['strength'] is None else stack['strength']} | {shares} |")
    return "\n".join([*lines, ""])


def _row(name: str, figures: dict[str, Any]) -> str:
    def shown(key: str, form: str) -> str:
        return "" if figures.get(key) is None else format(figures[key], form)

    return (
        f"| {name} | {figures['n']:,} | {shown('rmse_pct', '.4f')} | {shown('mae_pct', '.4f')} | "
        f"{shown('mse_pct2', '.4f')} | {shown('r2_vs_zero', '+.2%')} | {shown('against_zero_p', '.3f')} | "
        f"{shown('rank_ic', '+.3f')} | {shown('acts', '.1%')} |"
    )


if __name__ == "__main__":
    sys.exit(main())
