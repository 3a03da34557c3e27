"""Difference that int8 networks make to a trained bundle, on its validation rows and on bars after its training span.

    QUORATE_DATA=FOLDER python benchmarks/precision.py [BUNDLE ...] [--until TIME]

The comparison is the one that training makes before it serves networks in int8 (train.precision): each member's class
and loss, and the decisions of every policy of the bundle. The later bars are those of the bundle's symbols from the end
of its training span on. Without bundles three are trained first, in about half an hour: the reference bundle of 100
perpetuals, one like it with an LSTM of one epoch, and a stack on BTC/USDT 4h by the mean of its members, since with
ridge it never acts. Writes benchmarks/results/precision.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import quorate
from quorate.core.clock import iso_ms, parse_ms, timeframe_ms
from quorate.core.types import Candles, IntArray
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.training.quantisation import (
    AGREEMENT,
    COMPARED_ROWS,
    MAX_LOSS_INCREASE,
    compare,
    rounding_rows,
    stack_criteria,
    vote_criteria,
)
from quorate.market import FreqtradeFolder
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession
from quorate.targets import Dataset, build_dataset, time_split

RESULTS = Path(__file__).parent / "results"
SPAN = "--timeframe 1h --top 100 --from 2025-05-01 --to 2025-07-30"
TRAINED = (
    (f"--recipe vote {SPAN} --models xgboost,lightgbm,nhits,patchtst", {}),
    # One epoch covers all windows; until early stopping an LSTM takes hours.
    (f"--recipe vote {SPAN} --models xgboost,lightgbm,lstm", {"QUORATE_MODELS__LSTM__EPOCHS": "1"}),
    (
        "--recipe stack --timeframe 4h --symbols BTC/USDT --from 2023-10-15 --to 2025-07-01",
        {"QUORATE_STACK__METHOD": "voting"},
    ),
)
WARM_UP = 600  # bars before a span, for its features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE")
    parser.add_argument(
        "--until", type=parse_ms, default=parse_ms("2025-10-15"), metavar="TIME", help="end of the later bars"
    )
    options = parser.parse_args()
    if "QUORATE_DATA" not in os.environ:
        parser.error("set QUORATE_DATA to the folder of real candles")
    data = Path(os.environ["QUORATE_DATA"]) / "binance"
    with tempfile.TemporaryDirectory() as name:
        bundles = options.bundles or [
            trained(data, Path(name) / str(number), *each) for number, each in enumerate(TRAINED)
        ]
        measured = [measure(path, data, options.until) for path in bundles]
    found = {
        "command": "QUORATE_DATA=FOLDER python benchmarks/precision.py" + " BUNDLE ..." * bool(options.bundles),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "bundles": measured,
    }
    text = as_markdown(found)
    print(text)
    (RESULTS / "precision.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "precision.md").write_text(text, encoding="utf-8")


def trained(data: Path, out: Path, options: str, environment: dict[str, str]) -> Path:
    """Train a bundle with options of the command line; return its folder."""
    words = f"train --data {data} --out {out} {options}".split()
    subprocess.run([Path(sys.executable).parent / "quorate", *words], env=os.environ | environment, check=True)
    return next(path.parent for path in out.glob("*/manifest.json"))


def measure(path: Path, data: Path, until: int) -> dict[str, Any]:
    bundle = quorate.load_bundle(path)
    split = bundle.manifest.settings["split"]
    trained, later = (
        dataset_of(bundle, data, *span)
        for span in (
            (bundle.manifest.training_start, bundle.manifest.training_end + timeframe_ms(bundle.manifest.timeframe)),
            (bundle.manifest.training_end, until),
        )
    )
    parts = time_split(trained.time, trained.span_end, split["train"], split["validation"])
    int8 = {}
    for member in bundle.manifest.members:
        if member.graph is not None and (session := bundle.members.sessions[member.model]).window > 1:
            windows, _ = trained.read(rounding_rows(parts), session.window)
            quantised = quantise((path / member.graph).read_bytes(), member.model, windows)
            int8[member.model] = OnnxSession(quantised, session.features, member.model)
    return {
        "bundle": bundle.manifest.id,
        "members": list(bundle.members.order),
        "span": [iso_ms(bundle.manifest.training_start), iso_ms(bundle.manifest.training_end)],
        "decides": f"the {bundle.decides} policy" if bundle.stack is None else f"a stack by {bundle.stack.method}",
        "loss": "log-loss" if bundle.stack is None else "MSE, squared percent",
        "validation": comparison(bundle, int8, trained, parts.validation),
        "later": comparison(bundle, int8, later, np.arange(len(later.y))),
    }


def dataset_of(bundle: Bundle, data: Path, start: int, end: int) -> Dataset:
    folder, manifest = FreqtradeFolder(data), bundle.manifest
    lead = WARM_UP * timeframe_ms(manifest.timeframe)
    panel: dict[str, Candles] = {
        symbol: folder.candles(symbol, manifest.timeframe, start - lead, end) for symbol in manifest.symbols
    }
    target = RECIPES[manifest.recipe].make_target(manifest.target)
    return build_dataset(panel, manifest.features, target, start, end, lead=bundle.members.window - 1)


def comparison(bundle: Bundle, int8: dict[str, OnnxSession], dataset: Dataset, rows: IntArray) -> dict[str, Any]:
    _, rows = dataset.read(rows[:: max(1, len(rows) // COMPARED_ROWS)], bundle.members.window)
    full = {
        model: session.run(dataset.read(rows, session.window)[0]) for model, session in bundle.members.sessions.items()
    }
    quantised = {model: session.run(dataset.read(rows, session.window)[0]) for model, session in int8.items()}
    y = dataset.y[rows]
    standard = (
        vote_criteria(bundle.policies, len(bundle.members), y)
        if bundle.stack is None
        else stack_criteria(bundle.stack, y)
    )
    return compare(full, quantised, standard).to_json()


def as_markdown(found: dict[str, Any]) -> str:
    lines = [
        "# Int8 networks",
        "",
        f"`{found['command']}` on {found['machine']}. A network may be served in int8 if its class "
        f"is the same on at least {AGREEMENT:.1%} of the rows, its loss is at most {MAX_LOSS_INCREASE:.1%} higher, and "
        f"every policy decides the same on at least {AGREEMENT:.1%} of the bars on which it acts in either precision. "
        "Training checks this on its validation rows; the later rows show whether it still holds.",
    ]
    for one in found["bundles"]:
        lines += [
            "",
            f"## {one['bundle']}: {', '.join(one['members'])}",
            "",
            f"Trained on {one['span'][0][:10]} to {one['span'][1][:10]}, decisions by {one['decides']}.",
            "",
            f"| rows | network | same class | {one['loss']} | int8 | change | may be served |",
            "|---|---|---:|---:|---:|---:|---|",
            *(line for part in ("validation", "later") for line in _networks(part, one)),
            "",
            "| rows | policy | bars it acts on | same decision |",
            "|---|---|---:|---:|",
            *(line for part in ("validation", "later") for line in _policies(part, one[part])),
        ]
    return "\n".join(lines) + "\n"


def _networks(part: str, one: dict[str, Any]) -> list[str]:
    figures, unit = one[part], 1e4 if "squared percent" in one["loss"] else 1.0
    lines = []
    for model, share in figures["classes"].items():
        before, after = (unit * loss for loss in figures["loss"][model])
        lines.append(
            f"| {figures['rows']:,} {part} | {model} | {share:.2%} | {before:.4f} | {after:.4f} "
            f"| {after / before - 1:+.3%} | {'yes' if model in figures['kept'] else 'no'} |"
        )
    return lines


def _policies(part: str, figures: dict[str, Any]) -> list[str]:
    return [
        f"| {part} | {policy} | {agreed['acted']:,} | {'never' if agreed['same'] is None else _share(agreed)} |"
        for policy, agreed in figures["decisions"].items()
    ]


def _share(agreed: dict[str, Any]) -> str:
    return f"{agreed['same']:.2%}"


if __name__ == "__main__":
    main()
