"""Time of a training step of Quorate and of neuralforecast, alternately in one process.

    QUORATE_DATA=FOLDER PYTHON benchmarks/papers/steps.py [--only WORD ...] [--threads N]

PYTHON is that of an environment with neuralforecast (as for peer.py) and TA-Lib, PYTHONPATH the folder `src`. Both
networks of each row take a few steps alternately, with the data, windows, sizes and batches of peer.py. Writes
papers_steps.json beside papers.json; run.py adds it to the page. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import recipes
import series
from peer import clock, frame, network
from protocol import step_seconds
from rows import Row, chosen
from series import Series

RESULTS = Path(__file__).parents[1] / "results"
BLOCKS, STEPS = 3, 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows whose names contain one of these")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of papers_steps.json")
    options = parser.parse_args()
    path = options.out / "papers_steps.json"
    found: dict[str, Any] = json.loads(path.read_text())["rows"] if path.exists() else {}
    for row in (row for row in chosen(options.only) if row.has_peer):
        found[row.name] = measure(row, options.threads)
        path.write_text(json.dumps({"rows": dict(sorted(found.items()))}, indent=1) + "\n", encoding="utf-8")
        print(f"{row.name}: {found[row.name]}", file=sys.stderr)


def measure(row: Row, threads: int) -> dict[str, Any]:
    """Median seconds of a step of each, without the first of every block."""
    import torch

    torch.set_num_threads(threads)
    data = series.load(row.series)
    protocol = recipes.like_neuralforecast(row, data.values.shape[1])
    ours: list[float] = []
    theirs: list[float] = []
    for block in range(BLOCKS):
        ours += step_seconds(data, replace(protocol, steps=STEPS), name=row.network, seed=block, threads=threads)[1:]
        theirs += peer_seconds(row, data, block)[1:]
    return {
        "ours_s": median(ours),
        "neuralforecast_s": median(theirs),
        "ratio": median(ours) / median(theirs),
        "steps": len(ours),
        "threads": threads,
        "command": f"python benchmarks/papers/steps.py --only {row.name}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
    }


def peer_seconds(row: Row, data: Series, seed: int) -> list[float]:
    import neuralforecast

    ticks = clock()
    model = network(row, data.values.shape[1], seed, STEPS, ticks, patience=-1, remake_windows=True)
    # On the training part and without validation: only steps are timed.
    neuralforecast.NeuralForecast([model], freq=1).fit(frame(data.values[: data.ends[0]]), val_size=0)
    return [later - earlier for earlier, later in pairwise(ticks.ended)]


if __name__ == "__main__":
    main()
