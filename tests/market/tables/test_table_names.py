from pathlib import Path

import pytest

from quorate.core.errors import DataError, UnknownSymbolError
from quorate.market.tables.table_names import parse_table, require_table, table_ending


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


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        ("DOTUSD", "DOT/USD"),
        ("BNBUSD", "BNB/USD"),
        ("SHIBUSD", "SHIB/USD"),
        ("BATUSD", "BAT/USD"),
        ("BTCTUSD", "BTC/TUSD"),
        ("BTCBUSD", "BTC/BUSD"),
        ("BTCFDUSD", "BTC/FDUSD"),
        ("btcusdt", "BTC/USDT"),
        ("ETHBTC", "ETH/BTC"),
    ],
)
def test_a_well_known_base_says_where_a_name_is_cut(pair, symbol):
    assert parse_table(Path(f"spot/{pair}-1h.csv")).symbol == symbol


@pytest.mark.parametrize(
    ("pair", "ways"), [("ARBUSD", ("AR/BUSD", "ARB/USD")), ("FTTUSD", ("FT/TUSD", "FTT/USD")), ("XFDUSD", ("X/FDUSD",))]
)
def test_a_name_that_can_be_cut_two_ways_is_asked_about(pair, ways):
    path = Path(f"spot/{pair}-1h.csv")
    assert parse_table(path) is None
    with pytest.raises(DataError, match="which can be") as refusal:
        require_table(path)
    assert all(way in str(refusal.value) for way in ways)
    assert "Give `symbol`" in str(refusal.value)
    assert require_table(path, symbol=ways[0]).symbol == ways[0]


def test_lengths_of_bars_have_one_name():
    assert parse_table(Path("spot/BTCUSDT-60m-2024-10.csv")).timeframe == "1h"
    assert parse_table(Path("BTC_USDT-24h.csv")).timeframe == "1d"
    assert parse_table(Path("prices.csv"), symbol="BTC/USDT", timeframe="4H").timeframe == "4h"


def test_names_in_small_letters_are_no_other_markets():
    assert parse_table(Path("btc_usdt-1h.csv")).symbol == "BTC/USDT"
    assert parse_table(Path("prices.csv"), symbol="btc/usdt", timeframe="1h").symbol == "BTC/USDT"


@pytest.mark.parametrize("name", ["prices.xlsx", "BTCUSDT-1h.tsv"])
def test_tables_of_other_programs_are_named_by_their_ending(name):
    with pytest.raises(DataError, match=r"the ending .*expected one of .csv.*Save the table as CSV"):
        require_table(Path(name))


def test_a_symbol_that_is_none_is_refused():
    with pytest.raises(UnknownSymbolError):
        parse_table(Path("prices.csv"), symbol="BTCUSDT", timeframe="1h")


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.csv", ".csv"), ("a.csv.gz", ".csv.gz"), ("a.json.gz", ".json.gz"), ("a.gz", ""), ("a.md", "")],
)
def test_endings(name, ending):
    assert table_ending(Path(name)) == ending
