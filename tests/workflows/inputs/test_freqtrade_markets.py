"""Markets, timeframe and data folder of a Freqtrade configuration as a selection."""

import json

import pytest

from quorate.core.errors import ArgumentError
from quorate.workflows.inputs.freqtrade_markets import configured
from quorate.workflows.inputs.selection import Selection


@pytest.fixture
def config(world, tmp_path):
    """A configuration of one market with candles and one without."""
    path = tmp_path / "config.json"
    pairs = ["SYNA/USDT:USDT", "BTC/USDT:USDT"]
    settings = {"trading_mode": "futures", "stake_currency": "USDT", "timeframe": "1h"}
    path.write_text(json.dumps({**settings, "exchange": {"name": "binance", "pair_whitelist": pairs}}))
    return path


def test_markets_and_timeframe_go_into_the_selection(world, config):
    markets, selection = configured([config], world.data, Selection(start="2024-01-20", symbols=None, top=None))
    assert selection == {"start": "2024-01-20", "symbols": ("SYNA/USDT:USDT",), "top": None, "timeframe": "1h"}
    assert markets.without_candles == ("BTC/USDT:USDT",)
    assert markets.config.data == world.data


@pytest.mark.parametrize(
    ("selection", "words"), [({"symbols": "SYNA/USDT:USDT"}, "and `symbols`"), ({"top": 3}, "and `top`")]
)
def test_markets_selected_twice_are_refused(world, config, selection, words):
    with pytest.raises(ArgumentError, match=f"found `freqtrade_config` {words}"):
        configured([config], world.data, Selection(**selection))
