"""Member weights by nested walk-forward on real candles: fixed, evolved and gated, against equal and documented ones.

    QUORATE_DATA=DATA python benchmarks/weights.py --walk FOLDER [--workers N]
    python benchmarks/weights.py FOLDER

The first command walks the four members of the vote forward over 60 perpetuals as `quorate evaluate` does, and stores
their raw scores in FOLDER: six minutes on two quiet cores. The second one fits weights on what is
stored, and writes results/weights.md and .json and the trials; a few minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.core.clock import parse_ms
from quorate.core.settings import Settings
from quorate.ensemble.recipes import RECIPES
from quorate.evaluation.metrics.agreement import agreement_figures
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.predictions_file import read_predictions, write_predictions
from quorate.evaluation.report.agreement_table import agreement_table
from quorate.evaluation.report.formatting import Cell, Table
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.features import feature_set
from quorate.lifecycle.weights.report import write_weight_report
from quorate.lifecycle.weights.search import search_weights
from quorate.lifecycle.weights.tables import TABLES
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.targets import ForwardClass
from quorate.workflows.runs.trials import RunRecord

RESULTS = Path(__file__).parent / "results"
START, END, MARKETS, FOLDS = "2024-11-01", "2025-10-14", 60, 5
SCORES = "scores.parquet"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the scores")
    parser.add_argument("--walk", action="store_true", help="walk forward and store the scores")
    parser.add_argument("--workers", type=int, default=0, help="processes of the walk; 0 for those that are free")
    options = parser.parse_args()
    if options.walk:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder that holds binance/, the real candles", file=sys.stderr)
            return 2
        store(Path(data) / "binance", options.folder, options.workers)
        return 0
    found = search(options.folder)
    RESULTS.joinpath("weights.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    RESULTS.joinpath("weights.md").write_text(as_markdown(found), encoding="utf-8")
    return 0


def store(candles: Path, folder: Path, workers: int) -> None:
    """Walk forward, and write the scores of the test spans."""
    source, settings, start, end = FreqtradeFolder(candles), Settings(), parse_ms(START), parse_ms(END)
    markets = top(source, "1h", MARKETS, start, settings=settings.universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    target = ForwardClass(settings.target.horizon, settings.target.band)
    rows = build_rows(panel, feature_set(settings.train.features, settings.features), target, start, end)
    walked = walk(rows, RECIPES["vote"].models, settings, WalkOptions(folds=FOLDS, workers=workers))
    write_predictions(folder / SCORES, MemberPredictions.of_walk(walked, panel))


def search(folder: Path) -> dict[str, Any]:
    """The document of one search, without the symbols' names; its report goes beside the scores."""
    rows = read_predictions(folder / SCORES)
    record = RunRecord("python benchmarks/weights.py", path=RESULTS / "weights-trials.jsonl")
    found = search_weights(rows, "raw scores of the members", settings=Settings(), record=record)
    write_weight_report(folder / "weights.html", found)
    document = {key: value for key, value in found.document.items() if key not in ("symbols", "provenance")}
    document["agreement"] = agreement_figures(rows.y, rows.members, TimeBlocks(rows.time, Settings().evaluation))
    return {"markets": len(found.document["symbols"]), **document}


def as_markdown(found: Mapping[str, Any]) -> str:
    """The verdict and the tables."""
    lines = [
        "# Member weights by nested walk-forward",
        "",
        f"`QUORATE_DATA=DATA python benchmarks/weights.py --walk FOLDER`, then `python benchmarks/weights.py FOLDER`: "
        f"{found['markets']} perpetuals, {found['timeframe']}, {found['from'][:10]} to {found['to'][:10]}, "
        f"{found['folds']} anchored folds, {found['rows']:,} labelled test rows. Weights for a fold are fitted on the "
        "test rows of earlier folds whose labels have closed; the first fold has none before it and is not scored. "
        f"Intervals are {100 * found['intervals']['confidence']:g} % of a block bootstrap over "
        f"{found['intervals']['blocks']} days with all markets of each.",
    ]
    lines += ["", found["verdict"]]
    for made in (*(table(found) for table in TABLES), agreement_table(found["agreement"])):
        lines += ["", *_table(made)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    head = [f"{table.title}:", "", f"| {' | '.join(table.columns)} |", f"|{'---|' * len(table.columns)}"]
    return [*head, *(f"| {' | '.join(map(_text, row))} |" for row in table.rows)]


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.interval})" if cell.interval else cell.text


if __name__ == "__main__":
    raise SystemExit(main())
