"""The dashboard in Chromium: what a first visit transfers, and when it is drawn.

    python benchmarks/dashboard.py [--bundle FOLDER] [--rounds 10]

Pages of `quorate serve` as a program, on a loopback port, with four members of the default shapes on synthetic
candles of 100 markets. Each round is a new browser profile with an empty cache:

- "Now" with all markets: bytes transferred, and the largest contentful paint;
- "Market" with 700 bars: bytes, and the time until its chart is drawn;
- the first page again, with its files in the browser's cache.

Without --bundle a reference bundle is trained first. Writes dashboard.json and .md into benchmarks/results. Run on an
idle machine: the browser shares its cores with the service.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

from quorate.market import SyntheticMarket
from reference_bundle import train_reference_bundle
from service import MARKETS, RESULTS, Program

MOST_S = 0.5
MOST_KB = 400.0

_TRANSFERRED = """
[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, entry) => sum + entry.transferSize, 0)
"""
_PAINTED = """
new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
  .observe({ type: 'largest-contentful-paint', buffered: true }))
"""
# Two frames after the canvases are there, what is on them has been drawn.
_CHART = """
new Promise((done) => {
  const look = () => document.querySelector('#chart canvas')
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))) : requestAnimationFrame(look);
  look();
})
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="bundle of all four members, instead of training one")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("no Chromium: apt-get install chromium")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = SyntheticMarket(seed=7, symbols=MARKETS, bars=700)
        market.write(folder / "data")
        bundle = options.bundle or train_reference_bundle(folder / "bundles")
        service = Program(bundle.absolute(), folder)
        with service.running() as (_, (host, port)), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            pages = measure(browser, f"http://{host}:{port}", service.headers, market.names[0], options.rounds)
            found = {
                "command": "python benchmarks/dashboard.py",
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Chromium {browser.version}",
                "pages": pages,
            }
            browser.close()
    text = as_markdown(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "dashboard.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / "dashboard.md").write_text(text, encoding="utf-8")
    return 0 if kept(found["pages"]["Now"]) else 1


def measure(
    browser: Browser, base: str, headers: dict[str, str], symbol: str, rounds: int
) -> dict[str, dict[str, float]]:
    """Medians of each page: seconds until it is drawn, and KB transferred. The first round warms the service up."""
    seen: dict[str, list[tuple[float, float]]] = {"Now": [], "Now, again": [], "Market": []}
    for _ in range(rounds + 1):
        context = browser.new_context(viewport={"width": 1440, "height": 900}, extra_http_headers=headers)
        page = context.new_page()
        seen["Now"].append(visit(page, f"{base}/dashboard", _PAINTED))
        seen["Now, again"].append(visit(page, f"{base}/dashboard", _PAINTED))
        context.close()
        context = browser.new_context(viewport={"width": 1440, "height": 900}, extra_http_headers=headers)
        seen["Market"].append(visit(context.new_page(), f"{base}/dashboard/market?symbol={quote(symbol)}", _CHART))
        context.close()
    return {
        name: {"drawn_s": statistics.median(times), "transferred_kb": statistics.median(sizes)}
        for name, found in seen.items()
        for times, sizes in [zip(*found[1:], strict=True)]
    }


def visit(page: Page, address: str, drawn: str) -> tuple[float, float]:
    """Seconds from the start of the navigation until the page is drawn, and KB transferred."""
    answer = page.goto(address)
    assert answer
    assert answer.ok, answer.status
    milliseconds = page.evaluate(drawn)
    return milliseconds / 1_000, page.evaluate(_TRANSFERRED) / 1_000


def kept(first: dict[str, float]) -> bool:
    """Whether the first page is as quick and as small as it has to be."""
    return first["drawn_s"] <= MOST_S and first["transferred_kb"] <= MOST_KB


def as_markdown(found: dict) -> str:
    rows = [
        f"| {name} | {page['drawn_s']:.2f} s | {page['transferred_kb']:.0f} KB |"
        for name, page in found["pages"].items()
    ]
    return "\n".join(
        [
            "# The dashboard",
            "",
            f"`{found['command']}` on {found['machine']}: {MARKETS} markets, four members; medians.",
            f"Asked for of the first page: drawn in {MOST_S:g} s, {MOST_KB:.0f} KB: "
            f"{'kept' if kept(found['pages']['Now']) else 'missed'}.",
            "",
            "| page | drawn | transferred |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
