"""`quorate data download` against a local stub of Binance, and its folder as Freqtrade reads it."""

import json
import re

import numpy as np
import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.types import CANDLE_COLUMNS
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from stubs import freqtrade
from stubs.binance import BinanceStub, Fault

START = parse_ms("2024-01-01")
BARS = 24 * 40
END = START + BARS * HOUR_MS


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    market = SyntheticMarket(seed=5, symbols=4, bars=BARS, start=START)
    market.write(folder)
    write_candles(folder, market.candles("SYNA/USDT:USDT"), mark=True)
    return folder


@pytest.fixture
def stub(served, monkeypatch):
    with BinanceStub(served, now=END + 60_000) as stub:
        monkeypatch.setenv("QUORATE_EXCHANGE__URL", stub.url)
        monkeypatch.setenv("QUORATE_EXCHANGE__ATTEMPTS", "2")
        monkeypatch.setenv("QUORATE_EXCHANGE__PAUSE_S", "0.01")
        yield stub


def test_named_markets(stub, tmp_path, capsys):
    out = tmp_path / "data"
    line = ["data", "download", "--symbols", "SYNA/USDT:USDT,SYNB/USDT:USDT", "--days", "10", "--out", str(out)]
    assert main([*line, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["exchange"], told["ok"], told["symbols"]) == (
        "binanceusdm",
        True,
        ["SYNA/USDT:USDT", "SYNB/USDT:USDT"],
    )
    files = {(file["symbol"], file["kind"]): file for file in told["files"]}
    assert files["SYNA/USDT:USDT", "futures"]["rows"] == 240
    assert files["SYNA/USDT:USDT", "futures"]["end"] == "2024-02-09T23:00:00Z"
    # From midnight on, and the exchange settles at the end of the last bar too.
    assert files["SYNA/USDT:USDT", "funding_rate"]["rows"] == 30
    assert main(line) == 0
    assert "0 rows added, 0 files incomplete" in capsys.readouterr().out
    assert main(["data", "check", "--data", str(out)]) == 0


def test_market_statistics(stub, tmp_path, capsys):
    out = tmp_path / "data"
    line = ["data", "download", "--symbols", "SYNA/USDT:USDT", "--from", "2024-01-02", "--out", str(out)]
    assert main([*line, "--json"]) == 0
    assert "statistics" not in {file["kind"] for file in json.loads(capsys.readouterr().out)["files"]}
    assert main([*line, "--statistics", "--json"]) == 0
    told = {file["timeframe"]: file for file in json.loads(capsys.readouterr().out)["files"][-2:]}
    assert {file["kind"] for file in told.values()} == {"statistics"}
    assert told["1h"]["start"] == "2024-01-02T00:00:00Z"
    assert told["1h"]["rows"] == told["1h"]["added"] == BARS - 24
    assert "keeps 30 days" in told["5m"]["note"]
    assert told["5m"]["end"] == "2024-02-09T23:55:00Z"
    assert main([*line, "--statistics"]) == 0
    shown = capsys.readouterr().out
    assert "0 rows added, 0 files incomplete" in shown
    assert "keeps 30 days" in " ".join(shown.split())
    assert main(["data", "list", "--data", str(out), "--json"]) == 0
    assert [file["kind"] for file in json.loads(capsys.readouterr().out)].count("statistics") == 2
    assert main(["data", "check", "--data", str(out)]) == 0


def test_top_markets_by_quote_volume(stub, tmp_path, capsys):
    line = ["data", "download", "--top", "2", "--from", "2024-01-05", "--to", "2024-01-08", "--out", str(tmp_path)]
    assert main([*line, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["symbols"]) == 2
    assert "30 days" in told["rule"]
    assert {file["rows"] for file in told["files"] if file["kind"] == "futures"} == {72}
    assert main([*line]) == 0
    assert "by quote volume within 30 days of 2024-01-05" in capsys.readouterr().out


def test_incomplete_files_end_with_exit_code_1(stub, tmp_path, capsys):
    stub.faults.add(Fault("status", path="klines", symbol="SYNBUSDT", code=503, times=0))
    symbols = "SYNA/USDT:USDT,SYNB/USDT:USDT"
    assert main(["data", "download", "--symbols", symbols, "--days", "2", "--out", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert [file["symbol"] for file in told["files"] if file["error"]] == ["SYNB/USDT:USDT"]
    assert "no response in 2 attempts" in next(file["error"] for file in told["files"] if file["error"])


def test_an_exchange_that_is_down(stub, tmp_path, capsys):
    stub.stop()
    line = ["data", "download", "--symbols", "SYNA/USDT:USDT", "--days", "2", "--out", str(tmp_path), "--json"]
    assert main(line) == 1
    heard = capsys.readouterr()
    assert json.loads(heard.out)["error"]["type"] == "ExchangeDownError"
    assert heard.err.startswith("error: could not read the time of binanceusdm")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--symbols", "SYNA/USDT", "--days", "2"], 1, "Did you mean 'SYNA/USDT:USDT'"),
        (["--symbols", "SYNA/USDT:USDT", "--days", "2", "--exchange", "binanceus dm"], 1, "Did you mean 'binanceusdm'"),
        (["--symbols", "SYNA/USDT:USDT", "--days", "2", "--timeframe", "45m"], 1, "expected 45m"),
        (["--symbols", "SYNA/USDT:USDT"], 2, "--days"),
        (["--days", "2"], 2, "--symbols"),
        (["--symbols", "SYNA/USDT:USDT", "--top", "2", "--days", "2"], 2, "--symbols"),
        (["--top", "0", "--days", "2"], 2, "--top"),
    ],
)
def test_wrong_usage(stub, tmp_path, capsys, options, code, words):
    assert main(["data", "download", *options, "--out", str(tmp_path)]) == code
    assert words in re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().err)


def test_freqtrade_lists_what_was_downloaded(stub, tmp_path):
    freqtrade.require()
    data = tmp_path / "user_data/data/binance"
    # Market statistics lie in a folder of their own: Freqtrade stops at kinds of files that it does not know.
    line = ["data", "download", "--top", "4", "--days", "20", "--statistics", "--out", str(data), "--json"]
    assert main(line) == 0
    assert len(list((data / "statistics").iterdir())) == 8
    config = tmp_path / "config.json"
    exchange = freqtrade.offline(stub.urls)
    config.write_text(json.dumps({"exchange": exchange, "stake_currency": "USDT", "trading_mode": "futures"}))
    listed = freqtrade.run(
        *("list-data", "--config", config, "--userdir", tmp_path / "user_data", "--datadir", data),
        *("--trading-mode", "futures", "--show-timerange"),
        cwd=tmp_path,
        settings={"COLUMNS": "200"},  # a row of its table is a line
    )
    assert listed.returncode == 0, listed.stderr
    for letter in "ABCD":
        rows = [line for line in listed.stdout.splitlines() if f"SYN{letter}/USDT:USDT" in line]
        shown = {kind: line for line in rows for kind in ("futures", "funding_rate") if kind in line}
        assert set(shown) == {"futures", "funding_rate"}
        assert "2024-01-21 00:00:00" in shown["futures"]
        assert "2024-02-09 23:00:00" in shown["futures"]
        assert "480" in shown["futures"]


def test_freqtrade_downloads_the_same_rows(stub, tmp_path):
    """`freqtrade download-data` and `quorate data download` store identical candles, mark prices and settlements."""
    freqtrade.require()
    symbol, theirs, ours = "SYNA/USDT:USDT", tmp_path / "theirs", tmp_path / "ours"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(freqtrade.configuration(stub.urls, [symbol], futures=True)))
    (tmp_path / "user_data/data").mkdir(parents=True)
    done = freqtrade.run(
        *("download-data", "--config", config, "--userdir", tmp_path / "user_data", "--datadir", theirs),
        *("--timerange", "20240110-20240120", "--timeframes", "1h", "--trading-mode", "futures"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    span = ["--from", "2024-01-10", "--to", "2024-01-20"]
    assert main(["data", "download", "--symbols", symbol, *span, "--out", str(ours), "--json"]) == 0
    left, right = FreqtradeFolder(theirs), FreqtradeFolder(ours)
    end = parse_ms("2024-01-20")
    for read in ("candles", "mark"):
        one, other = (getattr(folder, read)(symbol, "1h", None, end) for folder in (left, right))
        assert len(one) == len(other) == 240
        assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("time", *CANDLE_COLUMNS))
    one, other = (folder.funding(symbol, None, end) for folder in (left, right))
    assert len(one) == 30
    assert (one.time.tolist(), one.rate.tolist()) == (other.time.tolist(), other.rate.tolist())
