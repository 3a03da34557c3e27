"""The view of a paper account of 100,000 decided bars: what its page takes, also while its baselines are traded.

    python benchmarks/account_view.py [--bars 100000]

The account replays a synthetic market by a bundle of two small members, which takes some minutes; the view is what
`quorate serve` has of it. "A page" is the document of the status, the plots with their 1,000 points a line, and the
newest 25 trades. While performance and baselines are measured in a thread, pages are made in this one; a page may take
a second. Writes benchmarks/results/account_view.md. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import quorate
from quorate.core.clock import HOUR_MS, iso_ms, parse_ms
from quorate.core.settings import GuardSettings, PolicySettings, Settings, TrainSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.market.memory import MemorySource
from quorate.market.synthetic import SyntheticMarket
from quorate.serving.dashboard.account import plots_of
from quorate.workflows.inputs.predictors import load_predictor
from quorate.workflows.paper import AccountView, PaperAccount

TRAINED, MARKETS, POINTS, TRADES = 1_500, 2, 1_000, 25
MOST_PAGE_S = 1.0
RESULT = Path(__file__).parent / "results" / "account_view.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=100_000, help="decided bars of the account")
    parser.add_argument("--out", type=Path, default=RESULT, help="file of the result")
    options = parser.parse_args()
    memory = Path("/dev/shm")  # where commits need not wait for a disk
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        found = measure(Path(name), options.bars)
    text = as_markdown(found, options.bars)
    print(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    return 0 if found["slowest_page_s"] <= MOST_PAGE_S else 1


def measure(folder: Path, bars: int) -> dict[str, Any]:
    market = SyntheticMarket(seed=5, symbols=MARKETS, bars=TRAINED + bars + 50, start=parse_ms("2010-01-01"), edge=0.35)
    source = MemorySource([market.candles(name) for name in market.names])
    account, bundle = trade(folder, market, source, bars)
    view, began = AccountView(account), resident_mb()
    found: dict[str, Any] = {"first_reading_s": seconds(view.status)}
    found["page_s"] = seconds(lambda: page(view))
    found["page_kb"] = len(page(view)) / 1_000
    measured: dict[str, float] = {}

    def work() -> None:
        measured["performance_s"] = seconds(lambda: view.performance(bundle, source, None))
        measured["baselines_s"] = seconds(lambda: measured_baselines.append(view.baselines(bundle, source)))

    measured_baselines: list[Any] = []
    thread = threading.Thread(target=work)
    thread.start()
    pages = [seconds(lambda: page(view))]
    while thread.is_alive():
        pages.append(seconds(lambda: page(view)))
        time.sleep(0.05)
    thread.join()
    (baselines,) = measured_baselines
    found |= measured
    found["pages"], found["slowest_page_s"] = len(pages), max(pages)
    found["page_with_baselines_s"] = seconds(lambda: page(view, baselines))
    found["page_with_baselines_kb"] = len(page(view, baselines)) / 1_000
    found["memory_mb"] = resident_mb() - began
    found["trades"], found["draws"] = baselines.account.trades, baselines.document["draws"]
    view.close()
    return found


def trade(folder: Path, market: SyntheticMarket, source: MemorySource, bars: int) -> tuple[PaperAccount, Any]:
    """An account that has decided so many bars, none of which a guard prevented from trading, and its bundle."""
    settings = Settings()
    small = {name: replace(getattr(settings.models, name), trees=30) for name in ("xgboost", "lightgbm")}
    settings = replace(
        settings,
        models=replace(settings.models, **small),
        train=TrainSettings(threads=1, features="core14", head="classes"),
        policy=PolicySettings(name="classic", refit="none"),
    )
    first = int(market.candles(market.names[0]).time[0])
    panel = {name: market.candles(name).between(None, first + TRAINED * HOUR_MS) for name in market.names}
    path = quorate.train(panel, folder / "bundles", models=tuple(small), settings=settings).path
    start = BundleStore(folder / "bundles").manifest(path.name).training_end
    account = PaperAccount("long", f"sqlite:///{folder / 'journal.sqlite'}", settings=unlimited(settings))
    account.run(path, source, start=iso_ms(start), end=iso_ms(start + bars * HOUR_MS))
    return account, load_predictor(path, settings)


def unlimited(settings: Settings) -> Settings:
    """Guards that never act."""
    guards = GuardSettings(models=1, drawdown_usd=1e9, losses=1_000_000, confidence=0.0)
    return replace(settings, guards=guards)


def page(view: AccountView, baselines: Any = None) -> bytes:
    """What the account's page needs, as JSON."""
    document = view.status().to_json()
    plots = plots_of(view.equity(baselines).sampled(POINTS), baselines)
    trades = [each.to_json() for each in view.trades(TRADES)]
    return json.dumps([document, plots, trades]).encode()


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def as_markdown(found: dict[str, Any], bars: int) -> str:
    rows = [
        ("first reading of the journal, s", f"{found['first_reading_s']:.2f}"),
        ("a page, s", f"{found['page_s']:.3f} ({found['page_kb']:.0f} KB)"),
        (
            "a page with baselines, s",
            f"{found['page_with_baselines_s']:.3f} ({found['page_with_baselines_kb']:.0f} KB)",
        ),
        ("performance, s", f"{found['performance_s']:.1f}"),
        (f"baselines with {found['draws']} random accounts, s", f"{found['baselines_s']:.1f}"),
        (f"slowest of {found['pages']} pages meanwhile, s", f"{found['slowest_page_s']:.2f}"),
        ("memory of all of it, MB", f"{found['memory_mb']:.0f}"),
    ]
    return "\n".join(
        [
            "# The view of a long account",
            "",
            f"`python benchmarks/account_view.py` on {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}: {bars:,} bars of {MARKETS} markets, {found['trades']:,} trades.",
            "",
            "| | |",
            "|---|---:|",
            *(f"| {name} | {value} |" for name, value in rows),
            "",
            f"Limit: {MOST_PAGE_S:g} s for a page while performance and baselines are measured.",
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
