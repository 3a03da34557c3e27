"""Candles from pandas frames as users have them."""

import numpy as np
import pandas as pd
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_ms
from quorate.core.errors import ArgumentError, CandleError, DataError, TooLittleHistoryError, UnknownTimeframeError
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.market.pandas_frames import candles_from_frame, infer_timeframe, split_frame

START = parse_ms("2024-01-01")
NOW = parse_ms("2025-01-01")
BARS = 30
NAMES = ["open", "high", "low", "close", "volume"]


def rows(length=HOUR_MS):
    """The list that ccxt's fetch_ohlcv returns."""
    return [[START + length * bar, 100.0 + bar, 103.0 + bar, 98.0 + bar, 101.0 + bar, 5.0 + bar] for bar in range(BARS)]


@pytest.fixture
def frame():
    return pd.DataFrame(rows(), columns=["timestamp", *NAMES])


def read(frame, timeframe=None):
    return candles_from_frame(frame, "BTC/USDT", timeframe, now=NOW)


def dates(frame):
    return pd.to_datetime(frame["timestamp"], unit="ms")


SHAPES = {
    "ccxt": lambda frame: frame,
    "seconds": lambda frame: frame.assign(timestamp=frame["timestamp"] // 1_000),
    "microseconds": lambda frame: frame.assign(timestamp=frame["timestamp"] * 1_000),
    "nanoseconds": lambda frame: frame.assign(timestamp=frame["timestamp"] * 1_000_000),
    "floats": lambda frame: frame.astype(float),
    "nullable": lambda frame: frame.convert_dtypes(),
    "texts of numbers": lambda frame: frame.astype(str),
    "objects": lambda frame: frame.astype(object),
    "open_time": lambda frame: frame.rename(columns={"timestamp": "open_time"}),
    "Open time": lambda frame: frame.rename(columns={"timestamp": "Open time", "close": "Close", "volume": "VOLUME"}),
    "date without a zone": lambda frame: frame.assign(date=dates(frame)).drop(columns="timestamp"),
    "date in Berlin": lambda frame: frame.assign(
        date=dates(frame).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    ).drop(columns="timestamp"),
    "dates in seconds": lambda frame: frame.assign(timestamp=dates(frame).dt.as_unit("s")),
    "ISO texts": lambda frame: frame.assign(timestamp=dates(frame).dt.strftime("%Y-%m-%dT%H:%M:%S")),
    "ISO texts with offsets": lambda frame: frame.assign(
        timestamp=[f"{moment + pd.Timedelta(hours=2)}+02:00" for moment in dates(frame)]
    ),
    "datetime objects": lambda frame: frame.assign(timestamp=dates(frame).dt.to_pydatetime().astype(object)),
    "index of dates": lambda frame: frame.set_index(dates(frame)).drop(columns="timestamp"),
    "index without a name": lambda frame: frame.set_index(dates(frame).rename(None)).drop(columns="timestamp"),
    "index of integers": lambda frame: frame.set_index("timestamp"),
    "more columns": lambda frame: frame.assign(rsi=50.0, note="x", tic="BTC"),
    "newest first": lambda frame: frame.iloc[::-1],
    "equal rows twice": lambda frame: pd.concat([frame, frame.iloc[3:5]]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_frames_of_every_shape_give_the_same_candles(frame, shape):
    before = frame.copy()
    given = SHAPES[shape](frame)
    candles = read(given)
    assert (candles.symbol, candles.timeframe, candles.synthetic) == ("BTC/USDT", "1h", False)
    for place, name in enumerate(("time", *CANDLE_COLUMNS)):
        np.testing.assert_array_equal(getattr(candles, name), [row[place] for row in rows()])
    pd.testing.assert_frame_equal(frame, before)


def test_own_candles_come_back(frame):
    made = read(frame)
    for back in (read(made.to_pandas()), Candles.from_pandas(made.to_pandas(), "BTC/USDT", "1h")):
        assert all(np.array_equal(getattr(back, name), getattr(made, name)) for name in ("time", *CANDLE_COLUMNS))
    frame.attrs["synthetic"] = True
    assert read(frame).synthetic


@pytest.mark.parametrize(
    ("length", "timeframe"),
    [(MINUTE_MS, "1m"), (15 * MINUTE_MS, "15m"), (4 * HOUR_MS, "4h"), (DAY_MS, "1d"), (3 * DAY_MS, "3d")],
)
def test_the_timeframe_is_the_most_frequent_distance(length, timeframe):
    start = START // length * length
    made = pd.DataFrame(rows(length), columns=["timestamp", *NAMES])
    made["timestamp"] += start - START
    assert read(made.drop(index=[4, 5, 11])).timeframe == timeframe
    assert read(made, timeframe).timeframe == timeframe


def test_weeks_open_on_mondays():
    made = pd.DataFrame(rows(7 * DAY_MS), columns=["timestamp", *NAMES])  # 2024-01-01 is a Monday
    assert read(made).timeframe == "1w"


def test_a_timeframe_that_cannot_be_inferred_is_to_be_named(frame):
    with pytest.raises(TooLittleHistoryError, match="`timeframe`"):
        read(frame.iloc[:1])
    assert len(read(frame.iloc[:1], "1h")) == 1
    with pytest.raises(DataError, match="1500 ms apart"):
        infer_timeframe(np.arange(5) * 1_500, "read")
    with pytest.raises(UnknownTimeframeError):
        read(frame, "hourly")


def test_a_bar_that_is_running_is_left_out(frame):
    candles = candles_from_frame(frame, "BTC/USDT", now=START + (BARS - 1) * HOUR_MS + 1)
    assert len(candles) == BARS - 1
    with pytest.raises(TooLittleHistoryError, match="no closed candle in 1 rows"):
        candles_from_frame(frame.iloc[:1], "BTC/USDT", "1h", now=START + 1)


def test_rows_that_contradict_each_other_are_a_gap_with_a_warning(frame, caplog):
    other = frame.iloc[[7]].assign(close=106.5)
    candles = read(pd.concat([frame, other]))
    assert len(candles) == BARS - 1
    assert START + 7 * HOUR_MS not in candles.time
    assert "2 contradicting rows" in caplog.text


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda frame: frame.drop(columns="volume"), DataError, "no volume in its columns"),
        (lambda frame: frame.drop(columns="timestamp"), DataError, "no time in its columns.*Rename the columns"),
        (lambda frame: frame.assign(Close=1.0), DataError, "close twice"),
        (lambda frame: frame.assign(timestamp="soon"), DataError, "a column of times with"),
        (lambda frame: frame.assign(timestamp="01/02/2024"), DataError, "day and month can be either.*dayfirst"),
        (lambda frame: frame.assign(close="high"), DataError, "the invalid value 'high' in row 0 of the column close"),
        (lambda frame: frame.assign(timestamp=True), DataError, "times"),
        (lambda frame: frame.assign(close=frame["close"].where(frame.index != 4)), CandleError, "row 4.*close nan"),
        (lambda frame: frame.assign(low=frame["low"].where(frame.index != 4, -1.0)), CandleError, "row 4"),
        (lambda frame: frame.assign(timestamp=frame["timestamp"].where(frame.index != 4)), CandleError, "row 4"),
        (lambda frame: frame.assign(timestamp=frame["timestamp"] + 1), CandleError, "row 0"),
    ],
)
def test_what_cannot_be_candles_is_refused(frame, change, error, words):
    with pytest.raises(error, match=words):
        read(change(frame), "1h")


def test_candles_from_pandas_needs_rows_in_order(frame):
    assert len(Candles.from_pandas(frame, "BTC/USDT", "1h")) == BARS
    with pytest.raises(DataError, match="not after the row before"):
        Candles.from_pandas(frame.iloc[::-1], "BTC/USDT", "1h")
    with pytest.raises(DataError, match="no time in row 4"):
        Candles.from_pandas(frame.assign(timestamp=frame["timestamp"].where(frame.index != 4)), "BTC/USDT", "1h")


@pytest.mark.parametrize("column", ["symbol", "Pair", "SYMBOL "])
def test_a_column_of_symbols_splits_a_frame(frame, column):
    whole = pd.concat([frame.assign(**{column: name}) for name in ("ETH/USDT", "BTC/USDT")])
    parts = split_frame(whole)
    assert list(parts) == ["BTC/USDT", "ETH/USDT"]
    assert all(len(candles_from_frame(part, name, now=NOW)) == BARS for name, part in parts.items())
    assert split_frame(frame) is None


@pytest.mark.parametrize("frame", [None, 5, "x", [1], {}, np.zeros((3, 6)), pd.Series([1.0])], ids=str)
@pytest.mark.parametrize("read", [candles_from_frame, Candles.from_pandas])
def test_what_is_no_frame_is_refused(read, frame):
    with pytest.raises(ArgumentError, match=f"`frame` of type {type(frame).__name__}"):
        read(frame, "BTC/USDT", "1h")


HOURS = 1_735_689_600_000 + 3_600_000 * np.arange(30)


def frame_with(**columns):
    price = 100.0 + np.arange(30)
    values = {"date": HOURS, "open": price, "high": price + 1, "low": price - 1, "close": price, "volume": np.ones(30)}
    return pd.DataFrame(values | columns)


@pytest.mark.parametrize(
    "date",
    [
        HOURS,
        HOURS // 1000,
        HOURS * 1000,
        HOURS * 1_000_000,
        HOURS.astype(float),
        HOURS.astype(str),
        pd.array(HOURS, dtype="Int64"),
        pd.to_datetime(HOURS, unit="ms"),
        pd.to_datetime(HOURS, unit="ms", utc=True).tz_convert("Asia/Tokyo"),
        pd.to_datetime(HOURS, unit="ms", utc=True).tz_convert("Europe/Berlin").map(lambda time: time.isoformat()),
        pd.period_range("2025-01-01", periods=30, freq="h"),
        pd.Categorical(pd.to_datetime(HOURS, unit="ms").astype(str)),
        pd.Series([time.to_pydatetime() for time in pd.to_datetime(HOURS, unit="ms")], dtype=object),
    ],
    ids=["ms", "s", "us", "ns", "float", "text", "Int64", "naive", "Tokyo", "Berlin", "period", "category", "objects"],
)
@pytest.mark.parametrize("name", ["date", "timestamp", "Open Time", "DATETIME"])
def test_times_of_any_kind_and_name(date, name):
    frame = frame_with(date=date).rename(columns={"date": name, "open": "Open", "volume": "VOLUME"})
    for candles in (candles_from_frame(frame, "BTC/USDT"), Candles.from_pandas(frame, "BTC/USDT", "1h")):
        assert candles.time.tolist() == HOURS.tolist()
        assert candles.open.tolist() == (100.0 + np.arange(30)).tolist()


@pytest.mark.parametrize(
    "frame",
    [
        frame_with(date=True),
        frame_with(date=pd.to_timedelta(HOURS, unit="ms")),
        frame_with(date="x"),
        frame_with(date=pd.to_datetime(HOURS, unit="ms").strftime("%d.%m.%Y")),
        frame_with(open=1j),
        frame_with(open=True),
        frame_with(open="1,5 x"),
        frame_with(open=[[1]] * 30),
        frame_with().drop(columns="volume"),
        frame_with().drop(columns="date"),
        pd.concat([frame_with(), frame_with()[["open"]]], axis=1),
        frame_with(Open=1.0),
        pd.concat({"BTC-USD": frame_with(), "ETH-USD": frame_with()}, axis=1),
        pd.DataFrame(),
        pd.DataFrame(frame_with().to_numpy()[:, :4]),
    ],
)
@pytest.mark.parametrize("read", [candles_from_frame, Candles.from_pandas])
def test_frames_that_are_no_candles_are_refused(read, frame):
    with pytest.raises(DataError):
        read(frame, "BTC/USDT", "1h")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(frame_with().to_numpy()),  # without names
        pd.concat({"BTC-USDT": frame_with()}, axis=1),
        frame_with(date=pd.to_datetime(HOURS, unit="ms").strftime("%d.%m.%Y %H:%M")),
        frame_with(volume="1,0", open=[f"{100 + bar},00" for bar in range(30)]),
        frame_with().set_axis(["Datum", "Eröffnung", "Hoch", "Tief", "Schluss", "Volumen"], axis=1),
        frame_with(symbol="BTCUSDT").set_index(["symbol", "date"]),
    ],
    ids=["numbered", "levels", "points", "commas", "German", "index of two"],
)
@pytest.mark.parametrize("read", [candles_from_frame, Candles.from_pandas])
def test_frames_as_other_programs_make_them(read, frame):
    candles = read(frame, "BTC/USDT", "1h")
    assert candles.time.tolist() == HOURS.tolist()
    assert candles.close.tolist() == (100.0 + np.arange(30)).tolist()


def test_rows_of_another_market_are_refused():
    with pytest.raises(DataError, match="rows of ETHUSDT; expected rows of BTC/USDT"):
        candles_from_frame(frame_with(ticker="ETHUSDT"), "BTC/USDT")


@pytest.mark.parametrize(
    ("symbol", "timeframe"), [(None, "1h"), (5, "1h"), ("", "1h"), ("BTC/USDT", 5), ("BTC/USDT", "x")]
)
@pytest.mark.parametrize("read", [candles_from_frame, Candles.from_pandas])
def test_symbols_and_timeframes_of_other_types_are_refused(read, symbol, timeframe):
    with pytest.raises((ArgumentError, DataError)):
        read(frame_with(), symbol, timeframe)
