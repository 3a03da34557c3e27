"""The volatility forecast against a slow form of it, and its properties."""

import math
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import CandleError
from quorate.core.types import Candles
from quorate.models.volatility import forecast_all, horizons
from quorate.models.volatility.log_har import forecast
from quorate.models.volatility.variance_history import VarianceHistory

HOUR, DAY = 3_600_000, 86_400_000
FIELDS = ("value", "low", "high", "rows")


def garch_market(seed, bars, *, steps=12, alpha=0.08, beta=0.9, mean=4e-5, timeframe="1h", length=HOUR):
    """Candles of a GARCH(1,1) whose variance changes from bar to bar, and the variance of each bar's return."""
    generator = np.random.default_rng(seed)
    variance, path = np.empty(bars), np.empty((bars, steps))
    now, squared = mean, mean
    for bar in range(bars):
        now = mean * (1 - alpha - beta) + alpha * squared + beta * now
        path[bar] = generator.normal(0, math.sqrt(now / steps), steps)
        variance[bar], squared = now, path[bar].sum() ** 2
    log_price = np.cumsum(path).reshape(bars, steps)
    start = np.concatenate([[0.0], log_price[:-1, -1]])
    whole = np.column_stack([start, log_price])
    columns = [100 * np.exp(part) for part in (start, whole.max(axis=1), whole.min(axis=1), whole[:, -1])]
    time = 1_700_006_400_000 // DAY * DAY + length * np.arange(bars)
    return Candles("A/USDT:USDT", timeframe, time, *columns, np.ones(bars)), variance


def thinned(candles, missing):
    """The candles without some bars."""
    kept = np.setdiff1d(np.arange(len(candles)), missing)
    names = ("time", "open", "high", "low", "close", "volume")
    return replace(candles, **{name: getattr(candles, name)[kept] for name in names})


def crashed(candles, bar, factor=0.3):
    """The same candles with a fall to `factor` within one bar, from which prices go on."""
    columns = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    columns["close"][bar] = columns["low"][bar] = columns["open"][bar] * factor
    for values in columns.values():
        values[bar + 1 :] *= columns["close"][bar] / candles.close[bar]
    return replace(candles, **columns)


def slow_forecast(candles, horizon, bar):
    """(value, low, high, rows) at one bar of 1h candles, in loops over times; None with too little history."""
    place = {int(time): row for row, time in enumerate(candles.time)}
    unlimited, variance = {}, {}
    ratio_above = ratio_below = 0.0
    refit = min(row for row, time in enumerate(candles.time) if time // DAY == candles.time[bar] // DAY)
    for time, row in place.items():
        own = math.log(candles.high[row] / candles.low[row]) ** 2 / (4 * math.log(2))
        if time - HOUR in place:
            own += math.log(candles.open[row] / candles.close[row - 1]) ** 2
        unlimited[time] = own
        # The week that ends with the bar before, missing bars or not.
        last = int(candles.time[row - 1]) if row else time
        before = [unlimited[last - HOUR * k] for k in range(168) if row and last - HOUR * k in unlimited]
        most = 50 * sum(before) / len(before) if len(before) >= 84 else math.inf
        variance[time] = min(own, most)
        if time - HOUR in place and row <= refit:
            ratio_above += min(math.log(candles.close[row] / candles.close[row - 1]) ** 2, most)
            ratio_below += variance[time]

    def mean(times, least):
        found = [variance[time] for time in times if time in variance]
        return sum(found) / len(found) if len(found) >= least else math.nan

    def row_of(time):
        floor = 0.01 * mean([time - HOUR * k for k in range(168)], 84) + 1e-14
        row = [
            mean([time - HOUR * k for k in range(hours)], (min(hours, 168) + 1) // 2) for hours in (1, 6, 24, 168, 720)
        ]
        if horizon < 24:
            days = []
            for day in range(1, 8):
                hours = [time + HOUR * (k + 1) - day * DAY for k in range(horizon)]
                if all(hour in variance for hour in hours):
                    days.append(sum(variance[hour] for hour in hours) / horizon)
            row.append(sum(days) / len(days) if len(days) >= 4 else math.nan)
        return [math.log(each + floor) for each in row], floor

    X, y, realised = [], [], []
    for row in range(refit - horizon + 1):
        time = int(candles.time[row])
        ahead = [time + HOUR * (k + 1) for k in range(horizon)]
        found, floor = row_of(time)
        if np.isfinite(found).all() and all(hour in variance for hour in ahead):
            realised.append(sum(variance[hour] for hour in ahead) / horizon)
            X.append(found)
            y.append(math.log(realised[-1] + floor))
    if len(X) < max(100, 5 * horizon):
        return None
    X, y, realised = np.array(X), np.array(y), np.array(realised)
    about, k = X - X.mean(axis=0), X.shape[1]
    # The penalty as 20 horizons of rows that say: equal weights.
    size = math.sqrt(20 * horizon * (about**2).sum() / (k * len(X)))
    left = np.vstack([about, size * np.eye(k)])
    right = np.concatenate([y - y.mean(), np.full(k, size / k)])
    weights = np.linalg.lstsq(left, right, rcond=None)[0]
    ratio = realised / np.exp(y.mean() + about @ weights)
    now = y.mean() + (np.array(row_of(int(candles.time[bar]))[0]) - X.mean(axis=0)) @ weights
    expected = ratio_above / ratio_below * horizon * ratio.mean() * math.exp(now)
    low, high = np.quantile(ratio / ratio.mean(), [0.05, 0.95])
    return math.sqrt(expected), math.sqrt(expected * low), math.sqrt(expected * high), len(X)


@pytest.mark.parametrize("horizon", [1, 5, 24])
def test_a_forecast_is_that_of_the_slow_form_gaps_included(horizon):
    candles = crashed(thinned(garch_market(3, 420)[0], [150, 151, 260, *range(300, 310), 399]), 200)
    made = forecast(VarianceHistory(candles), horizon)
    for bar in (330, 371, len(candles) - 1):
        wanted = slow_forecast(candles, horizon, bar)
        found = tuple(getattr(made, name)[bar] for name in FIELDS)
        assert (
            (found == (pytest.approx(math.nan, nan_ok=True),) * 3 + (0,))
            if wanted is None
            else (found == pytest.approx(wanted, rel=1e-9))
        )
    assert np.isfinite(made.value[-1])


def test_the_slow_form_has_forecasts_to_compare():
    candles = garch_market(3, 420)[0]
    assert slow_forecast(candles, 5, 419) is not None
    assert slow_forecast(candles, 5, 150) is None


def test_later_bars_change_nothing():
    candles, _ = garch_market(5, 1_500)
    whole = forecast_all(candles)
    poisoned = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    for values in poisoned.values():
        values[1_300:] *= 1.7
    later = forecast_all(replace(candles, **poisoned))
    for last in (1_300, 1_290, 1_277):
        short = forecast_all(candles[:last])
        newest = forecast_all(candles[:last], newest=True)
        for name in whole:
            for part in FIELDS:
                was = getattr(whole[name], part)[:last]
                np.testing.assert_array_equal(getattr(short[name], part), was)
                np.testing.assert_array_equal(getattr(later[name], part)[:last], was)
                np.testing.assert_array_equal(getattr(newest[name], part)[-1], was[-1])
    assert np.isfinite(whole["7 days"].value[1_276])


@pytest.mark.parametrize("factor", [1e-9, 0.25, 1e7])
def test_the_unit_of_prices_and_of_volume_does_not_matter(factor):
    candles, _ = garch_market(6, 700)
    names = ("open", "high", "low", "close", "volume")
    other = replace(candles, **{name: getattr(candles, name) * factor for name in names})
    for one, two in zip(forecast_all(candles).values(), forecast_all(other).values(), strict=True):
        for part in FIELDS:
            np.testing.assert_allclose(getattr(two, part), getattr(one, part), rtol=1e-9)


def test_twice_the_moves_are_twice_the_volatility():
    candles, _ = garch_market(6, 700)
    names = ("open", "high", "low", "close")
    other = replace(candles, **{name: 100 * (getattr(candles, name) / 100) ** 2 for name in names})
    one, two = forecast_all(candles)["5 bars"], forecast_all(other)["5 bars"]
    for part in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(two, part), 2 * getattr(one, part), rtol=1e-6)


def test_no_return_spans_missing_bars_or_a_change_of_scale():
    candles, _ = garch_market(7, 500)
    candles = thinned(candles, range(400, 420))
    prices = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    for values in prices.values():
        values[400:] *= 1_000.0
    moved = VarianceHistory(replace(candles, **prices))
    still = VarianceHistory(candles)
    np.testing.assert_allclose(moved.variance, still.variance, rtol=1e-9)
    np.testing.assert_allclose(moved.close_to_close(), still.close_to_close(), rtol=1e-9)
    assert np.isnan(still.ahead(5)[395:400]).all()
    assert np.isfinite(still.ahead(5)[394])
    # A jump between bars that follow each other is a return.
    prices["open"][300] *= 1.05
    prices["high"][300] *= 1.05
    assert VarianceHistory(replace(candles, **prices)).variance[300] > math.log(1.05) ** 2


def test_one_crash_does_not_raise_all_later_forecasts():
    candles, _ = garch_market(8, 3_000)
    before, after = forecast_all(candles), forecast_all(crashed(candles, 1_000))
    for name in before:
        raised = after[name].value[2_000:] / before[name].value[2_000:]
        assert np.abs(raised - 1).max() < 0.15, name
    # The next day itself is seen to be wild.
    assert after["1 day"].value[1_001] > 1.25 * before["1 day"].value[1_001]
    assert VarianceHistory(crashed(candles, 1_000), limit=math.inf).variance[1_000] > math.log(0.3) ** 2 / 3


def test_intervals_hold_what_they_promise_and_forecasts_are_unbiased_on_garch():
    """Over eight markets; a horizon of 7 days has few independent outcomes, so its limits are wide."""
    limits = {"1 bar": (0.02, 0.03), "5 bars": (0.02, 0.05), "1 day": (0.04, 0.08), "7 days": (0.10, 0.20)}
    inside, ratios, better = {}, {}, []
    for seed in range(8):
        candles, variance = garch_market(seed, 4_000)
        history = VarianceHistory(candles)
        scale = history.close_to_close()
        running = np.concatenate([[0.0], np.cumsum(variance)])
        for name, made in forecast_all(candles).items():
            bars = horizons("1h")[name]
            rows = np.flatnonzero(np.isfinite(made.value))
            rows = rows[(rows >= 1_500) & (rows < len(candles) - bars)]
            realised = np.sqrt(scale[rows] * history.ahead(bars)[rows])
            inside.setdefault(name, []).append(np.mean((realised >= made.low[rows]) & (realised <= made.high[rows])))
            true = running[rows + 1 + bars] - running[rows + 1]
            ratios.setdefault(name, []).append(np.mean(true / made.value[rows] ** 2))
            if name == "5 bars":
                trailing = history.mean(24, 24)[rows] * scale[rows] * bars
                better.append(qlike(true, made.value[rows] ** 2) < qlike(true, trailing))
    for name, (coverage, bias) in limits.items():
        assert np.mean(inside[name]) == pytest.approx(0.90, abs=coverage), name
        assert np.mean(ratios[name]) == pytest.approx(1.0, abs=bias), name
    assert all(better)


def qlike(realised, expected):
    ratio = realised / expected
    return np.mean(ratio - np.log(ratio) - 1)


def test_forecasts_are_finite_for_any_valid_candles():
    time = HOUR * np.arange(400)
    flat = np.full(400, 2.0)
    made = forecast_all(Candles("A/USDT", "1h", time, flat, flat, flat, flat, np.zeros(400)))
    assert made["1 bar"].value[-1] == made["1 bar"].low[-1] == made["1 bar"].high[-1] == 0
    lively = garch_market(1, 400)[0]
    quiet = {name: getattr(lively, name).copy() for name in ("open", "high", "low", "close")}
    for values in quiet.values():
        values[200:] = lively.close[199]
    for each in forecast_all(replace(lively, **quiet)).values():
        known = each.rows > 0
        for part in ("value", "low", "high"):
            assert np.isfinite(getattr(each, part)[known]).all()
            assert np.isnan(getattr(each, part)[~known]).all()
    assert all(len(each.value) == 0 for each in forecast_all(lively[:0]).values())


@pytest.mark.parametrize(
    ("timeframe", "bars"),
    [("4h", [1, 5, 6, 42]), ("1d", [1, 5, 1, 7]), ("5m", [1, 5, 288, 2016]), ("1w", [1, 5, 1]), ("5h", [1, 5])],
)
def test_horizons_are_whole_bars(timeframe, bars):
    assert list(horizons(timeframe).values()) == bars


@pytest.mark.parametrize(("timeframe", "length"), [("4h", 4 * HOUR), ("1d", DAY), ("5h", 5 * HOUR), ("30m", HOUR // 2)])
def test_every_timeframe_has_forecasts(timeframe, length):
    candles, variance = garch_market(2, 900, timeframe=timeframe, length=length)
    made = forecast_all(candles)["5 bars"]
    rows = np.flatnonzero(np.isfinite(made.value))[:-5]
    assert len(rows) > 300
    true = np.array([variance[row + 1 : row + 6].sum() for row in rows])
    assert np.mean(true / made.value[rows] ** 2) == pytest.approx(1.0, abs=0.2)


def test_an_impossible_price_is_refused():
    candles, _ = garch_market(1, 50)
    close = candles.close.copy()
    close[7] = 0.0
    with pytest.raises(CandleError, match="in row 7"):
        forecast_all(replace(candles, close=close))
