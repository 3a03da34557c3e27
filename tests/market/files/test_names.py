from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import QuorateError, UnknownSymbolError, UnknownTimeframeError
from quorate.market.files.names import FORMATS, candle_kind, is_perpetual, market_path, parse


@pytest.mark.parametrize(
    ("symbol", "timeframe", "kind", "name"),
    [
        ("BTC/USDT", "4h", "spot", "BTC_USDT-4h.feather"),
        ("BTC/USDT:USDT", "1h", "futures", "futures/BTC_USDT_USDT-1h-futures.feather"),
        ("1000PEPE/USDT:USDT", "5m", "futures", "futures/1000PEPE_USDT_USDT-5m-futures.feather"),
        ("ADA/USDT:USDT", "1h", "mark", "futures/ADA_USDT_USDT-1h-mark.feather"),
        ("ADA/USDT:USDT", "8h", "funding_rate", "futures/ADA_USDT_USDT-8h-funding_rate.feather"),
        ("BTC/USDT:USDT-251226", "1d", "futures", "futures/BTC_USDT_USDT-251226-1d-futures.feather"),
        ("币安人生/USDT:USDT", "1h", "futures", "futures/币安人生_USDT_USDT-1h-futures.feather"),
    ],
)
def test_names_and_symbols_stand_for_each_other(symbol, timeframe, kind, name):
    path = market_path(Path("binance"), symbol, timeframe, kind)
    assert path == Path("binance") / name
    file = parse(path)
    assert (file.symbol, file.timeframe, file.kind) == (symbol, timeframe, kind)
    for suffix in FORMATS:
        assert parse(market_path(Path("binance"), symbol, timeframe, kind, suffix)).symbol == symbol


@pytest.mark.parametrize(
    "name",
    [
        "futures/universe.csv",
        "BTC_USDT-trades.feather",
        "BTC_USDT-1h.h5",
        "BTC_USDT-1Mo.feather",
        "BTC_USDT-0h.feather",
        "BTCUSDT-1h.feather",
        "_USDT-1h.feather",
        "futures/BTC_USDT_USDT-1h.feather",
        "futures/BTC_USDT-1h-futures.feather",
        "BTC_USDT_USDT-1h-futures.feather",
        "futures/BTC_USDT_USDT-1h-index.feather",
        "BTC_USDT-4h.quarantine.csv",
    ],
)
def test_other_files_are_no_markets(name):
    assert parse(Path("binance") / name) is None


def test_a_name_can_be_believed_outside_its_folder():
    assert parse(Path("downloads/BTC_USDT_USDT-1h-futures.json"), anywhere=True).symbol == "BTC/USDT:USDT"


def test_a_character_that_file_names_lack_becomes_an_underscore():
    path = market_path(Path(), "A.B/USDT", "1h", "spot")
    assert path.name == "A_B_USDT-1h.feather"
    assert parse(path).symbol == "A_B/USDT"


@pytest.mark.parametrize(
    ("symbol", "perpetual", "kind"),
    [
        ("BTC/USDT", False, "spot"),
        ("BTC/USDT:USDT", True, "futures"),
        ("BTC/USDT:USDT-251226", False, "futures"),
    ],
)
def test_perpetuals(symbol, perpetual, kind):
    assert is_perpetual(symbol) is perpetual
    assert candle_kind(symbol) == kind


@pytest.mark.parametrize(
    "symbol", ["", "BTC", "BTCUSDT", "a/b/c", "../../etc/passwd", "BTC/", "/USDT", "A/B:", "A\0/B", "A\udcff/B"]
)
def test_what_ccxt_would_not_name_is_refused(symbol):
    with pytest.raises(UnknownSymbolError, match="BTC/USDT"):
        market_path(Path("binance"), symbol, "1h", "spot")


def test_a_timeframe_that_is_none_is_refused():
    with pytest.raises(UnknownTimeframeError, match="1hour"):
        market_path(Path("binance"), "BTC/USDT", "1hour", "spot")


@given(st.text(max_size=60), st.text(max_size=6))
def test_no_symbol_leaves_the_folder(symbol, timeframe):
    try:
        path = market_path(Path("/data/binance"), symbol, timeframe, "spot")
    except QuorateError:
        return
    assert path.parent == Path("/data/binance")
    assert "\0" not in path.name
