"""Comparison of this checkout with an older one in the same run: start-up time, memory, latency.

`live.py --beside OLD` and `serving.py --beside OLD` call this module. Both checkouts run as child processes, each with
its own `src` first on PYTHONPATH, over the same bundle and the same candles. The children use only what both versions
have in common: the console script, `quorate.load_bundle`, `quorate.load_candles`, `predict` and `predict_many`.

Start-up and memory: one process of each checkout alternately, after one uncounted process of each that compiles the
modules. Latency: one long-lived process of each checkout, which alternately run blocks of calls; several such pairs,
since the speed of a process depends on where its memory happens to lie. Ratios are new / old of each round or pair; the
median counts.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
MOST_RATIO = 1.05  # new / old, to allow for noise
MARKETS, BARS = 100, 500
CALLS = {"predict": (40, 10), "predict_many": (6, 1)}  # blocks, calls a block
WARM_UP = {"predict": 40, "predict_many": 2}

# One JSON document: seconds, resident MiB, number of modules, and the signal.
START = """
import sys, time
began = float(sys.argv[1])
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1024
before, modules = time.perf_counter(), len(sys.modules)
import quorate
imported_s, modules = time.perf_counter() - before, len(sys.modules) - modules
bundle = quorate.load_bundle(sys.argv[2])
loaded_s, loaded_mib = time.time() - began, resident()
candles = quorate.load_candles(sys.argv[3], sys.argv[4], "1h")
signal = bundle.predict(candles, allow_training_span=True)
signal_s, signal_mib = time.time() - began, resident()
assert len(signal.votes) == 4, signal
import json
print(json.dumps({"import_s": imported_s, "import_modules": modules, "load_s": loaded_s, "load_mib": loaded_mib,
                  "signal_s": signal_s, "signal_mib": signal_mib, "package": quorate.__file__,
                  "signal": [int(signal.action), signal.confidence, signal.rule]}))
"""
# Reads "NAME COUNT" lines and answers each with the seconds of so many calls.
LATENCY = """
import json, sys, time
import quorate
bundle = quorate.load_bundle(sys.argv[1])
panel = [quorate.load_candles(sys.argv[2], symbol, "1h") for symbol in sys.argv[3].split(",")]
now = int(panel[0].time[-1]) + 3_600_000
calls = {
    "predict": lambda: bundle.predict(panel[0], now=now, allow_training_span=True),
    "predict_many": lambda: bundle.predict_many(panel, now=now, allow_training_span=True),
}
signals = calls["predict_many"]()
print(json.dumps([[int(signal.action), signal.confidence, signal.rule] for signal in signals]), flush=True)
for line in sys.stdin:
    name, count = line.split()
    times = []
    for _ in range(int(count)):
        began = time.perf_counter()
        calls[name]()
        times.append(time.perf_counter() - began)
    print(json.dumps(times), flush=True)
"""
STARTED = {
    "import_s": ("`import quorate`", "ms", 1e3),
    "import_modules": ("modules that it imports", "", 1.0),
    "help_s": ("`quorate --help`, whole process", "ms", 1e3),
    "load_s": ("process start until the bundle is loaded", "ms", 1e3),
    "signal_s": ("process start until the first signal", "ms", 1e3),
    "load_mib": ("resident memory with the bundle loaded", "MiB", 1.0),
    "signal_mib": ("resident memory after the first signal", "MiB", 1.0),
}
ANSWERED = {
    "predict_p50_s": ("one signal, p50", "ms", 1e3),
    "predict_p99_s": ("one signal, p99", "ms", 1e3),
    "predict_many_p50_s": (f"{MARKETS} signals in one call, p50", "ms", 1e3),
}
# Reported without a limit: the number of modules is not a cost by itself, and p99 is that of few calls.
INFORMATIVE = ("import_modules", "predict_p99_s")


@dataclass(frozen=True)
class Checkout:
    """A checkout to run: its name in the table, its folder, and the interpreter."""

    name: str
    root: Path
    python: Path

    def environment(self, compiled: Path) -> dict[str, str]:
        """Environment variables of a child; compiled modules of each checkout go to a folder of their own."""
        own = {"PYTHONPATH": str(self.root / "src"), "PYTHONPYCACHEPREFIX": str(compiled / self.name)}
        return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | own

    @property
    def commit(self) -> str:
        """Abbreviated commit, marked if files were changed; "unknown" outside git."""
        done = subprocess.run(
            ["git", "-C", self.root, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else "unknown"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the comparison."""
    group = parser.add_argument_group("comparison with an older checkout")
    group.add_argument("--beside", type=Path, metavar="OLD", help="folder of the older checkout; measure nothing else")
    group.add_argument(
        "--beside-python",
        type=Path,
        metavar="PYTHON",
        help="interpreter of the older checkout; default: the running one, with the older source",
    )
    group.add_argument("--rounds", type=int, default=9, help="processes of each checkout for start-up; default: 9")
    group.add_argument("--pairs", type=int, default=5, help="pairs of processes for latency; default: 5")


def compare(options: argparse.Namespace, script: str, *, latency: bool) -> int:
    """Measure both checkouts and write the page; returns the exit status, 1 if the new one is worse.

    Args:
        options: those of `add_options`, and `bundle` and `out`.
        script: name of the calling script, for the command on the page and the names of the files.
        latency: measure latency too.
    """
    from quorate.market import SyntheticMarket

    old = options.beside.resolve()
    if not (old / "src" / "quorate" / "__init__.py").exists():
        raise SystemExit(f"--beside {options.beside}: no src/quorate in it; expected a checkout of Quorate")
    here = Path(sys.executable)
    sides = (
        Checkout("new", ROOT, here),
        # Not resolved: the link of a virtual environment is what makes it one.
        Checkout("old", old, here if options.beside_python is None else options.beside_python.absolute()),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = SyntheticMarket(seed=7, symbols=MARKETS, bars=BARS)
        market.write(folder / "data")
        bundle = options.bundle or _trained(folder / "bundles")
        figures, signals = start_up(sides, bundle, folder, market.names[0], options.rounds)
        same = signals[0] == signals[1]
        if latency:
            measured, decided = latencies(sides, bundle, folder, market.names, options.pairs)
            figures |= measured
            same = same and decided[0] == decided[1]
    found = {
        "command": f"python benchmarks/{script}.py --beside OLD",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "commits": {side.name: side.commit for side in sides},
        "rounds": options.rounds,
        "pairs": options.pairs if latency else 0,
        "same_signals": same,
        "figures": figures,
    }
    text = as_markdown(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{script}_beside.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / f"{script}_beside.md").write_text(text, encoding="utf-8")
    return 0 if same and not worse(found) else 1


def _trained(out: Path) -> Path:
    from reference_bundle import train_reference_bundle

    return train_reference_bundle(out)


def start_up(
    sides: tuple[Checkout, Checkout], bundle: Path, folder: Path, symbol: str, rounds: int
) -> tuple[dict[str, Any], list[Any]]:
    """Figures of `STARTED`, and the signal of each checkout."""

    def run(side: Checkout) -> dict[str, Any]:
        environment = side.environment(folder / "compiled")
        arguments = [str(time.time()), str(bundle), str(folder / "data"), symbol]
        found = dict(json.loads(_run([side.python, "-c", START, *arguments], environment)))
        if not Path(found["package"]).is_relative_to(side.root / "src"):
            raise SystemExit(f"the {side.name} process imported {found['package']}, not {side.root / 'src'}")
        began = time.perf_counter()
        _run([side.python.parent / "quorate", "--help"], environment)
        return {**found, "help_s": time.perf_counter() - began}

    def in_order(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        # Every other round begins with the old checkout, so that neither is always the first.
        if number % 2:
            second = run(sides[1])
            return run(sides[0]), second
        return run(sides[0]), run(sides[1])

    _, *counted = [in_order(number) for number in range(rounds + 1)]
    figures = {key: _figure([(new[key], old[key]) for new, old in counted]) for key in STARTED}
    return figures, [[side["signal"]] for side in counted[0]]


def latencies(
    sides: tuple[Checkout, Checkout], bundle: Path, folder: Path, symbols: tuple[str, ...], pairs: int
) -> tuple[dict[str, Any], list[Any]]:
    """Figures of `ANSWERED`, and the signals of each checkout."""
    seen: dict[str, list[tuple[float, float]]] = {key: [] for key in ANSWERED}
    signals: list[Any] = []
    for number in range(pairs):
        with _caller(sides[0], bundle, folder, symbols) as new, _caller(sides[1], bundle, folder, symbols) as old:
            signals = [new.signals, old.signals]
            both = (new, old) if number % 2 == 0 else (old, new)
            for name, (blocks, count) in CALLS.items():
                for one in both:
                    one.call(name, WARM_UP[name])
                times: dict[str, list[float]] = {"new": [], "old": []}
                for _ in range(blocks):
                    for one in both:
                        times[one.name] += one.call(name, count)
                for percent in (50, 99):
                    key = f"{name}_p{percent}_s"
                    if key in seen:
                        seen[key].append(
                            (float(np.percentile(times["new"], percent)), float(np.percentile(times["old"], percent)))
                        )
    return {key: _figure(each) for key, each in seen.items()}, signals


@dataclass(frozen=True)
class _Caller:
    """A running child; `call` returns the seconds of so many calls, `signals` is what it decided for all markets."""

    name: str
    signals: Any
    call: Callable[[str, int], list[float]]


@contextmanager
def _caller(side: Checkout, bundle: Path, folder: Path, symbols: tuple[str, ...]) -> Iterator[_Caller]:
    command = [side.python, "-c", LATENCY, bundle, folder / "data", ",".join(symbols)]
    with subprocess.Popen(
        command,
        env=side.environment(folder / "compiled"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def read() -> Any:
            line = answered.readline()
            if not line:
                raise SystemExit(f"the {side.name} process ended with status {process.wait()}")
            return json.loads(line)

        def call(name: str, count: int) -> list[float]:
            asked.write(f"{name} {count}\n")
            asked.flush()
            return list(read())

        try:
            yield _Caller(side.name, read(), call)
        finally:
            asked.close()


def _run(command: list[Any], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{command[0]}: status {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def _figure(pairs: list[tuple[float, float]]) -> dict[str, float]:
    ratios = [new / old for new, old in pairs]
    return {
        "new": median(new for new, _ in pairs),
        "old": median(old for _, old in pairs),
        "ratio": median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


def worse(found: dict[str, Any]) -> list[str]:
    """Figures with a limit whose ratio is above `MOST_RATIO`."""
    return [
        key for key, one in found["figures"].items() if key not in INFORMATIVE and round(one["ratio"], 3) > MOST_RATIO
    ]


def as_markdown(found: dict[str, Any]) -> str:
    """The page."""
    names = STARTED | ANSWERED
    exceeded = [names[key][0] for key in worse(found)]
    verdict = f"exceeded by: {'; '.join(exceeded)}" if exceeded else "kept by all"
    pairs = f"; pairs of processes for latency: {found['pairs']}" if found["pairs"] else ""
    lines = [
        "# This checkout beside an older one",
        "",
        f"`{found['command']}` on {found['machine']}: new is {found['commits']['new']}, old is "
        f"{found['commits']['old']}. Medians of {found['rounds']} processes of each, alternating{pairs}; four members "
        "at full size.",
        "",
        "| | new | old | new / old | lowest to highest |",
        "|---|---:|---:|---:|---:|",
    ]
    for key, one in found["figures"].items():
        what, unit, scale = names[key]
        form = ".0f" if not unit else ".2f"
        lines.append(
            f"| {what}{f', {unit}' if unit else ''} | {scale * one['new']:{form}} | {scale * one['old']:{form}} "
            f"| {one['ratio']:.3f} | {one['lowest']:.3f} to {one['highest']:.3f} |"
        )
    lines += [
        "",
        f"Limit for new / old: {MOST_RATIO:g} (without the number of modules and p99), {verdict}. Signals of both: "
        f"{'the same' if found['same_signals'] else '**different**'}.",
        "",
    ]
    return "\n".join(lines)
