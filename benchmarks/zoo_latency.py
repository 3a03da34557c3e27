"""Latency of one signal with every member alone, with fours, and with the whole zoo, alternately in one process.

    python benchmarks/zoo_latency.py [--out FILE]

One symbol: warm, one thread, 500 candles, in blocks of ten calls; medians over processes of their own. The members are
hardly trained, on made-up candles: latency does not depend on the values of the weights. The slowest four are those of
the largest latency alone; `log_har` and `fracast` are left out. Writes results/zoo_latency.json and .md, and ends with
1 if sixteen members take more than 10 ms, or the slowest four more than the documented four in their documented shapes.
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
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np

import quorate
from alternating import time_alternately
from quorate.core.settings import ModelSettings
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.market import SyntheticMarket
from zoo import installed

RESULTS = Path(__file__).parent / "results"
FOUR = RECIPES["vote"].models
SIXTEEN, MOST_MS = 16, 10.0
DOCUMENTED = "documented four, documented shapes"
PROCESSES, ROUNDS = 5, 300
# A volatility forecast takes no side, and is no member of an ensemble by choice; a pretrained network alone takes forty
# times as long as the documented four.
LEFT_OUT = ("log_har", "fracast")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS / "zoo_latency", help="of the results, without suffix")
    # In one of the processes: the bundle of all members, and that of the four in their documented shapes.
    parser.add_argument("--bundles", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bundles is not None:
        print(json.dumps(latencies(*options.bundles)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        paths = (train(Path(folder) / "all", _installed()), train(Path(folder) / "documented", FOUR, "documented"))
        command = [sys.executable, __file__, "--bundles", *map(str, paths)]
        runs = [
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(PROCESSES)
        ]
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "ms": {
            name: {part: median(run["ms"][name][part] for run in runs) for part in ("p50", "p99")}
            for name in runs[0]["ms"]
            if all(name in run["ms"] for run in runs)
        },
        "slowest": runs[0]["slowest"],
    }
    options.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    options.out.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))
    taken = {name: each["p50"] for name, each in found["ms"].items()}
    return int(taken["sixteen"] > MOST_MS or taken["slowest four"] > taken[DOCUMENTED])


def _installed() -> list[str]:
    return [name for name in installed() if name not in LEFT_OUT]


def train(out: Path, names: Sequence[str], networks: Literal["compact", "documented"] = "compact") -> Path:
    """Train these members, each network for one epoch of a twentieth of the windows; the bundle's folder."""
    settings = quorate.Settings(models=ModelSettings(networks=networks))
    short = {}
    for one in fields(settings.models):
        section = getattr(settings.models, one.name)
        if hasattr(section, "epochs"):
            short[one.name] = replace(section, epochs=1, share=0.05)
    settings = replace(
        settings, models=replace(settings.models, **short), policy=replace(settings.policy, refit="none")
    )
    panel = SyntheticMarket(seed=3, symbols=3, bars=1_000).panel()
    trained = quorate.train(panel, out, models=list(names), settings=settings)
    assert trained.mode == "full", trained.members
    return trained.path


def latencies(path: Path, documented: Path) -> dict[str, object]:
    """Percentiles of the milliseconds of one signal, by what decides."""
    bundle, larger = quorate.load_bundle(path), quorate.load_bundle(documented)
    names = [member.model for member in bundle.manifest.members]
    candles = next(iter(SyntheticMarket(seed=7, symbols=1, bars=500).panel().values()))
    alone = times({name: _part(bundle, [name]) for name in names}, candles)
    slowest = sorted(names, key=lambda name: -alone[name]["p50"])[: len(FOUR)]
    sets = {"documented four": FOUR, "slowest four": slowest, "sixteen": _sixteen(names), "all": names}
    parts = {name: _part(bundle, chosen) for name, chosen in sets.items()}
    together = times({**parts, DOCUMENTED: _part(larger, FOUR)}, candles)
    return {"ms": {**together, **alone}, "slowest": slowest}


def _sixteen(names: Sequence[str]) -> list[str]:
    """The documented four and the others in the order of the registry."""
    return [*FOUR, *(name for name in names if name not in FOUR)][:SIXTEEN]


def _part(bundle: Bundle, names: Sequence[str]) -> Bundle:
    """A bundle of some members of another one."""
    manifest = bundle.manifest
    members = tuple(member for member in manifest.members if member.model in names)
    sessions = {name: session for name, session in bundle.members.sessions.items() if name in names}
    return Bundle(replace(manifest, members=members), sessions, {})


def times(bundles: dict[str, Bundle], candles: quorate.Candles) -> dict[str, dict[str, float]]:
    """Percentiles of the milliseconds of one signal, by bundle."""
    now = int(candles.time[-1]) + 3_600_000

    def call(bundle: Bundle) -> None:
        signal = bundle.predict(candles, now=now, allow_training_span=True)
        assert not signal.abstentions, signal.abstentions

    taken = time_alternately({name: lambda one=one: call(one) for name, one in bundles.items()}, ROUNDS, 10)
    return {
        name: {f"p{share}": float(1_000 * np.percentile(seconds, share)) for share in (50, 99)}
        for name, seconds in taken.items()
    }


def as_markdown(found: dict) -> str:
    taken = found["ms"]
    reference = taken["documented four"]["p50"]
    return "\n".join([
        "# Latency of the members",
        "",
        f"`python benchmarks/zoo_latency.py` on {found['machine']}: one signal from 500 candles, core30, one thread; "
        f"medians of {PROCESSES} processes. The slowest four are {', '.join(found['slowest'])}; the sixteen are the "
        "documented four and the next of the registry. A member alone includes features and vote.",
        "",
        "| members | p50, ms | p99, ms | of the documented four |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {each['p50']:.2f} | {each['p99']:.2f} | {each['p50'] / reference:.2f} |"
            for name, each in taken.items()
        ),
        "",
        f"Limits: {MOST_MS:g} ms with sixteen; any four as fast as the documented four in their documented shapes. "
        "Beside the compact shapes, which are the default, the slowest four are not.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
