"""Downloads into a folder: what is requested, what is stored, and what an interruption leaves."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, iso_ms
from quorate.core.errors import UnknownSymbolError
from quorate.core.types import CANDLE_COLUMNS
from quorate.market import FreqtradeFolder, check_folder, write_candles
from quorate.market.exchange import download
from stubs.binance import Fault, spawn

from .conftest import BARS, END, START, A, B, C


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def by_file(results):
    return {(result.symbol, result.kind): result for result in results}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "data"


def test_a_folder_holds_what_the_exchange_has(exchange, truth, out):
    told = []
    results = by_file(download(exchange, out, [A, B], "1h", START, progress=lambda *how: told.append(how)))
    assert {key: (result.rows, result.added, result.error) for key, result in results.items()} == {
        (A, "futures"): (BARS, BARS, ""),
        (A, "mark"): (BARS, BARS, ""),
        (A, "funding_rate"): (BARS // 8, BARS // 8, ""),
        (B, "futures"): (BARS, BARS, ""),
        (B, "mark"): (0, 0, ""),
        (B, "funding_rate"): (BARS // 8, BARS // 8, ""),
    }
    folder = FreqtradeFolder(out)
    for symbol in (A, B):
        candles, known = folder.candles(symbol, "1h"), truth.candles(symbol)
        assert all(np.array_equal(getattr(candles, name), getattr(known, name)) for name in ("time", *CANDLE_COLUMNS))
        assert folder.funding(symbol).rate.tolist() == truth.funding(symbol).rate.tolist()
    assert all(report.ok for report in check_folder(out))
    assert told[-1][1] == told[-1][2]


def test_a_second_run_asks_for_nothing_and_changes_nothing(exchange, stub, out):
    download(exchange, out, [A], "1h", START)
    before, asked = digests(out), stub.requests["klines"]
    results = download(exchange, out, [A], "1h", START)
    assert digests(out) == before
    assert sum(result.added for result in results) == 0
    assert stub.requests["klines"] == asked


def test_only_what_is_new_is_asked_for(exchange, stub, truth, out):
    stub.clock.set(END - 10 * HOUR_MS)
    download(exchange, out, [A], "1h", START)
    stub.clock.set(END + 1)
    stub.queries.clear()
    results = by_file(download(exchange, out, [A], "1h", START))
    assert results[A, "futures"].added == 10
    asked = [query for endpoint, query in stub.queries if endpoint == "klines"]
    assert [(int(query["startTime"]), int(query["limit"])) for query in asked] == [(END - 10 * HOUR_MS, 11)]
    assert len(FreqtradeFolder(out).candles(A, "1h")) == BARS


def test_holes_in_a_folder_are_filled(exchange, truth, out):
    whole = truth.candles(A)
    kept = np.r_[0:100, 140:600, 601:1150]
    columns = {name: getattr(whole, name)[kept] for name in ("time", *CANDLE_COLUMNS)}
    write_candles(out, type(whole)(A, "1h", **columns))
    results = by_file(download(exchange, out, [A], "1h", START))
    assert results[A, "futures"].added == 40 + 1 + 50
    assert FreqtradeFolder(out).candles(A, "1h").close.tolist() == whole.close.tolist()


def test_a_span_ends_before_its_end(exchange, out):
    results = by_file(download(exchange, out, [A], "1h", START + DAY_MS, START + 3 * DAY_MS))
    candles = results[A, "futures"]
    assert (candles.start, candles.end, candles.rows) == (START + DAY_MS, START + 3 * DAY_MS - HOUR_MS, 48)
    assert results[A, "funding_rate"].rows == 6
    assert candles.to_json()["start"] == iso_ms(START + DAY_MS)


def test_the_running_bar_is_not_stored(exchange, stub, out):
    stub.clock.set(END - 1)
    results = by_file(download(exchange, out, [A], "1h", END - DAY_MS))
    assert results[A, "futures"].end == END - 2 * HOUR_MS


def test_what_came_before_a_failure_is_kept_and_the_rest_comes_later(connect, stub, truth, out):
    """The exchange goes down in the middle of a history of ten parts."""
    exchange = connect(attempts=2, page_rows=60, flush_pages=2)
    stub.faults.add(Fault("status", path="klines", code=503, times=0, after=7))
    failed = by_file(download(exchange, out, [A], "1h", START))[A, "futures"]
    assert "no response in 2 attempts" in failed.error
    # Seven pages of sixty, of which two make a part that is stored.
    assert failed.rows == failed.added == 3 * 2 * 60
    stub.faults.clear()
    stub.queries.clear()
    done = by_file(download(exchange, out, [A], "1h", START))[A, "futures"]
    assert (done.rows, done.added, done.error) == (BARS, BARS - 360, "")
    asked = [int(query["startTime"]) for endpoint, query in stub.queries if endpoint == "klines"]
    assert min(asked) == START + 360 * HOUR_MS
    assert FreqtradeFolder(out).candles(A, "1h").close.tolist() == truth.candles(A).close.tolist()


def test_one_markets_trouble_is_not_the_others(connect, stub, out):
    stub.faults.add(Fault("body", path="klines", symbol="SYNBUSDT", body="[[null,1,1,1,1,1]]", times=0))
    results = by_file(download(connect(attempts=2), out, [A, B, C], "1h", END - DAY_MS))
    assert [symbol for (symbol, kind), result in results.items() if not result.ok] == [B]
    assert results[C, "futures"].rows == 24


def test_an_exchange_that_is_down_is_not_asked_for_every_file(connect, stub, out):
    exchange = connect(attempts=2, requests=1)
    exchange.require(A, "1h")
    exchange.present()
    stub.requests.clear()
    stub.faults.add(Fault("status", code=503, times=0))
    results = download(exchange, out, [A, B, C], "1h", START)
    assert not any(result.ok for result in results)
    assert sum("other files" in result.error for result in results) > 0
    assert not out.exists()


def test_contradicting_rows_are_put_aside_and_said(connect, stub, out):
    stub.faults.add(Fault("conflicts", path="klines", times=0))
    result = by_file(download(connect(page_rows=2), out, [B], "1h", END - 4 * HOUR_MS))[B, "futures"]
    assert (result.rows, result.conflicts) == (0, 8)
    assert len((out / "futures/SYNB_USDT_USDT-1h-futures.quarantine.csv").read_text().splitlines()) == 1 + 8


def test_a_file_that_cannot_be_read_is_named(exchange, out):
    path = out / "futures/SYNA_USDT_USDT-1h-futures.feather"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nonsense")
    results = by_file(download(exchange, out, [A], "1h", START))
    assert path.name in results[A, "futures"].error
    assert path.read_bytes() == b"nonsense"
    assert results[A, "mark"].ok


def test_unknown_markets_are_refused_before_anything_is_asked(exchange, stub, out):
    with pytest.raises(UnknownSymbolError):
        download(exchange, out, [A, "SYNX/USDT:USDT"], "1h", START)
    assert stub.requests["klines"] == 0


def test_a_killed_download_goes_on_where_it_was(served, truth, out):
    """`kill -9` in the middle; the next run writes the same folder as an uninterrupted one, byte for byte."""
    whole = out.with_name("whole")
    with spawn(served, "--now", iso_ms(END + 1)[:-1], "--latency-ms", "5") as stub:
        settings = {"URL": stub.url, "PAGE_ROWS": "60", "FLUSH_PAGES": "6", "PACED": "false", "REQUESTS": "1"}
        environment = {**os.environ, **{f"QUORATE_EXCHANGE__{name}": value for name, value in settings.items()}}
        options = ["--symbols", f"{A},{B}", "--from", "2024-01-01", "--json"]
        program = [str(Path(sys.executable).with_name("quorate")), "data", "download", *options]

        def run(folder: Path) -> None:
            command = [*program, "--out", str(folder)]
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

        with subprocess.Popen([*program, "--out", str(out)], env=environment, stdout=subprocess.DEVNULL) as killed:
            deadline = time.monotonic() + 30
            while not list(out.rglob("*-futures.feather")) and time.monotonic() < deadline:
                time.sleep(0.02)
            killed.kill()
        rows = [len(FreqtradeFolder(out).candles(name, "1h")) for name in FreqtradeFolder(out).symbols("1h")]
        assert rows
        assert 0 < sum(rows) < 2 * BARS
        run(out)
        run(whole)
    made = {name: digest for name, digest in digests(out).items() if name.endswith((".feather", "contracts.json"))}
    assert made == digests(whole)
