"""Select the poolings and ratios of N-HiTS for a row by the validation error, from its authors' search space.

    QUORATE_DATA=FOLDER python benchmarks/papers/search.py ROW [--trials 10]

As the authors do, ten configurations are drawn at random for each figure, here without repetition. Test errors are not
computed. Trials are kept in benchmarks/results/papers_search.json and not repeated; rows.py has the selected ones.
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
from rows import POOLS, RATIOS, ROWS

RESULTS = Path(__file__).parents[1] / "results" / "papers_search.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=[row.name for row in ROWS if row.network == "nhits"])
    parser.add_argument("--trials", type=int, default=10)
    options = parser.parse_args()
    (row,) = (row for row in ROWS if row.name == options.row)
    space = list(product(POOLS, RATIOS))
    random.Random(row.name).shuffle(space)
    data = series.load(row.series)
    for pools, ratios in space[: options.trials]:
        kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        trials = kept.setdefault(row.name, [])
        if any(trial["pools"] == list(pools) and trial["ratios"] == list(ratios) for trial in trials):
            continue
        trial = replace(row, pools=pools, ratios=ratios)
        result = run(data, recipes.protocol(trial), name=row.network, seed=1, tested=False)
        trials.append({"pools": pools, "ratios": ratios, "seed": 1, "validation_mae": result.validation})
        trials.sort(key=lambda each: each["validation_mae"])
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"{row.name}: pools {pools}, ratios {ratios}: validation MAE {result.validation:.4f}", flush=True)
    best = json.loads(RESULTS.read_text())[row.name][0]
    print(f"{row.name}: best is pools {best['pools']}, ratios {best['ratios']}")


if __name__ == "__main__":
    main()
