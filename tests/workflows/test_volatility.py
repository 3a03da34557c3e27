"""`quorate.volatility` and `quorate.volatility_frame`, as a user calls them."""

import json
import math

import numpy as np
import pytest

import quorate
from quorate.core.clock import iso_ms
from quorate.core.errors import ArgumentError, CandleError, TooLittleHistoryError
from quorate.market import SyntheticMarket


@pytest.fixture(scope="module")
def candles():
    return SyntheticMarket(seed=4, symbols=1, bars=1_500).candles("SYNA/USDT:USDT")


def test_the_forecast_is_that_of_the_newest_bar_of_the_frame(candles):
    forecast, frame = quorate.volatility(candles), quorate.volatility_frame(candles)
    assert forecast.time == candles.time[-1] == frame.time[-1]
    for each in forecast.horizons:
        name = each.horizon
        found = (frame.value[name][-1], frame.low[name][-1], frame.high[name][-1], frame.rows[name][-1])
        assert found == (each.value, each.low, each.high, each.rows)
        assert 0 < each.low < each.value < each.high
    assert forecast.over("5 bars").bars == 5


def test_bars_that_are_not_closed_are_left_out(candles):
    now = int(candles.time[-1]) + 60_000
    assert quorate.volatility(candles, now=now) == quorate.volatility(candles[:-1])
    assert len(quorate.volatility_frame(candles, now=now)) == len(candles) - 1
    with pytest.raises(CandleError, match="none after now"):
        quorate.volatility(candles, now=now - 3_600_000)


def test_a_horizon_with_too_little_history_says_so(candles):
    forecast = quorate.volatility(candles.tail(500))
    week = forecast.over("7 days")
    assert math.isnan(week.value)
    assert week.rows == 0
    assert "7 days         too little history" in str(forecast)
    assert json.loads(json.dumps(forecast.to_json(), allow_nan=False))["horizons"][3]["value"] is None
    with pytest.raises(TooLittleHistoryError, match="found 180 closed bars of 1h"):
        quorate.volatility(candles.tail(180))


def test_tables_and_forms_for_notebooks(candles):
    forecast, frame = quorate.volatility(candles), quorate.volatility_frame(candles)
    table = forecast.to_pandas()
    assert list(table.index) == ["1 bar", "5 bars", "1 day", "7 days"]
    assert table.loc["1 day", "value"] == forecast.over("1 day").value
    assert "SYNTHETIC" in str(forecast)
    assert "<th>volatility</th>" in forecast._repr_html_()
    assert forecast.to_json()["time"] == iso_ms(int(candles.time[-1]))
    rows = frame.to_pandas()
    assert rows[("5 bars", "value")].iloc[-1] == forecast.over("5 bars").value
    assert rows.attrs["synthetic"] is True
    assert str(frame) == repr(frame)
    known = int(np.isfinite(frame.value["1 bar"]).sum())
    assert f"1 bar at {known:,}" in str(frame)


def test_an_unknown_horizon_names_those_there_are(candles):
    with pytest.raises(ArgumentError, match="Did you mean '5 bars'"):
        quorate.volatility(candles).over("5 bar")


@pytest.mark.parametrize("call", [quorate.volatility, quorate.volatility_frame])
def test_wrong_arguments_are_refused(call, candles):
    for wrong in (None, 3, [], candles.to_pandas(), "BTC/USDT"):
        with pytest.raises(ArgumentError, match="`candles` of type"):
            call(wrong)
    with pytest.raises(ArgumentError, match="`now` of type str"):
        call(candles, now="2025-01-01")
