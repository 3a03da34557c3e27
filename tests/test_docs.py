"""What the pages say is what there is."""

import json
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import quorate
from quorate.cli.app import main
from quorate.core.clock import parse_ms
from quorate.core.configuration import known_keys
from quorate.features import Bars
from quorate.market import SyntheticMarket, write_candles
from stubs.binance import BinanceStub

ROOT = Path(__file__).parent.parent


def test_the_page_of_settings_is_what_the_settings_say():
    script = runpy.run_path(str(ROOT / "docs" / "settings_page.py"))
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == script["page"](), "run: python docs/settings_page.py"
    rows = dict(re.findall(r"^\| `([\w.]+)` (\|.*\|)$", page, re.MULTILINE))
    # Those of the members of a stack are shown where they differ from those of a vote.
    assert {key for key in known_keys() if not key.startswith("stack.models.")} <= rows.keys() <= set(known_keys())
    assert {key.split(".")[2] for key in rows if key.startswith("stack.models.")} == {"xgboost", "lightgbm", "lstm"}


def test_the_page_of_the_command_line_is_its_help_with_examples_that_parse():
    script = runpy.run_path(str(ROOT / "docs" / "cli_page.py"))
    page = (ROOT / "docs" / "cli.md").read_text()
    assert page == script["page"](), "run: python docs/cli_page.py"
    commands = script["commands"]()
    assert set(re.findall(r"^### (.*)$", page, re.MULTILINE)) == set(commands)
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) == {verb.replace(" ", "-") for verb in commands}
    for verb, line in script["examples"]().items():
        # Parsed as the program would: an unknown option, or a required one that is missing, raises.
        commands[verb].make_context(verb, shlex.split(line.split(" > ")[0])[len(verb.split()) :])


def test_the_page_of_the_python_api_is_what_the_docstrings_say():
    script = runpy.run_path(str(ROOT / "docs" / "python_page.py"))
    page = (ROOT / "docs" / "python_api.md").read_text()
    assert page == script["page"](), "run: python docs/python_page.py"
    names = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    assert set(quorate.__all__) <= set(names)
    # An anchor leads to one heading.
    headings = [heading.lower().replace(" ", "-") for heading in re.findall(r"^##+ (.*)$", page, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) == {name.lower() for name in names}
    for words in ("(n,) int64, open times in ms UTC", "| `CandleError` |", "`from_pandas(frame, symbol, timeframe)`"):
        assert words in page


@pytest.mark.integration
def test_the_page_of_the_api_is_what_the_service_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = runpy.run_path(str(ROOT / "docs" / "api_page.py"))
    page = (ROOT / "docs" / "api.md").read_text()
    assert page == script["page"](), "run: python docs/api_page.py"
    headings = {heading.lower() for heading in re.findall(r"^### (\w+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", page)) <= headings
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_the_python_page_runs_as_shown(tmp_path, monkeypatch, capsys):
    """Each example in the order of the page, against a local exchange that serves a synthetic market."""
    served, names = tmp_path / "served", {}
    market = SyntheticMarket(seed=3, symbols=2, bars=90 * 24, start=parse_ms("2025-01-01"), edge=0.05)
    for candles, symbol in zip(market.panel().values(), ("BTC/USDT:USDT", "ETH/USDT:USDT"), strict=True):
        write_candles(served, replace(candles, symbol=symbol))
        write_candles(served, replace(candles, symbol=symbol), mark=True)
    small = "[models.xgboost]\ntrees = 12\n[models.lightgbm]\ntrees = 12\n[evaluation]\nresamples = 50\n"
    (tmp_path / "quorate.toml").write_text(small)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), flags=re.DOTALL)
    assert len(blocks) >= 10
    with BinanceStub(served, now=parse_ms("2025-04-01")) as stub:
        monkeypatch.setenv("QUORATE_EXCHANGE__URL", stub.url)
        for block in blocks:
            exec(block, names)
    assert names["X"].shape == (len(names["candles"]), 14)
    assert names["signal"].line() == "strong | xgb:BUY 78%, lgbm:BUY 81%, patchtst:BUY 74%, nhits:ABSTAIN | vol:2.00%"
    assert names["store"].champion() == names["trained"].id == names["bundle"].id
    assert len(names["later"].to_pandas("equity"))
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert "predicting" in names["stages"]
    assert "class prior on the same rows" in capsys.readouterr().out


def test_the_stack_in_its_page_runs_as_shown(capsys):
    page = (ROOT / "docs" / "stack.md").read_text()
    code, shown = re.search(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", page, re.DOTALL).groups()
    exec(code, {})
    assert capsys.readouterr().out == re.sub("^    ", "", shown, flags=re.MULTILINE)


def test_the_volatility_page_runs_as_shown(capsys):
    page = (ROOT / "docs" / "volatility.md").read_text()
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    shown = re.search(r"\n((?:    [^\n]*\n)+)", page)[1]
    assert capsys.readouterr().out == re.sub("^    ", "", shown, flags=re.MULTILINE)


def test_links_of_the_pages_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
            # The site has the folder docs only; its strict build refuses a link out of it.
            assert page.parent == ROOT or not link.startswith(".."), f"{page.name}: {link}"


def test_every_verb_of_the_makefile_is_in_contributing():
    verbs = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    text = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "README.md").read_text()
    assert [verb for verb in verbs if f"make {verb}" not in text and verb != "clean"] == []


def test_the_look_ahead_page_runs_as_shown(capsys):
    page = (ROOT / "docs" / "lookahead.md").read_text()
    names = {}
    exec(re.search(r"```python\n(.*?)```", page, flags=re.DOTALL)[1], names)
    assert names["report"].names == ("scaled",)
    assert capsys.readouterr().out.startswith("LOOK-AHEAD\n  scaled: ")


def test_the_page_of_own_features_runs_as_shown(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "own_features.md").read_text()
    code, used = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    settings = re.search(r"```toml\n(.*?)```", page, flags=re.DOTALL)[1]
    (tmp_path / "my_features.py").write_text(code)
    (tmp_path / "quorate.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "features", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["warmup"]) for one in found["columns"]] == [("close_in_range_24", 23), ("opening_gap", 1)]
    market = SyntheticMarket(seed=1, symbols=1, bars=100)
    names = {"quorate": quorate, "candles": market.candles(market.names[0])}
    exec(used, names)
    assert names["X"].shape == (100, 15)
    # The methods that the page lists are there.
    for name in re.findall(r"(?<!: )`(\w+)\(", page[page.index("| method |") : page.index("The function returns")]):
        assert callable(getattr(Bars, name))


def test_the_example_of_own_features_trains_with_one_and_refuses_the_other():
    script = [sys.executable, "-W", "error", ROOT / "examples" / "own_features.py"]
    lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0].startswith("trained on close_in_range_24 of own_features.py, SHA-256 ")
    assert "xgb:" in lines[1]
    refused = "refused: could not use the column 'next_change' of own_features.py: found in the check 'truncation', "
    assert lines[2].startswith(refused)
    assert lines[3:] == ["1 bundle"]
