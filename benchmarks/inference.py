"""Latency and throughput of the networks in ONNX Runtime beside torch.

    python benchmarks/inference.py

Every network has its full size and is hardly trained, which does not change its cost; its graph is measured in single
precision and in int8. First one window per call, warm, one thread, alternately in blocks of ten calls; then many
windows, also alternately, each at its best batch size. Int8 counts for a network only if precision.py found that it may
be served in int8. Writes benchmarks/results/inference.json and .md. Run on an idle machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from alternating import time_alternately
from quorate.core.settings import ModelSettings
from quorate.models import Model, build
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession

FEATURES = 14
NETWORKS = ("nhits", "lstm", "patchtst")
MOST_LATENCY = {"nhits": 0.5, "lstm": 0.5, "patchtst": 1.0}
LEAST_THROUGHPUT = 1.5
BATCHES = (1, 4, 8, 16, 32, 64, 128, 256)
WINDOWS, ROUNDS, PASSES, TRIED = 512, 400, 40, 5
FORMS = ("onnx", "int8")
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    torch.set_num_threads(1)
    found = {
        "command": "python benchmarks/inference.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__.partition('+')[0]}, one thread",
        "in_8_bits": served_in_int8(),
        "networks": {name: measure(name) for name in NETWORKS},
    }
    text = as_markdown(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "inference.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "inference.md").write_text(text, encoding="utf-8")
    kept = all(holds(name, one, name in found["in_8_bits"]) for name, one in found["networks"].items())
    return 0 if kept else 1


def served_in_int8() -> list[str]:
    """Networks of the measured bundles that training would serve in int8."""
    bundles = json.loads((RESULTS / "precision.json").read_text())["bundles"]
    return sorted({name for bundle in bundles for name in bundle["validation"]["kept"]})


def holds(name: str, one: dict, in_8_bits: bool) -> bool:
    """Whether the forms that may be served are within the limits."""
    forms = FORMS if in_8_bits else FORMS[:1]
    return (
        min(latency_share(one, form) for form in forms) <= MOST_LATENCY[name]
        and max(throughput_share(one, form) for form in forms) >= LEAST_THROUGHPUT
    )


def measure(name: str) -> dict:
    model = fitted(name)
    module = model._require_fitted(model._fitted)
    graph = model.to_onnx()
    random = np.random.default_rng(1)
    X = random.normal(size=(WINDOWS, model.window, FEATURES)).astype(np.float32)
    session, small = (OnnxSession(made, FEATURES, name) for made in (graph, quantise(graph, name, X)))

    def eager(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(rows)).numpy()

    runs = {"eager": eager, "onnx": session.run, "int8": small.run}
    one = X[:1]
    latency = time_alternately({form: (lambda run=run: run(one)) for form, run in runs.items()}, ROUNDS, 10)
    batches = {form: best_batch(run, X) for form, run in runs.items()}
    passes = time_alternately(
        {form: (lambda run=run, batch=batches[form]: in_batches(run, X, batch)) for form, run in runs.items()}, PASSES
    )
    return {
        "parameters": sum(p.numel() for p in module.parameters()),
        "own_batch": session.batch,
        "forms": {
            form: {
                "ms": 1_000 * statistics.median(latency[form]),
                "batch": batches[form],
                "windows_s": WINDOWS / statistics.median(passes[form]),
            }
            for form in runs
        },
    }


def fitted(name: str) -> Model:
    """A member at full size, hardly trained."""
    settings = ModelSettings(networks="documented")
    section = replace(getattr(settings, name), epochs=1)
    model = build(name, "class", replace(settings, **{name: section}), seed=1, threads=1)
    random = np.random.default_rng(0)
    X = random.normal(size=(64, model.window, FEATURES)).astype(np.float32)
    return model.fit(X, (np.arange(64) % 3).astype(np.int8))


def in_batches(run: Callable[[np.ndarray], object], X: np.ndarray, batch: int) -> None:
    for first in range(0, len(X), batch):
        run(X[first : first + batch])


def best_batch(run: Callable[[np.ndarray], object], X: np.ndarray) -> int:
    """Batch size with the highest throughput."""
    took = time_alternately({batch: (lambda batch=batch: in_batches(run, X, batch)) for batch in BATCHES}, TRIED)
    return min(took, key=lambda batch: statistics.median(took[batch]))


def latency_share(one: dict, form: str) -> float:
    return one["forms"][form]["ms"] / one["forms"]["eager"]["ms"]


def throughput_share(one: dict, form: str) -> float:
    return one["forms"][form]["windows_s"] / one["forms"]["eager"]["windows_s"]


def as_markdown(found: dict) -> str:
    networks = found["networks"]
    lines = [
        "# Inference",
        "",
        f"`{found['command']}` on {found['machine']}: {FEATURES} features, networks at full size. A network is served "
        "in single precision, or in int8 if `train.precision` is int8 and [the decisions stay the same]"
        f"(precision.md), which holds for {', '.join(found['in_8_bits']) or 'none'}.",
        "",
        "One window per call, milliseconds:",
        "",
        "| network | parameters | torch eager | ONNX | ratio | int8 | ratio | limit |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {one['parameters']:,} | {one['forms']['eager']['ms']:.2f} "
            + "".join(f"| {one['forms'][form]['ms']:.2f} | {latency_share(one, form):.2f} " for form in FORMS)
            + f"| {MOST_LATENCY[name]:g} |"
            for name, one in networks.items()
        ),
        "",
        f"Windows per second, {WINDOWS} at a time, each at the best of the batch sizes {', '.join(map(str, BATCHES))}, "
        f"given in brackets; required: {LEAST_THROUGHPUT:g} times torch's:",
        "",
        "| network | torch eager | ONNX | ratio | int8 | ratio |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {_rate(one, 'eager')} "
            + "".join(f"| {_rate(one, form)} | {throughput_share(one, form):.2f} " for form in FORMS)
            + "|"
            for name, one in networks.items()
        ),
        "",
    ]
    return "\n".join(lines)


def _rate(one: dict, form: str) -> str:
    return f"{one['forms'][form]['windows_s']:,.0f} ({one['forms'][form]['batch']})"


if __name__ == "__main__":
    sys.exit(main())
