"""Downloads of a market whose prices continue at another scale, joined by `--split`."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import ArgumentError, DataError
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from quorate.market.files.splits import Split, read_splits
from quorate.workflows.check import check
from quorate.workflows.download import download
from stubs.binance import BinanceStub, Fault

START = parse_ms("2024-01-01")
BARS = 24 * 40
END = START + BARS * HOUR_MS
SYMBOL = "SYNA/USDT:USDT"
AT = 700
SPLIT = Split(SYMBOL, START + AT * HOUR_MS, 100.0)
TEXT = f"{SYMBOL}=100@2024-01-30T04:00"
COLUMNS = ("open", "high", "low", "close", "volume")


def at_two_scales(candles):
    factor = np.where(candles.time < SPLIT.time, 100.0, 1.0)
    prices = {name: getattr(candles, name) / factor for name in ("open", "high", "low", "close")}
    return replace(candles, **prices, volume=candles.volume * factor)


@pytest.fixture(scope="module")
def truth():
    return SyntheticMarket(seed=5, symbols=2, bars=BARS, start=START)


@pytest.fixture(scope="module")
def served(truth, tmp_path_factory):
    """The exchange's folder: the first market's prices are 100 times larger from the 700th bar on."""
    folder = tmp_path_factory.mktemp("served")
    truth.write(folder)
    write_candles(folder, at_two_scales(truth.candles(SYMBOL)))
    write_candles(folder, at_two_scales(truth.candles(SYMBOL)), mark=True)
    return folder


@pytest.fixture
def stub(served, monkeypatch):
    with BinanceStub(served, now=END + 60_000) as stub:
        monkeypatch.setenv("QUORATE_EXCHANGE__URL", stub.url)
        monkeypatch.setenv("QUORATE_EXCHANGE__ATTEMPTS", "2")
        monkeypatch.setenv("QUORATE_EXCHANGE__PAUSE_S", "0.01")
        monkeypatch.setenv("QUORATE_EXCHANGE__PAGE_ROWS", "100")
        monkeypatch.setenv("QUORATE_EXCHANGE__FLUSH_PAGES", "1")
        yield stub


def require_joined(folder, truth, start=0):
    """Candles and mark prices from bar `start` on are those of one scale; settlements are as the exchange gave them."""
    stored = FreqtradeFolder(folder)
    for candles, has_volume in ((stored.candles(SYMBOL, "1h"), True), (stored.mark(SYMBOL, "1h"), False)):
        whole = truth.candles(SYMBOL)[start:]
        np.testing.assert_array_equal(candles.time, whole.time)
        for name in COLUMNS if has_volume else COLUMNS[:4]:
            np.testing.assert_allclose(getattr(candles, name), getattr(whole, name), rtol=1e-9)
    funding, rates = stored.funding(SYMBOL), truth.funding(SYMBOL)
    settled = np.isin(rates.time, funding.time)
    np.testing.assert_array_equal(funding.rate, rates.rate[settled])
    assert not [change for file in check(folder).files for change in file.report.scale_changes]
    assert read_splits(folder) == (SPLIT,)


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock"}


def test_a_download_is_stored_at_the_new_scale_and_a_second_run_changes_nothing(stub, truth, tmp_path):
    made = download(tmp_path, symbols=SYMBOL, start="2024-01-01", splits=TEXT)
    assert made.ok
    assert [(file.path.parent.name, file.rows) for file in made.joined] == [("futures", AT)] * 2
    assert f"{2 * AT:,} rows at another scale converted" in made.title
    require_joined(tmp_path, truth)
    before = content(tmp_path)
    for splits in (TEXT, ()):
        again = download(tmp_path, symbols=SYMBOL, start="2024-01-01", splits=splits)
        assert (again.added, sum(file.rows for file in again.joined), again.unjoined) == (0, 0, ())
    assert content(tmp_path) == before


def test_the_command_line(stub, truth, tmp_path, capsys):
    line = ["data", "download", "--symbols", SYMBOL, "--from", "2024-01-01", "--out", str(tmp_path), "--split", TEXT]
    assert main([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [file["rows"] for file in document["joined"]] == [AT, AT]
    assert document["unjoined"] == []
    require_joined(tmp_path, truth)
    assert main([*line, "--split", "SYNA=100"]) == 2
    assert "SYMBOL=FACTOR@DATE" in " ".join(capsys.readouterr().err.split())


def test_older_and_newer_rows_of_later_downloads_are_at_the_same_scale(stub, truth, tmp_path):
    download(tmp_path, symbols=SYMBOL, start=START + 650 * HOUR_MS, end=START + 800 * HOUR_MS, splits=TEXT)
    download(tmp_path, symbols=SYMBOL, start=START)
    require_joined(tmp_path, truth)


def test_a_folder_that_begins_after_the_split_is_continued_to_before_it(stub, truth, tmp_path):
    made = download(tmp_path, symbols=SYMBOL, start=START + 800 * HOUR_MS, splits=TEXT)
    assert (made.ok, made.joined) == (True, ())
    require_joined(tmp_path, truth, start=800)
    download(tmp_path, symbols=SYMBOL, start=START)
    require_joined(tmp_path, truth)


def test_candles_stored_before_the_split_was_known_are_joined_once(stub, truth, tmp_path):
    download(tmp_path, symbols=SYMBOL, start=START, end=START + 500 * HOUR_MS)
    download(tmp_path, symbols=SYMBOL, start=START, splits=[TEXT])
    require_joined(tmp_path, truth)


def test_a_download_that_broke_off_is_joined_by_the_next(stub, truth, tmp_path, capsys):
    fault = Fault("status", path="klines", symbol="SYNAUSDT", code=503, times=2, after=3)
    stub.faults.add(fault)
    line = ["data", "download", "--symbols", SYMBOL, "--from", "2024-01-01", "--out", str(tmp_path), "--split", TEXT]
    assert main(line) == 1
    assert "is not joined yet: the download broke off; run it again" in " ".join(capsys.readouterr().err.split())
    assert read_splits(tmp_path) == ()
    assert main(line) == 0
    require_joined(tmp_path, truth)


def test_a_split_that_the_candles_do_not_show_is_refused_and_they_are_kept(stub, truth, tmp_path):
    for factor in (3, 1000, 0.01):
        with pytest.raises(DataError, match=r"found prices (1|9)[\d.]* times those before.*expected about"):
            download(tmp_path, symbols=SYMBOL, start=START, splits=TEXT.replace("=100@", f"={factor}@"))
    with pytest.raises(DataError, match="no bars on both sides"):
        download(tmp_path, symbols=SYMBOL, start=START, splits=f"{SYMBOL}=100@2024-03-01")
    assert not (tmp_path / "splits.json").exists()
    stored = FreqtradeFolder(tmp_path).candles(SYMBOL, "1h")
    np.testing.assert_array_equal(stored.close, at_two_scales(truth.candles(SYMBOL)).close)


@pytest.mark.parametrize(
    ("splits", "words"),
    [
        ("SYNB/USDT:USDT=100@2024-01-30", "SYNB/USDT:USDT, which is not downloaded; expected one of SYNA/USDT:USDT"),
        ("SYNA=100@2024-01-30", "SYMBOL=FACTOR@DATE"),
        (5, "`splits` of type int"),
        ([5], "`splits` with an entry of type int"),
    ],
)
def test_splits_that_cannot_be_used_are_refused_before_the_download(stub, tmp_path, splits, words):
    with pytest.raises(ArgumentError, match=words):
        download(tmp_path / "none", symbols=SYMBOL, start=START, splits=splits)
    assert not (tmp_path / "none").exists()
