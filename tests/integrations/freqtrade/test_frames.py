"""Conversion of Freqtrade's data frames to candles."""

import numpy as np
import pandas as pd
import pytest

from quorate.core.errors import CandleError, DataError, FreqtradeError
from quorate.core.types import Candles
from quorate.integrations.freqtrade.frames import read_frame


@pytest.fixture
def frame(world):
    return world.panel["BTC/USDT:USDT"][:300].to_pandas()


def test_a_frame_gives_its_candles_and_other_columns_are_ignored(world, frame):
    frame["rsi"], frame["enter_tag"] = np.nan, "x"
    market = read_frame(frame, "BTC/USDT:USDT", "1h")
    expected = world.panel["BTC/USDT:USDT"][:300]
    assert (market.candles.symbol, market.candles.timeframe) == ("BTC/USDT:USDT", "1h")
    for column in ("time", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(market.candles, column), getattr(expected, column))
    assert market.rows.tolist() == list(range(300))


def test_rows_that_freqtrade_fills_into_a_gap_are_left_out_where_the_stored_bars_are_known(frame):
    """Bars 100 to 102 are missing from the folder; bar 200 has no trade, and is stored like any other."""
    close, other = frame.loc[99, "close"], frame.loc[199, "close"]
    frame.loc[200, ["open", "high", "low", "close", "volume"]] = (other, other, other, other, 0.0)
    stored = Candles.from_pandas(frame.drop(index=range(100, 103)), "BTC/USDT:USDT", "1h").time
    frame.loc[100:102, ["open", "high", "low", "close", "volume"]] = (close, close, close, close, 0.0)
    market = read_frame(frame, "BTC/USDT:USDT", "1h", stored)
    assert market.rows.tolist() == [row for row in range(300) if row not in (100, 101, 102)]
    assert np.array_equal(market.candles.time, stored)
    assert np.array_equal(market.candles.close, frame["close"].to_numpy()[market.rows])


def test_bars_without_a_trade_are_candles_where_the_stored_bars_are_not_known(frame):
    close = frame.loc[99, "close"]
    frame.loc[100:102, ["open", "high", "low", "close", "volume"]] = (close, close, close, close, 0.0)
    market = read_frame(frame, "BTC/USDT:USDT", "1h")
    assert market.rows.tolist() == list(range(300))
    assert (market.candles.volume[100:103] == 0).all()


def test_rows_of_a_frame_that_are_not_stored_and_have_trades_are_kept(frame):
    """A folder that was updated since holds other bars; only rows that look filled in are left out."""
    stored = Candles.from_pandas(frame[:200], "BTC/USDT:USDT", "1h").time
    assert len(read_frame(frame, "BTC/USDT:USDT", "1h", stored).candles) == 300


def test_a_bar_without_volume_whose_price_moved_is_kept(frame):
    frame.loc[100, "volume"] = 0.0
    assert len(read_frame(frame, "BTC/USDT:USDT", "1h").candles) == 300


@pytest.mark.parametrize(
    ("column", "value"), [("close", np.nan), ("high", np.inf), ("low", 0.0), ("open", -1.0), ("volume", -1.0)]
)
def test_an_invalid_value_is_refused_with_its_row(frame, column, value):
    frame.loc[17, column] = value
    with pytest.raises(CandleError, match=f"{column} .* in row 17"):
        read_frame(frame, "BTC/USDT:USDT", "1h")


def test_a_missing_column_a_missing_date_and_a_wrong_order_are_refused(frame):
    with pytest.raises(FreqtradeError, match="no column volume"):
        read_frame(frame.drop(columns="volume"), "BTC/USDT:USDT", "1h")
    with pytest.raises(DataError, match="not after the row before it"):
        read_frame(frame.iloc[::-1], "BTC/USDT:USDT", "1h")
    frame.loc[5, "date"] = pd.NaT
    with pytest.raises(CandleError, match="no date in row 5"):
        read_frame(frame, "BTC/USDT:USDT", "1h")


def test_columns_of_text_and_dates_of_numbers_are_refused(frame):
    text = frame.astype({"close": object})
    text.loc[3, "close"] = "high"
    with pytest.raises(CandleError, match="high"):
        read_frame(text, "BTC/USDT:USDT", "1h")
    with pytest.raises(CandleError, match="dates of"):
        read_frame(frame.assign(date=range(300)), "BTC/USDT:USDT", "1h")


def test_an_empty_frame_gives_no_candles(frame):
    market = read_frame(frame[:0], "BTC/USDT:USDT", "1h")
    assert len(market.candles) == len(market.rows) == 0
