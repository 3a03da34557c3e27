"""Cost of Quorate's strategy in Freqtrade, beside a strategy of two moving averages in the same run.

    python benchmarks/freqtrade_cost.py [--pairs 20] [--days 365] [--repeat 3] [--small] [--out FOLDER]

Freqtrade's backtest of spot pairs in 1h bars: with a crossover of two moving averages, with the vote of four members
whose predictions are computed, and with the same predictions from the cache. Wall time and memory of the whole program,
and the strategy's time by stage. Candles are real if QUORATE_DATA names their folder, else synthetic. The bundle is
trained for one epoch on the months before, at full size (--small: with small networks); the values of its weights do
not change the cost. Writes freqtrade_cost.json and .md. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import quorate
from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.settings import (
    NHiTSSettings,
    PatchTSTSettings,
    PolicySettings,
    Settings,
    TargetSettings,
    VoteSettings,
)
from quorate.core.types import Candles
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from stubs import freqtrade
from stubs.binance import spawn

MOST_TIMES, MOST_MEMORY = 2.0, 1.5
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
RESULTS = Path(__file__).parent / "results"

# The pairs of the folder with the highest volume among those with a year of candles before the newest month.
PAIRS = (
    *("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "TRX", "LINK", "LTC", "AVAX"),
    *("DOT", "BCH", "NEAR", "SHIB", "PEPE", "FLOKI", "XLM", "BNB", "SUI", "UNI"),
)
END = parse_ms("2025-10-14")

# Runs a program and prints its time and peak memory. It imports little itself: a child starts with the memory of its
# parent, which would be counted.
WATCH = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
sys.exit(code)
"""

STRATEGIES = '''
import atexit
import json
import os
import time
from functools import wraps

import talib.abstract as ta
from freqtrade.strategy import IStrategy

from quorate.integrations.freqtrade.strategies.vote_strategy import QuorateVoteStrategy

STAGES = {
    "start": ("bot_start",),
    "predictions": ("populate_indicators",),
    "signals": ("populate_entry_trend", "populate_exit_trend"),
    "entries": ("leverage", "custom_stake_amount", "confirm_trade_entry"),
    "exits": ("custom_stoploss", "custom_roi", "custom_exit"),
    "loop": ("bot_loop_start",),
}
SPENT = dict.fromkeys(STAGES, 0.0)


def timed(stage, method):
    @wraps(method)
    def run(*arguments, **more):
        began = time.perf_counter()
        try:
            return method(*arguments, **more)
        finally:
            SPENT[stage] += time.perf_counter() - began

    return run


class Timed(QuorateVoteStrategy):
    """The strategy, with its methods timed."""


for stage, names in STAGES.items():
    for name in names:
        setattr(Timed, name, timed(stage, getattr(QuorateVoteStrategy, name)))
if "STAGES_FILE" in os.environ:
    atexit.register(lambda: open(os.environ["STAGES_FILE"], "w").write(json.dumps(SPENT)))


class Trivial(IStrategy):
    """Crossover of two moving averages."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    startup_candle_count = 498
    minimal_roi = {"0": 0.03}
    stoploss = -0.02

    def populate_indicators(self, df, metadata):
        df["fast"] = ta.EMA(df, timeperiod=9)
        df["slow"] = ta.EMA(df, timeperiod=21)
        return df

    def populate_entry_trend(self, df, metadata):
        crossed = (df["fast"] > df["slow"]) & (df["fast"].shift(1) <= df["slow"].shift(1))
        df.loc[crossed, ["enter_long", "enter_tag"]] = (1, "up")
        return df

    def populate_exit_trend(self, df, metadata):
        df.loc[df["fast"] < df["slow"], "exit_long"] = 1
        return df
'''


@dataclass(frozen=True)
class Ran:
    """One backtest: wall time, time on all cores, peak memory, trades, and the strategy's seconds by stage."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    trades: int
    stages: dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="small networks, to try the script")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    if freqtrade.environment() is None:
        print("no Freqtrade: make freqtrade, or name its environment in QUORATE_FREQTRADE")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), chosen.pairs, chosen.days, chosen.repeat, small=chosen.small)
    found["small"] = chosen.small
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "freqtrade_cost.json").write_text(json.dumps(found, indent=1) + "\n")
    text = page(found)
    (chosen.out / "freqtrade_cost.md").write_text(text)
    print(text)
    return 0 if found["ok"] else 1


def measure(folder: Path, pairs: int, days: int, repeat: int, *, small: bool) -> dict[str, Any]:
    start = END - days * DAY_MS
    panel, synthetic = candles(pairs, start)
    for own in panel.values():
        write_candles(folder / "data", own)
    bundle = train_bundle(panel, folder / "bundles", start, small=small)
    user_data = folder / "user_data"
    (user_data / "strategies").mkdir(parents=True)
    (user_data / "strategies" / "timed.py").write_text(STRATEGIES)
    runs: dict[str, list[Ran]] = {"trivial": [], "predicting": [], "cached": [], "tagged": []}
    with spawn(folder / "data") as stub:
        own = {"bundle": str(bundle), "leave_on_opposite": "never"}
        config = freqtrade.configuration(stub.urls, list(panel), futures=False, timeframe="1h", quorate=own)
        (user_data / "config.json").write_text(json.dumps(config))
        for _ in range(repeat):
            # Alternately, so that other load on the machine affects all alike.
            runs["trivial"].append(backtest(user_data, folder / "data", "Trivial", start))
            shutil.rmtree(user_data / "quorate", ignore_errors=True)
            runs["predicting"].append(backtest(user_data, folder / "data", "Timed", start))
            runs["cached"].append(backtest(user_data, folder / "data", "Timed", start))
            tagged = {"QUORATE_FREQTRADE__TAG": "vote"}
            runs["tagged"].append(backtest(user_data, folder / "data", "Timed", start, tagged))
    return summary(runs, pairs=len(panel), days=days, repeat=repeat, synthetic=synthetic)


def candles(pairs: int, start: int) -> tuple[dict[str, Candles], bool]:
    """Candles of the pairs, including those before `start` for warm-up and training; whether they are synthetic."""
    first = start - 190 * DAY_MS
    if "QUORATE_DATA" in os.environ:
        source = FreqtradeFolder(Path(os.environ["QUORATE_DATA"]) / "binance")
        return {
            f"{base}/USDT": source.candles(f"{base}/USDT", "1h", first, END + HOUR_MS) for base in PAIRS[:pairs]
        }, False
    bars = (END + HOUR_MS - first) // HOUR_MS
    market = SyntheticMarket(seed=7, symbols=pairs, bars=bars, start=first)
    return {
        f"{base}/USDT": replace(market.candles(name), symbol=f"{base}/USDT")
        for base, name in zip(PAIRS, market.names, strict=False)
    }, True


def train_bundle(panel: dict[str, Candles], out: Path, end: int, *, small: bool) -> Path:
    """Train four members of their documented size on three pairs for one epoch; return the bundle's folder."""
    networks = (
        {
            "nhits": NHiTSSettings(hidden=(32, 24, 16), epochs=1),
            "patchtst": PatchTSTSettings(width=16, heads=2, layers=1, feedforward=32, epochs=1),
        }
        if small
        else {"nhits": NHiTSSettings(epochs=1), "patchtst": PatchTSTSettings(epochs=1)}
    )
    defaults = Settings()
    settings = replace(
        defaults,
        models=replace(defaults.models, **networks),
        # A narrow band, with few HOLD labels, and a low floor, so that it trades about as often as the other strategy.
        target=TargetSettings(band=0.001),
        vote=VoteSettings(floor=0.45),
        policy=PolicySettings(name="classic"),
    )
    three = dict(list(panel.items())[:3])
    return quorate.train(three, out, models=MEMBERS, settings=settings, end=end - HOUR_MS).path


def backtest(user_data: Path, data: Path, strategy: str, start: int, settings: Mapping[str, str] | None = None) -> Ran:
    """One run of the whole program."""
    stages = user_data / "stages.json"
    stages.unlink(missing_ok=True)
    command = [
        *(str(freqtrade.require() / "bin" / "freqtrade"), "backtesting", "--userdir", str(user_data)),
        *("--datadir", str(data), "-c", str(user_data / "config.json"), "--strategy", strategy),
        *("--timerange", f"{start}-{END}", "--fee", "0.001", "--cache", "none", "--export", "trades"),
    ]
    done = subprocess.run(
        [sys.executable, "-S", "-c", WATCH, *command],
        cwd=user_data,
        env={**os.environ, "STAGES_FILE": str(stages), **(settings or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{strategy}: {done.stderr[-3000:]}")
    seconds, cpu_seconds, peak_mib = json.loads(done.stdout.splitlines()[-1])
    spent = json.loads(stages.read_text()) if strategy == "Timed" else {}
    trades = len(freqtrade.exported_trades(user_data / "backtest_results"))
    shutil.rmtree(user_data / "backtest_results")
    return Ran(seconds, cpu_seconds, peak_mib, trades, spent)


def summary(runs: dict[str, list[Ran]], **about: Any) -> dict[str, Any]:
    medians = {
        name: {
            "seconds": statistics.median(run.seconds for run in made),
            "cpu_seconds": statistics.median(run.cpu_seconds for run in made),
            "all_seconds": [round(run.seconds, 2) for run in made],
            "peak_mib": statistics.median(run.peak_mib for run in made),
            "trades": made[-1].trades,
            "stages": {stage: statistics.median(run.stages[stage] for run in made) for stage in made[0].stages},
        }
        for name, made in runs.items()
    }
    times = medians["cached"]["seconds"] / medians["trivial"]["seconds"]
    tagged = medians["tagged"]["seconds"] / medians["trivial"]["seconds"]
    memory = medians["cached"]["peak_mib"] / medians["trivial"]["peak_mib"]
    return {
        "about": {**about, "machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "runs": medians,
        "times": times,
        "tagged_times": tagged,
        "memory": memory,
        "ok": times <= MOST_TIMES and memory <= MOST_MEMORY,
    }


ROWS = {
    "trivial": "two moving averages",
    "predicting": "the vote, predictions computed",
    "cached": "the vote, predictions cached",
    "tagged": "the same, with all scores in the entry tag",
}


def _row(what: str, run: dict[str, Any]) -> str:
    times = f"{run['seconds']:.1f} s | {run['cpu_seconds']:.1f} s"
    return f"| {what} | {times} | {run['peak_mib']:.0f} MiB | {run['trades']:,} |"


def page(found: dict[str, Any]) -> str:
    about, runs = found["about"], found["runs"]
    candles_of = "synthetic candles" if about["synthetic"] else "real candles"
    lines = [
        "# Cost of the strategy in Freqtrade",
        "",
        f"`python benchmarks/freqtrade_cost.py`: {about['pairs']} pairs, {about['days']} days of 1h bars, "
        f"{candles_of}, {about['cpus']} cores, median of {about['repeat']}."
        + (" Small networks." if found.get("small") else ""),
        "",
        "| backtest | wall | all cores | peak memory | trades |",
        "|---|---|---|---|---|",
        *(_row(what, runs[name]) for name, what in ROWS.items()),
        "",
        f"With cached predictions: {found['times']:.2f} times the time of two moving averages (limit: {MOST_TIMES:g}) "
        f"and {found['memory']:.2f} times the memory (limit: {MOST_MEMORY:g}): {'ok' if found['ok'] else 'EXCEEDED'}. "
        f'With `"tag": "vote"` {found["tagged_times"]:.2f} times the time: Freqtrade reports every tag separately, and '
        "with scores nearly every trade has its own.",
        "",
        "| time in the strategy | predictions computed | share | cached | share |",
        "|---|---|---|---|---|",
    ]
    new, cached = runs["predicting"], runs["cached"]
    for stage in new["stages"]:
        one, other = new["stages"][stage], cached["stages"][stage]
        lines.append(
            f"| {stage} | {one:.2f} s | {one / new['seconds']:.1%} | {other:.2f} s | {other / cached['seconds']:.1%} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
