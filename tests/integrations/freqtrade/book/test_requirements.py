"""Configurations of Freqtrade that cannot follow a book, and the files that follow one."""

import json
from types import SimpleNamespace

import pytest

from quorate.core.errors import FreqtradeError
from quorate.integrations.freqtrade.book.requirements import require_configuration, require_pairs
from quorate.integrations.freqtrade.scaffold import scaffold

GOOD = {
    "timeframe": "4h",
    "position_adjustment_enable": True,
    "max_entry_position_adjustment": -1,
    "use_exit_signal": True,
    "exit_profit_only": False,
    "max_open_trades": float("inf"),
    "startup_candle_count": 10_000,
}


def strategy(**changed):
    return SimpleNamespace(**{**GOOD, **changed})


@pytest.mark.parametrize(
    ("changed", "spot", "found"),
    [
        ({}, True, "spot markets"),
        ({"timeframe": "1h"}, False, "the timeframe 1h"),
        ({"position_adjustment_enable": False}, False, '"position_adjustment_enable": false'),
        ({"max_entry_position_adjustment": 3}, False, '"max_entry_position_adjustment": 3'),
        ({"use_exit_signal": False}, False, '"use_exit_signal": false'),
        ({"exit_profit_only": True}, False, '"exit_profit_only": true'),
    ],
)
def test_a_configuration_that_cannot_follow_a_book_is_refused(changed, spot, found):
    require_configuration(strategy(), spot=False)
    with pytest.raises(FreqtradeError, match=found):
        require_configuration(strategy(**changed), spot=spot)


def test_pairs_slots_currency_and_start_up_candles_are_checked(traded):
    book = traded.book
    symbols = list(book.manifest.symbols)
    assert require_pairs(strategy(), book, [*symbols, "NONE/USDT:USDT"], "USDT", live=True) == tuple(symbols)
    assert require_pairs(strategy(max_open_trades=1), book, symbols[:1], "USDT", live=False) == (symbols[0],)
    for changed, pairs, currency, found in (
        ({}, ["NONE/USDT:USDT"], "USDT", "no pair of the book"),
        ({}, symbols, "USDC", "settled in USDT and stakes in USDC"),
        ({"max_open_trades": 4}, symbols, "USDT", '"max_open_trades": 4 with 10 pairs'),
        ({"startup_candle_count": 500}, symbols, "USDT", "500 start-up candles"),
    ):
        with pytest.raises(FreqtradeError, match=found):
            require_pairs(strategy(**changed), book, pairs, currency, live=True)


def test_init_writes_what_follows_a_book(traded, tmp_path):
    files = scaffold(tmp_path, traded.folder)
    assert [str(file.path.relative_to(tmp_path)) for file in files] == [
        "strategies/QuorateBookStrategy.py",
        "config-quorate-book.json",
        "config-quorate-add.json",
    ]
    assert {file.status for file in scaffold(tmp_path, traded.folder)} == {"unchanged"}
    whole, add = (json.loads(file.path.read_text()) for file in files[1:])
    for config in (whole, add):
        assert (config["strategy"], config["timeframe"]) == ("QuorateBookStrategy", "4h")
        assert (config["max_open_trades"], config["stake_amount"]) == (-1, 10)
        assert config["quorate"] == {"bundle": str(traded.folder), "leverage": 3.0}
    assert whole["exchange"]["pair_whitelist"] == list(traded.book.manifest.symbols)
    assert (whole["trading_mode"], whole["margin_mode"]) == ("futures", "cross")
