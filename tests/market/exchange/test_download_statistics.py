"""Downloads of market statistics: what is requested, what is stored, and what the exchange no longer has."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from quorate.core.errors import ExchangeRefusedError, UnknownSymbolError
from quorate.market import FreqtradeFolder, check_folder
from quorate.market.exchange.statistics import download_statistics, feeds_of
from quorate.market.statistics import read_statistics
from stubs.binance import Fault
from stubs.binance.statistics import KEPT_MS, open_interest_at, premium_at, ratio_at, taker_share_at

from .conftest import BARS, END, START, A, B

NOW = END + HOUR_MS // 2
# What is left of 30 days, from the five minutes before; an hour less than the exchange keeps.
KEPT = NOW - KEPT_MS + HOUR_MS - 5 * MINUTE_MS
FINE = (NOW - KEPT) // (5 * MINUTE_MS)
RATIOS = {
    "long_short_accounts": "globalLongShortAccountRatio",
    "long_short_top_accounts": "topLongShortAccountRatio",
    "long_short_top_positions": "topLongShortPositionRatio",
}
ENDPOINTS = ("openInterestHist", *RATIOS.values())


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "data"


def by_file(results):
    return {(result.symbol, result.timeframe): result for result in results}


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*.feather"))}


def test_a_folder_holds_what_the_exchange_has(exchange, truth, out):
    told = []
    results = by_file(download_statistics(exchange, out, [A, B], "1h", START, progress=lambda *how: told.append(how)))
    assert {key: (result.rows, result.added > 0, result.error) for key, result in results.items()} == {
        (symbol, frame): (rows, True, "") for symbol in (A, B) for frame, rows in (("5m", FINE), ("1h", BARS))
    }
    assert told[-1] == ("downloading statistics", told[-1][2], told[-1][2])
    fine = read_statistics(out, A, "5m", now=NOW)
    assert fine.time.tolist() == list(range(KEPT, NOW, 5 * MINUTE_MS))
    assert fine.open_interest.tolist() == [open_interest_at(time) for time in fine.time.tolist()]
    assert fine.open_interest_usd.tolist() == [100 * open_interest_at(time) for time in fine.time.tolist()]
    for name, endpoint in RATIOS.items():
        np.testing.assert_allclose(getattr(fine, name), [ratio_at(endpoint, time) for time in fine.time.tolist()])
    hourly = read_statistics(out, A, "1h", now=NOW)
    assert hourly.time.tolist() == truth.candles(A).time.tolist()
    assert hourly.premium.tolist() == [premium_at(time) for time in hourly.time.tolist()]
    share = [taker_share_at(time) for time in hourly.time.tolist()]
    np.testing.assert_allclose(hourly.taker_buy_volume, share * truth.candles(A).volume)
    np.testing.assert_allclose(hourly.taker_sell_volume + hourly.taker_buy_volume, truth.candles(A).volume)
    assert all(report.ok for report in check_folder(out))


def test_the_end_of_what_the_exchange_keeps_is_told(exchange, out):
    results = by_file(download_statistics(exchange, out, [A], "1h", START))
    assert "keeps 30 days" in results[A, "5m"].note
    assert results[A, "5m"].to_json()["note"]
    assert not results[A, "1h"].note
    assert results[A, "5m"].start == KEPT
    recent = by_file(download_statistics(exchange, out / "recent", [A], "1h", NOW - DAY_MS))
    assert not recent[A, "5m"].note


def test_the_source_gives_them_in_the_bars_timeframe(exchange, out):
    download_statistics(exchange, out, [A], "1h", START)
    found = FreqtradeFolder(out, clock=lambda: NOW).statistics(A, "1h", END - 3 * HOUR_MS)
    assert found.time.tolist() == [END - 3 * HOUR_MS, END - 2 * HOUR_MS, END - HOUR_MS]
    # Of the twelve five minutes of a bar the last one, which ends when the bar closes.
    assert found.open_interest.tolist() == [open_interest_at(time + 55 * MINUTE_MS) for time in found.time.tolist()]
    assert np.isfinite(found.premium).all()


def test_a_second_run_asks_for_nothing_and_changes_nothing(exchange, stub, out):
    download_statistics(exchange, out, [A], "1h", START)
    before = digests(out)
    stub.queries.clear()
    stub.requests.clear()
    results = download_statistics(exchange, out, [A], "1h", START)
    assert digests(out) == before
    assert sum(result.added for result in results) == 0
    assert not stub.requests.keys() & {*ENDPOINTS, "klines", "premiumIndexKlines"}


def test_only_what_is_new_is_asked_for(exchange, stub, out):
    download_statistics(exchange, out, [A], "1h", NOW - 2 * DAY_MS)
    stub.clock.set(NOW + 10 * MINUTE_MS)
    stub.queries.clear()
    results = by_file(download_statistics(exchange, out, [A], "1h", NOW - 2 * DAY_MS))
    assert (results[A, "5m"].added, results[A, "1h"].added) == (2, 0)
    asked = {endpoint: query for endpoint, query in stub.queries if endpoint in ENDPOINTS}
    assert asked.keys() == {*ENDPOINTS}
    for query in asked.values():
        assert int(query["startTime"]) == NOW
        assert int(query["endTime"]) == NOW + 10 * MINUTE_MS - 1


def test_an_interrupted_download_goes_on_where_it_was(connect, stub, out):
    """One kind of request fails: its error is in the file's result, and the next run requests that kind alone."""
    stub.faults.add(Fault(kind="status", path="topLongShortPositionRatio", code=500, times=1000))
    with connect(attempts=1) as broken:
        results = by_file(download_statistics(broken, out, [A], "1h", NOW - DAY_MS))
    assert not results[A, "5m"].ok
    assert "top positions" in results[A, "5m"].error
    assert results[A, "1h"].ok
    half = read_statistics(out, A, "5m", now=NOW)
    assert "long_short_top_accounts" in half.known
    assert "long_short_top_positions" not in half.known
    stub.faults.clear()
    stub.requests.clear()
    with connect() as whole:
        results = by_file(download_statistics(whole, out, [A], "1h", NOW - DAY_MS))
    assert results[A, "5m"].ok
    assert stub.requests.keys() & {*ENDPOINTS} == {"topLongShortPositionRatio"}
    assert np.isfinite(read_statistics(out, A, "5m", now=NOW).long_short_top_positions).all()


@pytest.mark.parametrize("body", ["{}", '[{"timestamp": "soon"}]', '[{"timestamp": -5}]', "[3]", "no json"])
def test_what_is_no_answer_is_an_error_of_the_file(connect, stub, out, body):
    stub.faults.add(Fault(kind="body", path="topLongShortAccountRatio", body=body, times=1000))
    with connect(attempts=2) as source:
        results = by_file(download_statistics(source, out, [A], "1h", NOW - DAY_MS))
    assert "top accounts" in results[A, "5m"].error
    assert results[A, "5m"].rows == 24 * 12
    assert results[A, "1h"].ok


def test_spot_has_no_statistics(exchange, connect, out):
    with connect(name="binance") as spot:
        assert feeds_of(spot, "SYNA/USDT") == ()
        with pytest.raises(ExchangeRefusedError, match=r"found none of SYNA/USDT; expected perpetuals"):
            download_statistics(spot, out, ["SYNA/USDT"], "1h", START)
    with pytest.raises(UnknownSymbolError):
        download_statistics(exchange, out, ["NONE/USDT:USDT"], "1h", START)
