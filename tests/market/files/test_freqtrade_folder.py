import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import (
    CandleError,
    DataError,
    TooLittleHistoryError,
    UnknownSymbolError,
    UnknownTimeframeError,
)
from quorate.market.files.formats import WRITERS
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.files.inspection import check_folder

START = parse_ms("2024-01-01")
NOW = parse_ms("2025-01-01")


@pytest.fixture
def folder(tmp_path, hourly, write_feather):
    """Spot BTC at 1h and 4h, perpetuals BTC and 1000PEPE at 1h."""
    folder = tmp_path / "binance"
    write_feather(folder / "BTC_USDT-1h.feather", hourly(24))
    write_feather(folder / "BTC_USDT-4h.feather", hourly(1))
    write_feather(folder / "futures/BTC_USDT_USDT-1h-futures.feather", hourly(12))
    write_feather(folder / "futures/1000PEPE_USDT_USDT-1h-futures.feather", hourly(6))
    (folder / "futures/universe.csv").write_text("symbol,rank\n")
    return folder


def test_candles_of_spot_and_of_perpetuals(folder):
    spot = load_candles(folder, "BTC/USDT", "1h")
    assert (len(spot), spot.symbol, spot.timeframe, spot.synthetic) == (24, "BTC/USDT", "1h", False)
    assert spot.time[0] == START
    assert spot.close[:3].tolist() == [101.0, 102.0, 103.0]
    assert len(load_candles(str(folder), "BTC/USDT:USDT", "1h")) == 12
    assert len(load_candles(folder, "1000PEPE/USDT:USDT", "1h")) == 6


def test_what_is_there(folder):
    source = FreqtradeFolder(folder)
    assert source.symbols("1h") == ("1000PEPE/USDT:USDT", "BTC/USDT", "BTC/USDT:USDT")
    assert source.symbols("1h", perpetual=True) == ("1000PEPE/USDT:USDT", "BTC/USDT:USDT")
    assert source.symbols("1h", perpetual=False) == ("BTC/USDT",)
    assert source.symbols("4h") == ("BTC/USDT",)
    assert source.symbols("15m") == ()
    assert len(list(source.files())) == 4


@pytest.mark.parametrize(
    "name",
    [
        "futures/btc_usdt_usdt-1h-futures.feather",
        "btc_usdt-1h.feather",
        "BTC-USDT-1h.feather",
        "BTC_USDT_USDT-1h.feather",  # of a perpetual, beside spot
        "futures/BTC.USDT_USDT-1h-futures.feather",
    ],
)
def test_one_market_in_two_files_of_other_names_is_refused(folder, hourly, write_feather, name):
    write_feather(folder / name, hourly(12))
    source = FreqtradeFolder(folder)
    if name in ("BTC-USDT-1h.feather", "futures/BTC.USDT_USDT-1h-futures.feather"):  # no name of a market
        assert source.symbols("1h") == ("1000PEPE/USDT:USDT", "BTC/USDT", "BTC/USDT:USDT")
        return
    with pytest.raises(DataError, match="two names of one market, which would be counted twice"):
        source.symbols("1h")
    assert source.symbols("4h") == ("BTC/USDT",)
    assert len(source.candles("BTC/USDT", "1h")) == 24


def test_a_folder_without_futures(tmp_path, hourly, write_feather):
    write_feather(tmp_path / "BTC_USDT-1h.feather", hourly(2))
    assert FreqtradeFolder(tmp_path).symbols("1h") == ("BTC/USDT",)


@pytest.mark.parametrize("suffix", [".parquet", ".json.gz", ".json"])
def test_two_formats_of_different_rows_are_both_named(folder, hourly, table, suffix):
    WRITERS[suffix](table(hourly(3)), folder / f"BTC_USDT-1h{suffix}")
    with pytest.raises(DataError, match="equal rows") as refusal:
        load_candles(folder, "BTC/USDT", "1h")
    assert f"BTC_USDT-1h{suffix} (3 rows, 2024-01-01 00:00 to 2024-01-01 02:00)" in str(refusal.value)
    assert "BTC_USDT-1h.feather (24 rows, 2024-01-01 00:00 to 2024-01-01 23:00)" in str(refusal.value)
    assert len(FreqtradeFolder(folder, formats=(suffix,)).candles("BTC/USDT", "1h")) == 3
    assert len(FreqtradeFolder(folder, formats=(".feather", suffix)).candles("BTC/USDT", "1h")) == 24
    assert len(FreqtradeFolder(folder, formats=(suffix, ".feather")).candles("BTC/USDT", "1h")) == 3
    assert FreqtradeFolder(folder, formats=(suffix,)).symbols("1h") == ("BTC/USDT",)
    (folder / "BTC_USDT-1h.feather").unlink()
    assert len(load_candles(folder, "BTC/USDT", "1h")) == 3


@pytest.mark.parametrize("suffix", [".parquet", ".json.gz", ".json"])
def test_two_formats_of_equal_rows_are_one_market(folder, hourly, table, suffix):
    WRITERS[suffix](table(hourly(24)), folder / f"BTC_USDT-1h{suffix}")
    assert len(load_candles(folder, "BTC/USDT", "1h")) == 24
    WRITERS[suffix](table(hourly(24, close={3: 104.25})), folder / f"BTC_USDT-1h{suffix}")
    with pytest.raises(DataError, match="equal rows"):
        load_candles(folder, "BTC/USDT", "1h")


@pytest.mark.parametrize("kind", ["mark", "funding_rate"])
def test_two_formats_of_mark_prices_and_funding(folder, hourly, table, write_feather, kind):
    write_feather(folder / f"futures/BTC_USDT_USDT-1h-{kind}.feather", hourly(5))
    read = {
        "mark": lambda source: source.mark("BTC/USDT:USDT", "1h"),
        "funding_rate": lambda source: source.funding("BTC/USDT:USDT"),
    }[kind]
    copy = folder / f"futures/BTC_USDT_USDT-1h-{kind}.parquet"
    # Mark prices have no volume, and funding only its rate.
    WRITERS[".parquet"](table(hourly(5, volume={2: 0.0})), copy)
    rates = {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5, 4: 0.5}
    if kind == "funding_rate":
        write_feather(folder / f"futures/BTC_USDT_USDT-1h-{kind}.feather", hourly(5, open=rates))
        WRITERS[".parquet"](table(hourly(5, open=rates)), copy)
    assert len(read(FreqtradeFolder(folder)).time) == 5
    WRITERS[".parquet"](table(hourly(4, open={0: 100.5})), copy)
    with pytest.raises(DataError):
        read(FreqtradeFolder(folder))


@pytest.mark.parametrize("content", ["no rows", "no bytes", "no closed row"])
def test_an_empty_file_of_mark_prices_or_funding_is_a_missing_one(folder, hourly, write_feather, content, caplog):
    for kind in ("mark", "funding_rate"):
        path = write_feather(folder / f"futures/BTC_USDT_USDT-1h-{kind}.feather", hourly(0))
        if content == "no bytes":
            path.write_bytes(b"")
        if content == "no closed row" and kind == "mark":
            write_feather(path, hourly(24).take(np.array([23])))
    source = FreqtradeFolder(folder, clock=lambda: START + 24 * HOUR_MS - 1)
    assert source.mark("BTC/USDT:USDT", "1h") is None
    assert source.funding("BTC/USDT:USDT") is None
    assert "BTC_USDT_USDT-1h-mark.feather holds no row and is read as a missing file" in caplog.text
    reports = {report.kind: report for report in check_folder(folder) if report.kind in ("mark", "funding_rate")}
    assert reports["funding_rate"].ok
    assert "funding is unknown" in reports["funding_rate"].note
    if content != "no closed row":
        assert reports["mark"].ok
        assert "last prices are used" in reports["mark"].note


@pytest.mark.parametrize("content", ["no rows", "no bytes"])
def test_an_empty_file_of_candles_is_named(folder, hourly, write_feather, content):
    path = write_feather(folder / "BTC_USDT-1h.feather", hourly(0))
    if content == "no bytes":
        path.write_bytes(b"")
    with pytest.raises(DataError, match="BTC_USDT-1h"):
        load_candles(folder, "BTC/USDT", "1h")
    report = next(report for report in check_folder(folder) if report.path == path)
    assert not report.ok
    assert report.error


def test_the_clock_is_an_argument(folder):
    assert len(load_candles(folder, "BTC/USDT", "1h", now=START + 24 * HOUR_MS)) == 24
    assert len(load_candles(folder, "BTC/USDT", "1h", now=START + 24 * HOUR_MS - 1)) == 23
    with pytest.raises(CandleError, match=r"row 12 at 2024-01-01 12:00 with its open time \(12 such rows\)"):
        load_candles(folder, "BTC/USDT", "1h", now=START + 12 * HOUR_MS - 1)


@pytest.mark.parametrize(
    ("symbol", "timeframe", "error", "message"),
    [
        ("BTC/USDC", "1h", UnknownSymbolError, "Did you mean 'BTC/USDT' or 'BTC/USDT:USDT'?"),
        ("PEPE", "1h", UnknownSymbolError, "Did you mean '1000PEPE/USDT:USDT'?"),
        ("1000PEPE/USDT", "1h", UnknownSymbolError, "Did you mean '1000PEPE/USDT:USDT'?"),
        ("BTC/USDT", "15m", UnknownTimeframeError, "found only 1h, 4h; expected 15m"),
        ("BTC/USDT", "hourly", UnknownTimeframeError, "'hourly'"),
        ("BTCUSDT", "1h", UnknownSymbolError, "Did you mean 'BTC/USDT' or 'BTC/USDT:USDT'?"),
    ],
)
def test_unknown_markets_are_named_with_the_close_match(folder, symbol, timeframe, error, message):
    with pytest.raises(error) as refusal:
        load_candles(folder, symbol, timeframe)
    assert message in str(refusal.value)


def test_the_folder_one_above_is_a_common_mistake(folder):
    with pytest.raises(UnknownSymbolError) as refusal:
        load_candles(folder.parent, "BTC/USDT", "1h")
    assert f"Did you mean '{folder}'?" in str(refusal.value)


def test_an_empty_folder(tmp_path):
    with pytest.raises(UnknownSymbolError, match="no candles"):
        load_candles(tmp_path, "BTC/USDT", "1h")


def test_no_folder_and_a_file_in_its_place(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        FreqtradeFolder(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Not a directory"):
        FreqtradeFolder(tmp_path / "file")
    with pytest.raises(DataError, match="null"):
        FreqtradeFolder("a\0b")


# A process without root's rights, as every bot should be: root may read whatever the mode says.
_AS_NOBODY = """
import os, sys
from quorate.core.errors import DataError
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    {call}
except DataError as error:
    print(error)
else:
    sys.exit("no error")
"""


@pytest.fixture
def reachable(hourly, write_feather):
    """A folder that other users can access, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        write_feather(Path(name) / "binance/BTC_USDT-1h.feather", hourly(24))
        yield Path(name) / "binance"


def as_nobody(call: str) -> str:
    """Output of a process without permission to read."""
    code = textwrap.dedent(_AS_NOBODY).format(call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_without_permission(reachable):
    reachable.chmod(0o000)
    message = as_nobody(f"FreqtradeFolder({str(reachable)!r})")
    reachable.chmod(0o755)
    assert "Permission denied" in message
    assert str(reachable) in message
    assert "expected a readable folder" in message


def test_a_file_without_permission(reachable):
    (reachable / "BTC_USDT-1h.feather").chmod(0o000)
    message = as_nobody(f"load_candles({str(reachable)!r}, 'BTC/USDT', '1h')")
    assert "Permission denied" in message
    assert "BTC_USDT-1h.feather" in message


def test_a_fault_names_file_row_and_value(folder, hourly, write_feather):
    write_feather(folder / "BTC_USDT-1h.feather", hourly(24, close={17: float("nan")}))
    with pytest.raises(CandleError) as refusal:
        load_candles(folder, "BTC/USDT", "1h")
    message = str(refusal.value)
    assert "BTC_USDT-1h.feather" in message
    assert "row 17 at 2024-01-01 17:00 with close nan" in message
    assert "expected finite numbers" in message


def test_too_little_history(folder, hourly, write_feather):
    write_feather(folder / "BTC_USDT-1h.feather", hourly(0))
    with pytest.raises(TooLittleHistoryError, match="no closed candle in the 0 rows"):
        load_candles(folder, "BTC/USDT", "1h")
    write_feather(folder / "BTC_USDT-1h.feather", hourly(1))
    with pytest.raises(TooLittleHistoryError, match="no closed candle in the 1 rows"):
        load_candles(folder, "BTC/USDT", "1h", now=START + 5)


def test_contradicting_rows_are_put_beside_the_data(folder, hourly, write_feather, caplog):
    path = folder / "BTC_USDT-1h.feather"
    rows = hourly(5, time={3: START + 2 * HOUR_MS})
    write_feather(path, rows)
    content = path.read_bytes()
    candles = load_candles(folder, "BTC/USDT", "1h")
    assert candles.time.tolist() == [START, START + HOUR_MS, START + 4 * HOUR_MS]
    side = folder / "BTC_USDT-1h.quarantine.csv"
    assert len(side.read_text().splitlines()) == 3
    assert "2 contradicting rows" in caplog.text
    assert path.read_bytes() == content
    before = side.stat().st_mtime_ns
    assert len(load_candles(folder, "BTC/USDT", "1h")) == 3
    assert side.stat().st_mtime_ns == before
    assert FreqtradeFolder(folder).symbols("1h", perpetual=False) == ("BTC/USDT",)


def test_mark_prices(folder, hourly, write_feather):
    source = FreqtradeFolder(folder)
    assert source.mark("BTC/USDT:USDT", "1h") is None
    write_feather(folder / "futures/BTC_USDT_USDT-1h-mark.feather", hourly(4, volume={2: float("nan")}))
    mark = source.mark("BTC/USDT:USDT", "1h", START + HOUR_MS, START + 3 * HOUR_MS)
    assert mark.close.tolist() == [102.0, 103.0]
    assert mark.volume.tolist() == [0.0, 0.0]
    assert source.mark("BTC/USDT:USDT", "4h") is None
    with pytest.raises(UnknownSymbolError):
        source.mark("ETH/USDT:USDT", "1h")


@pytest.mark.parametrize("timeframe", ["1h", "8h"])
def test_funding(folder, hourly, write_feather, timeframe):
    source = FreqtradeFolder(folder)
    assert source.funding("BTC/USDT:USDT") is None
    assert source.funding("BTC/USDT") is None
    rows = hourly(3, open={0: 0.0001, 1: -0.0002, 2: 0.0003}, time={1: START + 8 * HOUR_MS + 12})
    write_feather(folder / f"futures/BTC_USDT_USDT-{timeframe}-funding_rate.feather", rows)
    funding = source.funding("BTC/USDT:USDT")
    assert funding.time.tolist() == [START, START + 2 * HOUR_MS, START + 8 * HOUR_MS]
    assert funding.rate.tolist() == [0.0001, 0.0003, -0.0002]
    assert source.funding("BTC/USDT:USDT", START + 1, START + 8 * HOUR_MS).rate.tolist() == [0.0003]
    with pytest.raises(UnknownSymbolError):
        source.funding("ETH/USDT:USDT")


@pytest.mark.data
def test_real_files():
    source = FreqtradeFolder(real_folder())
    btc = source.candles("BTC/USDT", "4h", parse_ms("2023-10-15"), parse_ms("2025-10-15"))
    assert len(btc) == 4_386
    assert np.all(np.diff(btc.time) == 4 * HOUR_MS)
    assert len(source.symbols("1h", perpetual=True)) > 100
    funding = source.funding("ADA/USDT:USDT")
    assert len(funding) > 6_000
    assert np.abs(funding.rate).max() < 0.05


def real_folder() -> Path:
    name = os.environ.get("QUORATE_DATA")
    if not name:
        pytest.skip("QUORATE_DATA does not name a folder with binance/ candles")
    return Path(name) / "binance"
