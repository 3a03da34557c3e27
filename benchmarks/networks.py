"""Networks that have a compact shape alone, beside the LSTM: log-loss against the prior, and time of a window.

    QUORATE_DATA=FOLDER python benchmarks/networks.py [--only NAME ...] [--seeds N] [--report] [--out FOLDER]

12 perpetuals from 2024-11-01, two purged anchored folds from 2025-02-01 to 2025-07-01, one thread; each network is
fitted as in a walk-forward and scored on the bars after it. The figures say whether each learns at all; what members
are worth to an ensemble takes more markets. Every fit is a line of networks-trials.jsonl and is not repeated;
`--report` writes networks.md from them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import shapes
from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.settings import EvaluationSettings, ModelSettings, Settings
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import FoldRows, split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.features import feature_names
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models import StoppingRows, build
from quorate.models.networks.network_model import Network
from quorate.models.runtime import OnnxSession
from quorate.targets import ForwardClass, training_slices

RESULTS = Path(__file__).parent / "results"
NETWORKS = ("lstm", "dlinear", "gru", "tcn", "inception", "minirocket", "tide", "tft")
START, FIRST, END = "2024-11-01", "2025-02-01", "2025-07-01"
MARKETS, FOLDS, SEEDS = 12, 2, 2
KEPT = 56  # every so many rows are kept of the lean, to correlate networks


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=NETWORKS, choices=NETWORKS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--report", action="store_true", help="write the table, without a fit")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    log = options.out / "networks-trials.jsonl"
    if not options.report:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder of real candles", file=sys.stderr)
            return 2
        run(Path(data) / "binance", log, options.only, options.seeds)
    page = report(shapes.trials(log))
    (options.out / "networks.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


def run(folder: Path, log: Path, only: tuple[str, ...], seeds: int) -> None:
    """Fit and score what is not in the log yet."""
    rows, folds = labelled_folds(folder)
    done = {
        (trial["network"], trial["fold"], trial["seed"], json.dumps(trial["settings"])) for trial in shapes.trials(log)
    }
    for seed in range(seeds):
        for name in only:
            settings = asdict(getattr(ModelSettings(), name))
            for fold in folds:
                if (name, fold.number, seed, json.dumps(settings)) in done:
                    continue
                trial = {"network": name, "fold": fold.number, "seed": seed, "settings": settings}
                trial |= fit(name, rows, fold, seed)
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(trial) + "\n")
                print(
                    f"{name}, fold {fold.number + 1}, seed {seed}: {trial['skill']:+.4f}, {trial['seconds']:.0f} s",
                    flush=True,
                )


def labelled_folds(folder: Path) -> tuple[LabelledBars, tuple[FoldRows, ...]]:
    """Rows of the markets, and the folds."""
    source, start, end = FreqtradeFolder(folder), parse_ms(START), parse_ms(END)
    markets = top(source, "1h", MARKETS, start, settings=Settings().universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    rows = build_rows(panel, "core30", ForwardClass(5, 0.005), start, end)
    return rows, split_folds(rows, FOLDS, embargo_bars=5, first=parse_ms(FIRST))


def fit(name: str, rows: LabelledBars, fold: FoldRows, seed: int) -> dict[str, Any]:
    """Fit a network on a fold's training rows, and score it on the bars after them."""
    model = build(name, "class", ModelSettings(), seed=seed, threads=1, features=rows.columns)
    assert isinstance(model, Network)
    train, slices = training_slices(rows.time, rows.span_end, fold.train, Settings().split)
    whole = rows.inputs.whole(model.window)
    train, stop = train[whole[train]], slices.stop[whole[slices.stop]]
    began = time.process_time()
    model.fit(
        rows.inputs.at(train, model.window),
        rows.y[train],
        stopping=StoppingRows(rows.inputs.at(stop, model.window), rows.y[stop]),
    )
    seconds = time.process_time() - began
    test = fold.test[rows.known[fold.test] & rows.inputs.whole(shapes.LONGEST)[fold.test]]
    scores = OnnxSession(model.to_onnx(), len(rows.columns), name).run(rows.inputs.at(test, model.window))
    return {
        "train": len(train),
        "seconds": round(seconds, 2),
        "parameters": model.parameters,
        "lean": np.round(scores[::KEPT, 2] - scores[::KEPT, 0], 5).tolist(),
        **shapes.daily_losses(rows, fold, test, scores),
    }


def report(trials: list[dict[str, Any]]) -> str:
    """The table of the networks whose settings are those of the trials."""
    text = f"""# Networks in a small walk-forward

`QUORATE_DATA=FOLDER python benchmarks/networks.py` on {platform.machine()}, one thread: {MARKETS} perpetuals, 1h,
{START} to {END}, {FOLDS} purged anchored folds from {FIRST}, the mean over the seeds. Loss minus that of the prior (the
shares of the training rows) in 1/1000 nats, of the scores and as served (direction shrunk), with its 95 % interval over
days: below 0 the network has learned. Lean is the correlation of BUY minus SELL with that of the LSTM on the same rows.
Microseconds are the median of single windows in ONNX Runtime; the machine was busy. Chosen on these folds: the windows
of 24 bars with the kernels and blocks that go with them (TCN and Inception with both seeds, the others with one), how
MiniRocket scales its features, and the small last layer that a training begins with. Differences between the networks
are well inside the intervals.

| network | parameters | seconds, 100,000 windows | us | seeds | loss - prior | as served | skill | lean with LSTM |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
"""
    current = [
        t for t in trials if t["settings"] == json.loads(json.dumps(asdict(getattr(ModelSettings(), t["network"]))))
    ]
    base = [trial for trial in current if trial["network"] == "lstm"]
    for name in NETWORKS:
        own = [trial for trial in current if trial["network"] == name]
        if not own:
            continue
        seconds = sum(trial["seconds"] for trial in own) / sum(trial["train"] for trial in own) * 1e5
        losses = [
            f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
            for value, low, high in (difference(own, kind) for kind in ("raw", "served"))
        ]
        text += (
            f"| {name} | {own[0]['parameters']:,} | {seconds:.1f} | {microseconds(name):.0f} "
            f"| {len({trial['seed'] for trial in own})} | {losses[0]} | {losses[1]} "
            f"| {100 * (shapes.skill(own, 'served') or 0):+.2f} % | {lean(own, base):.2f} |\n"
        )
    return text


def difference(own: list[dict[str, Any]], kind: str) -> tuple[float, float, float]:
    """Loss minus the prior's in 1/1000 nats, with its interval; mean of the seeds."""
    folds: dict[int, list[dict[str, Any]]] = {}
    for trial in own:
        folds.setdefault(trial["fold"], []).append(trial)
    days, losses, counts = (
        np.concatenate([values(each) for each in folds.values()])
        for values in (
            lambda each: each[0]["days"],
            lambda each: np.mean([trial[kind] for trial in each], axis=0) - np.array(each[0]["prior"]),
            lambda each: each[0]["rows"],
        )
    )
    blocks = TimeBlocks(days.astype(np.int64) * DAY_MS, EvaluationSettings())
    low, high = blocks.interval(blocks.ratios(losses, counts)) or (float("nan"),) * 2
    return 1e3 * float(losses.sum() / counts.sum()), 1e3 * low, 1e3 * high


def lean(own: list[dict[str, Any]], base: list[dict[str, Any]]) -> float:
    """Mean over folds and seeds of the correlation of the leans of two networks of the same seed."""
    others = {(trial["fold"], trial["seed"]): trial["lean"] for trial in base}
    found = [
        float(np.corrcoef(trial["lean"], others[trial["fold"], trial["seed"]])[0, 1])
        for trial in own
        if (trial["fold"], trial["seed"]) in others
    ]
    return statistics.mean(found) if found else float("nan")


def microseconds(name: str) -> float:
    """Median time of a single window, of a hardly trained network."""
    columns = feature_names("core30")
    model = build(name, "class", ModelSettings(), seed=0, threads=1, features=columns)
    random = np.random.default_rng(0)
    X = random.normal(size=(256, model.window, len(columns))).astype(np.float32)
    model.fit(X, random.integers(0, 3, 256).astype(np.int8))
    session = OnnxSession(model.to_onnx(), len(columns), name)
    return 1e6 * statistics.median(_seconds(session, X[row : row + 1]) for row in range(len(X)))


def _seconds(session: OnnxSession, window: Any) -> float:
    began = time.perf_counter()
    session.run(window)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
