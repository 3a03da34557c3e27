"""Search of the stack's default settings: BTC/USDT 4h, only rows before the test part.

    python benchmarks/search/stack.py --data DATA [--member NAME] [--features SET]

Every configuration of a member is fitted on six expanding, purged folds of the training and validation rows of the
experiment in stack.py, and evaluated by its squared error on the rows held out, relative to predicting zero. The test
rows (2025-07-01 and later) are removed before anything is fitted. All trials, good and bad, are written to
results/stack_trials.json.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import parse_ms, timeframe_ms
from quorate.core.settings import LightGBMSettings, Settings, XGBoostSettings
from quorate.ensemble.stack.expanding_folds import stack_folds
from quorate.ensemble.stack.out_of_fold import predict_held_out
from quorate.market import FreqtradeFolder
from quorate.models import build
from quorate.targets import ForwardReturn, build_dataset, time_split

START, END, HORIZON = "2023-10-15", "2025-10-15", 4
RESULTS = Path(__file__).parent.parent / "results" / "stack_trials.json"

# Settings that a trial does not change: those of the libraries, independent of the present defaults.
_XGBOOST = XGBoostSettings(leaf_share=0.0, l2_share=0.0)
_LIGHTGBM = LightGBMSettings(subsample=1.0, colsample=1.0, leaf_share=0.0, l2_share=0.0)

_REGULARISED = {"subsample": 0.5, "colsample": 0.3}
GRIDS: dict[str, list[dict[str, Any]]] = {
    # The first configuration of each of the trees is that of the original system.
    "lightgbm": [
        {"trees": 500, "learning_rate": 0.05, "patience": 50},
        {"trees": 500, "learning_rate": 0.05, "patience": 50, "from_mean": False},
        *(
            _REGULARISED
            | {"trees": trees, "learning_rate": rate, "leaves": leaves, "leaf_rows": rows, "patience": patience}
            | {"from_mean": False}
            for (trees, rate), leaves, rows, patience in product(
                ((100, 0.005), (200, 0.01), (500, 0.01)), (4, 8), (100, 300), (0, 50)
            )
        ),
        # Leaves in proportion to the rows, for spans of any length.
        *(
            _REGULARISED
            | {
                "trees": 500,
                "learning_rate": 0.01,
                "leaves": 4,
                "leaf_share": share,
                "patience": 50,
                "from_mean": False,
            }
            for share in (0.05, 0.1, 0.15)
        ),
    ],
    "xgboost": [
        {"trees": 300},
        {"trees": 300, "from_mean": False},
        *(
            _REGULARISED
            | {"trees": trees, "learning_rate": rate, "depth": depth, "leaf_weight": rows, "l2": l2, "from_mean": False}
            for (trees, rate), depth, rows, l2 in product(
                ((300, 0.002), (300, 0.005), (300, 0.01)), (2, 3), (100.0, 300.0), (1.0, 300.0)
            )
        ),
        *(
            _REGULARISED | {"trees": 300, "learning_rate": 0.002, "depth": 2, "leaf_share": share, "from_mean": False}
            for share in (0.05, 0.1, 0.15)
        ),
    ],
    "lstm": [
        {"width": 16, "layers": 1, "learning_rate": 1e-3, "weight_decay": 1.0, "batch": 256},
        {"width": 16, "layers": 1, "learning_rate": 3e-4, "weight_decay": 1.0, "batch": 64},
        {"width": 32, "layers": 1, "learning_rate": 3e-4, "dropout": 0.5},
        {"width": 32, "layers": 1, "learning_rate": 1e-4, "dropout": 0.5, "epochs": 20, "weight_decay": 1.0},
        {"width": 32, "learning_rate": 3e-4},
        {"width": 128, "learning_rate": 1e-4, "weight_decay": 1.0, "batch": 256},
        {},  # that of the original system
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--member", choices=GRIDS, action="append")
    parser.add_argument("--features", action="append")
    parser.add_argument("--new", action="store_true", help="only configurations without a trial")
    options = parser.parse_args()
    settings = Settings()
    bar = timeframe_ms("4h")
    first = parse_ms(START) + settings.stack.warmup_bars * bar
    candles = FreqtradeFolder(options.data).candles("BTC/USDT", "4h", None, parse_ms(END))
    for features in options.features or ("core14", "full65"):
        panel = {"BTC/USDT": candles}
        whole = build_dataset(panel, features, ForwardReturn(HORIZON), first, parse_ms(END), lead=119)
        split = time_split(whole.time, whole.span_end, 0.70, 0.15)
        before = np.concatenate([split.train, split.validation])
        assert whole.span_end[before].max() < whole.time[split.test].min()
        folds = stack_folds(
            whole.time, whole.span_end, before, replace(settings.stack, folds=6, first=0.35, stop=0.25), HORIZON * bar
        )
        for member in options.member or GRIDS:
            base = replace(settings.models, xgboost=_XGBOOST, lightgbm=_LIGHTGBM)
            for number, changed in enumerate(GRIDS[member], 1):
                if options.new and any(_is(old, member, features, changed) for old in trials()):
                    continue
                own = replace(base, **{member: replace(getattr(base, member), **changed)})
                make = partial(build, member, "return", own, seed=settings.train.seed, threads=1)
                began = time.perf_counter()
                held_out = predict_held_out(make, whole, folds, lambda *_: None)
                record(features, member, changed, whole, held_out, time.perf_counter() - began)
                print(f"{features} {member} {number}/{len(GRIDS[member])}", flush=True)


def record(features: str, member: str, changed: dict[str, Any], whole: Any, held_out: Any, seconds: float) -> None:
    """Add one trial to the file; it replaces an earlier one of the same configuration."""
    rows = np.concatenate([rows for rows, _ in held_out.values()])
    predicted = np.concatenate([values for _, values in held_out.values()])
    skill = [_r2(whole.y[own], values) for own, values in held_out.values()]
    trial = {
        "member": member,
        "features": features,
        "changed": changed,
        "rows": len(rows),
        "r2_vs_zero": _r2(whole.y[rows], predicted),
        "r2_vs_zero_by_fold": skill,
        "rmse_pct": 100 * float(np.sqrt(((whole.y[rows] - predicted) ** 2).mean())),
        "rmse_zero_pct": 100 * float(np.sqrt((whole.y[rows] ** 2).mean())),
        "predicted_sd_pct": 100 * float(predicted.std()),
        "seconds": round(seconds, 1),
    }
    kept = [old for old in trials() if not _is(old, member, features, changed)]
    RESULTS.write_text(json.dumps([*kept, trial], indent=1) + "\n")
    print(json.dumps({name: trial[name] for name in ("changed", "r2_vs_zero", "predicted_sd_pct", "seconds")}))


def trials() -> list[dict[str, Any]]:
    """All trials so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def _is(trial: dict[str, Any], member: str, features: str, changed: dict[str, Any]) -> bool:
    return (trial["member"], trial["features"], trial["changed"]) == (member, features, changed)


def _r2(y: np.ndarray, predicted: np.ndarray) -> float:
    return 1 - float(((y - predicted) ** 2).sum()) / float((y**2).sum())


if __name__ == "__main__":
    main()
