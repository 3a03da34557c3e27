from __future__ import annotations

import numpy as np
import pytest

from quorate.core.errors import CandleError
from quorate.core.types import Candles
from quorate.features import Bars, atr_14, build, feature_set, feature_sets, volatility_20

HOUR = 3_600_000


def flat(bars: int, **columns) -> Candles:
    values = {name: np.full(bars, 10.0) for name in ("open", "high", "low", "close", "volume")}
    for name, (row, value) in columns.items():
        values[name][row] = value
    return Candles("BTC/USDT", "1h", HOUR * np.arange(bars), *values.values())


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        ("open", 0, np.nan),
        ("high", 7, np.inf),
        ("low", 3, 0.0),
        ("close", 59, -1.0),
        ("volume", 5, -0.1),
        ("volume", 2, np.nan),
        ("volume", 1, np.inf),
    ],
)
def test_impossible_candles_are_refused_by_column_row_and_value(column, row, value):
    with pytest.raises(CandleError, match=rf"{column} {value} in row {row}, 1970-01-0\d") as caught:
        Bars(flat(60, **{column: (row, value)}))
    assert "BTC/USDT" in str(caught.value)
    assert caught.value.remedy


def test_volatility_20_by_hand():
    # Ten rises of 1 % and ten falls of 1 %: mean 0, 20 squares of 0.0001, 19 degrees of freedom.
    close = 100 * np.cumprod(np.concatenate([[1.0], np.tile([1.01, 0.99], 10)]))
    candles = Candles("A/USDT", "1h", HOUR * np.arange(21), close, close, close, close, np.ones(21))
    volatility = volatility_20(Bars(candles))
    assert np.isnan(volatility[:20]).all()
    assert volatility[20] == pytest.approx(0.01 * np.sqrt(20 / 19), rel=1e-9)


def test_atr_14_is_in_quote_currency():
    # Every bar spans 3, and no close lies outside the next bar: the average true range is 3, wherever the price is.
    for price in (4e-7, 1.0, 65_000.0):
        close = np.full(40, price)
        candles = Candles(
            "A/USDT", "1h", HOUR * np.arange(40), close, close + price * 0.02, close - price * 0.01, close, close
        )
        atr = atr_14(Bars(candles))
        assert np.isnan(atr[:14]).all()
        np.testing.assert_allclose(atr[14:], price * 0.03, rtol=1e-12)


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_no_column_depends_on_the_price_unit(make_candles, factor):
    candles = make_candles(600, 8)
    prices = (getattr(candles, name) * factor for name in ("open", "high", "low", "close"))
    moved = Candles("A/USDT", "1h", candles.time, *prices, candles.volume)
    for features in (name for name in feature_sets() if not feature_set(name).context):
        np.testing.assert_array_equal(build(moved, features), build(candles, features))


def test_intermediate_results_are_computed_once(make_candles):
    bars = Bars(make_candles(300, 1))
    build(bars, "core14")
    assert bars.ema(10) is bars.ema(10)
    assert bars.change() is bars.change()
    calls = []
    assert [bars.once("key", lambda: calls.append(1) or 5) for _ in range(3)] == [5, 5, 5]
    assert calls == [1]


def test_a_part_carries_state_from_before_it(make_candles):
    whole = Bars(make_candles(400, 2))
    part = whole.part(250, 300)
    np.testing.assert_array_equal(part.rsi(14), whole.rsi(14)[250:300])
    np.testing.assert_array_equal(part.change(), whole.change()[250:299])
    assert len(part) == 50
    assert whole.part(0, 400) is whole


@pytest.mark.parametrize("bars", [0, 1, 2, 13])
def test_a_history_within_the_warm_up_has_no_value(make_candles, bars):
    held = Bars(make_candles(500, 3)[:bars])
    assert np.isnan(volatility_20(held)).all()
    assert np.isnan(atr_14(held)).all()
    assert len(volatility_20(held)) == len(atr_14(held)) == bars
