"""Duration of one bar of a paper session over 100 markets, and memory of a long replay.

    python benchmarks/paper.py

A cycle is one bar: a hundred perpetuals are downloaded with ccxt from the stub of Binance, then features, four members
at full size, guards and journal. The replay: 2,000 bars of four markets with the same four members. The bundle is
hardly trained, see reference_bundle.py. Writes benchmarks/results/paper.json and .md. Run on an idle machine.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from quorate.core.clock import HOUR_MS, iso_ms, parse_ms
from quorate.core.settings import ExchangeSettings, FeedSettings, GuardSettings
from quorate.core.types import Candles, Signal
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.market import SyntheticMarket
from quorate.market.exchange import Exchange, LiveFeed
from quorate.market.feed import BarReport
from quorate.trading.journal import Journal, Record, ValuedRecord
from quorate.trading.oversight import Oversight
from quorate.trading.paper import AccountConfig, PaperSession, ReplayFeed, redo
from stubs.binance import spawn
from stubs.binance.process import StubProcess

MARKETS, CYCLES, MOST_CYCLE_S = 100, 6, 5.0
REPLAYED, WARM, MOST_GROWTH = 2_000, 300, 0.05
START = parse_ms("2024-01-01")
RESULTS = Path(__file__).parent / "results"
# Limits that are never reached, so that every bar is traded in full.
UNLIMITED = AccountConfig(5, oversight=Oversight(GuardSettings(drawdown_usd=1e9, loss_usd=1e9, confidence=0.0)))


def main() -> int:
    if len(sys.argv) == 4:
        return measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    from reference_bundle import train_reference_bundle

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_reference_bundle(folder / "bundles")
        found = {
            "command": "python benchmarks/paper.py",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            **{what: in_a_process(what, folder) for what in ("cycle", "replay")},
        }
    text = as_markdown(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "paper.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "paper.md").write_text(text, encoding="utf-8")
    kept = found["cycle"]["slowest_s"] < MOST_CYCLE_S and found["replay"]["growth"] < MOST_GROWTH
    return 0 if kept else 1


def in_a_process(what: str, folder: Path) -> dict[str, float]:
    """Run a measurement in its own process, which imports no training library."""
    result = folder / f"{what}.json"
    subprocess.run([sys.executable, __file__, what, folder, result], check=True)
    return dict(json.loads(result.read_text()))


def measure(what: str, folder: Path, result: Path) -> int:
    """Run one of the measurements and write its figures as JSON."""
    logging.getLogger("quorate").setLevel(logging.CRITICAL)
    bundle = load_bundle(folder / "bundles")
    found = cycles(bundle, folder) if what == "cycle" else replay(bundle, folder)
    result.write_text(json.dumps(found))
    return 0


class SteppedFeed(LiveFeed):
    """Live feed that sets both clocks to the close of the bar it waits for."""

    stub: StubProcess
    clock: list[int]
    began: dict[int, float]
    fetched: dict[int, float]
    last: int

    def wait(self, bar: int) -> BarReport | None:
        if bar > self.last:
            return None
        self.clock[0] = bar + HOUR_MS + 100
        self.stub.post("clock", now=self.clock[0])
        self.began[bar] = time.perf_counter()
        report = super().wait(bar)
        self.fetched[bar] = time.perf_counter()
        return report


def cycles(bundle: Bundle, folder: Path) -> dict[str, float]:
    """Seconds from the close of a bar to the commit of its last record."""
    bars = 520 + CYCLES
    market = SyntheticMarket(seed=5, symbols=MARKETS, bars=bars, start=START)
    market.write(folder / "served")
    first = START + 510 * HOUR_MS
    ended: dict[int, float] = {}

    def note(record: Record) -> None:
        if isinstance(record, ValuedRecord) and record.phase == "close":
            ended[record.time] = time.perf_counter()

    with spawn(folder / "served", "--now", iso_ms(first + HOUR_MS)) as stub:
        settings = ExchangeSettings(url=stub.url, paced=False)
        clock = [first + HOUR_MS]
        with (
            Exchange(settings, clock=lambda: clock[0]) as exchange,
            Journal.open(f"sqlite:///{folder}/live.sqlite", "bench") as journal,
        ):
            feed = SteppedFeed(exchange, market.names, "1h", FeedSettings(settle_s=0.0))
            feed.stub, feed.clock, feed.last = stub, clock, first + CYCLES * HOUR_MS
            feed.began, feed.fetched = {}, {}
            decide = partial(_decide, bundle)
            PaperSession(feed, decide, journal, UNLIMITED, bundle_id="bench", mode="live", listener=note).run()
    times = sorted(ended)
    assert len(times) == CYCLES + 1, "not every bar was traded"
    whole = [ended[bar] - feed.began[bar] for bar in times]
    fetch = [feed.fetched[bar] - feed.began[bar] for bar in times]
    return {
        "markets": MARKETS,
        "first_s": whole[0],  # with 500 candles of every market
        "slowest_s": max(whole[1:]),
        "mean_s": sum(whole[1:]) / CYCLES,
        "fetch_mean_s": sum(fetch[1:]) / CYCLES,
    }


def _decide(bundle: Bundle, markets: Sequence[Candles], now: int) -> list[Signal]:
    return bundle.predict_many(markets, now=now, allow_training_span=True)


def replay(bundle: Bundle, folder: Path) -> dict[str, float]:
    """Memory of the process after some bars and at the end, and the time to recover the journal."""
    market = SyntheticMarket(seed=6, symbols=4, bars=500 + REPLAYED, start=START)
    panel = {name: market.candles(name) for name in market.names}
    feed = ReplayFeed(panel, START + 500 * HOUR_MS)
    bars, early_mb = 0, 0.0

    def note(record: Record) -> None:
        nonlocal bars, early_mb
        if isinstance(record, ValuedRecord) and record.phase == "close":
            bars += 1
            if bars == WARM:
                early_mb = resident_mb()

    with Journal.open(f"sqlite:///{folder}/replay.sqlite", "bench") as journal:
        session = PaperSession(
            feed, partial(_decide, bundle), journal, UNLIMITED, bundle_id="bench", mode="replay", listener=note
        )
        began = time.perf_counter()
        session.run()
        ran_s = time.perf_counter() - began
        late_mb = resident_mb()
        began = time.perf_counter()
        engine = UNLIMITED.engine(HOUR_MS, START + 500 * HOUR_MS)
        records = redo(engine, journal.read(detail=False)).seq
        recovery_s = time.perf_counter() - began
    assert bars == REPLAYED
    return {
        "bars": bars,
        "markets": 4,
        "seconds": ran_s,
        "early_mb": early_mb,
        "late_mb": late_mb,
        "growth": late_mb / early_mb - 1,
        "records": records,
        "recovery_s": recovery_s,
    }


def resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def as_markdown(found: dict) -> str:  # type: ignore[type-arg]
    cycle, long = found["cycle"], found["replay"]
    return f"""# Paper trading

`python benchmarks/paper.py` on {found["machine"]}: four members at full size, core14.

| one bar of {cycle["markets"]} markets: download, decisions, guards, journal | seconds |
|---|---:|
| slowest of {CYCLES} | {cycle["slowest_s"]:.2f} |
| mean | {cycle["mean_s"]:.2f} |
| of which download | {cycle["fetch_mean_s"]:.2f} |
| first bar, with 500 candles of every market | {cycle["first_s"]:.2f} |

Limit: {MOST_CYCLE_S:g} s.

| a replay of {long["bars"]:,} bars of {long["markets"]} markets | |
|---|---:|
| memory after {WARM} bars, MB | {long["early_mb"]:.1f} |
| memory at the end, MB | {long["late_mb"]:.1f} |
| growth | {long["growth"]:+.1%} |
| bars per second | {long["bars"] / long["seconds"]:.0f} |
| records in the journal | {long["records"]:,} |
| recovery of the whole journal, s | {long["recovery_s"]:.2f} |

Limits: growth {MOST_GROWTH:.0%}, recovery 2 s.
"""


if __name__ == "__main__":
    sys.exit(main())
