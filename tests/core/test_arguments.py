"""Public functions called with arguments of wrong types: an error of Quorate that names the argument."""

from pathlib import Path

import numpy as np
import pytest

import quorate
from quorate.core.errors import ArgumentError

WRONG = {
    "nothing": None,
    "number": 3,
    "list": ["a"],
    "array": np.zeros((3, 2)),
    "object": object(),
    "bytes": b"x",
    "nan": float("nan"),
    "mapping": {"a": 1},
    "missing path": Path("/nowhere/at/all"),
}
HOURS = 3_600_000 * np.arange(3)
ONES = np.ones(3)
CANDLES = quorate.Candles("A/USDT", "1h", HOURS, ONES, ONES, ONES, ONES, ONES)
VOTE = quorate.Vote("xgboost", quorate.Action.BUY, 0.8)

CALLS = {
    "load_candles folder": lambda wrong: quorate.load_candles(wrong, "A/USDT", "1h"),
    "load_candles symbol": lambda wrong: quorate.load_candles(".", wrong, "1h"),
    "feature_names": quorate.feature_names,
    "features candles": lambda wrong: quorate.features(wrong, "core14"),
    "features set": lambda wrong: quorate.features(CANDLES, wrong),
    "decide votes": lambda wrong: quorate.decide([wrong]),
    "decide action": lambda wrong: quorate.decide([quorate.Vote("xgboost", wrong, 0.8)]),
    "load_bundle": quorate.load_bundle,
    "Candles symbol": lambda wrong: quorate.Candles(wrong, "1h", HOURS, ONES, ONES, ONES, ONES, ONES),
    "Candles timeframe": lambda wrong: quorate.Candles("A/USDT", wrong, HOURS, ONES, ONES, ONES, ONES, ONES),
    "Candles columns": lambda wrong: quorate.Candles("A/USDT", "1h", HOURS, wrong, ONES, ONES, ONES, ONES),
    "Candles rows": lambda wrong: CANDLES[wrong],
    "Candles.from_pandas": lambda wrong: quorate.Candles.from_pandas(wrong, "A/USDT", "1h"),
    "Funding": lambda wrong: quorate.Funding("A/USDT:USDT", wrong, ONES),
    "check": lambda wrong: quorate.check(wrong),
    "list_candles": lambda wrong: quorate.list_candles(wrong),
    "import_candles": lambda wrong: quorate.import_candles(wrong, "out"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("call", CALLS)
def test_wrong_types_are_refused(call, wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(quorate.QuorateError) as caught:
        CALLS[call](WRONG[wrong])
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("wrong", ["text", np.zeros(2), object(), [1]])
def test_a_volatility_that_is_no_number_is_refused(wrong):
    with pytest.raises(ArgumentError, match="volatility"):
        quorate.decide([VOTE], wrong)


def test_one_value_of_candles_is_taken_from_an_array():
    with pytest.raises(ArgumentError, match=r"candles\.close\[10\]"):
        CANDLES[0]
