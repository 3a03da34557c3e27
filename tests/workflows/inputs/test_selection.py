"""Markets, timeframe and span from the arguments that workflows share."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import ArgumentError, UnknownTimeframeError
from quorate.core.settings import Settings
from quorate.core.types import Candles
from quorate.market import FreqtradeFolder
from quorate.market.memory import MemorySource
from quorate.workflows.inputs.selection import (
    Markets,
    Selection,
    moment_ms,
    open_selection,
    period_ms,
    resolve,
    span,
    split_names,
)

MAY = parse_ms("2025-05-01")


@pytest.mark.parametrize(
    "moment",
    [
        "2025-05-01",
        "2025-05-01T00:00",
        "2025-05-01T02:00+02:00",
        MAY,
        date(2025, 5, 1),
        datetime(2025, 5, 1),
        datetime(2025, 5, 1, tzinfo=UTC),
        datetime(2025, 5, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        pd.Timestamp("2025-05-01"),
        pd.Timestamp("2025-05-01 02:00", tz="Europe/Berlin"),
    ],
    ids=str,
)
def test_a_moment_is_read_in_utc(moment):
    assert moment_ms("start", moment) == MAY


@pytest.mark.parametrize("moment", ["yesterday", 1.5, True, object()])
def test_other_moments_are_refused_by_the_arguments_name(moment):
    with pytest.raises(ArgumentError, match="use `end`"):
        span(Selection(end=moment))


def test_the_start_comes_before_the_end():
    assert span(Selection(start="2025-05-01", end="2025-05-02")) == (MAY, MAY + DAY_MS)
    assert span(Selection(start=None)) == (None, None)
    with pytest.raises(ArgumentError, match="`start` before `end`"):
        span(Selection(start=MAY, end="2025-05-01"))


@pytest.mark.parametrize(
    ("period", "days"), [("1d", 1), ("30d", 30), ("4w", 28), (timedelta(days=7), 7), (timedelta(hours=48), 2)]
)
def test_a_period_is_whole_days(period, days):
    assert period_ms("every", period) == days * DAY_MS


@pytest.mark.parametrize("period", ["7", "0d", "1h", 7, None, timedelta(), timedelta(hours=36), timedelta(days=-1)])
def test_other_periods_are_refused(period):
    with pytest.raises(ArgumentError, match=r"use `every`.*such as 30d or 4w"):
        period_ms("every", period)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({}, "neither `symbols` nor `top`; expected either `symbols` or `top`"),
        ({"symbols": "A", "top": 2, "start": MAY}, "both"),
        ({"top": 2}, "`top` without `start`"),
        ({"top": "2", "start": MAY}, "use `top`: found '2'; expected a whole number"),
        ({"top": 0, "start": MAY}, "use `top`: found 0"),
        ({"symbols": 5}, "use `symbols`: found 5; expected a text with commas"),
        ({"symbols": ["A", 5]}, "use `symbols`"),
        ({"symbols": "A", "timeframe": 60}, "use `timeframe`: found 60; expected a text such as 5m"),
    ],
)
def test_a_selection_that_contradicts_itself_is_refused_before_the_folder_is_read(selection, words):
    with pytest.raises(ArgumentError, match=words):
        open_selection("/nowhere", selection, Settings())


def test_a_folder_is_resolved_by_names_or_by_volume(world):
    source = FreqtradeFolder(world.data)
    named = resolve(source, Selection(symbols="SYNB/USDT:USDT, SYNA/USDT:USDT", end=MAY), Settings())
    assert named == Markets(("SYNB/USDT:USDT", "SYNA/USDT:USDT"), "1h", None, MAY)
    start = parse_ms("2024-01-20")
    top = resolve(source, Selection(top=2, start="2024-01-20"), Settings())
    traded = {
        name: float((candles.close * candles.volume).sum())
        for name in world.market.names
        for candles in [world.market.candles(name).between(start - 30 * DAY_MS, start)]
    }
    assert top.symbols == tuple(sorted(traded, key=traded.get, reverse=True)[:2])
    assert top.start == start
    with pytest.raises(UnknownTimeframeError):
        resolve(source, Selection(symbols="A", timeframe="45x"), Settings())


def test_candles_in_memory_are_all_selected_in_their_own_timeframe():
    time = MAY - np.arange(10, 0, -1) * 4 * HOUR_MS
    ones = np.ones(10)
    source = MemorySource([Candles(name, "4h", time, ones, ones, ones, ones, ones) for name in ("B/USDT", "A/USDT")])
    assert resolve(source, Selection(), Settings()) == Markets(("A/USDT", "B/USDT"), "4h")
    assert resolve(source, Selection(symbols=["B/USDT"]), Settings()).symbols == ("B/USDT",)


def in_memory(*names):
    time = MAY - np.arange(10, 0, -1) * HOUR_MS
    ones = np.ones(10)
    return MemorySource([Candles(name, "1h", time, ones, ones, ones, ones, ones) for name in names])


def test_spot_and_perpetual_of_one_pair_are_not_both_taken_unnamed():
    both = in_memory("A/USDT", "A/USDT:USDT", "B/USDT:USDT")
    with pytest.raises(ArgumentError, match=r"spot and perpetual of A/USDT; expected one of the two kinds.*`symbols`"):
        resolve(both, Selection(), Settings())
    with pytest.raises(ArgumentError, match="of A/USDT and 1 other pairs"):
        resolve(in_memory("A/USDT", "A/USDT:USDT", "B/USDT", "B/USDT:USDT"), Selection(), Settings())
    named = ("A/USDT:USDT", "A/USDT")
    assert resolve(both, Selection(symbols=named), Settings()).symbols == named
    # Other pairs of a coin, and a contract with an expiry, are markets of their own.
    others = in_memory("A/USDC", "A/USDT:USDT", "A/USDT:USDT-241227", "B/USDT")
    assert len(resolve(others, Selection(), Settings()).symbols) == 4


@pytest.mark.parametrize(
    "names",
    [
        "BTC/USDT:USDT,btc/usdt:usdt",
        ["ETH/USDT", "BTC/USDT", "BTC-USDT"],
        ["BTC/USDT:USDT", "BTC/USDT.P"],
        ["BTC/USDT", "BTCUSDT"],
        ["Btc/Usdt", "BTC/USDT"],
    ],
)
def test_one_market_in_two_spellings_is_refused(names):
    with pytest.raises(ArgumentError, match="two names of one market; expected each market once"):
        split_names(names)


def test_the_same_name_twice_is_one_market():
    assert split_names("BTC/USDT:USDT, ETH/USDT:USDT,BTC/USDT:USDT") == ("BTC/USDT:USDT", "ETH/USDT:USDT")
    assert split_names(["BTC/USDT", "BTC/USDT:USDT", "BTC/USDC", "BTC/USDT:USDT-241227"])[3:]
    assert split_names("xgboost,XGBOOST", "models") == ("xgboost", "XGBOOST")
