"""Latency from candles to a signal with four members of the default shapes, beside a plain reference in the same run.

    python benchmarks/live.py [--out FOLDER]
    python benchmarks/live.py --beside OLD [--beside-python PYTHON] [--bundle FOLDER] [--rounds 9] [--pairs 5]

One symbol: warm, one thread, 500 candles, alternately in blocks of ten calls; and alternately in single calls, where
the plain reference leaves little of our data in the caches. Medians of five processes, since the speed of a process
depends on where its memory lies. A hundred symbols in one call, beside one by one. A frame of 40,000 bars, by member.
Each in full precision and with int8 networks (which a bundle serves only where its decisions stay the same; here they
are only timed). The bundle is hardly trained, see reference_bundle.py. Writes live.json and .md into
benchmarks/results.

With --beside, this checkout is compared with an older checkout of Quorate instead, in one run: time of `import
quorate`, of `quorate --help`, until the bundle is loaded and until the first signal; memory; latency of a signal and of
a hundred signals in one call. One command for all of it, with the folder of the old checkout:

    python benchmarks/live.py --beside OLD --beside-python OLD/.venv/bin/python

It writes live_beside.json and .md, and ends with 1 if a ratio new / old is above its limit or the signals differ.

Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch

import checkouts
import quorate
from alternating import time_alternately
from plain_live import Plain
from quorate.core.settings import ModelSettings
from quorate.ensemble.inference.predictor import Bundle
from quorate.features import Inputs, build
from quorate.market import SyntheticMarket
from quorate.models import build as build_model
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession
from reference_bundle import MEMBERS, train_reference_bundle

MOST_P50_MS, MOST_P99_MS, MOST_SHARE, MOST_INT8_SHARE = 4.0, 10.0, 1 / 20, 1 / 20
LEAST_GAIN, LEAST_INT8_GAIN = 1.5, 3.0
PROCESSES, ROUNDS, FRAME = 5, 400, 40_000
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="bundle of all four members, instead of training one")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--signals", action="store_true", help=argparse.SUPPRESS)  # one of the processes
    checkouts.add_options(parser)
    options = parser.parse_args()
    if options.signals:
        print(json.dumps(signals(options.bundle)))
        return 0
    if options.beside is not None:
        return checkouts.compare(options, "live", latency=True)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.bundle or train_reference_bundle(Path(folder)))
    text = as_markdown(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "live.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / "live.md").write_text(text, encoding="utf-8")
    return 0 if kept(found) else 1


def measure(path: Path) -> dict:
    """All figures of the bundle in a folder."""
    market = SyntheticMarket(seed=7, symbols=100, bars=500)
    panel = list(market.panel().values())
    now = int(panel[0].time[-1]) + 3_600_000
    bundle = quorate.load_bundle(path)
    light = with_int8_networks(bundle, path)
    runs = [signals_of_a_process(path) for _ in range(PROCESSES)]
    many = {
        "one_by_one_s": 100 / shortest(lambda: [predict(bundle, candles, now) for candles in panel]),
        "at_once_s": 100 / shortest(lambda: bundle.predict_many(panel, now=now, allow_training_span=True)),
        "int8_at_once_s": 100 / shortest(lambda: light.predict_many(panel, now=now, allow_training_span=True)),
    }
    return {
        "command": "python benchmarks/live.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        **{part: medians([run[part] for run in runs]) for part in ("signal_ms", "alternating_ms")},
        "runs": runs,
        "many": many,
        "frame": frame_times(bundle, light),
        "share": median(share(run, "quorate") for run in runs),
        "int8_share": median(share(run, "int8") for run in runs),
        "gain": many["at_once_s"] / many["one_by_one_s"],
        "int8_gain": many["int8_at_once_s"] / many["one_by_one_s"],
    }


def kept(found: dict) -> bool:
    """All figures are within their limits."""
    one = found["signal_ms"]["quorate"]
    return (
        one["p50"] <= MOST_P50_MS
        and one["p99"] <= MOST_P99_MS
        and found["share"] <= MOST_SHARE
        and found["int8_share"] <= MOST_INT8_SHARE
        and found["gain"] >= LEAST_GAIN
        and found["int8_gain"] >= LEAST_INT8_GAIN
    )


def signals(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Percentiles of the milliseconds of one signal: in blocks of ten calls, and in single calls."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    bundle = quorate.load_bundle(path)
    light = with_int8_networks(bundle, path)
    candles = next(iter(SyntheticMarket(seed=7, symbols=100, bars=500).panel().values()))
    plain, frame, now = Plain(build_eager()), candles.to_pandas(), int(candles.time[-1]) + 3_600_000
    rows = plain.features(frame)
    calls: dict[str, Callable[[], object]] = {
        "quorate": lambda: predict(bundle, candles, now),
        "int8": lambda: predict(light, candles, now),
        "plain": lambda: plain.signal(frame),
        "plain models alone": lambda: plain.scores(rows),
    }
    assert len(bundle.predict(candles, now=now, allow_training_span=True).votes) == len(MEMBERS)
    times = {
        "signal_ms": time_alternately(calls, ROUNDS, 10),
        "alternating_ms": time_alternately(calls, ROUNDS // 2),
    }
    return {
        part: {name: {"p50": percentile_ms(50, taken), "p99": percentile_ms(99, taken)} for name, taken in each.items()}
        for part, each in times.items()
    }


def signals_of_a_process(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """`signals` in a process of its own."""
    command = [sys.executable, __file__, "--signals", "--bundle", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def medians(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Median of every figure over the processes."""
    return {name: {key: median(run[name][key] for run in runs) for key in figures} for name, figures in runs[0].items()}


def share(run: dict, name: str, part: str = "signal_ms") -> float:
    """Median time as a fraction of the plain reference's in the same process."""
    return run[part][name]["p50"] / run[part]["plain"]["p50"]


def predict(bundle: Bundle, candles: quorate.Candles, now: int) -> object:
    return bundle.predict(candles, now=now, allow_training_span=True)


def with_int8_networks(bundle: Bundle, path: Path) -> Bundle:
    """The bundle with int8 networks, without the check of their decisions."""
    sessions = dict(bundle.members.sessions)
    for name, session in sessions.items():
        if session.window > 1:
            sessions[name] = OnnxSession(quantise((path / f"{name}.onnx").read_bytes(), name), session.features, name)
    return Bundle(bundle.manifest, sessions, {})


def build_eager() -> torch.nn.Module:
    """N-HiTS at the documented size, in eager mode."""
    model = build_model("nhits", "class", ModelSettings(networks="documented"), seed=1)
    return model._module(14).eval()


def frame_times(bundle: Bundle, light: Bundle) -> dict[str, float]:
    """Seconds for 40,000 bars: each member's scores, and the whole decision frame."""
    market = SyntheticMarket(seed=9, symbols=1, bars=FRAME)
    candles = market.candles(market.names[0])
    inputs = Inputs(build(candles, bundle.manifest.features), candles.time, candles.timeframe)
    found = {}
    for kind, made in (("", bundle), (" int8", light)):
        for name, session in made.members.sessions.items():
            if kind and session.window == 1:
                continue
            rows = np.flatnonzero(inputs.whole(session.window))
            began = time.perf_counter()
            session.run(inputs.at(rows, session.window))
            found[name + kind] = time.perf_counter() - began
    for kind, made in (("total", bundle), ("total int8", light)):
        began = time.perf_counter()
        made.predict_frame(candles, allow_training_span=True)
        found[kind] = time.perf_counter() - began
    return found


def shortest(call: Callable[[], object], rounds: int = 7) -> float:
    """Seconds of the fastest of some calls, after one that is not counted."""
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def percentile_ms(percent: float, times: list[float]) -> float:
    """Percentile of times in seconds, in milliseconds."""
    return float(1_000 * np.percentile(times, percent))


def as_markdown(found: dict) -> str:
    one, cold, many, frame = (found[key] for key in ("signal_ms", "alternating_ms", "many", "frame"))
    shares = {
        (name, part): median(share(run, name, part) for run in found["runs"])
        for name in one
        for part in ("signal_ms", "alternating_ms")
    }
    spread = sorted(share(run, "int8") for run in found["runs"])
    return "\n".join([
        "# Live",
        "",
        f"`{found['command']}` on {found['machine']}: four members of the default shapes, core30; "
        "the plain reference has the documented shapes on core14.",
        "",
        "| 500 candles to a signal, one thread | p50, ms | p99, ms | of plain | single calls: p50, ms | of plain |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {taken['p50']:.2f} | {taken['p99']:.2f} | {shares[name, 'signal_ms']:.3f} "
            f"| {cold[name]['p50']:.2f} | {shares[name, 'alternating_ms']:.3f} |"
            for name, taken in one.items()
        ),
        "",
        f"Medians of {PROCESSES} processes; \"of plain\" is the p50 as a fraction of the plain reference's. "
        "Alternately in blocks of ten calls, and in single calls, which find the caches filled by another one. "
        f"The fraction of int8 was {spread[0]:.3f} to {spread[-1]:.3f}.",
        "",
        f"Limits: p50 {MOST_P50_MS:g} ms, p99 {MOST_P99_MS:g} ms, {MOST_SHARE:g} of the plain reference's p50, "
        f"{MOST_INT8_SHARE:g} with int8 networks.",
        "",
        "| 100 symbols | signals/s | relative to one by one |",
        "|---|---:|---:|",
        f"| one by one | {many['one_by_one_s']:,.0f} | 1 |",
        f"| in one call | {many['at_once_s']:,.0f} | {found['gain']:.2f} |",
        f"| in one call, int8 | {many['int8_at_once_s']:,.0f} | {found['int8_gain']:.2f} |",
        "",
        f"Required: at least {LEAST_GAIN:g} at equal precision, {LEAST_INT8_GAIN:g} with int8 networks.",
        "",
        f"| a frame of {FRAME:,} bars | seconds | bars/s |",
        "|---|---:|---:|",
        *(f"| {name} | {seconds:.2f} | {FRAME / seconds:,.0f} |" for name, seconds in frame.items()),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
