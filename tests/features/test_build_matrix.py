from __future__ import annotations

import math
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import quorate
from quorate.core.errors import FeatureError
from quorate.features import Bars, build, build_matrix, feature_names, feature_set, live, matrix, volatility_20
from quorate.features.catalogue import COLUMNS
from quorate.features.checks.markets import with_gaps
from quorate.features.column import Column
from quorate.features.groups import calendar
from quorate.features.market_stack import MarketStack
from quorate.market.synthetic import SyntheticMarket


@pytest.mark.parametrize(
    "imports",
    [
        "import quorate",
        "import quorate, quorate.features",
        "import quorate; from quorate.features.build_matrix import build",
        "from quorate.features.build_matrix import build; import quorate",
        "import quorate; quorate.features; from quorate.features import build",
        "from quorate import features; import quorate",
        "import quorate.features.windows, quorate",
    ],
)
def test_the_function_features_is_there_in_any_import_order(imports):
    code = f"""
import numpy as np
{imports}
close = 100 + np.sin(np.arange(60.0))
candles = quorate.Candles("A/USDT", "1h", 3_600_000 * np.arange(60), close, close, close, close, np.ones(60))
X = quorate.features(candles, "core14")
from quorate.features import build, feature_names
assert callable(build) and np.array_equal(build(candles, "core14"), X, equal_nan=True)
print(X.shape, feature_names("core14")[0])
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(60, 14) price_change"


@pytest.mark.parametrize("features", ["core14", "full65"])
def test_nan_is_in_the_declared_warm_up_and_nowhere_else(make_candles, features):
    X = build(make_candles(450, 1), features)
    assert X.shape == (450, len(feature_names(features)))
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    for column, values in zip(feature_set(features).columns, X.T, strict=True):
        assert np.isnan(values[: column.warmup]).all(), column.name
        assert np.isfinite(values[column.warmup :]).all(), column.name


@pytest.mark.parametrize("bars", [0, 1, 2, 20, 49, 50])
@pytest.mark.parametrize("features", ["core14", "full65"])
def test_short_histories_have_the_rows_of_long_ones(make_candles, features, bars):
    whole = build(make_candles(600, 2), features)
    np.testing.assert_array_equal(build(make_candles(600, 2)[:bars], features), whole[:bars])


@pytest.mark.parametrize("block", [1, 7, 100, 599])
def test_blocks_change_nothing(make_candles, monkeypatch, block):
    candles = make_candles(600, 3, quiet=True)
    at_once, volatility = build(candles, "full65"), volatility_20(Bars(candles))
    monkeypatch.setattr(matrix, "_BLOCK", block)
    np.testing.assert_array_equal(build(candles, "full65"), at_once)
    np.testing.assert_array_equal(volatility_20(Bars(candles)), volatility)


def test_threads_change_nothing(make_candles, monkeypatch):
    candles = make_candles(600, 3, quiet=True)
    at_once = build(candles, "full65")
    for name, value in (("_BLOCK", 40), ("_LONG", 100), ("THREADS", 3)):
        monkeypatch.setattr(matrix, name, value)
    np.testing.assert_array_equal(build(candles, "full65"), at_once)
    np.testing.assert_array_equal(build(candles, "full65", newest=130), at_once[-130:])


def test_threads_compute_what_carries_a_state_once(make_candles, monkeypatch):
    for name, value in (("_BLOCK", 40), ("_LONG", 100), ("THREADS", 4)):
        monkeypatch.setattr(matrix, name, value)
    lengths = []

    def mean(bars):
        lengths.append(len(bars))
        time.sleep(0.05)  # long enough for the other threads to ask for it too
        return np.cumsum(bars.close) / np.arange(1, len(bars) + 1)

    def close_to_mean(bars):
        return bars.close / bars.carried(("close_to_mean", "mean"), mean) - 1

    columns = tuple(Column(f"column_{number}", 0, close_to_mean) for number in range(4))
    X = np.empty((600, 4))
    matrix.fill(X, Bars(make_candles(600, 3)), columns)
    assert lengths == [600]
    assert np.isfinite(X).all()


def test_an_error_in_a_thread_is_raised(make_candles, monkeypatch):
    for name, value in (("_BLOCK", 40), ("_LONG", 100), ("THREADS", 2)):
        monkeypatch.setattr(matrix, name, value)

    def late(bars):
        if len(bars) > 50:
            raise FeatureError("compute a column", found="many bars")
        return bars.close

    with pytest.raises(FeatureError, match="many bars"):
        matrix.fill(np.empty((600, 1)), Bars(make_candles(600, 3)), (Column("late", 0, late),))


@pytest.mark.parametrize("newest", [0, 1, 5, 449, 450, 1_000])
@pytest.mark.parametrize("features", ["core14", "full65"])
def test_the_newest_rows_alone_are_the_same_rows(make_candles, features, newest):
    candles = make_candles(450, 4)
    whole = build(candles, features)
    np.testing.assert_array_equal(build(candles, features, newest=newest), whole[max(0, 450 - newest) :])


def test_candles_are_not_changed(make_candles):
    candles = make_candles(450, 5)
    before = candles.to_pandas()
    build(candles, "full65")
    assert candles.to_pandas().equals(before)


def test_an_unknown_set_is_refused(make_candles):
    with pytest.raises(FeatureError, match="full56"):
        quorate.features(make_candles(10), "full56")


@pytest.mark.parametrize("newest", [1, 3, 10_000])
def test_the_newest_volatilities_are_those_of_the_whole_history(newest):
    bars = Bars(SyntheticMarket(seed=2, symbols=1, bars=498).candles("SYNA/USDT:USDT"))
    np.testing.assert_array_equal(volatility_20(bars, newest=newest), volatility_20(bars)[-newest:])


@pytest.mark.parametrize("newest", [1, 120, 1_000])
@pytest.mark.parametrize("features", ["core14", "full65"])
def test_a_live_signal_reads_the_rows_of_the_whole_history(make_candles, features, newest):
    candles = make_candles(450, 4)
    ((X, volatility),) = live([Bars(candles)], features, newest)
    np.testing.assert_array_equal(X, build(candles, features)[-newest:])
    assert X.dtype == np.float32
    assert volatility == volatility_20(Bars(candles))[-1]


def test_a_live_signal_reads_finite_single_precision(make_candles):
    candles = make_candles(60, 4)
    volume = candles.volume.copy()
    volume[-1] = 1e60  # its change is beyond a float32
    wild = replace(candles, volume=volume)
    ((X, _),) = live([Bars(wild)], "core14", 5)
    assert np.isfinite(X).all()
    np.testing.assert_array_equal(X, build(wild, "core14")[-5:])


def test_before_the_warm_up_the_volatility_is_unknown(make_candles):
    ((X, volatility),) = live([Bars(make_candles(10))], "core14", 120)
    assert X.shape == (10, 14)
    assert math.isnan(volatility)


@pytest.mark.parametrize("newest", [1, 120, 1_000])
@pytest.mark.parametrize("features", ["core14", "core30", "full65", "core14+log_volatility_336"])
def test_many_markets_have_the_rows_of_each(make_candles, monkeypatch, features, newest):
    monkeypatch.setattr(build_matrix, "_TOGETHER", 1_600)  # two or three markets at a time
    lengths = (450, 450, 300, 450, 60, 1, 300, 450, 450)
    markets = [
        make_candles(bars, seed, quiet=seed % 2 == 0, price=10.0 ** (seed - 4), timeframe="4h" if seed == 3 else "1h")
        for seed, bars in enumerate(lengths)
    ]
    together = live([Bars(candles) for candles in markets], features, newest)
    for candles, (X, volatility) in zip(markets, together, strict=True):
        ((alone, its_volatility),) = live([Bars(candles)], features, newest)
        np.testing.assert_array_equal(X, alone)
        np.testing.assert_equal(volatility, its_volatility)


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d", "1w"])
def test_values_of_days_are_the_same_computed_for_each_bar(make_candles, monkeypatch, timeframe):
    candles = with_gaps(make_candles(700, 3, timeframe=timeframe), 3)
    names = ("day_of_week", "day_of_month", "day_sin", "day_cos")
    found = []
    for few in (0, 10_000):
        monkeypatch.setattr(calendar, "_FEW", few)
        columns = [COLUMNS[name] for name in names]
        found.append([np.asarray(column.compute(Bars(candles))) for column in columns])
        stack = MarketStack([Bars(candles), Bars(candles)]).part(5, 300)
        for column, values in zip(columns, found[-1], strict=True):
            np.testing.assert_array_equal(column.compute(stack), [values[5:300]] * 2)
    np.testing.assert_array_equal(*found)


def test_columns_of_your_own_and_context_columns_take_one_market_at_a_time(make_candles):
    shapes = []

    def shaped(bars):
        shapes.append((bars.symbol, bars.close.shape))
        return bars.close[len(bars) % 7 :]  # of another length for each

    markets = [Bars(make_candles(40, seed, symbol=f"{name}/USDT:USDT")) for seed, name in enumerate("ABC")]
    X = np.empty((3, 5, 2))
    columns = (Column("own", 6, shaped, alone=True), Column("of_context", 6, shaped, context=True))
    matrix.fill(X, MarketStack(markets), columns)
    assert shapes == 2 * [(bars.symbol, (12,)) for bars in markets]
    for bars, rows in zip(markets, X, strict=True):
        np.testing.assert_array_equal(rows, np.stack([bars.close[-5:]] * 2, axis=1))
