"""The same walk-forward by processes of this machine, by Dask and by Ray, two workers each.

    python benchmarks/engines.py [--small]

Two tree members and two baselines in 4 folds of a synthetic market of 20 symbols x 2,160 hourly bars. The scores must
have the same bytes in all three. Every engine starts its workers for the run, which is part of its time; the engines
take turns, so that other load affects all alike. Writes benchmarks/results/engines.json and .md; --small, 2 symbols and
one round, only prints.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from dataclasses import replace
from pathlib import Path

from alternating import time_alternately
from quorate.core.settings import EngineSettings, EvaluationSettings, PolicySettings, Settings
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.market import SyntheticMarket
from quorate.targets import ForwardClass

ENGINES = ("local", "dask", "ray")
MEMBERS, BASELINES = ("xgboost", "lightgbm"), ("logistic",)
FOLDS, WORKERS, ROUNDS = 4, 2, 3
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    small = "--small" in sys.argv[1:]
    symbols, bars, rounds = (2, 600, 1) if small else (20, 2_160, ROUNDS)
    rows = build_rows(SyntheticMarket(seed=7, symbols=symbols, bars=bars).panel(), "core14", ForwardClass())
    base = replace(
        Settings(),
        evaluation=EvaluationSettings(folds=FOLDS, resamples=100),
        policy=PolicySettings(refit="none"),
    )
    scores: dict[str, dict[str, bytes]] = {}

    def walked(name: str) -> None:
        settings = replace(base, engine=EngineSettings(name=name, workers=WORKERS, timeout_s=120))  # type: ignore[arg-type]
        found = walk(rows, MEMBERS, settings, WalkOptions(baselines=BASELINES, workers=WORKERS))
        scores[name] = {member: table.tobytes() for member, table in found.scores.items()}

    times = time_alternately({name: lambda name=name: walked(name) for name in ENGINES}, rounds)  # type: ignore[misc]
    equal = all(scores[name] == scores["local"] for name in ENGINES)
    seconds = {name: statistics.median(taken) for name, taken in times.items()}
    found = {
        "command": "python benchmarks/engines.py" + (" --small" if small else ""),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[0], 1),
        "rows": len(rows),
        "symbols": symbols,
        "bars": bars,
        "jobs": FOLDS * len((*MEMBERS, *BASELINES)),
        "workers": WORKERS,
        "rounds": {name: [round(each, 2) for each in taken] for name, taken in times.items()},
        "seconds": {name: round(taken, 2) for name, taken in seconds.items()},
        "against_local": {name: round(taken / seconds["local"], 2) for name, taken in seconds.items()},
        "equal_bytes": equal,
        "synthetic": True,
    }
    text = as_markdown(found)
    print(text)
    if not small:
        (RESULTS / "engines.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        (RESULTS / "engines.md").write_text(text, encoding="utf-8")
    return 0 if equal else 1


def as_markdown(found: dict) -> str:
    """The figures as a page: the run, and a row for each engine."""
    lines = [
        "# Engines",
        "",
        f"`{found['command']}` on {found['machine']}, load average {found['load_average']} at its end: "
        f"{found['rows']:,} rows ({found['symbols']} synthetic symbols x {found['bars']:,} bars), "
        f"{found['jobs']} jobs, {found['workers']} workers, whose start is part of the time.",
        "",
        "| engine | seconds, median | rounds | against local |",
        "|---|---:|---|---:|",
        *(
            f"| {name} | {found['seconds'][name]:.1f} | {', '.join(f'{each:.1f}' for each in found['rounds'][name])} | "
            f"{found['against_local'][name]:.2f} |"
            for name in ENGINES
        ),
        "",
        f"Scores of all engines have the same bytes: {'yes' if found['equal_bytes'] else 'NO'}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
