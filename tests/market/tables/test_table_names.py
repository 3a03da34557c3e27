from pathlib import Path

import pytest

from quorate.market.tables.name_hints import NameHints, name_hints
from quorate.market.tables.readers import ending_of
from quorate.market.tables.table_names import parse_table


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
        "spot/ARBUSD-1h.csv",  # AR or ARB?
        "spot/USDT-1h.csv",
        "um/BTCUSDT_240628-1h-2024-06.csv",  # a contract that expires
        "spot/prices.csv",
        "spot/BTCUSDT-1h-2024-10.md",
        "spot/BTCUSDT-trades-2024-10.csv",
    ],
)
def test_names_that_do_not_say_it(path):
    assert parse_table(Path(path)) is None


def test_the_kind_fills_in_what_a_name_lacks():
    path = Path("BTCUSDT-1h-2024-10.zip")
    assert parse_table(path, perpetual=True).symbol == "BTC/USDT:USDT"
    assert parse_table(path, perpetual=False).symbol == "BTC/USDT"
    assert parse_table(Path("spot/BTCUSDT-1h.csv"), perpetual=True).symbol == "BTC/USDT:USDT"
    assert parse_table(Path("BTC_USDT_USDT-1h-futures.csv"), perpetual=False).symbol == "BTC/USDT:USDT"


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        *(("DOTUSD", "DOT/USD"), ("BNBUSD", "BNB/USD"), ("SHIBUSD", "SHIB/USD"), ("BATUSD", "BAT/USD")),
        *(("BTCTUSD", "BTC/TUSD"), ("BTCFDUSD", "BTC/FDUSD"), ("btcusdt", "BTC/USDT"), ("ETHBTC", "ETH/BTC")),
        *(("XBTUSD", "BTC/USD"), ("XXBTZUSD", "BTC/USD"), ("XETHZEUR", "ETH/EUR")),
    ],
)
def test_a_well_known_base_says_where_a_name_is_cut(pair, symbol):
    assert parse_table(Path(f"spot/{pair}-1h.csv")).symbol == symbol


def test_lengths_of_bars_and_letters_have_one_form():
    assert parse_table(Path("spot/BTCUSDT-60m-2024-10.csv")).timeframe == "1h"
    assert parse_table(Path("BTC_USDT-24h.csv")).timeframe == "1d"
    assert parse_table(Path("btc_usdt-1h.csv")).symbol == "BTC/USDT"


@pytest.mark.parametrize(
    ("stem", "pairs", "base", "perpetual", "timeframe"),
    [
        ("BINANCE_BTCUSDT, 60", (("BTC", "USDT"),), "", False, "1h"),
        ("BYBIT_ETHUSDT.P, 1D_3f2a1", (("ETH", "USDT"),), "", True, "1d"),
        ("BTCUSD60", (("BTC", "USD"),), "", False, "1h"),
        ("BTCUSD_H4_202501010000_202512312000", (("BTC", "USD"),), "", False, "4h"),
        ("Coinbase_BTCUSD_d", (("BTC", "USD"),), "", False, "1d"),
        ("BTC-USDT-SWAP-candlesticks", (("BTC", "USDT"),), "", True, None),
        ("XBTUSDT_1440", (("BTC", "USDT"),), "", None, "1d"),
        ("Bitcoin Historical Data - Investing.com", (), "BTC", False, None),
        ("eth_export_local", (), "ETH", None, None),
        ("prices 2025", (), "", None, None),
    ],
)
def test_what_other_names_suggest(stem, pairs, base, perpetual, timeframe):
    assert name_hints(stem) == NameHints(pairs, base, perpetual, timeframe)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.csv", ".csv"),
        ("a.csv.gz", ".csv.gz"),
        ("a.JSON.gz", ".json.gz"),
        ("a.gz", ""),
        ("a.md", ""),
        ("A.XLSX", ".xlsx"),
    ],
)
def test_endings(name, ending):
    assert ending_of(Path(name)) == ending
