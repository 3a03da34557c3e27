"""Other spellings of markets and timeframes, in workflows."""

import pytest

import quorate
from quorate.core.errors import UnknownSymbolError
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.inputs.selection import split_names, timeframe_of


def test_spellings_of_one_meaning_are_those_of_ccxt():
    given = "btc/usdt,ETHUSDT.P,SOL-USD,XBT/EUR,ADAUSDT"
    assert split_names(given) == ("BTC/USDT", "ETH/USDT:USDT", "SOL/USD", "BTC/EUR", "ADAUSDT")
    assert timeframe_of({"timeframe": "60m"}) == "1h"


def test_names_that_are_no_market_suggest_those_of_the_folder(tmp_path):
    SyntheticMarket(symbols=2, bars=30).write(tmp_path)
    assert len(quorate.load_candles(tmp_path, "syna/usdt:usdt", "60m")) == 30
    with pytest.raises(UnknownSymbolError, match="Did you mean 'SYNA/USDT:USDT'"):
        quorate.load_candles(tmp_path, "SYNA", "1h")
    with pytest.raises(UnknownSymbolError, match="Did you mean 'SYNB/USDT:USDT'"):
        quorate.load_candles(tmp_path, "SYNBUSDT", "1h")
