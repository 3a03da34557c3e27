"""Cost of a walk-forward by stage: 216,000 rows, 5 folds, tree members.

    python benchmarks/walkforward.py [--small]

A synthetic market of 100 symbols x 2,160 hourly bars, evaluated as by `quorate evaluate`. Features and labels are
computed once for all folds, so their share of the wall time should stay under 5 %. Writes
benchmarks/results/walkforward.json and .md; --small, 10 symbols x 720 bars, only prints. Run on an idle machine:
XGBoost's threads wait for each other.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

from quorate.core.settings import Settings
from quorate.market import SyntheticMarket
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.walk_forward import walk_forward

MEMBERS = ("xgboost", "lightgbm")
FOLDS = 5
MOST_SHARE = 0.05
RESULTS = Path(__file__).parent / "results"


def progress(stage: str, done: int, total: int) -> None:
    """Print finished stages on standard error."""
    if done == total:
        print(stage, file=sys.stderr)


def main() -> int:
    small = "--small" in sys.argv[1:]
    symbols, bars = (10, 720) if small else (100, 2_160)
    with tempfile.TemporaryDirectory() as folder:
        market = SyntheticMarket(seed=7, symbols=symbols, bars=bars)
        market.write(folder)
        began = time.perf_counter()
        document = walk_forward(
            folder,
            models=MEMBERS,
            folds=FOLDS,
            settings=Settings(),
            record=RunRecord(log=False),
            progress=progress,
            symbols=market.names,
            timeframe=market.timeframe,
        ).to_json()
        seconds = time.perf_counter() - began
    share = document["cost"]["features and labels"] / seconds
    found = {
        "command": "python benchmarks/walkforward.py" + (" --small" if small else ""),
        "rows": symbols * bars,
        "symbols": symbols,
        "bars": bars,
        "folds": FOLDS,
        "members": list(MEMBERS),
        "beside": ["logistic", "log_har"],
        "wall_seconds": round(seconds, 2),
        "cost_seconds": document["cost"],
        "features_and_labels_share": round(share, 5),
        "most_share": MOST_SHARE,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "fit_seconds": [
            {name: member["seconds"] for name, member in {**fold["members"], **fold["beside"]}.items()}
            for fold in document["folds"]
        ],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "synthetic": True,
    }
    text = as_markdown(found)
    print(text)
    if not small:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "walkforward.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        (RESULTS / "walkforward.md").write_text(text, encoding="utf-8")
    return 0 if share < MOST_SHARE else 1


def as_markdown(found: dict[str, object]) -> str:
    """The figures as a page: the run, and a row for each stage."""
    cost = found["cost_seconds"]
    assert isinstance(cost, dict)
    total = sum(cost.values())
    spelled = {"logistic": "logistic regression", "log_har": "log-HAR"}
    beside = " and ".join(spelled[name] for name in found["beside"])
    lines = [
        "# Walk-forward",
        "",
        f"`{found['command']}` on {found['machine']}: {found['rows']:,} rows ({found['symbols']} synthetic symbols x "
        f"{found['bars']:,} bars), {found['folds']} folds, {' and '.join(MEMBERS)}, {beside} beside them.",
        "",
        "| stage | seconds | share |",
        "|---|---:|---:|",
        *(f"| {stage} | {seconds:.2f} | {seconds / total:.1%} |" for stage, seconds in cost.items()),
        "",
        f"Features and labels, computed once for all folds: {found['features_and_labels_share']:.2%} of the wall time "
        f"(limit: {MOST_SHARE:.0%}). Peak memory {found['peak_mib']:,} MiB.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
