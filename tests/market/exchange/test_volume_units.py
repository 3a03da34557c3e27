"""Units of volume: what ccxt passes on, what is stored, and choices by quote volume."""

import numpy as np
import pytest

from quorate.market.exchange.client import load_ccxt
from quorate.market.exchange.paging.volume_units import BASE, CONTRACTS, QUOTE, base_volume, warn_of_unknown_unit

LINEAR = {"contract": True, "swap": True, "spot": False, "linear": True, "inverse": False, "contractSize": 0.01}
TIME = 1_704_067_200

# A row as each exchange sends it, of 250 contracts, of which ccxt must return 250: a release of ccxt that converts them
# itself would make the table wrong.
ROWS = {
    "gate": {"t": TIME, "o": "100", "h": "101", "l": "99", "c": "100", "v": 250},
    "kucoinfutures": [TIME * 1000, 100, 101, 99, 100, 250],
    "mexc": [TIME * 1000, 100, 101, 99, 100, 250],
    "xt": {"t": TIME * 1000, "o": "100", "h": "101", "l": "99", "c": "100", "a": "250", "v": "250"},
    "poloniex": ["99", "101", "100", "100", "250", "250", "3", str(TIME * 1000), str(TIME * 1000 + 59_999)],
    "deepcoin": [str(TIME * 1000), "100", "101", "99", "100", "250", "250"],
    "toobit": [TIME * 1000, "100", "101", "99", "100", "250"],
    "hashkey": [TIME * 1000, "100", "101", "99", "100", "250", 0, "250"],
}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_contracts_of_the_table_are_what_ccxt_returns(name):
    client = getattr(load_ccxt(), name)()
    row = client.parse_ohlcv(ROWS[name], LINEAR)
    assert row[5] == 250
    volume = base_volume(name, LINEAR, np.array([row[5]]), np.array([row[4]]))
    assert volume.tolist() == [2.5]


def test_base_units_stay_as_they_are():
    for name in ("binanceusdm", "okx", "bybit"):
        assert base_volume(name, LINEAR, np.array([250.0]), np.array([100.0])).tolist() == [250.0]
    spot = {"contract": False, "contractSize": None}
    assert base_volume("gate", spot, np.array([250.0]), np.array([100.0])).tolist() == [250.0]


def test_money_is_divided_by_the_price():
    assert base_volume("btse", LINEAR, np.array([250.0, 0.0]), np.array([100.0, 5.0])).tolist() == [2.5, 0.0]


def test_every_name_is_an_exchange_of_ccxt_in_one_unit_only():
    known = set(load_ccxt().exchanges)
    assert not CONTRACTS & QUOTE
    assert not (CONTRACTS | QUOTE) & BASE
    assert known | {"gateio", "hibachi"} >= CONTRACTS | QUOTE


def test_an_unknown_unit_is_said(caplog):
    warn_of_unknown_unit("digifinex", {"A/USDT:USDT": LINEAR})
    assert "digifinex: whether the volume of its perpetuals counts base units or contracts is unknown" in caplog.text
    caplog.clear()
    warn_of_unknown_unit("digifinex", {"A/USDT:USDT": {**LINEAR, "contractSize": 1.0}})
    warn_of_unknown_unit("gate", {"A/USDT:USDT": LINEAR})
    warn_of_unknown_unit("binanceusdm", {"A/USDT:USDT": LINEAR})
    assert not caplog.text
