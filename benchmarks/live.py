"""From candles to a signal with all four members at full size, beside a plain reference in the same run.

    python benchmarks/live.py

One symbol: warm, one thread, 500 candles, in turns of ten calls; and alternating with the plain reference, which leaves
little of ours in the caches; medians of five processes, since one is luckier with its memory than the next. A hundred
symbols at once, beside one by one. A whole frame of 40,000 bars, by member. Each in full precision and with the
networks in 8 bits (which a bundle serves only where its decisions stay the same: here it is only timed). The bundle is
trained for next to no time on a synthetic market; what it says costs the same. Writes benchmarks/results/live.json and
.md. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

import quorate
from plain_live import Plain
from quorate.core.settings import Settings
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.features import Inputs, build
from quorate.market import SyntheticMarket
from quorate.models import build as build_model
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession
from turns import in_turns

MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
MOST_P50_MS, MOST_P99_MS, MOST_SHARE, MOST_INT8_SHARE = 4.0, 10.0, 1 / 5, 1 / 10
LEAST_GAIN, LEAST_INT8_GAIN = 1.5, 3.0
PROCESSES, ROUNDS, FRAME = 5, 400, 40_000
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    if len(sys.argv) > 1:
        print(json.dumps(signals(Path(sys.argv[1]))))
        return 0
    market = SyntheticMarket(seed=7, symbols=100, bars=500)
    panel = list(market.panel().values())
    now = int(panel[0].time[-1]) + 3_600_000
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(Path(folder))
        light = lightened(bundle, Path(folder))
        runs = [of_another_process(Path(folder)) for _ in range(PROCESSES)]
    found = {
        "command": "python benchmarks/live.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        **{part: medians([run[part] for run in runs]) for part in ("signal_ms", "alternating_ms")},
        "runs": runs,
        "many": {
            "one_by_one_s": 100 / least(lambda: [say_of(bundle, candles, now) for candles in panel]),
            "at_once_s": 100 / least(lambda: bundle.predict_many(panel, now=now, allow_training_span=True)),
            "int8_at_once_s": 100 / least(lambda: light.predict_many(panel, now=now, allow_training_span=True)),
        },
        "frame": frame_times(bundle, light),
    }
    many = found["many"]
    found["share"] = median(share(run, "quorate") for run in runs)
    found["int8_share"] = median(share(run, "int8") for run in runs)
    found["gain"] = many["at_once_s"] / many["one_by_one_s"]
    found["int8_gain"] = many["int8_at_once_s"] / many["one_by_one_s"]
    one = found["signal_ms"]
    text = as_markdown(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "live.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "live.md").write_text(text, encoding="utf-8")
    kept = (
        one["quorate"]["p50"] <= MOST_P50_MS
        and one["quorate"]["p99"] <= MOST_P99_MS
        and found["share"] <= MOST_SHARE
        and found["int8_share"] <= MOST_INT8_SHARE
        and found["gain"] >= LEAST_GAIN
        and found["int8_gain"] >= LEAST_INT8_GAIN
    )
    return 0 if kept else 1


def signals(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Percentiles of one signal's milliseconds, by who gave it: in turns of ten calls, and alternating."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    (path,) = (child.parent for child in folder.glob("*/manifest.json"))
    bundle = quorate.load_bundle(path)
    light = lightened(bundle, folder)
    candles = next(iter(SyntheticMarket(seed=7, symbols=100, bars=500).panel().values()))
    plain, frame, now = Plain(build_eager()), candles.to_pandas(), int(candles.time[-1]) + 3_600_000
    rows = plain.features(frame)
    calls: dict[str, Callable[[], object]] = {
        "quorate": lambda: say_of(bundle, candles, now),
        "int8": lambda: say_of(light, candles, now),
        "plain": lambda: plain.signal(frame),
        "plain models alone": lambda: plain.scores(rows),
    }
    assert len(bundle.predict(candles, now=now, allow_training_span=True).votes) == len(MEMBERS)
    times = {"signal_ms": in_turns(calls, ROUNDS, 10), "alternating_ms": in_turns(calls, ROUNDS // 2)}
    return {
        part: {name: {"p50": p(50, taken), "p99": p(99, taken)} for name, taken in each.items()}
        for part, each in times.items()
    }


def of_another_process(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    done = subprocess.run([sys.executable, __file__, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def medians(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Of every figure over the processes."""
    return {name: {key: median(run[name][key] for run in runs) for key in figures} for name, figures in runs[0].items()}


def share(run: dict, name: str, part: str = "signal_ms") -> float:
    """Of the plain reference's time, in the same process."""
    return run[part][name]["p50"] / run[part]["plain"]["p50"]


def say_of(bundle: Bundle, candles: quorate.Candles, now: int) -> object:
    return bundle.predict(candles, now=now, allow_training_span=True)


def make_bundle(out: Path) -> Bundle:
    """All four members at full size, trained for next to no time."""
    settings = Settings()
    short = {name: replace(getattr(settings.models, name), epochs=1, share=0.05) for name in ("nhits", "patchtst")}
    settings = replace(settings, models=replace(settings.models, **short))
    market = SyntheticMarket(seed=3, symbols=3, bars=1_000)
    trained = train_ensemble(market.panel(), "1h", TrainingSpec(models=MEMBERS, settings=settings), out)
    return quorate.load_bundle(trained.path)


def lightened(bundle: Bundle, out: Path) -> Bundle:
    """The same with its networks in 8 bits, whatever that does to their answers."""
    (path,) = (child.parent for child in out.glob(f"{bundle.manifest.id}/manifest.json"))
    sessions = dict(bundle.members.sessions)
    for name, session in sessions.items():
        if session.window > 1:
            sessions[name] = OnnxSession(quantise((path / f"{name}.onnx").read_bytes(), name), session.features, name)
    return Bundle(bundle.manifest, sessions, {})


def build_eager() -> torch.nn.Module:
    """N-HiTS at full size, eager."""
    model = build_model("nhits", "class", Settings().models, seed=1)
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


def least(call: Callable[[], object], rounds: int = 7) -> float:
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def p(percent: float, times: list[float]) -> float:
    """Milliseconds."""
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
        f"`{found['command']}` on {found['machine']}: four members at full size, core14.",
        "",
        "| 500 candles to a signal, one thread | p50, ms | p99, ms | share of plain | alternating: p50, ms | share |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {taken['p50']:.2f} | {taken['p99']:.2f} | {shares[name, 'signal_ms']:.3f} "
            f"| {cold[name]['p50']:.2f} | {shares[name, 'alternating_ms']:.3f} |"
            for name, taken in one.items()
        ),
        "",
        f"Medians of {PROCESSES} processes. In turns of ten calls; alternating: of one call, so that each finds the "
        f"caches full of another's. The share of int8 was {spread[0]:.3f} to {spread[-1]:.3f}.",
        "",
        f"Asked for: p50 at most {MOST_P50_MS:g} ms, p99 at most {MOST_P99_MS:g} ms, at most {MOST_SHARE:g} of the "
        f"plain reference's p50, {MOST_INT8_SHARE:g} with the networks in 8 bits.",
        "",
        "| 100 symbols | signals/s | against one by one |",
        "|---|---:|---:|",
        f"| one by one | {many['one_by_one_s']:,.0f} | 1 |",
        f"| at once | {many['at_once_s']:,.0f} | {found['gain']:.2f} |",
        f"| at once, int8 | {many['int8_at_once_s']:,.0f} | {found['int8_gain']:.2f} |",
        "",
        f"Asked for: {LEAST_GAIN:g} at equal precision, {LEAST_INT8_GAIN:g} with the networks in 8 bits.",
        "",
        f"| a frame of {FRAME:,} bars | seconds | bars/s |",
        "|---|---:|---:|",
        *(f"| {name} | {seconds:.2f} | {FRAME / seconds:,.0f} |" for name, seconds in frame.items()),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
