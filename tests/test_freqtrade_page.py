"""Every command of docs/freqtrade.md in order, run by the real programs against a stub of Binance."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import FreqtradeSettings
from quorate.market import SyntheticMarket, write_candles, write_funding
from stubs import freqtrade
from stubs.binance import spawn
from stubs.overlay import Overlay, wheel

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "freqtrade.md").read_text()


def commands_of(text):
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


OWN = "## Add Quorate to the bot you have" + PAGE.split("## Add Quorate to the bot you have")[1].split("\n## ")[0]
OWN_COMMANDS, COMMANDS = commands_of(OWN), commands_of(PAGE.replace(OWN, ""))

# A bot as somebody has it: with comments, other prices for limit orders, and keys.
BOT = """{
    // my bot
    "max_open_trades": 2, "stake_currency": "USDT", "stake_amount": 100, "dry_run": true, "timeframe": "1h",
    "initial_state": "running", "trading_mode": "futures", "margin_mode": "isolated",
    "entry_pricing": {"price_side": "same", "use_order_book": true},
    "exit_pricing": {"price_side": "same", "use_order_book": true},
    "exchange": {"name": "binance", "key": "", "secret": "", "pair_whitelist": ["ETH/USDT:USDT"], "pair_blacklist": []},
    "pairlists": [{"method": "StaticPairList"}], "dataformat_ohlcv": "feather",
}
"""

FIRST, LAST = parse_ms("2025-03-01"), parse_ms("2025-07-20")

# Small members, and a floor low enough for a BUY or SELL on many bars.
SMALL = {
    "QUORATE_MODELS__XGBOOST__TREES": "10",
    "QUORATE_MODELS__LIGHTGBM__TREES": "10",
    "QUORATE_MODELS__NHITS__WINDOW": "24",
    "QUORATE_MODELS__NHITS__HIDDEN": "[16, 12, 8]",
    "QUORATE_MODELS__NHITS__EPOCHS": "1",
    "QUORATE_MODELS__PATCHTST__WINDOW": "24",
    "QUORATE_MODELS__PATCHTST__WIDTH": "8",
    "QUORATE_MODELS__PATCHTST__HEADS": "2",
    "QUORATE_MODELS__PATCHTST__LAYERS": "1",
    "QUORATE_MODELS__PATCHTST__FEEDFORWARD": "16",
    "QUORATE_MODELS__PATCHTST__EPOCHS": "1",
    "QUORATE_TRAIN__THREADS": "1",
    "QUORATE_VOTE__FLOOR": "0.3",
}


def write_market(folder):
    """Write two perpetuals of the page's configuration, with mark prices and funding."""
    market = SyntheticMarket(seed=4, symbols=2, bars=(LAST - FIRST) // HOUR_MS + 24, start=FIRST, edge=0.3)
    for name, source in zip(("BTC/USDT:USDT", "ETH/USDT:USDT"), market.names, strict=True):
        candles = market.candles(source)
        digits = max(0, 4 - int(np.log10(candles.close.min())))
        prices = {column: np.round(getattr(candles, column), digits) for column in ("open", "high", "low", "close")}
        renamed = replace(candles, symbol=name, **prices)
        write_candles(folder, renamed)
        write_candles(folder, renamed, mark=True)
        write_funding(folder, replace(market.funding(source), symbol=name), synthetic=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with both programs on the path, Freqtrade's with the stub as its only exchange."""
    home = freqtrade.require()
    folder = tmp_path_factory.mktemp("page")
    write_market(folder / "market")
    programs = folder / "bin"
    programs.mkdir()
    with spawn(folder / "market") as past, spawn(folder / "market", "--live") as live:
        for name, stub in (("past", past), ("live", live)):
            exchange = {key: value for key, value in freqtrade.offline(stub.urls).items() if "pair_" not in key}
            (folder / f"{name}.json").write_text(json.dumps({"exchange": exchange}))
        (programs / "freqtrade").write_text(
            "#!/bin/sh\n"
            f'case "$1" in create-userdir) exec {home}/bin/freqtrade "$@";; trade) last={folder}/live.json;; '
            f"*) last={folder}/past.json;; esac\n"
            f'exec {home}/bin/freqtrade "$@" -c $last\n'
        )
        (programs / "quorate").write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'from quorate.cli.app import run; run()' \"$@\"\n"
        )
        for program in programs.iterdir():
            program.chmod(0o755)
        yield folder


def environment(place):
    outputs = {"QUORATE_EVALUATION__LEDGER": f"{place}/trials.jsonl", "QUORATE_EVALUATION__REPORTS": f"{place}/reports"}
    # Freqtrade wraps the lines of its log at COLUMNS.
    wide = {"COLUMNS": "400", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **SMALL, **outputs, **wide, "PATH": f"{place}/bin:{os.environ['PATH']}"}


def run(place, command, cwd=None, **more):
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=cwd or place,
        env=environment(place) | more,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def dry_run(place, command, cwd=None):
    """Run the bot until it has processed its pairs once, then stop it.

    By SIGTERM, since a background job may have inherited an ignored SIGINT.
    """
    log = place / "dry-run.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=cwd or place, env=environment(place), stdout=file, stderr=file
        )
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            if RUNS.search(said := log.read_text()) and "state='RUNNING'" in said:
                break
            time.sleep(0.5)
        time.sleep(2)
        process.terminate()
        process.wait(60)
    return log.read_text()


# The bot's line for a pair's newest closed bar.
RUNS = re.compile(r"- 20\d\d-\d\d-\d\d \d\d:00 ETH/USDT:USDT: (BUY|SELL|HOLD) \d+% by \w+ \| .*xgb:")


def test_quorate_is_added_to_a_bot_that_exists(place, tmp_path):
    own = place / "own"
    user_data = own / "user_data"
    (user_data / "data").mkdir(parents=True)
    (user_data / "data" / "binance").symlink_to(place / "market")
    (user_data / "config.json").write_text(BOT)
    outputs = {}
    for command in OWN_COMMANDS:
        words = shlex.split(command)
        if words[0] == "pip":
            built = wheel(tmp_path)
            arguments = [str(built) if word == "./quorate" else word for word in words[1:]]
            done = Overlay(tmp_path / "venv").python("-m", "pip", *arguments, "--dry-run")
            assert done.returncode == 0 or "No matching distribution" in done.stderr, done.stderr
        elif words[1] == "trade":
            outputs["trade"] = dry_run(place, command, own)
        else:
            trees = " --models xgboost,lightgbm" if words[1] == "train" else ""
            outputs[words[1]] = run(place, command + trees, own)
    assert list(outputs) == ["train", "freqtrade", "backtesting", "trade"]
    assert "2 of 2 members" in re.sub(r"\s+", " ", outputs["train"])
    assert "BACKTESTING REPORT" in outputs["backtesting"]
    assert RUNS.search(outputs["trade"]), outputs["trade"][-3000:]
    assert len(RUNS.findall(outputs["trade"])) == 1, "one line for each closed bar"
    assert (user_data / "config.json").read_text() == BOT


def test_the_commands_of_the_page_run_in_order(place, tmp_path):
    outputs = {}
    for command in COMMANDS:
        words = shlex.split(command)
        if words[1] == "plot-dataframe":
            # Lent by this environment to Freqtrade's.
            for place_of in ("plotly", "_plotly_utils", "plotly-*.dist-info"):
                for found in Path(find_spec("plotly").origin).parents[1].glob(place_of):
                    (tmp_path / found.name).symlink_to(found)
            run(place, command, PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
        elif words[1] == "trade":
            outputs[command] = dry_run(place, command)
        else:
            outputs[command] = run(place, command)
    assert len(outputs) == len(COMMANDS) - 1 == 13
    (chart,) = (place / "user_data" / "plot").glob("*.html")
    drawn = chart.read_text()
    for name in ("action", "votes", "buy", "sell", "confidence", "xgboost"):
        assert f'"name":"quorate_{name}"' in drawn, name
    by_verb = {}
    for command, output in outputs.items():
        words = [word for word in shlex.split(command) if not word.startswith("QUORATE_")]
        by_verb.setdefault(" ".join(words[:2]), []).append(re.sub(r"\s+", " ", output))
    first, rolling = by_verb["quorate train"]
    assert "4 of 4 members in " in first
    assert "Series of 2 bundles" in rolling
    assert (place / "user_data/data/binance/futures/BTC_USDT_USDT-1h-mark.feather").exists()
    for output in by_verb["freqtrade backtesting"]:
        assert "BACKTESTING REPORT" in output
        assert "no entries" in output
        assert "Traceback" not in output
    assert "before_series" not in by_verb["freqtrade backtesting"][0]
    assert all(re.search(r"\b\d+ trades?: ", output) for output in by_verb["quorate backtest"])
    (bot,) = by_verb["freqtrade trade"]
    assert "quorate: bundle " in bot
    assert "members xgboost, lightgbm, nhits, patchtst; guards on" in bot
    assert "Traceback" not in bot
    assert "losses" in by_verb["quorate freqtrade"][1]


def test_settings_named_on_the_page_exist():
    known = json.loads(
        subprocess.run(
            [
                sys.executable,
                "-c",
                "import json; from quorate.core.configuration import known_keys; print(json.dumps(list(known_keys())))",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    named = set(re.findall(r"`((?:exits|costs|account|freqtrade)\.\w+)", PAGE))
    assert {"exits.reopen", "costs.slippage", "account.sizing", "exits.trail_atr"} <= named
    assert named <= set(known)
    section = set(re.findall(r'`"(\w+)": "', PAGE)) - {"price_side"}  # which is Freqtrade's own
    assert {f"freqtrade.{name}" for name in section} <= set(known)


def test_the_options_are_those_of_the_settings_with_their_defaults():
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    assert {name: json.loads(default) for name, default in rows.items()} == asdict(FreqtradeSettings())
