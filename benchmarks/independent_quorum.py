"""A quorum of independent votes against one of members, on scores that no member was fitted on.

    QUORATE_DATA=DATA python benchmarks/weights.py --walk FOLDER
    python benchmarks/independent_quorum.py FOLDER

FOLDER holds the scores of the four members over 60 perpetuals. The correlations of a fold are those of the folds before
it; the first fold has none and is left out. The consensus policy decides at a low floor: at the one of the settings no
bar has a signal by either count. Writes results/independent_quorum.md and .json; a minute on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.settings import Settings
from quorate.core.types import FloatArray
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.ensemble.voting.independence import error_correlations, independent_votes
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.predictions_file import read_predictions
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from weights import SCORES

RESULTS = Path(__file__).parent / "results"
FLOORS = (0.50, 0.51, 0.52)
COUNTS = ("members", "independent")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the scores")
    found = compare(read_predictions(parser.parse_args().folder / SCORES))
    RESULTS.joinpath("independent_quorum.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(found)
    RESULTS.joinpath("independent_quorum.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def compare(rows: MemberPredictions) -> dict[str, Any]:
    """Figures of each floor and count on the tested rows of all folds but the first."""
    settings = Settings()
    cost = 2 * (settings.costs.taker_fee + settings.costs.slippage)
    folds = np.unique(rows.fold)
    tested = rows.fold > folds[0]
    blocks = TimeBlocks(rows.time[tested], settings.evaluation)
    known = {fold: earlier_correlations(rows, fold) for fold in folds[1:].tolist()}
    table = []
    for floor in FLOORS:
        sides = {}
        for count in COUNTS:
            rules = VoteSettings(quorum_of=count, floor=floor, lowered_floor=floor)
            sides[count] = decisions(rows, rules, known)[tested]
        net = {count: side * rows.forward_return[tested] - cost * np.abs(side) for count, side in sides.items()}
        table += [
            {"floor": floor, "count": count, **figures(sides[count], net[count], net["members"], blocks)}
            for count in COUNTS
        ]
    return {
        "rows": int(tested.sum()),
        "markets": len(rows.symbols),
        "folds": len(folds) - 1,
        "blocks": blocks.count,
        "cost_bps": 1e4 * cost,
        "worth": {str(fold + 1): independent_votes(tuple(rows.members), pairs) for fold, pairs in known.items()},
        "table": table,
    }


def earlier_correlations(rows: MemberPredictions, fold: int) -> dict[str, float]:
    """Correlations of errors on the rows whose labels had closed before the fold."""
    earlier = rows.span_end < rows.time[rows.fold == fold].min()
    return error_correlations(rows.y[earlier], {name: scores[earlier] for name, scores in rows.members.items()})


def decisions(rows: MemberPredictions, rules: VoteSettings, known: Mapping[int, Mapping[str, float]]) -> FloatArray:
    """(n,) 1 for BUY, -1 for SELL, 0 for HOLD and in the first fold."""
    side = np.zeros(len(rows.y))
    for fold, correlation in known.items():
        own = rows.fold == fold
        decided = decide_frame(
            {name: scores[own] for name, scores in rows.members.items()},
            rows.volatility[own],
            policy=ConsensusPolicy(replace(rules, correlation=correlation)),
        )
        side[own] = decided.action.astype(np.float64) - 1
    return side


def figures(side: FloatArray, net: FloatArray, beside: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Signals, their net return, and the net return a bar less that of `beside`; bps, with intervals."""
    acted = np.abs(side)
    part = blocks.select(acted > 0)
    more = 1e4 * (net - beside)
    return {
        "signals": int(acted.sum()),
        "net_bps": float(1e4 * net[acted > 0].mean()) if acted.any() else None,
        "net_bps_ci": part.interval(part.means(1e4 * net[acted > 0])) if acted.any() else None,
        "more_bps": float(more.mean()),
        "more_bps_ci": blocks.interval(blocks.means(more)),
    }


def as_markdown(found: Mapping[str, Any]) -> str:
    """The table of both counts."""
    worth = ", ".join(f"{value:.2f} in fold {fold}" for fold, value in found["worth"].items())
    lines = [
        "# A quorum of independent votes",
        "",
        "`QUORATE_DATA=DATA python benchmarks/weights.py --walk FOLDER`, then `python benchmarks/independent_quorum.py "
        f"FOLDER`: {found['markets']} perpetuals, {found['rows']:,} tested rows of {found['folds']} folds, the "
        f"consensus policy with a quorum of 0.75, net of {found['cost_bps']:g} bps a round trip. By earlier folds the "
        f"four members are worth {worth}. Intervals are 95 % of a block bootstrap over {found['blocks']} days with all "
        "markets of each.",
        "",
        "| floor | quorum of | signals | net a signal, bps | net a bar, more than by members, bps |",
        "|---|---|---|---|---|",
    ]
    for row in found["table"]:
        cells = [
            f"{row['floor']:g}",
            row["count"],
            f"{row['signals']:,}",
            *(_text(row, name) for name in ("net_bps", "more_bps")),
        ]
        if row["count"] == "members":
            cells[-1] = ""
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _text(row: Mapping[str, Any], name: str) -> str:
    value, ends = row[name], row[f"{name}_ci"]
    if value is None:
        return "no signal"
    digits = 1 if name == "net_bps" else 3
    return f"{value:+.{digits}f}" + ("" if ends is None else f" ({ends[0]:+.{digits}f} to {ends[1]:+.{digits}f})")


if __name__ == "__main__":
    raise SystemExit(main())
