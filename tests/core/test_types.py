"""Data types: frozen, checked, views and not copies."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

from quorate import Abstention, Action, Candles, Funding, Signal, Vote
from quorate.core.errors import DataError
from quorate.core.types import CLASS_NAMES, DecisionFrame

HOUR = 3_600_000


def candles(n=5, **changes):
    price = 100.0 + np.arange(n)
    columns = {"time": HOUR * np.arange(n), "open": price, "high": price + 1, "low": price - 1, "close": price + 0.5}
    return Candles("BTC/USDT", "1h", **{**columns, "volume": np.ones(n), **changes})


def test_the_class_order_is_written_once():
    assert [(action.name, action.value) for action in Action] == [("SELL", 0), ("HOLD", 1), ("BUY", 2)]
    assert CLASS_NAMES == ("SELL", "HOLD", "BUY")


def test_candles_are_read_only_views_and_leave_the_callers_arrays_alone():
    close = np.arange(5.0) + 1
    made = candles(close=close)
    assert np.shares_memory(made.close, close)
    close[0] = 7
    with pytest.raises(ValueError, match="read-only"):
        made.close[0] = 8
    with pytest.raises(FrozenInstanceError):
        made.symbol = "ETH/USDT"
    assert np.shares_memory(made[1:3].close, close)
    assert np.shares_memory(made.tail(2).close, close)


def test_rows_are_chosen_by_time_start_inclusive_end_exclusive():
    made = candles()
    assert made.between(HOUR, 3 * HOUR).time.tolist() == [HOUR, 2 * HOUR]
    assert len(made.between(3 * HOUR, HOUR)) == 0
    assert len(made.between()) == len(made) == 5
    assert made.tail(2).time.tolist() == [3 * HOUR, 4 * HOUR]
    assert len(made.tail(99)) == 5


@pytest.mark.parametrize(("now", "closed"), [(5 * HOUR - 1, 4), (5 * HOUR, 5), (0, 0), (HOUR, 1)])
def test_a_bar_is_closed_once_its_time_is_over(now, closed):
    assert len(candles().closed(now)) == closed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"close": np.ones(4)}, "'close': 4"),
        ({"time": np.array([0, 1, 3, 2, 4])}, "row 3"),
        ({"time": np.array([0, 1, 1, 2, 3])}, "row 2"),
        ({"close": np.ones((5, 1))}, r"shape \(5, 1\)"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changes, words):
    with pytest.raises(DataError, match=words):
        candles(**changes)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_pandas_there_and_back(unit, zone):
    made = candles()
    frame = made.to_pandas()
    assert list(frame.columns) == ["date", "open", "high", "low", "close", "volume"]
    assert str(frame["date"].dt.tz) == "UTC"
    frame["date"] = frame["date"].dt.as_unit(unit)
    frame["date"] = frame["date"].dt.tz_localize(None) if zone is None else frame["date"].dt.tz_convert(zone)
    for given in (frame, frame.set_index("date")):
        back = Candles.from_pandas(given, "BTC/USDT", "1h")
        for name in ("time", "open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(getattr(back, name), getattr(made, name))
    assert isinstance(frame, pd.DataFrame)


def test_funding_has_a_rate_for_each_time():
    assert len(Funding("BTC/USDT:USDT", np.array([0, 1]), np.array([0.1, 0.2]))) == 2
    with pytest.raises(DataError, match="2 times, 1 rates"):
        Funding("BTC/USDT:USDT", np.array([0, 1]), np.array([0.1]))


def test_a_signal_as_a_line_and_as_json():
    made = Signal(
        Action.HOLD, 0.5, "split", "no_quorum", 0.6, None,
        (Vote("xgboost", Action.BUY, 0.604, scores=(0.1, 0.296, 0.604)),), (Abstention("nhits", "late"),),
        "partial", "BTC/USDT:USDT", 1_746_057_600_000,
    )  # fmt: skip
    assert made.line() == "split | xgb:BUY 60%, nhits:ABSTAIN | vol:unknown"
    assert made.to_json() == {
        "symbol": "BTC/USDT:USDT",
        "time": "2025-05-01T00:00:00Z",
        "action": "HOLD",
        "confidence": 0.5,
        "consensus": "split",
        "rule": "no_quorum",
        "mode": "partial",
        "volatility": None,
        "votes": [
            {"model": "xgboost", "action": "BUY", "score": 0.604, "scores": [0.1, 0.296, 0.604], "probabilities": None}
        ],
        "abstentions": [{"model": "nhits", "reason": "late"}],
        "line": made.line(),
        "policy": "classic",
        "probabilities": None,
        "expected_return": None,
        "prediction_set": None,
    }


def test_a_frame_of_decisions_is_cut_by_time():
    time = HOUR * np.arange(4)
    ones = np.ones(4)
    frame = DecisionFrame(
        "BTC/USDT", "1h", time, ones.astype(np.int8), ones, ones, np.array(["a"] * 4), np.array(["b"] * 4), ones,
        {"xgboost": np.arange(12.0).reshape(4, 3)},
    )  # fmt: skip
    part = frame.between(HOUR, 3 * HOUR)
    assert len(part) == 2
    assert part.time.tolist() == [HOUR, 2 * HOUR]
    assert part.scores["xgboost"].tolist() == [[3, 4, 5], [6, 7, 8]]
    assert len(frame.between()) == 4
