"""The README and the tutorial: short, and every command and snippet of theirs works."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quorate
from quorate.cli.app import main
from quorate.core.clock import parse_ms
from quorate.core.types import Funding
from quorate.market import SyntheticMarket, write_candles
from quorate.market.files.candle_store import write_funding
from stubs.binance import BinanceStub

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()

# Tiny members, and a policy that acts whatever it is worth.
SMALL = """
[models.xgboost]
trees = 12
[models.lightgbm]
trees = 12
[models.nhits]
epochs = 1
[models.patchtst]
epochs = 1
[evaluation]
resamples = 50
"""
# Hours of the candles of the pages, which end with the bars that have closed at `NOW`.
FIRST, HOURS, NOW = "2025-05-01", 115 * 24, "2025-08-24"
# What installs or runs until it is stopped.
NOT_RUN = ("python3 -m venv", "pip install", "make ", "quorate serve", "quorate paper run --bundle bundles --exchange")


def commands(text):
    """Lines of a page's shell blocks that call the program, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    blocks += re.findall(r"(?:^    [^\n]+\n)+", text, flags=re.MULTILINE)
    return [line.strip().partition("  #")[0] for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def markets(tmp_path_factory):
    """A folder as Freqtrade's, with two perpetuals, and a CSV export of one."""
    folder = tmp_path_factory.mktemp("pages")
    market = SyntheticMarket(seed=3, symbols=2, bars=HOURS, start=parse_ms(FIRST), edge=0.05)
    data = folder / "user_data" / "data" / "binance"
    for candles, symbol in zip(market.panel().values(), ("BTC/USDT:USDT", "ETH/USDT:USDT"), strict=True):
        write_candles(data, replace(candles, symbol=symbol, synthetic=False))
        write_candles(data, replace(candles, symbol=symbol, synthetic=False), mark=True)
        settled = candles.time[::8]
        write_funding(data, Funding(symbol, settled, np.full(len(settled), 1e-4)))
    exported = candles.to_pandas().rename(columns={"date": "timestamp"})
    exported.to_csv(folder / "BTC_USDT-1h.csv", index=False)
    (folder / "quorate.toml").write_text(SMALL)
    return folder


@pytest.fixture
def at_home(markets, monkeypatch):
    monkeypatch.chdir(markets)
    return markets


def run(line):
    """Run a line in this process; its words after the program's name."""
    words = shlex.split(line)
    assert words[0] == "quorate", line
    assert main(words[1:]) == 0, line


def test_the_readme_is_short():
    assert len(README.split()) <= 600
    assert len(re.findall(r"\d+(?:[.,:-]\d+)*", README)) <= 30


@pytest.mark.integration
def test_the_commands_of_the_readme_run(at_home, monkeypatch, capsys):
    monkeypatch.setenv("QUORATE_POLICY__REFIT", "none")
    for line in commands(README):
        if not line.startswith(NOT_RUN):
            run(line.replace("--top 100 --from 2025-05-01", "--top 2 --from 2025-05-08"))
    assert (at_home / "report.html").stat().st_size > 100_000
    assert (at_home / "user_data" / "config-quorate-futures.json").exists()
    capsys.readouterr()
    exec(re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)[1], {})
    assert "class prior on the same rows" in capsys.readouterr().out


@pytest.mark.integration
def test_the_commands_of_the_tutorial_run(at_home, monkeypatch, capsys):
    monkeypatch.setenv("QUORATE_POLICY__REFIT", "none")
    lines = commands(TUTORIAL)
    assert len(lines) >= 15
    with BinanceStub(at_home / "user_data" / "data" / "binance", now=parse_ms(NOW)) as stub:
        monkeypatch.setenv("QUORATE_EXCHANGE__URL", stub.url)
        for line in lines:
            if line == "quorate demo":
                quorate.demo(symbols=3, bars=1_500)
            elif not line.startswith(NOT_RUN):
                run(
                    line.replace("--days 365", "--days 100")
                    .replace("--top 20 --from 2024-12-01", "--top 2 --from 2025-05-24")
                    .replace("--top 20", "--top 2")
                    .replace("export.csv", "BTC_USDT-1h.csv")
                )
    for name in ("trades.csv", "report.html", "first.sqlite", "demo/report.html", "candles"):
        assert (at_home / name).exists(), name


def test_messages_of_the_troubleshooting_page_are_those_of_the_code():
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    rows = [
        line.split("|")[1] for line in page.splitlines() if line.startswith("| ") and not line.startswith("| message")
    ]
    phrases = [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row)]
    assert len(phrases) > 15
    # These are of Python, and of the operating system.
    others = {"No module named", "No such file or directory"}
    assert [phrase for phrase in phrases if phrase not in code and phrase not in others] == []
