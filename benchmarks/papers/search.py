"""Choose what a row leaves open by the validation error alone: N-HiTS' poolings and ratios, PatchTST's learning rate.

    QUORATE_DATA=FOLDER python benchmarks/papers/search.py ROW [--trials 10]

N-HiTS' authors draw ten configurations of their search space for each figure; so does this, without drawing one twice.
PatchTST has two trials a row. Test errors are not worked out. Trials are kept in benchmarks/results/papers_search.json
and not repeated; what was chosen stands in rows.py.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import recipes
import series
from protocol import run
from rows import POOLS, RATIOS, ROWS, SCHEDULES, Row

RESULTS = Path(__file__).parents[1] / "results" / "papers_search.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=[row.name for row in ROWS])
    parser.add_argument("--trials", type=int, default=10)
    options = parser.parse_args()
    (row,) = (row for row in ROWS if row.name == options.row)
    data = series.load(row.series)
    for choice in space(row)[: options.trials]:
        kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        trials = kept.setdefault(row.name, [])
        if any(choice.items() <= trial.items() for trial in trials):
            continue
        trial = replace(
            row, **{name: tuple(value) if isinstance(value, list) else value for name, value in choice.items()}
        )
        result = run(data, recipes.protocol(trial), name=row.network, seed=1, judged=False)
        trials.append({**choice, "seed": 1, "validation_mae": result.validation})
        trials.sort(key=lambda each: each["validation_mae"])
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"{row.name}: {told(choice)}: validation MAE {result.validation:.4f}", flush=True)
    best = json.loads(RESULTS.read_text())[row.name][0]
    print(f"{row.name}: best is {told({name: best[name] for name in space(row)[0]})}")


def space(row: Row) -> list[dict[str, Any]]:
    """What a row may be, in the order of its trials; as it is kept in the file."""
    if row.network == "patchtst":
        return [{"schedule": schedule} for schedule in SCHEDULES]
    drawn = list(product(POOLS, RATIOS))
    random.Random(row.name).shuffle(drawn)
    return [{"pools": list(pools), "ratios": list(ratios)} for pools, ratios in drawn]


def told(choice: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in choice.items())


if __name__ == "__main__":
    main()
