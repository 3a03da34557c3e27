"""Memory and start-up time of a process that serves all four members of the vote.

    python benchmarks/serving.py [--bundle FOLDER] [--runs 5] [--out FOLDER]
    python benchmarks/serving.py --beside OLD [--beside-python PYTHON]

Two kinds of process run alternately, several times each; medians are compared. One loads the bundle by
`quorate.load_bundle` and computes a signal. Its peer is a serving process without exported models: torch, scikit-learn,
XGBoost, LightGBM and pandas are imported, and each member is loaded from its own file. Both compute the scores of one
signal on the same candles. One process of each runs first and is not counted, so that modules are compiled, as after
an installation by pip. Without --bundle a reference bundle is trained first. Writes serving.json and .md into
benchmarks/results.

With --beside, start-up time and memory are compared with an older checkout of Quorate instead, over the same bundle:
time of `import quorate`, of `quorate --help`, until the bundle is loaded and until the first signal. Writes
serving_beside.json and .md. `live.py --beside` measures the same and latency.

Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import checkouts
from reference_bundle import train_reference_bundle

RESULTS = Path(__file__).parent / "results"
MOST_MEMORY, MOST_TIME = 1 / 4, 1 / 10
TRAINING = ("torch", "xgboost", "lightgbm", "sklearn", "scipy", "pandas", "onnx")

# Each child prints one JSON line: seconds since its start, resident MiB, and imported training libraries.
RESIDENT = """
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1024
"""
QUORATE = """
import sys, time; began = float(sys.argv[1])
import quorate
bundle = quorate.load_bundle(sys.argv[2])
loaded, memory = time.time() - began, resident()
candles = quorate.load_candles(sys.argv[3], sys.argv[4], "1h")
signal = bundle.predict(candles, allow_training_span=True)
scored = time.time() - began
assert len(signal.votes) == 4, signal
"""
PEER = """
import sys, time; began = float(sys.argv[1])
import numpy as np, pandas, sklearn.preprocessing, sklearn.linear_model, torch, xgboost, lightgbm
import quorate
from pathlib import Path
from quorate.core.settings import Settings
from quorate.models import build
torch.set_num_threads(1)
folder, settings = Path(sys.argv[2]), Settings().models
models = [build(name, "class", settings, seed=1, threads=1).load(next(
    path for path in folder.glob(name + ".*") if path.suffix != ".onnx"))
    for name in ("xgboost", "lightgbm", "nhits", "patchtst")]
loaded, memory = time.time() - began, resident()
candles = quorate.load_candles(sys.argv[3], sys.argv[4], "1h")
X = np.ascontiguousarray(quorate.features(candles, "core14"))
for model in models:
    model.predict_proba(X[-1:] if model.window == 1 else X[None, -model.window:])
scored = time.time() - began
"""
PRINT = """
import json
print(json.dumps({"loaded_s": loaded, "scored_s": scored, "loaded_mib": memory, "scored_mib": resident(),
                  "imported": [name for name in %r if name in sys.modules]}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="bundle of all four members, instead of training one")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    checkouts.add_options(parser)
    options = parser.parse_args()
    if options.beside is not None:
        return checkouts.compare(options, "serving", latency=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = make_market(folder / "data")
        bundle = options.bundle or train_reference_bundle(folder / "bundles")
        # Alternately, so that other load on the machine affects both kinds alike; the first round is not counted.
        _, *rounds = [
            tuple(run(program, bundle, folder, market[0]) for program in (QUORATE, PEER))
            for _ in range(options.runs + 1)
        ]
        disk = sum(path.stat().st_size for path in Path(bundle).iterdir()) / 2**20
    ours, peers = (medians([one[which] for one in rounds]) for which in (0, 1))
    found = {
        "command": "python benchmarks/serving.py",
        "runs": options.runs,
        "quorate": ours,
        "peer": peers,
        "memory_ratio": ours["loaded_mib"] / peers["loaded_mib"],
        "start_ratio": ours["loaded_s"] / peers["loaded_s"],
        "imported": rounds[0][0]["imported"],
        "bundle_mib": disk,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    text = as_markdown(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "serving.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / "serving.md").write_text(text, encoding="utf-8")
    kept = found["memory_ratio"] <= MOST_MEMORY and found["start_ratio"] <= MOST_TIME and not found["imported"]
    return 0 if kept else 1


def medians(processes: list[dict]) -> dict[str, float]:
    return {
        key: statistics.median(one[key] for one in processes)
        for key in ("loaded_s", "scored_s", "loaded_mib", "scored_mib")
    }


def make_market(folder: Path) -> tuple[str, ...]:
    from quorate.market import SyntheticMarket

    market = SyntheticMarket(seed=7, symbols=2, bars=1_000)
    market.write(folder)
    return market.names


def run(program: str, bundle: Path, folder: Path, symbol: str) -> dict[str, float]:
    """Figures of one process; its time counts from before its start."""
    code = RESIDENT + program + PRINT % (TRAINING,)
    command = [sys.executable, "-c", code, str(time.time()), str(bundle), str(folder / "data"), symbol]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def as_markdown(found: dict) -> str:
    ours, peer = found["quorate"], found["peer"]
    return "\n".join([
        "# Serving",
        "",
        f"`{found['command']}` on {found['machine']}: medians of {found['runs']} processes each, four "
        "members at full size.",
        "",
        "| process | start until loaded, s | resident, MiB | start until the first scores, s | resident, MiB |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {one['loaded_s']:.2f} | {one['loaded_mib']:.0f} | "
            f"{one['scored_s']:.2f} | {one['scored_mib']:.0f} |"
            for name, one in (("Quorate", ours), ("torch, scikit-learn, XGBoost, LightGBM, pandas", peer))
        ),
        f"| ratio | {found['start_ratio']:.3f} | {found['memory_ratio']:.3f} "
        f"| {ours['scored_s'] / peer['scored_s']:.3f} | {ours['scored_mib'] / peer['scored_mib']:.3f} |",
        "",
        f"Limits: {MOST_MEMORY:g} of the memory and {MOST_TIME:g} of the start-up time. Training libraries "
        f"imported by the serving process: {', '.join(found['imported']) or 'none'}. The bundle takes "
        f"{found['bundle_mib']:.1f} MiB on disk.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
