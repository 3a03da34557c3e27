from pathlib import Path

import pytest

from quorate.core.errors import DataError, UnknownSymbolError
from quorate.market.files.table_names import parse_table, require_table, table_ending


@pytest.mark.parametrize(
    ("path", "symbol", "timeframe", "kind"),
    [
        ("spot-klines-BTCUSDT-1h-2024-10-28.zip", "BTC/USDT", "1h", "spot"),
        ("futures-um-klines-BTCUSDT-1h-2024-10-28.zip", "BTC/USDT:USDT", "1h", "futures"),
        ("data/spot/monthly/klines/ETHBTC/4h/ETHBTC-4h-2024-10.zip", "ETH/BTC", "4h", "spot"),
        (
            "data/futures/um/daily/klines/1000PEPEUSDT/1m/1000PEPEUSDT-1m-2024-10-01.csv",
            "1000PEPE/USDT:USDT",
            "1m",
            "futures",
        ),
        ("spot/BTCFDUSD-1d.csv.gz", "BTC/FDUSD", "1d", "spot"),
        ("um/币安人生USDT-1h-2025-10.csv", "币安人生/USDT:USDT", "1h", "futures"),
        ("BTC_USDT-1h.csv", "BTC/USDT", "1h", "spot"),
        ("anywhere/BTC_USDT_USDT-1h-futures.parquet", "BTC/USDT:USDT", "1h", "futures"),
        ("anywhere/BTC_USDT_USDT-1h-mark.feather", "BTC/USDT:USDT", "1h", "mark"),
        ("anywhere/BTC_USDT_USDT-8h-funding_rate.json.gz", "BTC/USDT:USDT", "8h", "funding_rate"),
    ],
)
def test_names_say_which_market(path, symbol, timeframe, kind):
    file = parse_table(Path(path))
    assert (file.symbol, file.timeframe, file.kind) == (symbol, timeframe, kind)


@pytest.mark.parametrize(
    "path",
    [
        "BTCUSDT-1h-2024-10.zip",  # spot or perpetual?
        "spot/BTCXYZ-1h.csv",  # quoted in what?
        "spot/USDT-1h.csv",
        "um/BTCUSDT_240628-1h-2024-06.csv",  # a contract that expires
        "spot/prices.csv",
        "spot/BTCUSDT-1h-2024-10.txt",
        "spot/BTCUSDT-trades-2024-10.csv",
    ],
)
def test_names_that_do_not_say_it(path):
    assert parse_table(Path(path)) is None
    with pytest.raises(DataError, match="Give `symbol` and `timeframe`"):
        require_table(Path(path))


def test_arguments_fill_in_and_override():
    path = Path("BTCUSDT-1h-2024-10.zip")
    assert parse_table(path, perpetual=True).symbol == "BTC/USDT:USDT"
    assert parse_table(path, perpetual=False).symbol == "BTC/USDT"
    assert parse_table(path, symbol="XBT/USDT:USDT").symbol == "XBT/USDT:USDT"
    assert parse_table(path, symbol="BTC/USDT", perpetual=True).symbol == "BTC/USDT:USDT"
    assert parse_table(path, symbol="BTC/USDT", timeframe="4h").timeframe == "4h"
    assert parse_table(Path("spot/BTCUSDT-1h.csv"), perpetual=True).symbol == "BTC/USDT:USDT"
    assert parse_table(Path("prices.csv"), symbol="BTC/USDT") is None
    assert parse_table(Path("prices.csv"), symbol="BTC/USDT", timeframe="1h").symbol == "BTC/USDT"


def test_a_symbol_that_is_none_is_refused():
    with pytest.raises(UnknownSymbolError):
        parse_table(Path("prices.csv"), symbol="BTCUSDT", timeframe="1h")


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.csv", ".csv"), ("a.csv.gz", ".csv.gz"), ("a.json.gz", ".json.gz"), ("a.gz", ""), ("a.md", "")],
)
def test_endings(name, ending):
    assert table_ending(Path(name)) == ending
