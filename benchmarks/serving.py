"""What a process costs that serves all four members of the vote: resident memory, and the time until it can speak.

    python benchmarks/serving.py [--bundle FOLDER] [--runs 5]

Two kinds of process, one after the other, several times each; medians are compared. One loads the bundle as
`quorate.load_bundle` does and speaks; its peer is what serves when nothing is exported: torch, scikit-learn, XGBoost,
LightGBM and pandas imported, each member loaded from its own file. Both give a signal's worth of scores on the same
candles. Both find their modules compiled, as pip leaves them: one process of each comes first and is not counted.
Without --bundle one is trained first, at full size and for next to no time, on a synthetic market: neither
memory nor start-up depends on what the weights have learned. Writes benchmarks/results/serving.json and .md.
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
from dataclasses import replace
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
MOST_MEMORY, MOST_TIME = 1 / 4, 1 / 10
TRAINING = ("torch", "xgboost", "lightgbm", "sklearn", "scipy", "pandas", "onnx")

# Each child prints one JSON line: seconds since it was asked for, MiB resident, and what it has imported.
RESIDENT = """
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1024
"""
SELF = """
import sys, time; began = float(sys.argv[1])
import quorate
bundle = quorate.load_bundle(sys.argv[2])
loaded, memory = time.time() - began, resident()
candles = quorate.load_candles(sys.argv[3], sys.argv[4], "1h")
signal = bundle.predict(candles, allow_training_span=True)
said = time.time() - began
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
said = time.time() - began
"""
TELL = """
import json
print(json.dumps({"loaded_s": loaded, "said_s": said, "loaded_mib": memory, "said_mib": resident(),
                  "imported": [name for name in %r if name in sys.modules]}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = make_market(folder / "data")
        bundle = given.bundle or make_bundle(folder / "data", folder / "bundles", market)
        # One kind right after the other, so that what else goes on in the machine meets both.
        _, *rounds = [
            tuple(run(program, bundle, folder, market[0]) for program in (SELF, PEER)) for _ in range(given.runs + 1)
        ]
        disk = sum(path.stat().st_size for path in Path(bundle).iterdir()) / 2**20
    ours, peers = (medians([one[which] for one in rounds]) for which in (0, 1))
    found = {
        "command": "python benchmarks/serving.py",
        "runs": given.runs,
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
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "serving.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "serving.md").write_text(text, encoding="utf-8")
    kept = found["memory_ratio"] <= MOST_MEMORY and found["start_ratio"] <= MOST_TIME and not found["imported"]
    return 0 if kept else 1


def medians(processes: list[dict]) -> dict[str, float]:
    return {
        key: statistics.median(one[key] for one in processes)
        for key in ("loaded_s", "said_s", "loaded_mib", "said_mib")
    }


def make_market(folder: Path) -> tuple[str, ...]:
    from quorate.market import SyntheticMarket

    market = SyntheticMarket(seed=7, symbols=2, bars=1_000)
    market.write(folder)
    return market.names


def make_bundle(data: Path, out: Path, names: tuple[str, ...]) -> Path:
    """All four members at full size, trained for next to no time."""
    import quorate
    from quorate.core.settings import Settings
    from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble

    settings = Settings()
    short = {name: replace(getattr(settings.models, name), epochs=1, share=0.05) for name in ("nhits", "patchtst")}
    trained = train_ensemble(
        {name: quorate.load_candles(data, name, "1h") for name in names},
        "1h",
        TrainingSpec(
            models=("xgboost", "lightgbm", "nhits", "patchtst"),
            settings=replace(settings, models=replace(settings.models, **short)),
        ),
        out,
    )
    assert trained.mode == "full", trained.members
    return trained.path


def run(program: str, bundle: Path, folder: Path, symbol: str) -> dict[str, float]:
    """What one process says of itself; its clock starts before it does."""
    import time

    code = RESIDENT + program + TELL % (TRAINING,)
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
        "| process | until loaded, s | resident, MiB | until candles are read and scored, s | resident, MiB |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {one['loaded_s']:.2f} | {one['loaded_mib']:.0f} | "
            f"{one['said_s']:.2f} | {one['said_mib']:.0f} |"
            for name, one in (("Quorate", ours), ("torch, scikit-learn, XGBoost, LightGBM, pandas", peer))
        ),
        f"| ratio | {found['start_ratio']:.3f} | {found['memory_ratio']:.3f} | {ours['said_s'] / peer['said_s']:.3f} | "
        f"{ours['said_mib'] / peer['said_mib']:.3f} |",
        "",
        f"Asked for: at most {MOST_MEMORY:g} of the memory and {MOST_TIME:g} of the start-up time. Training libraries "
        f"imported by the serving process: {', '.join(found['imported']) or 'none'}. The bundle takes "
        f"{found['bundle_mib']:.1f} MiB on disk.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
