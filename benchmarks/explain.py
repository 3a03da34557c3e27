"""Time of an explanation, as a ratio against the prediction that it explains, in one run.

    python benchmarks/explain.py [--bundle FOLDER] [--out FOLDER]

One market of 500 candles, four members of the default shapes, one thread each: `predict`; the explanation against 1, 8
and 32 earlier bars; and the change since a bar. Alternately in single calls, after a first one that reads the trees
from the bundle's files; its time is given apart. The largest difference between base with contributions and the scores
is measured too. The bundle is hardly trained, see reference_bundle.py. Writes explain.json and .md into
benchmarks/results; ends with 1 where an explanation with the default settings takes 50 ms or more.

Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import quorate
from alternating import time_alternately
from quorate.lifecycle.explain.explain_signal import explain_signal
from quorate.market import SyntheticMarket
from reference_bundle import train_reference_bundle

MOST_MS, ROUNDS = 50.0, 60
BACKGROUNDS = (1, 8, 32)
DEFAULT = quorate.Settings().explain.background
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="bundle of four members, instead of training one")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.bundle or train_reference_bundle(Path(folder)))
    text = as_markdown(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "explain.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / "explain.md").write_text(text, encoding="utf-8")
    return 0 if found["default_ms"] < MOST_MS else 1


def measure(path: Path) -> dict:
    """All figures of the bundle in a folder."""
    bundle = quorate.load_bundle(path)
    market = SyntheticMarket(seed=7, symbols=1, bars=500)
    candles = market.candles(market.names[0])
    now, since = int(candles.time[-1]) + 3_600_000, int(candles.time[-25])

    def explain(background: int, since: int | None = None):
        return explain_signal(bundle, candles, background=background, since=since, now=now, allow_training_span=True)

    began = time.perf_counter()
    explained = explain(DEFAULT)
    first = time.perf_counter() - began
    calls: dict[str, Callable[[], object]] = {
        "predict": lambda: bundle.predict(candles, now=now, allow_training_span=True)
    }
    calls |= {f"against {bars} bars": lambda bars=bars: explain(bars) for bars in BACKGROUNDS}
    calls["change since a bar"] = lambda: explain(1, since)
    times = {name: np.array(taken) * 1_000 for name, taken in time_alternately(calls, ROUNDS).items()}
    plain = float(np.median(times["predict"]))
    return {
        "command": "python benchmarks/explain.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "members": list(explained.members),
        "groups": [group.name for group in explained.groups],
        "first_ms": 1_000 * first,
        "default_ms": float(np.median(times[f"against {DEFAULT} bars"])),
        "rows": {
            name: {
                "p50_ms": float(np.median(taken)),
                "p95_ms": float(np.quantile(taken, 0.95)),
                "ratio": float(np.median(taken)) / plain,
            }
            for name, taken in times.items()
        },
        "largest_difference": max(
            float(np.abs(own.base + own.contributions.sum(axis=0) - own.score).max())
            for own in (*explained.members.values(), explained.ensemble)
        ),
    }


def as_markdown(found: dict) -> str:
    rows = "\n".join(
        f"| {name} | {row['p50_ms']:.1f} | {row['p95_ms']:.1f} | {row['ratio']:.1f} |"
        for name, row in found["rows"].items()
    )
    return f"""# Explanations

`{found["command"]}` on {found["machine"]}: one market of 500 candles,
{", ".join(found["members"])} of the default shapes, {len(found["groups"])} groups of features
({2 ** len(found["groups"])} coalitions), in alternating single calls of one process.

| call | p50, ms | p95, ms | ratio to predict |
|---|---:|---:|---:|
{rows}

The default compares with {DEFAULT} bars; limit {MOST_MS:g} ms. The first explanation of a bundle, which reads the trees
from its files, took {found["first_ms"]:.0f} ms. Base and contributions differ from the scores by at most
{found["largest_difference"]:.1g}.
"""


if __name__ == "__main__":
    raise SystemExit(main())
