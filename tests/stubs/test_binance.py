"""The stub of Binance: its behaviour that other tests rely on, without ccxt or any client of Quorate."""

import json
import socket
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest

from stubs.binance import BinanceStub, Fault, spawn

HOUR = 3_600_000
START = 1_704_067_200_000
BARS = 48


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """One perpetual and its mark prices, one spot market: 48 hours that rise by 1 each."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "futures").mkdir()
    opened = 100.0 + np.arange(BARS)
    date = pa.array(START + HOUR * np.arange(BARS), pa.int64()).cast(pa.timestamp("ms", tz="UTC"))
    prices = {"open": opened, "high": opened + 2, "low": opened - 1, "close": opened + 1, "volume": opened * 0 + 10}
    table = pa.table({"date": date, **prices})
    for name in ("futures/ABC_USDT_USDT-1h-futures", "futures/ABC_USDT_USDT-1h-mark", "ABC_USDT-1h"):
        pyarrow.feather.write_feather(table, str(folder / f"{name}.feather"))
    rate = {"open": np.full(6, 1e-4), **{name: np.zeros(6) for name in ("high", "low", "close", "volume")}}
    settled = pa.array(START + 8 * HOUR * np.arange(6), pa.int64()).cast(pa.timestamp("ms", tz="UTC"))
    path = folder / "futures/ABC_USDT_USDT-1h-funding_rate.feather"
    pyarrow.feather.write_feather(pa.table({"date": settled, **rate}), str(path))
    return folder


@pytest.fixture
def stub(data):
    with BinanceStub(data, now=START + 10 * HOUR + HOUR // 2) as stub:
        yield stub


def get(stub, path, **query):
    with urlopen(f"{stub.url}{path}?{urlencode(query)}", timeout=5) as reply:
        return json.load(reply)


def hours(rows):
    return [(row[0] - START) // HOUR for row in rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, list(range(11))),
        ({"limit": 3}, [8, 9, 10]),
        ({"startTime": START + 2 * HOUR, "limit": 3}, [2, 3, 4]),
        ({"startTime": START + 2 * HOUR + 1, "endTime": START + 4 * HOUR}, [3, 4]),
        ({"endTime": START + HOUR}, [0, 1]),
        ({"startTime": START + 11 * HOUR}, []),
    ],
)
def test_start_end_and_limit_select_rows_as_on_the_exchange(stub, query, found):
    for path in ("/fapi/v1/klines", "/fapi/v1/markPriceKlines", "/api/v3/klines"):
        assert hours(get(stub, path, symbol="ABCUSDT", interval="1h", **query)) == found


def test_market_statistics_are_those_of_30_days_as_the_exchange_documents_them(stub):
    query = {"symbol": "ABCUSDT", "period": "5m", "limit": 2}
    keys = {
        "openInterestHist": {"symbol", "sumOpenInterest", "sumOpenInterestValue", "timestamp"},
        "globalLongShortAccountRatio": {"symbol", "longShortRatio", "longAccount", "shortAccount", "timestamp"},
        "topLongShortAccountRatio": {"symbol", "longShortRatio", "longAccount", "shortAccount", "timestamp"},
        "topLongShortPositionRatio": {"symbol", "longShortRatio", "longAccount", "shortAccount", "timestamp"},
        "takerlongshortRatio": {"buySellRatio", "buyVol", "sellVol", "timestamp"},
    }
    for endpoint, names in keys.items():
        rows = get(stub, f"/futures/data/{endpoint}", **query)
        assert [row["timestamp"] for row in rows] == [stub.clock() - HOUR // 12, stub.clock()]
        assert {*rows[0]} == names
        for wrong in ({"startTime": stub.clock() - 31 * 24 * HOUR}, {"period": "7m"}):
            with pytest.raises(HTTPError, match="400"):
                get(stub, f"/futures/data/{endpoint}", **{**query, **wrong})
    assert {row[5] for row in get(stub, "/fapi/v1/premiumIndexKlines", symbol="ABCUSDT", interval="1h")} == {"0"}


def test_the_running_bar_is_partial(stub):
    rows = get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h", limit=2)
    closed, running = ([float(value) for value in row[1:6]] for row in rows)
    assert closed == [109, 111, 108, 110, 10]
    assert running == [110, 110.5, 110, 110.5, 5]
    stub.clock.advance(HOUR // 2)
    rows = get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h", limit=2)
    assert [float(value) for value in rows[0][1:6]] == [110, 112, 109, 111, 10]


def test_longer_bars_are_aggregated_from_shorter_ones(stub):
    stub.clock.set(START + BARS * HOUR)
    rows = get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="4h", limit=1)
    assert [float(value) for value in rows[0][1:6]] == [144, 149, 143, 148, 40]


def test_a_market_is_listed_with_its_first_candle(stub):
    (symbol,) = get(stub, "/fapi/v1/exchangeInfo")["symbols"]
    assert (symbol["symbol"], symbol["onboardDate"], symbol["status"]) == ("ABCUSDT", START, "TRADING")


def test_settlements_are_stamped_some_milliseconds_late(stub):
    rows = get(stub, "/fapi/v1/fundingRate", symbol="ABCUSDT", startTime=START + 1)
    assert [(row["fundingTime"] - START, row["fundingRate"]) for row in rows] == [(8 * HOUR + 3, "0.0001")]


def test_the_ticker_covers_one_day(stub):
    stub.clock.set(START + 30 * HOUR)
    ticker = get(stub, "/fapi/v1/ticker/24hr", symbol="ABCUSDT")
    assert float(ticker["quoteVolume"]) == sum(10 * (101 + bar) for bar in range(6, 31))
    assert float(ticker["lastPrice"]) == 130


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/fapi/v1/klines", {"symbol": "XYZUSDT", "interval": "1h"}, 400, -1121),
        ("/fapi/v1/klines", {"symbol": "ABCUSDT", "interval": "7h"}, 400, -1120),
        ("/fapi/v1/klines", {"interval": "1h"}, 400, -1102),
        ("/fapi/v1/leverageBracket", {}, 401, -2014),
        ("/fapi/v1/nonsense", {}, 404, -5000),
    ],
)
def test_errors_have_the_exchanges_codes(stub, path, query, status, code):
    with pytest.raises(HTTPError) as refused, urlopen(f"{stub.url}{path}?{urlencode(query)}", timeout=5):
        pass
    assert refused.value.code == status
    assert json.load(refused.value)["code"] == code
    refused.value.close()


def test_a_fault_applies_to_its_number_of_responses(stub):
    stub.faults.add(Fault("half_page", path="klines", after=1, times=2))
    found = [len(get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h", limit=4)) for _ in range(4)]
    assert found == [4, 2, 2, 4]
    assert len(get(stub, "/api/v3/klines", symbol="ABCUSDT", interval="1h", limit=4)) == 4
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("nonsense")


def test_the_weight_limit_of_a_minute_applies(data):
    with BinanceStub(data, now=START + 10 * HOUR, weight=4) as stub:
        get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h", limit=400)
        get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h", limit=400)
        with pytest.raises(HTTPError) as refused:
            get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h", limit=10)
        assert (refused.value.code, 0 < int(refused.value.headers["Retry-After"]) <= 61) == (429, True)
        refused.value.close()


def test_a_closed_port_refuses_and_opens_again(stub):
    stub.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stub.port), timeout=1)
    stub.start()
    assert get(stub, "/fapi/v1/time") == {"serverTime": stub.clock()}


def test_clock_and_faults_of_the_program_are_set_by_http(data):
    with spawn(data, "--now", "2024-01-01T05:00") as stub:
        assert get(stub, "/api/v3/time") == {"serverTime": START + 5 * HOUR}
        assert stub.post("clock", advance=HOUR)["now"] == START + 6 * HOUR
        stub.post("clock", speed=1000, skew=7)
        time.sleep(0.05)
        assert get(stub, "/api/v3/time")["serverTime"] >= START + 6 * HOUR + 50_000 + 7
        stub.post("faults", kind="status", code=418, retry_after=9)
        with pytest.raises(HTTPError, match="418") as refused:
            get(stub, "/api/v3/ping")
        assert refused.value.headers["Retry-After"] == "9"
        refused.value.close()
        assert stub.requests() == {"time": 2, "ping": 1}


def test_live_candles_end_within_a_day_and_a_half_from_now(data):
    with spawn(data, "--live") as stub:
        now = time.time_ns() // 1_000_000
        rows = get(stub, "/fapi/v1/klines", symbol="ABCUSDT", interval="1h")
        assert 0 <= now - rows[-1][0] < HOUR
        assert (rows[0][0] - START) % (24 * HOUR) == 0
