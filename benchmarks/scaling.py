"""Unit costs of features, training, signals and journal, and what they add up to for 10, 1,000 and 100,000 markets.

    python benchmarks/scaling.py [--bundle FOLDER] [--markets 1000,5000] [--processes 2] [--rounds 2] [--out FOLDER]
    python benchmarks/scaling.py --render

One command measures on this machine, with the default bundle of four members and synthetic candles: seconds and bytes a
market for reading its file, its features and its signal; seconds a row of training; bytes of the journal a bar and a
decision. From these, and from nothing else that was measured, a simulation predicts how long the signals of many
markets take. The same runs are then made for real, `quorate.signals` with several processes, and both stand side by
side. Everything is measured `--rounds` times; the best unit costs and all real runs are kept.

The simulation: candles of the markets arrive evenly over a span after the bar has closed, each at the server that its
name's hash gives it; a server answers one market at a time, in order of arrival, and needs a time drawn from the
measured ones. The median and the last answer are those of the simulation, no formula.

Writes scaling.json and .md into benchmarks/results, and the tables of docs/scaling.md; --render writes the texts again
from scaling.json. Run on an idle machine: the load at the start and the end is in the results.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
BEGIN, END = "<!-- begin: benchmarks/scaling.py -->", "<!-- end: benchmarks/scaling.py -->"

MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
SIZES = (10, 1_000, 100_000)
SEED, DISTINCT, BARS, JOURNAL_BARS = 3, 40, 1_100, 60
TRAIN_BARS, YEAR_BARS, MONTH_BARS = 90 * 24, 365 * 24, 30 * 24

#: Assumptions, no measurements.
ASSUMED = {
    "usd_core_hour": 0.04,  # a virtual core of a general-purpose machine on demand; differs between providers
    "usd_gb_month": 0.10,  # replicated block storage
    "arrive_s": 10.0,  # in which all candles of a bar have arrived
    "limit_s": 30.0,  # until the last signal of a bar shall be there
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="bundle of all four members, instead of training one")
    parser.add_argument("--markets", default="1000,5000", help="sizes of the real runs")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--render", action="store_true", help="only write the texts again")
    options = parser.parse_args()
    if options.render:
        found = json.loads((options.out / "scaling.json").read_text(encoding="utf-8"))
    else:
        found = measure(options)
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "scaling.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / "scaling.md").write_text(as_markdown(found), encoding="utf-8")
    if options.out == RESULTS:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    print(as_markdown(found))
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    load = [os.getloadavg()[0]]
    sizes = [int(size) for size in options.markets.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle, training = (options.bundle, None) if options.bundle else trained(folder / "bundles")
        names = make_markets(folder / "data", max(sizes))
        rounds = [unit_costs(bundle, folder, names) for _ in range(options.rounds)]
        costs = min(rounds, key=lambda found: found["signal_s"])
        runs = []
        for _ in range(options.rounds):
            for size in sizes:
                measured = real_run(bundle, folder, names[:size], options.processes)
                predicted = run_predicted(costs, names[:size], options.processes)
                print(size, predicted, measured, flush=True)
                runs.append({"markets": size, "processes": options.processes, "predicted_s": predicted, **measured})
        journal, operations = journal_bytes(bundle, folder, names), flops(bundle)
    load.append(os.getloadavg()[0])
    servers = {str(size): servers_needed(costs["samples_s"], size) for size in SIZES}
    return {
        "command": "python benchmarks/scaling.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": [round(each, 2) for each in load],
        "assumed": ASSUMED,
        "costs": {name: value for name, value in costs.items() if name != "samples_s"},
        "rounds_signal_s": [each["signal_s"] for each in rounds],
        "training": training,
        "journal": journal,
        "flops": operations,
        "members": "core30",
        "servers": servers,
        "runs": runs,
    }


def trained(out: Path) -> tuple[Path, dict[str, float]]:
    """A default bundle, and seconds of its training a row, fixed costs included: of all, and of each member."""
    import quorate
    from quorate.market import SyntheticMarket

    for symbols in (2, 30):  # the first one imports what trains
        panel = SyntheticMarket(seed=SEED, symbols=symbols, bars=1_000).panel()
        began = time.perf_counter()
        made = quorate.train(panel, out / str(symbols), models=MEMBERS)
        whole = time.perf_counter() - began
        assert made.mode == "full", made.members
    document = made.to_json()
    rows = document["rows"]
    return made.path, {
        "rows": rows,
        "all_s": whole / rows,
        **{name: document["models"][name]["seconds"] / rows for name in MEMBERS},
    }


def make_markets(folder: Path, count: int) -> list[str]:
    """Files of so many markets: copies of the candles of a few, under other names."""
    from quorate.market import SyntheticMarket

    SyntheticMarket(seed=SEED, symbols=DISTINCT, bars=BARS).write(folder)
    files = sorted((folder / "futures").glob("*-1h-futures.feather"))
    names = [path.name.split("_")[0] for path in files]
    for number in range(DISTINCT, count):
        source = files[number % DISTINCT]
        name = f"M{number:06d}"
        shutil.copyfile(source, source.with_name(source.name.replace(names[number % DISTINCT], name, 1)))
        names.append(name)
    return [f"{name}/USDT:USDT" for name in names]


def unit_costs(bundle: Path, folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Seconds and bytes of one market in one process, medians; and the seconds of each signal."""
    import quorate
    from quorate.features import Bars, live
    from quorate.market.files.freqtrade_folder import FreqtradeFolder

    loaded = quorate.load_bundle(bundle)
    source = FreqtradeFolder(folder / "data")
    samples, reads, features = [], [], []
    for symbol in names[:300]:
        started = time.perf_counter()
        candles = source.candles(symbol, "1h")
        read = time.perf_counter()
        loaded.predict(candles, allow_training_span=True)
        done = time.perf_counter()
        bars = Bars(candles.tail(498))
        live([bars], loaded.features, loaded.members.window)
        features.append(time.perf_counter() - done)
        reads.append(read - started)
        samples.append(done - started)
    path = next((folder / "data" / "futures").glob("*-1h-futures.feather"))
    wide = source.candles(names[0], "1h")
    built = best(lambda: quorate.features(wide, "core30")) / len(wide)
    return {
        "read_s": statistics.median(reads),
        "features_s": statistics.median(features),
        "signal_s": statistics.median(samples),
        "mean_s": statistics.fmean(samples),
        "feature_row_s": built,
        "feature_row_bytes": 4 * len(quorate.feature_names("core30")),
        "candle_bytes": path.stat().st_size / len(wide),
        "start_s": start_s(bundle),
        "samples_s": samples[20:],  # the first ones warm the process up
    }


def best(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest of some calls."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def start_s(bundle: Path) -> float:
    """Seconds until a new process has loaded the bundle."""
    import subprocess
    import sys

    code = "import sys, quorate, quorate.workflows.signals; quorate.load_bundle(sys.argv[1])"
    command = [sys.executable, "-c", code, str(bundle)]
    return best(lambda: subprocess.run(command, check=True), 3)


def real_run(bundle: Path, folder: Path, names: Sequence[str], processes: int) -> dict[str, Any]:
    """Seconds of `quorate.signals` over these markets."""
    import quorate

    settings = quorate.Settings()
    # A member that misses its deadline on a busy machine abstains, and would make the run look faster.
    settings = replace(settings, predict=replace(settings.predict, deadline_ms=60_000.0))
    before, began = os.times(), time.perf_counter()
    made = quorate.signals(
        bundle, folder / "data", names, processes=processes, allow_training_span=True, settings=settings
    )
    took, after = time.perf_counter() - began, os.times()
    votes = sum(len(each.signal.votes) for each in made)
    assert len(made) == len(names)
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return {"measured_s": took, "processor_s": busy, "votes": votes}


def run_predicted(costs: dict[str, Any], names: Iterable[str], processes: int) -> float:
    """Seconds of such a run by the unit costs: one server a process, all candles there at once."""
    done, _ = simulate(costs["samples_s"], names, processes, 0.0)
    # The command loads the bundle to know its markets, then each process does.
    return 2 * costs["start_s"] + done


def simulate(samples: Sequence[float], names: Iterable[str], servers: int, arrive_s: float) -> tuple[float, float]:
    """Seconds from a bar's close to the last answer, and to the median one.

    A discrete-event simulation: the next event is always the earliest arrival or end of service.

    Args:
        samples: measured seconds of a signal, used in turn.
        names: markets.
        servers: each with its shard.
        arrive_s: in which the candles arrive, evenly.
    """
    from quorate.core.types.shards import Shard

    shard, symbols = Shard(1, servers), list(names)
    events = [(arrive_s * place / len(symbols), place, shard.of(symbol).number) for place, symbol in enumerate(symbols)]
    heapq.heapify(events)
    free = dict.fromkeys(range(1, servers + 1), 0.0)
    ends = []
    while events:
        arrival, place, server = heapq.heappop(events)
        free[server] = max(free[server], arrival) + samples[place % len(samples)]
        ends.append(free[server])
    return max(ends), statistics.median(ends)


def servers_needed(samples: Sequence[float], markets: int) -> dict[str, Any]:
    """The fewest servers that answer all markets of a bar in time, and when they have."""
    names = [f"M{number:06d}/USDT:USDT" for number in range(markets)]
    servers = 1
    while True:
        last, middle = simulate(samples, names, servers, ASSUMED["arrive_s"])
        if last <= ASSUMED["limit_s"]:
            return {"servers": servers, "last_s": last, "median_s": middle}
        servers += max(1, int(servers * (last / ASSUMED["limit_s"] - 1) / 2))


def journal_bytes(bundle: Path, folder: Path, names: Sequence[str]) -> dict[str, float]:
    """Bytes of the journal a bar and a decision: of an account of one market and of one of ten over the same bars."""
    import quorate
    from quorate.core.clock import HOUR_MS
    from quorate.workflows.paper import PaperAccount

    start = quorate.load_bundle(bundle).manifest.training_end
    span = {"start": start, "end": start + JOURNAL_BARS * HOUR_MS}
    found = {}
    for count in (1, 10):
        file = folder / f"journal{count}.sqlite"
        account = PaperAccount("paper", f"sqlite:///{file}", settings=quorate.Settings())
        account.run(bundle, folder / "data", symbols=list(names[:count]), **span)
        found[count] = sum(each.stat().st_size for each in folder.glob(f"{file.name}*")) / JOURNAL_BARS
    decision = (found[10] - found[1]) / 9
    return {"bar_bytes": max(0.0, found[1] - decision), "decision_bytes": decision, "bars": JOURNAL_BARS}


def flops(bundle: Path) -> dict[str, float]:
    """Floating-point operations of a signal: two for each use of a weight of a network. Trees compare instead."""
    import onnx

    from quorate.core.settings import Settings

    def weights(name: str) -> int:
        graph = onnx.load(str(bundle / f"{name}.onnx")).graph
        return sum(math.prod(each.dims) for each in graph.initializer)

    models = Settings().models
    patch = models.patchtst
    encoder = patch.layers * (4 * patch.width**2 + 2 * patch.width * patch.feedforward)
    # The encoder's weights are used for every patch of every column.
    uses = (patch.window - patch.patch) // patch.stride + 1, len(patch.columns)
    return {
        "nhits": 2.0 * weights("nhits"),
        "patchtst": 2.0 * (encoder * math.prod(uses) + max(0, weights("patchtst") - encoder)),
        "compares": float(sum(3 * each.trees * 6 for each in (models.xgboost, models.lightgbm))),
    }


def rows_of(found: dict[str, Any]) -> dict[str, list[list[str]]]:
    """The tables: name -> rows, the first of which is the header."""
    costs, training, journal, assumed = found["costs"], found["training"], found["journal"], found["assumed"]
    hour, always = assumed["usd_core_hour"] / 3_600, assumed["usd_core_hour"] * 730
    cores = int(found["machine"].split(", ")[1].split()[0])
    tables: dict[str, list[list[str]]] = {
        "features": [
            ["markets", "rows a year", "memory", "processor, all rows", "at each bar", "candles on disk a year"]
        ],
        "training": [["markets", "rows of 90 days", "time on all cores", "operations", "dollars"]],
        "signals": [
            [
                "markets",
                "processor a bar",
                "operations a bar",
                "servers",
                "last answer",
                "median answer",
                "dollars a month",
            ]
        ],
        "journal": [["markets", "a bar", "a year", "dollars a month after a year"]],
    }
    operations = found["flops"]["nhits"] + found["flops"]["patchtst"]
    for size in SIZES:
        rows, name = size * YEAR_BARS, f"{size:,}"
        tables["features"].append(
            [
                name,
                f"{rows:,}",
                amount(rows * costs["feature_row_bytes"]),
                duration(rows * costs["feature_row_s"]),
                duration(size * costs["features_s"]),
                amount(rows * costs["candle_bytes"]),
            ]
        )
        rows = size * TRAIN_BARS
        if training is not None:
            seconds = rows * training["all_s"]
            work = 3 * operations * rows
            tables["training"].append(
                [name, f"{rows:,}", duration(seconds), count(work), dollars(seconds * cores * hour)]
            )
        seconds, server = size * costs["mean_s"], found["servers"][str(size)]
        tables["signals"].append(
            [
                name,
                duration(seconds),
                count(size * operations),
                f"{server['servers']:,}",
                f"{server['last_s']:.1f} s",
                f"{server['median_s']:.1f} s",
                f"{dollars(seconds * MONTH_BARS * hour)} busy, {dollars(server['servers'] * always)} always on",
            ]
        )
        bar = journal["bar_bytes"] + size * journal["decision_bytes"]
        tables["journal"].append(
            [name, amount(bar), amount(bar * YEAR_BARS), dollars(bar * YEAR_BARS / 1e9 * assumed["usd_gb_month"])]
        )
    tables["runs"] = [["markets", "processes", "predicted", "measured", "measured / predicted", "processor time"]]
    for run in found["runs"]:
        tables["runs"].append(
            [
                f"{run['markets']:,}",
                str(run["processes"]),
                f"{run['predicted_s']:.1f} s",
                f"{run['measured_s']:.1f} s",
                f"{run['measured_s'] / run['predicted_s']:.2f}",
                f"{run['processor_s']:.1f} s",
            ]
        )
    tables["units"] = [["unit", "cost"]]
    units = [
        ("read a market's file", duration(costs["read_s"])),
        (f"features of a market's newest bar ({found['members']})", duration(costs["features_s"])),
        ("a signal with reading and features, median", duration(costs["signal_s"])),
        ("a signal with reading and features, mean", duration(costs["mean_s"])),
        ("features of a row, many at once", duration(costs["feature_row_s"])),
        ("a row of features", amount(costs["feature_row_bytes"])),
        ("a candle on disk", amount(costs["candle_bytes"])),
        ("start of a process until the bundle is loaded", duration(costs["start_s"])),
        ("journal, a bar", amount(journal["bar_bytes"])),
        ("journal, a decision", amount(journal["decision_bytes"])),
        ("networks, operations a signal", count(operations)),
        ("trees, comparisons a signal", count(found["flops"]["compares"])),
    ]
    if training is not None:
        units.append(("training a row, all together", duration(training["all_s"])))
        units += [(f"training a row, {name}", duration(training[name])) for name in MEMBERS]
    tables["units"] += [list(each) for each in units]
    return tables


def as_markdown(found: dict[str, Any]) -> str:
    """The text of scaling.md."""
    return f"# Scaling\n\n`{found['command']}` on {found['machine']}.\n\n{tables_text(found)}"


def tables_text(found: dict[str, Any]) -> str:
    """The tables, each with a line of what it says."""
    tables, assumed = rows_of(found), found["assumed"]
    first, last = found["load"]
    ratios = [run["measured_s"] / run["predicted_s"] for run in found["runs"]]
    shared = (
        f"The machine was shared: its load was {first} at the start and {last} at the end, so the figures of time are "
        "those of a busy machine, and a quiet one may be several times as fast."
        if max(first, last) > 1
        else f"The machine was idle: its load was {first} at the start and {last} at the end."
    )
    signals = ", ".join(duration(each) for each in found["rounds_signal_s"])
    parts = [
        f"Measured on {found['machine']}. {shared} The unit costs were measured {len(found['rounds_signal_s'])} times; "
        f"a signal took {signals}.",
        "### Unit costs",
        table(tables["units"]),
        "### Features",
        table(tables["features"]),
        "### Training",
        table(tables["training"]) if found["training"] else "Not measured: the bundle was given.",
        "### Signals",
        f"Servers are processes with a core each, as many as answer every market within {assumed['limit_s']:.0f} s "
        f"of a bar's close where the candles arrive evenly over {assumed['arrive_s']:.0f} s; bars of 1h.",
        table(tables["signals"]),
        "### Journal",
        "One account that decides on every market at every bar of 1h.",
        table(tables["journal"]),
        "### The prediction against real runs",
        f"`quorate.signals` over synthetic markets, every one answered by all four members. Measured over predicted: "
        f"{min(ratios):.2f} to {max(ratios):.2f}.",
        table(tables["runs"]),
    ]
    return "\n\n".join(parts) + "\n"


def with_tables(page: str, found: dict[str, Any]) -> str:
    """A page with the tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables_text(found)}\n{END}{after}"


def table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|---|{'---:|' * (len(rows[0]) - 1)}", *lines[1:]])


def scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    size, unit = next((each for each in units if value >= each[0]), units[-1])
    return f"{value / size:.3g} {unit}"


def duration(seconds: float) -> str:
    return scaled(seconds, [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "us")])


def amount(size: float) -> str:
    return scaled(size, [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")])


def count(value: float) -> str:
    return scaled(value, [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")]).strip()


def dollars(value: float) -> str:
    return "under $0.01" if value < 0.01 else f"${value:,.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
