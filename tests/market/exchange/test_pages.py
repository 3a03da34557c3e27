"""Property of reads in pages: every row that an exchange gives for some window is read, or what is missing is named.

A random exchange answers the requests below the paging functions: its clients give few rows a page, the oldest or the
newest of a window, the newest of the market whatever was asked for, nothing before a listing or inside a halt, rows
twice, in any order, and rows that nobody asked for.
"""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, timeframe_ms
from quorate.market.exchange.paging import CandlePages, Present, walk_candles, walk_funding

ORIGIN = 1_704_067_200_000  # a Monday
PAGE_ROWS = 20


class Connection:
    """Sends each request once."""

    def __init__(self, client):
        self.client = client
        self.settings = SimpleNamespace(name="random", page_rows=PAGE_ROWS)

    async def read(self, what, request, attempts=None):
        return await request()


class RandomExchange:
    """Candles and settlements of one market, and the habits of its exchange.

    Args:
        hours: indices of the hours that were traded, ascending.
        now: index of the current hour.
        habit: how pages are made.
        most: largest page.
        kept: number of newest bars of each timeframe that the exchange still has; None for all.
        mess: rows of a page twice, in another order, and others beside them.
        interval: hours between settlements.
    """

    timeframes = {"1h": "60", "1d": "D"}  # noqa: RUF012

    def __init__(self, hours, now, habit, most, kept, mess, interval):
        self.hours, self.now, self.habit, self.most, self.kept, self.mess = hours, now, habit, most, kept, mess
        self.settled = hours[hours % interval == 0]
        self.interval = interval
        self.requests = 0

    def market(self, symbol):
        return {"symbol": symbol, "contract": False}

    def opens(self, timeframe):
        """Open times of the bars that the exchange still has."""
        length = timeframe_ms(timeframe) // HOUR_MS
        bars = np.unique(self.hours // length) * length
        if self.kept is not None:
            bars = bars[bars > self.now // length * length - self.kept * length]
        return bars

    def given(self, times, since, length, limit, until=None):
        """The page that the exchange gives."""
        self.requests += 1
        assert self.requests < 3_000, "endless"
        times = ORIGIN + times * HOUR_MS
        after = times[times >= since]
        if self.habit == "newest of all":
            page = times[-self.most :]
        elif self.habit == "from since":
            page = after[: min(limit, self.most)]
        else:
            window = after[after < since + limit * length]
            if until is not None:
                window = after[after <= until]
            page = window[-self.most :] if self.habit == "newest of window" else window[: self.most]
        return (
            page.tolist()
            if not self.mess
            else [*page[::-1].tolist(), *page[:2].tolist(), *times[times < since][:1].tolist()]
        )

    async def fetch_ohlcv(self, symbol, timeframe, since, limit, options):
        page = self.given(self.opens(timeframe), since, timeframe_ms(timeframe), limit)
        return [[time, 1.0, 1.0, 1.0, 1.0, 1.0] for time in page]

    async def fetch_funding_rate_history(self, symbol, since, limit, options):
        page = self.given(self.settled, since, self.interval * HOUR_MS, limit, options.get("until"))
        return [{"timestamp": time, "fundingRate": 1e-4} for time in page]


@st.composite
def exchanges(draw):
    """An exchange, and the span that is asked for, in hours."""
    total = draw(st.integers(30, 900))
    traded = np.ones(total, dtype=bool)
    traded[: draw(st.integers(0, total - 10))] = False  # the listing
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, total - 1))
        traded[begin : begin + draw(st.sampled_from([1, 3, 30, 200]))] = False
    exchange = RandomExchange(
        np.flatnonzero(traded),
        total,
        draw(st.sampled_from(["from since", "oldest of window", "newest of window", "newest of all"])),
        draw(st.sampled_from([2, 3, 7, 19, 20, 21, 100])),
        draw(st.sampled_from([None, None, 24, 60, 200])),
        draw(st.booleans()),
        draw(st.sampled_from([1, 4, 8])),
    )
    start = draw(st.integers(0, total - 2))
    return exchange, start, draw(st.integers(start + 1, total))


def hold_candles(exchange, start, end):
    """Every traded hour was read, or is named; where whole days show no trades, and less than a day, none can be."""
    present = Present(ORIGIN + exchange.now * HOUR_MS, ORIGIN + exchange.now * HOUR_MS)
    pages = CandlePages(Connection(exchange), "A/USDT", "1h", lambda: present)
    walk = asyncio.run(walk_candles(pages, ORIGIN + start * HOUR_MS, ORIGIN + end * HOUR_MS))
    read = set(((walk.rows.time - ORIGIN) // HOUR_MS).tolist())
    assert all(start <= hour < end for hour in read)
    named = {
        hour for first, last in walk.withheld for hour in range((first - ORIGIN) // HOUR_MS, (last - ORIGIN) // HOUR_MS)
    }
    assert not read & named
    # A window of any length, of one row, gives what the exchange has of it; "newest of all" gives its newest page only.
    has = exchange.opens("1h")
    if exchange.habit == "newest of all":
        has = has[-exchange.most :]
    assert set(has[(has >= start) & (has < end)].tolist()) <= read
    # Of what it withholds, whole days that its daily bars still show are named.
    days = exchange.opens("1d")
    if exchange.habit == "newest of all":
        days = days[-exchange.most :]
    for day in days[(days >= start) & (days + 24 <= end)].tolist():
        traded = set(exchange.hours[(exchange.hours >= day) & (exchange.hours < day + 24)].tolist())
        assert traded & (read | named)


def hold_settlements(exchange, start, end):
    """Every settlement was read, the last ones by the next run where the interval has just become shorter."""
    present = Present(ORIGIN + exchange.now * HOUR_MS, ORIGIN + exchange.now * HOUR_MS)
    last = ORIGIN + end * HOUR_MS

    def read(first):
        rows = asyncio.run(walk_funding(Connection(exchange), "A/USDT", first, last, lambda: present))
        return set(((rows.time - ORIGIN) // HOUR_MS).tolist())

    has = exchange.settled
    if exchange.habit == "newest of all":
        has = has[-exchange.most :]
    has = set(has[(has >= start) & (has < end)].tolist())
    found = read(ORIGIN + start * HOUR_MS)
    if found:
        assert {hour for hour in has if hour <= max(found)} <= found
        found |= read(ORIGIN + max(found) * HOUR_MS + 1)
    assert found == has


quick = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
thorough = settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@quick
@given(exchanges())
def test_candles(drawn):
    hold_candles(*drawn)


@quick
@given(exchanges())
def test_settlements(drawn):
    hold_settlements(*drawn)


@pytest.mark.slow
@thorough
@given(exchanges())
def test_candles_of_many_exchanges(drawn):
    hold_candles(*drawn)


@pytest.mark.slow
@thorough
@given(exchanges())
def test_settlements_of_many_exchanges(drawn):
    hold_settlements(*drawn)


@pytest.mark.parametrize("habit", ["from since", "oldest of window"])
@pytest.mark.parametrize("days", [10, 40])
def test_a_whole_span_takes_a_request_a_page(habit, days):
    hours = np.arange(days * 24)
    exchange = RandomExchange(hours, len(hours), habit, 100, None, False, 8)
    hold_candles(exchange, 0, len(hours))
    assert exchange.requests == -(-len(hours) // PAGE_ROWS)


def test_years_before_a_listing_take_few_requests():
    """Three years of empty windows of 20 hours each: 1,314 windows, skipped by daily bars."""
    hours = np.arange(3 * 365 * 24, 3 * 365 * 24 + 100)
    exchange = RandomExchange(hours, int(hours[-1]) + 1, "oldest of window", 100, None, False, 8)
    hold_candles(exchange, 0, exchange.now)
    assert exchange.requests < 2 + (3 * 365 // PAGE_ROWS + 1) * 2 + 100 // PAGE_ROWS + 8
