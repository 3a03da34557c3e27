"""Errors of Quorate's networks beside the published ones, for every row that is not finished.

    QUORATE_DATA=FOLDER python benchmarks/papers/run.py [--only WORD ...] [--seeds N ...] [--threads N] [--fresh]

A row that was finished with the same protocol is not run again; an interrupted one resumes from its checkpoint. Writes
papers.json after each run and papers.md at the end into benchmarks/results (or --out), and ends with 1 if a row is
missing or exceeds its tolerance.

With --like-neuralforecast PatchTST is trained as in that library, and written to papers_like_peer.json; `peer.py`,
`steps.py` and `same.py` add the figures of the library.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import recipes
import report
import series
from protocol import Protocol, run
from rows import Row, chosen

RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows whose names contain one of these")
    parser.add_argument("--seeds", nargs="+", type=int, default=[], metavar="N", help="instead of those of the rows")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="run finished rows again")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of papers.json and papers.md")
    parser.add_argument("--like-neuralforecast", action="store_true", help="train as that library does, with seed 1")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    like = options.like_neuralforecast
    path = options.out / ("papers_like_peer.json" if like else "papers.json")
    rows = chosen(options.only)
    for row in rows:
        if like and (row.network == "nhits" or not row.has_peer):
            continue  # the peer's training is that of the paper's run, or it is not run
        protocol = like_neuralforecast(row) if like else recipes.protocol(row)
        for seed in options.seeds or ((1,) if like else row.seeds):
            key = f"{row.name}-seed{seed}"
            runs = finished(path)
            if not options.fresh and key in runs and runs[key]["protocol"] == described(row, protocol):
                print(f"{key}: already finished", file=sys.stderr)
                continue
            result = run(
                series.load(row.series),
                protocol,
                name=row.network,
                seed=seed,
                threads=options.threads,
                progress=PrintedProgress(key),
                checkpoint=options.out / f"{path.stem}-{key}.checkpoint",
            )
            runs = finished(path)  # another process may have finished other rows
            runs[key] = {
                "row": row.name,
                "seed": seed,
                "protocol": described(row, protocol),
                **asdict(result),
                "threads": options.threads,
                "command": f"python benchmarks/papers/run.py --only {row.name} --seeds {seed}"
                + " --like-neuralforecast" * like,
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
            }
            path.write_text(json.dumps({"runs": dict(sorted(runs.items()))}, indent=1) + "\n", encoding="utf-8")
            print(f"{key}: MSE {result.mse:.4f} MAE {result.mae:.4f}", file=sys.stderr)
    runs = finished(options.out / "papers.json")
    read = (report.peer_runs, report.like_peer_runs, report.step_times, report.same_functions)
    beside = [each(options.out) for each in read]
    page, fine = report.page(runs, *beside, rows)
    (options.out / "papers.md").write_text(report.page(runs, *beside)[0], encoding="utf-8")
    print(page)
    return 0 if fine else 1


def like_neuralforecast(row: Row) -> Protocol:
    return recipes.like_neuralforecast(row, series.load(row.series).values.shape[1])


def finished(path: Path) -> dict[str, Any]:
    """Finished runs by row and seed."""
    return dict(json.loads(path.read_text())["runs"]) if path.exists() else {}


def described(row: Row, protocol: Protocol) -> dict[str, Any]:
    """Protocol of a run as a document; a run with another protocol is another run."""
    document = {
        "pools": list(row.pools),
        "ratios": list(row.ratios),
        "look_back": protocol.look_back,
        "folded": protocol.folded,
        "steps": protocol.steps,
        "every": protocol.every,
        "schedule": protocol.schedule.__name__ if protocol.schedule else protocol.settings.schedule,
        "loss": protocol.loss.__name__,
    }
    used = ("epochs", "batch", "optimizer", "learning_rate", "weight_decay", "clip", "patience", "bf16")
    return document | {name: getattr(protocol.settings, name) for name in used}


class PrintedProgress:
    """Prints the steps done to standard error, at most every ten seconds."""

    def __init__(self, key: str) -> None:
        self._key, self._at = key, time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        if done == total or time.perf_counter() - self._at > 10:
            self._at = time.perf_counter()
            print(f"{self._key}: step {done:,} of {total:,}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
