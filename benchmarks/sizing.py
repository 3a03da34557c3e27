"""Sizing overlays: each learner at the gate, and out of fold on the trades of a walk-forward over real candles.

    python benchmarks/sizing.py --gate ridge linucb ppo
    QUORATE_DATA=DATA python benchmarks/sizing.py --real ridge linucb ppo [--markets N]
    python benchmarks/sizing.py

Each command adds what it measured to results/sizing.json and writes results/sizing.md anew; the last one only writes.
The second one trains the two boosted trees along a walk-forward, and decides by the classic vote with a lower floor, so
that there are trades to learn from. It takes only learners that the first one has seen pass.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quorate.core.clock import parse_ms
from quorate.core.settings import Settings
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.features import feature_set
from quorate.lifecycle.sizing.fit import judge_sizes
from quorate.lifecycle.sizing.gate import run_gate
from quorate.lifecycle.sizing.learners import LEARNERS
from quorate.lifecycle.sizing.sized_market import SizedMarket
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.targets import ForwardClass

RESULTS = Path(__file__).parent / "results"
START, END, FOLDS, FLOOR = "2024-11-01", "2025-10-14", 5, 0.5
MODELS = ("xgboost", "lightgbm")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", nargs="+", choices=list(LEARNERS), default=[], help="judge these learners")
    parser.add_argument("--real", nargs="+", choices=list(LEARNERS), default=[], help="on real candles")
    parser.add_argument("--markets", type=int, default=20, help="perpetuals of --real")
    options = parser.parse_args()
    path = RESULTS / "sizing.json"
    known = json.loads(path.read_text()) if path.exists() else {"gate": {}, "real": {}}
    for learner in options.gate:
        known["gate"][learner] = run_gate(_settings(learner).sizing).to_json()
        path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    learners = [name for name in options.real if known["gate"].get(name, {}).get("passed")]
    if learners:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder that holds binance/, the real candles", file=sys.stderr)
            return 2
        known["real"].update(real(Path(data) / "binance", options.markets, learners))
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    RESULTS.joinpath("sizing.md").write_text(as_markdown(known), encoding="utf-8")
    return 0


def real(candles: Path, count: int, learners: Sequence[str]) -> dict[str, Any]:
    """Learner -> its figures on the trades of one walk-forward."""
    source, settings, start, end = FreqtradeFolder(candles), Settings(), parse_ms(START), parse_ms(END)
    markets = top(source, "1h", count, start, settings=settings.universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    target = ForwardClass(settings.target.horizon, settings.target.band)
    rows = build_rows(panel, feature_set(settings.train.features, settings.features), target, start, end)
    walked = walk(rows, MODELS, settings, WalkOptions(folds=FOLDS, workers=1))
    frames = walked.frames(replace(settings.vote, floor=FLOOR), "classic")
    funding = {name: known for name in panel if (known := source.funding(name)) is not None}
    setup = BacktestSetup(panel, funding, settings, settings.target.horizon, walked.start, end)
    market = SizedMarket(frames, setup)
    found = {}
    for learner in learners:
        judged = judge_sizes(LEARNERS[learner], market, _settings(learner))
        figures = {name: value for name, value in judged.figures.items() if name != "constants"}
        found[learner] = {
            **figures,
            "kept": judged.kept,
            "verdict": judged.verdict,
            "markets": len(panel),
            "trades": len(market.trades),
            "mean_result": float(market.trades.results.mean()),
            "constants": judged.figures["constants"][0],
        }
    return found


def _settings(learner: str) -> Settings:
    settings = Settings()
    return replace(settings, sizing=replace(settings.sizing, learner=learner))


def as_markdown(known: Mapping[str, Any]) -> str:
    """Tables of the gate and of the real candles."""
    lines = [
        "# Sizing overlays",
        "",
        "`python benchmarks/sizing.py --gate ridge linucb ppo`, then `QUORATE_DATA=DATA python benchmarks/sizing.py "
        "--real ridge linucb ppo`. Growth is the mean logarithm of the account's daily return, in basis points; "
        "differences are of the same days, and intervals are 95 % of a bootstrap of days. See the page on "
        "[sizing](../../docs/sizing.md).",
        "",
        "## The gate",
        "",
        "| learner | case | mean share | growth: overlay | ordinary | overlay less ordinary | less its mean share "
        "| fails by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for learner, result in known["gate"].items():
        for case, found in result["cases"].items():
            lines.append(f"| {learner} | {case} | {_row(found)} | {'; '.join(found['failed']) or '-'} |")
    lines += ["", "## Real candles", ""]
    if not known["real"]:
        return "\n".join([*lines, "Not measured yet."]) + "\n"
    for learner, found in known["real"].items():
        lines += [
            f"{learner}: {found['markets']} perpetuals, 1h, {START} to {END}, {found['trades']} trades of "
            f"{' and '.join(MODELS)} out of fold with a mean result of {found['mean_result']:+.3f} of the loss at the "
            "stop; "
            f"{found['days']} tested days. Best constant share before each stretch: "
            f"{', '.join(f'{share:g}' for share in found['constants'])}. {found['verdict']}",
            "",
        ]
    lines += [
        "| learner | mean share | growth: overlay | ordinary | overlay less ordinary | less its mean share "
        "| less the best constant |",
        "|---|---|---|---|---|---|---|",
    ]
    for learner, found in known["real"].items():
        lines.append(f"| {learner} | {_row(found)} | {_difference(found['against']['constant'])} |")
    return "\n".join(lines) + "\n"


def _row(found: Mapping[str, Any]) -> str:
    growth = [f"{found['accounts'][name]['growth_bps']:+.1f}" for name in ("overlay", "ordinary")]
    apart = [_difference(found["against"][name]) for name in ("ordinary", "even")]
    return " | ".join([f"{found['mean_share']:.2f}", *growth, *apart])


def _difference(found: Mapping[str, Any]) -> str:
    ends = found["growth_bps_ci"]
    return f"{found['growth_bps']:+.1f}" + ("" if ends is None else f" ({ends[0]:+.1f} to {ends[1]:+.1f})")


if __name__ == "__main__":
    raise SystemExit(main())
