"""Networks in their ONNX graphs beside torch: one window, and many.

    python benchmarks/inference.py

Every network at its full size and untrained, which costs the same. One window at a time, warm, one thread each, the
two in turns of ten calls; then many windows, each side at the best of its batch sizes. Writes
benchmarks/results/inference.json and .md. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from quorate.core.settings import ModelSettings
from quorate.models import Model, build
from quorate.models.quantise import quantise
from quorate.models.runtime import Session
from turns import in_turns

FEATURES = 14
NETWORKS = ("nhits", "lstm", "patchtst")
MOST_LATENCY = {"nhits": 0.5, "lstm": 0.5, "patchtst": 1.0}
LEAST_THROUGHPUT = 1.5
BATCHES = (1, 4, 8, 16, 32, 64, 128, 256)
WINDOWS, ROUNDS = 512, 400
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    torch.set_num_threads(1)
    found = {
        "command": "python benchmarks/inference.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__.partition('+')[0]}, one thread",
        "networks": {name: measure(name) for name in NETWORKS},
    }
    text = as_markdown(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "inference.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "inference.md").write_text(text, encoding="utf-8")
    kept = all(
        one["latency_ratio"] <= MOST_LATENCY[name] and one["throughput_ratio"] >= LEAST_THROUGHPUT
        for name, one in found["networks"].items()
    )
    return 0 if kept else 1


def measure(name: str) -> dict[str, float]:
    model = fitted(name)
    module = model._require_fitted(model._answers)
    graph = model.to_onnx()
    session, small = Session(graph, FEATURES, name), Session(quantise(graph, name), FEATURES, name)
    random = np.random.default_rng(1)
    X = random.normal(size=(WINDOWS, model.window, FEATURES)).astype(np.float32)

    def eager(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(rows)).numpy()

    one = X[:1]
    calls = {"eager": lambda: eager(one), "onnx": lambda: session.run(one), "int8": lambda: small.run(one)}
    latency = {kind: statistics.median(taken) for kind, taken in in_turns(calls, ROUNDS, 10).items()}
    eager_rate, eager_batch = best({batch: (lambda batch=batch: in_batches(eager, X, batch)) for batch in BATCHES})
    onnx_rate, onnx_batch = best({batch: (lambda batch=batch: in_batches(session.run, X, batch)) for batch in BATCHES})
    int8_rate, int8_batch = best({batch: (lambda batch=batch: in_batches(small.run, X, batch)) for batch in BATCHES})
    return {
        "parameters": sum(p.numel() for p in module.parameters()),
        **{f"{kind}_ms": 1_000 * seconds for kind, seconds in latency.items()},
        "latency_ratio": latency["onnx"] / latency["eager"],
        "eager_windows_s": eager_rate, "eager_batch": eager_batch,
        "onnx_windows_s": onnx_rate, "onnx_batch": onnx_batch, "own_batch": session.batch,
        "int8_windows_s": int8_rate, "int8_batch": int8_batch,
        "throughput_ratio": onnx_rate / eager_rate, "int8_throughput_ratio": int8_rate / eager_rate,
    }  # fmt: skip


def fitted(name: str) -> Model:
    """A member at full size that has hardly learned."""
    settings = ModelSettings()
    section = replace(getattr(settings, name), epochs=1)
    model = build(name, "class", replace(settings, **{name: section}), seed=1, threads=1)
    random = np.random.default_rng(0)
    X = random.normal(size=(64, model.window, FEATURES)).astype(np.float32)
    return model.fit(X, (np.arange(64) % 3).astype(np.int8))


def in_batches(run: Callable[[np.ndarray], object], X: np.ndarray, batch: int) -> None:
    for first in range(0, len(X), batch):
        run(X[first : first + batch])


def best(calls: dict[int, Callable[[], object]]) -> tuple[float, int]:
    """Windows a second at the batch size that gives the most of them, and that size."""
    rates = {}
    for batch, call in calls.items():
        call()
        times = []
        for _ in range(3):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        rates[batch] = WINDOWS / min(times)
    most = max(rates, key=lambda batch: rates[batch])
    return rates[most], most


def as_markdown(found: dict) -> str:
    lines = [
        "# Inference",
        "",
        f"`{found['command']}` on {found['machine']}: {FEATURES} features, networks at full size.",
        "",
        "| network | parameters | torch eager, ms | ONNX, ms | ratio | int8, ms | asked for |",
        "|---|---:|---:|---:|---:|---:|---|",
        *(
            f"| {name} | {one['parameters']:,} | {one['eager_ms']:.2f} | {one['onnx_ms']:.2f} | "
            f"{one['latency_ratio']:.2f} | {one['int8_ms']:.2f} | at most {MOST_LATENCY[name]:g} |"
            for name, one in found["networks"].items()
        ),
        "",
        f"Many windows ({WINDOWS}), each side at the best of the batch sizes {', '.join(map(str, BATCHES))}:",
        "",
        "| network | torch eager, windows/s (batch) | ONNX, windows/s (batch) | ratio | int8 (batch) | ratio |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {one['eager_windows_s']:,.0f} ({one['eager_batch']}) | {one['onnx_windows_s']:,.0f} "
            f"({one['onnx_batch']}) | {one['throughput_ratio']:.2f} | {one['int8_windows_s']:,.0f} "
            f"({one['int8_batch']}) | {one['int8_throughput_ratio']:.2f} |"
            for name, one in found["networks"].items()
        ),
        "",
        f"Asked for: at least {LEAST_THROUGHPUT:g} times torch's throughput.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
