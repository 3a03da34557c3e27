import pytest

from quorate.core.errors import UnknownSymbolError
from quorate.market.files.spellings import normal_symbol, normal_timeframe, same_market, same_name


@pytest.mark.parametrize(
    ("text", "perpetual", "symbol"),
    [
        ("BTC/USDT", None, "BTC/USDT"),
        ("XBT/USD", None, "BTC/USD"),
        ("BINANCE:BTCUSDT.P", None, "BTC/USDT:USDT"),
        ("btc/usdt", None, "BTC/USDT"),
        ("btc/usdt:usdt", None, "BTC/USDT:USDT"),
        ("kPEPE/USDC:USDC", None, "kPEPE/USDC:USDC"),
        ("BTC-USD", None, "BTC/USD"),
        ("BTC_USDT", None, "BTC/USDT"),
        ("BTC/USDT.P", None, "BTC/USDT:USDT"),
        ("BTCUSDT.P", None, "BTC/USDT:USDT"),
        ("BTC-USDT-SWAP", None, "BTC/USDT:USDT"),
        ("ETH-USDC-PERP", None, "ETH/USDC:USDC"),
        ("BTC/USDP", None, "BTC/USDP"),
        ("BTCUSDT", True, "BTC/USDT:USDT"),
        ("BTCUSDT", False, "BTC/USDT"),
        ("BTC/USDT", True, "BTC/USDT:USDT"),
        ("BTC/USD:BTC", None, "BTC/USD:BTC"),
        ("BTC/USDT:USDT-251226", None, "BTC/USDT:USDT-251226"),
    ],
)
def test_other_spellings(text, perpetual, symbol):
    assert normal_symbol(text, perpetual=perpetual) == symbol


@pytest.mark.parametrize(
    ("text", "perpetual", "guess"),
    [
        ("BTCUSDT", None, "Did you mean BTC/USDT or BTC/USDT:USDT"),
        ("ARBUSD", True, "Did you mean AR/BUSD or ARB/USD"),
        ("BTC/USDT:USDT", False, "Did you mean BTC/USDT"),
        ("BTC/USDT.P", False, "spot"),
        ("bitcoin", None, "BTC/USDT for spot"),
        ("BTC/USDT quarterly", None, "BTC/USDT for spot"),
        ("", None, "BTC/USDT for spot"),
        ("/", True, "BTC/USDT for spot"),
        ("USDT", True, "BTC/USDT for spot"),
    ],
)
def test_what_can_be_read_in_two_ways_or_none_is_refused(text, perpetual, guess):
    with pytest.raises(UnknownSymbolError, match=guess):
        normal_symbol(text, perpetual=perpetual)


def test_texts_that_are_no_length_stay():
    texts = ["", "h", "1M", "1.5h", "90m", "1w"]
    assert [normal_timeframe(text) for text in texts] == texts


@pytest.mark.parametrize(
    ("names", "twice"),
    [
        (["BTC/USDT", "BTC/USDT:USDT", "BTC/USDC", "BTC/USDT:USDT-241227", "BTC/USDT"], None),
        (["DO/TUSD", "DOT/USD"], None),
        (["AR/BUSD", "ARB/USD", "ETH/BTC"], None),
        (["BTC/USDT", "ETH/USDT", "btc_usdt"], ("BTC/USDT", "btc_usdt")),
        (["BTCUSDT", "BTC/USDT:USDT"], ("BTC/USDT:USDT", "BTCUSDT")),
        (["BTC/USDT-PERP", "BTC/USDT:USDT"], ("BTC/USDT-PERP", "BTC/USDT:USDT")),
        (["BTC_USDT/USDT", "BTC/USDT:USDT"], ("BTC_USDT/USDT", "BTC/USDT:USDT")),
        (["", "?", "BTC"], None),
        ([], None),
    ],
)
def test_two_names_of_one_market(names, twice):
    assert same_name(names) == twice


@pytest.mark.parametrize(
    ("name", "symbol", "same"),
    [
        ("BTCUSDT", "BTC/USDT", True),
        ("BTC/USDT", "BTC/USDT", True),
        ("BTC/USDT:USDT", "BTC/USDT:USDT", True),
        ("BTC-USDT-SWAP", "BTC/USDT:USDT", True),
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT", True),
        ("ETHUSDT", "BTC/USDT", False),
        ("ETHBTC", "BTC/USDT", False),
        ("BTCUSDT.P", "BTC/USDT", False),
        ("BTC/USD:BTC", "BTC/USD", False),
    ],
)
def test_rows_of_the_same_market(name, symbol, same):
    assert same_market(name, symbol) is same
