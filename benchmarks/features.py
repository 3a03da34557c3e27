"""Cost of features: many rows at once, one new bar of one market or of a hundred, and a hundred from files to labels.

    python benchmarks/features.py [--rows 1000000] [--out FOLDER]

The many rows are compared with the same columns in pandas: rolling, ewm and shift, nothing called for each row. Both
run on the same candles in one process, alternately; the best of five runs counts. Peak memory is measured in a separate
process.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from plain_pandas import COLUMNS, SHIFTED, Plain, in_pandas
from quorate.core.clock import HOUR_MS
from quorate.core.types import Candles
from quorate.features import Bars, FeatureSet, build, feature_set, live, matrix
from quorate.features.catalogue import GROUPS
from quorate.features.column import Column
from quorate.market.files.candle_store import write_candles
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.synthetic import SyntheticMarket
from quorate.targets import ForwardClass, build_dataset

LIVE, WINDOW = 498, 120
SYMBOLS, BARS = 100, 2_160
ROUNDS = 5


def market(rows: int) -> Candles:
    """Candles of a random price that stays around 100, so that a million of them have plausible values."""
    random = np.random.default_rng(1)
    steps = random.normal(0, 0.006, rows)
    log = np.cumsum(steps) - np.cumsum(steps)[-1] * np.arange(rows) / rows
    close = 100 * np.exp(np.sin(log))
    opens = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opens, close) * np.exp(np.abs(random.normal(0, 0.003, rows)))
    low = np.minimum(opens, close) * np.exp(-np.abs(random.normal(0, 0.003, rows)))
    time_ = 1_577_836_800_000 + HOUR_MS * np.arange(rows)
    return Candles("SYN/USDT:USDT", "1h", time_, opens, high, low, close, random.lognormal(5, 1, rows), synthetic=True)


def timed(work: Callable[[], Any], times: int = 4) -> tuple[float, Any]:
    """Seconds of the best run, and its result."""
    best, result = math.inf, None
    for _ in range(times):
        result = None
        began = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - began)
    return best, result


# The group of columns that pandas has a function for.
_WITHOUT = f"without {' and '.join(SHIFTED)}"


def many_rows(rows: int) -> dict[str, Any]:
    """Seconds per group and in total, of Quorate and of pandas, and differences of the values."""
    candles = market(rows)
    frame = candles.to_pandas()
    wanted = feature_set("full65")
    parts = {
        group: tuple(column for column in columns if column.name in wanted.names)
        for group, columns in GROUPS.items()
        if not columns[0].context and any(column.name in wanted.names for column in columns)
    }
    parts[_WITHOUT] = tuple(column for column in wanted.columns if column.name not in SHIFTED)
    parts["over all"] = wanted.columns
    groups, apart = {}, {}
    for group, columns in parts.items():
        names = [column.name for column in columns]

        def ours(columns: tuple[Column, ...] = columns) -> np.ndarray[Any, Any]:
            X = np.empty((rows, len(columns)), np.float32)
            matrix.fill(X, Bars(candles), columns)
            return X

        works = (
            ours,
            lambda names=names: in_pandas(frame, names, share=False),
            lambda names=names: in_pandas(frame, names, share=True),
        )
        ours_s = plain_s = shared_s = math.inf
        for _ in range(ROUNDS):
            # Alternately, so that other load on the machine affects all alike.
            ours_s, plain_s, shared_s = (
                min(best, timed(work, 1)[0]) for best, work in zip((ours_s, plain_s, shared_s), works, strict=True)
            )
        X = ours()
        for place, name in enumerate(names):
            if group not in ("over all", _WITHOUT):
                # After 2,000 rows initial values of averages no longer matter; a flag may depend on the last bit.
                theirs = COLUMNS[name](Plain(frame, share=False)).to_numpy(np.float64)[2_000:]
                off = np.abs(X[2_000:, place] - theirs) / np.maximum(1, np.abs(theirs))
                apart[name] = float(np.quantile(off, 0.9999))
        del X
        groups[group] = {
            "columns": len(names),
            "ours_s": ours_s,
            "plain_s": plain_s,
            "shared_s": shared_s,
            "ratio": plain_s / ours_s,
            "shared_ratio": shared_s / ours_s,
        }
    return {"rows": rows, "threads": matrix.THREADS, "groups": groups, "apart": apart, "memory": memory(rows)}


_MEMORY = """
import sys
sys.path.insert(0, {folder!r})
from features import market
from quorate.features import build
def resident(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(what))
candles = market({rows})
build(candles[:1000], "full65")
held = resident("VmRSS")
X = build(candles, "full65")
print(held, resident("VmHWM"), X.nbytes)
"""


def memory(rows: int) -> dict[str, float]:
    """Peak memory of a process in MB, without the memory it had with the candles; `output` is the matrix itself."""
    code = _MEMORY.format(folder=str(Path(__file__).parent), rows=rows)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    held, peak, output = (int(word) for word in done.stdout.split())
    return {"peak_mb": (peak - held) / 1e6, "output_mb": output / 1e6, "ratio": (peak - held) / output}


def one_bar(times: int = 400) -> dict[str, float]:
    """Milliseconds from candles to the newest row and to all rows, median and best."""
    tail = market(5_000).tail(LIVE)
    out = {}
    for name, newest in (("newest bar", 1), ("all 498 bars", None)):
        build(tail, "full65", newest=newest)
        taken = [timed(lambda newest=newest: build(tail, "full65", newest=newest), 1)[0] * 1e3 for _ in range(times)]
        out[name] = {"median_ms": median(taken), "best_ms": min(taken)}
    return out


def live_rows(times: int = 100) -> dict[str, dict[str, float]]:
    """Milliseconds from candles to the rows of a live signal: of one market, and of each of a hundred at once."""
    candles = list(SyntheticMarket(seed=7, symbols=SYMBOLS, bars=LIVE).panel().values())
    out = {}
    for features in ("core14", "core30", "full65"):
        wanted = feature_set(features)
        for name, markets in (("one market", candles[:1]), (f"{SYMBOLS} markets at once", candles)):

            def rows(markets: list[Candles] = markets, wanted: FeatureSet = wanted) -> object:
                return live([Bars(one) for one in markets], wanted, WINDOW)

            rows()
            taken = [timed(rows, 1)[0] * 1e3 / len(markets) for _ in range(times)]
            out[f"{features}, {name}"] = {"median_ms": median(taken), "best_ms": min(taken)}
    return out


def many_symbols() -> dict[str, Any]:
    """Seconds per stage, from feather files to features and labels."""
    source = SyntheticMarket(seed=2, symbols=SYMBOLS, bars=BARS)
    with tempfile.TemporaryDirectory() as folder:
        for symbol in source.names:
            write_candles(folder, source.candles(symbol))
        files = FreqtradeFolder(folder)
        read, panel = timed(lambda: {symbol: files.candles(symbol, "1h") for symbol in source.names})
    out: dict[str, Any] = {"symbols": SYMBOLS, "bars": BARS, "read_s": read, "read_rows_s": SYMBOLS * BARS / read}
    for features in ("core14", "full65"):
        seconds, dataset = timed(lambda features=features: build_dataset(panel, features, ForwardClass()))
        out[f"{features}_s"], out[f"{features}_rows"] = seconds, len(dataset)
    return out


def report(result: dict[str, Any]) -> str:
    """The figures as a page of Markdown."""
    rows, one, files = result["many_rows"], result["one_bar"], result["many_symbols"]
    lines = [
        "# Features",
        "",
        f"`{result['command']}` on random candles; {result['machine']}.",
        "",
        f"## {rows['rows']:,} rows of full65",
        "",
        "| group | columns | Quorate, s | pandas, s | ratio | pandas with sharing, s | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {group} | {g['columns']} | {g['ours_s']:.3f} | {g['plain_s']:.3f} | {g['ratio']:.1f} "
        f"| {g['shared_s']:.3f} | {g['shared_ratio']:.1f} |"
        for group, g in rows["groups"].items()
    ]
    peak = rows["memory"]
    lines += [
        "",
        f"On histories of this length Quorate uses {rows['threads']} threads, pandas one. "
        "In pandas each column is computed on its own, then with intermediate results shared by hand. pandas has no "
        f"function for {' and '.join(SHIFTED)}: they add up one shifted series for each bar of the window, which is "
        "faster than the usual rolling.apply. 99.99 % of the values of each column agree within "
        f"{max(rows['apart'].values()):.0e} x max(1, |x|).",
        "",
        f"Peak memory {peak['peak_mb']:.0f} MB without the candles, {peak['ratio']:.2f} times the "
        f"{peak['output_mb']:.0f} MB of the matrix, which is included.",
        "",
        f"## One new bar, from {LIVE} candles to its row of full65",
        "",
        "| rows | median, ms | best, ms |",
        "|---|---|---|",
        *(f"| {name} | {t['median_ms']:.3f} | {t['best_ms']:.3f} |" for name, t in one.items()),
        "",
        f"## From {LIVE} candles to the {WINDOW} newest rows of a live signal, per market",
        "",
        "| features | median, ms | best, ms |",
        "|---|---|---|",
        *(f"| {name} | {t['median_ms']:.3f} | {t['best_ms']:.3f} |" for name, t in result["live_rows"].items()),
        "",
        f"## {files['symbols']} symbols of {files['bars']:,} bars, from files to features and labels",
        "",
        "| stage | s | rows | rows per second |",
        "|---|---|---|---|",
        f"| read feather | {files['read_s']:.3f} | {SYMBOLS * BARS:,} | {files['read_rows_s']:,.0f} |",
        *(
            f"| {name} and labels | {files[f'{name}_s']:.3f} | {files[f'{name}_rows']:,} "
            f"| {SYMBOLS * BARS / files[f'{name}_s']:,.0f} |"
            for name in ("core14", "full65")
        ),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, help="folder for features.md and features.json")
    options = parser.parse_args()
    result = {
        "command": f"python benchmarks/features.py --rows {options.rows}",
        "machine": f"Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}",
        "many_rows": many_rows(options.rows),
        "one_bar": one_bar(),
        "live_rows": live_rows(),
        "many_symbols": many_symbols(),
    }
    page = report(result)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "features.md").write_text(page, encoding="utf-8")
        (options.out / "features.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
