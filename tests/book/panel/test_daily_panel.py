"""The panel against a slow oracle that looks candles up one by one, and against its own past."""

from dataclasses import fields, replace

import numpy as np
import pytest

from quorate.book.panel.bar_grid import BarGrid, four_hour_bars
from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import DataError
from quorate.core.types import Candles, Funding

BAR = 4 * HOUR_MS


@pytest.fixture(scope="module")
def panel(market):
    return market.panel()


def bars_of(candles):
    return {int(time): row for row, time in enumerate(candles.time)}


@pytest.mark.parametrize("day", [0, 31, 77, 149])
def test_a_day_is_the_six_bars_before_it(market, panel, day):
    at = int(panel.time[day])
    for column, symbol in enumerate(panel.symbols):
        candles = market.candles[symbol]
        row = bars_of(candles)
        last = row.get(at - BAR)
        close = np.nan if last is None else candles.close[last]
        np.testing.assert_equal(panel.close[day, column], close)
        there = [row.get(at - n * BAR) for n in range(6, 0, -1)]
        known = [each for each in there if each is not None]
        np.testing.assert_equal(panel.high[day, column], max((candles.high[each] for each in known), default=np.nan))
        if None in there:
            assert np.isnan(panel.dollar_volume[day, column])
            continue
        typical = [(candles.high[each] + candles.low[each] + candles.close[each]) / 3 for each in there]
        worth = sum(candles.volume[each] * price for each, price in zip(there, typical, strict=True))
        np.testing.assert_allclose(panel.dollar_volume[day, column], worth)
        before = row.get(at - 7 * BAR)
        if before is None:
            assert np.isnan(panel.variance[day, column])
        else:
            steps = np.diff(np.log(candles.close[[before, *there]]))
            np.testing.assert_allclose(panel.variance[day, column], (steps**2).sum())


@pytest.mark.parametrize("day", [40, 90, 148])
def test_funding_is_what_was_settled_in_the_day_before(market, panel, day):
    at = int(panel.time[day])
    for column, symbol in enumerate(panel.symbols):
        funding = market.funding[symbol]
        if funding is None:
            assert np.isnan(panel.funding[:, column]).all()
            continue
        hour = np.round(funding.time / HOUR_MS) * HOUR_MS
        inside = (hour > at - DAY_MS) & (hour <= at)
        np.testing.assert_allclose(panel.funding[day, column], funding.rate[inside].sum(), atol=1e-18)


def test_universe_is_the_largest_listed_markets(panel):
    among = panel.universe(4)
    assert (among.sum(axis=1) <= 4).all()
    assert among[-1].sum() == 4
    for day in (60, 149):
        listed = panel.universe(99)[day]
        volumes = np.where(listed, panel.median_volume[day], -1.0)
        assert set(np.flatnonzero(among[day])) == set(np.argsort(-volumes)[:4])
    assert not panel.universe(99)[:29].any()  # nothing is old enough


@pytest.mark.parametrize("day", [45, 100, 137])
def test_no_row_reads_later_candles(market, panel, day):
    known = market.until(int(panel.time[day])).panel()
    for name in (each.name for each in fields(DailyPanel)):
        if name not in ("grid", "time", "moment"):
            columns = [panel.symbols.index(symbol) for symbol in known.symbols]
            np.testing.assert_array_equal(getattr(known, name)[: day + 1], getattr(panel, name)[: day + 1, columns])


def test_outcomes_are_the_next_opens(market, panel):
    outcomes = PositionOutcomes.of(panel, market.funding)
    symbol = panel.symbols[0]
    candles = market.candles[symbol]
    row = bars_of(candles)
    opens = [candles.open[row[int(time)]] for time in panel.time[:-1]]
    np.testing.assert_array_equal(outcomes.fill[:-1, 0], opens)
    assert outcomes.fill[-1, 0] == candles.close[-1]  # no bar after it
    np.testing.assert_allclose(outcomes.returns[:-1, 0], outcomes.fill[1:, 0] / outcomes.fill[:-1, 0] - 1)
    # A position pays what is settled in its day, the end included: what the next row knows.
    np.testing.assert_allclose(outcomes.funding[30:-1, 0], panel.funding[31:, 0], atol=1e-18)


def test_a_market_that_ends_is_left_at_its_last_price(market, panel):
    outcomes = PositionOutcomes.of(panel, market.funding)
    column = len(panel.symbols) - 1
    candles = market.candles[panel.symbols[column]]
    last = int(np.flatnonzero(np.isfinite(outcomes.returns[:, column]))[-1])
    fill = outcomes.fill[last, column]
    assert panel.time[last] <= candles.time[-1] + BAR
    np.testing.assert_allclose(outcomes.returns[last, column], candles.close[-1] / fill - 1)
    assert np.isnan(outcomes.fill[last + 2 :, column]).all()


def test_unknown_funding_is_estimated_within_limits(market, panel):
    outcomes = PositionOutcomes.of(panel, market.funding)
    unknown = np.isnan(outcomes.funding_known)
    assert unknown.any()
    assert np.isfinite(outcomes.funding).all()
    assert (np.abs(outcomes.funding[unknown]) <= 0.003).all()


def test_hourly_candles_become_whole_bars():
    hours = np.arange(10) * HOUR_MS + 20 * DAY_MS
    price = np.arange(1.0, 11.0)
    hourly = Candles("BTC/USDT:USDT", "1h", hours, price, price + 1, price - 0.5, price + 0.5, np.ones(10))
    bars = four_hour_bars(hourly)
    assert bars.time.tolist() == [20 * DAY_MS, 20 * DAY_MS + BAR]  # two hours are left over
    assert bars.open.tolist() == [1.0, 5.0]
    assert bars.high.tolist() == [5.0, 9.0]
    assert bars.low.tolist() == [0.5, 4.5]
    assert bars.close.tolist() == [4.5, 8.5]
    assert bars.volume.tolist() == [4.0, 4.0]
    one_missing = replace(
        hourly, **{n: np.delete(getattr(hourly, n), 1) for n in ("time", "open", "high", "low", "close", "volume")}
    )
    assert four_hour_bars(one_missing).time.tolist() == [20 * DAY_MS + BAR]


def test_hourly_candles_give_the_panel_of_their_bars(market):
    symbol = "BTC/USDT:USDT"
    bars = market.candles[symbol]
    count = 4 * len(bars)
    hourly = Candles(
        symbol,
        "1h",
        np.repeat(bars.time, 4) + np.tile(np.arange(4) * HOUR_MS, len(bars)),
        *(np.repeat(getattr(bars, name), 4) for name in ("open", "high", "low", "close")),
        np.repeat(bars.volume / 4, 4),
    )
    assert len(hourly) == count
    joined = four_hour_bars(hourly)
    for name in ("time", "open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(getattr(joined, name), getattr(bars, name))


def test_unusable_candles_are_refused():
    one = np.array([DAY_MS])
    with pytest.raises(DataError, match="expected 4h, or a timeframe that divides it"):
        BarGrid.of({"A": Candles("A", "1d", one, *[np.ones(1)] * 5)})
    with pytest.raises(DataError, match="no bars"):
        BarGrid.of({})
    with pytest.raises(DataError, match="opens at 1970-01-02 01:00"):
        BarGrid.of({"A": Candles("A", "4h", one + HOUR_MS, *[np.ones(1)] * 5)})


def test_funding_of_no_settlement_is_unknown(market):
    empty = {symbol: Funding(symbol, np.array([], np.int64), np.array([])) for symbol in market.candles}
    assert np.isnan(market._replace(funding=empty).panel().funding).all()


def test_the_leader_without_bitcoin_is_the_largest_at_the_beginning(market):
    rest = {symbol: each for symbol, each in market.candles.items() if not symbol.startswith("BTC")}
    # What becomes large later does not lead, whatever comes.
    last = sorted(rest)[-1]
    grown = {
        symbol: replace(each, volume=each.volume * np.where(np.arange(len(each)) > len(each) // 2, 1e6, 1.0))
        if symbol == last
        else each
        for symbol, each in rest.items()
    }
    panel = market._replace(candles=grown).panel()
    for day in (40, 90, 147):
        known = market._replace(candles=grown).until(int(panel.time[day])).panel()
        assert known.symbols[known.leader] == panel.symbols[panel.leader]
    assert panel.symbols[panel.leader] != last
    assert market.panel().symbols[market.panel().leader] == "BTC/USDT:USDT"
