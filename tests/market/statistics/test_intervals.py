"""Market statistics in longer intervals, against plain loops; in memory and from a folder alike."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, MINUTE_MS, parse_ms
from quorate.core.errors import DataError, UnknownSymbolError
from quorate.core.types import STATISTICS, MarketStatistics
from quorate.market import FreqtradeFolder, SyntheticMarket
from quorate.market.files.splits import Split, record_split
from quorate.market.memory import MemorySource
from quorate.market.statistics import StatisticsSource, read_statistics, write_statistics
from quorate.market.statistics.intervals import in_intervals
from quorate.market.statistics.store import list_statistics

START = parse_ms("2024-01-01")
LATE = parse_ms("2025-01-01")
MARKET = SyntheticMarket(seed=9, symbols=2, bars=60, start=START)
SYMBOL, OTHER = MARKET.names


def statistics(timeframe, offsets, symbol=SYMBOL, **known):
    values = {name: np.array(column, np.float64) for name, column in known.items()}
    return MarketStatistics.of(symbol, timeframe, START + np.array(offsets) * MINUTE_MS, values)


def slow(part, minutes):
    """Interval -> statistic -> value, by a loop over the rows of five minutes."""
    found = {}
    for row, time in enumerate(part.time.tolist()):
        begin = START + (time - START) // (minutes * MINUTE_MS) * minutes * MINUTE_MS
        own = found.setdefault(begin, {name: [] for name in STATISTICS})
        for name in STATISTICS:
            value = float(getattr(part, name)[row])
            if math.isfinite(value):
                own[name].append(value)
    shares = minutes // 5
    for own in found.values():
        for name, values in own.items():
            if name in ("taker_buy_volume", "taker_sell_volume"):
                own[name] = sum(values) if len(values) == shares else math.nan
            elif name == "taker_buy_ratio":
                share = sum(r / (1 + r) for r in values) / len(values) if 2 * len(values) >= shares else math.nan
                own[name] = share / (1 - share)
            else:
                own[name] = values[-1] if values else math.nan
    return found


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 70), st.booleans(), st.floats(0.1, 9.0)), min_size=1, max_size=60),
    minutes=st.sampled_from([5, 15, 60]),
)
def test_longer_intervals_are_what_a_loop_gives(rows, minutes):
    rows = list({offset: (known, value) for offset, known, value in sorted(rows)}.items())
    offsets = [5 * offset for offset, _ in rows]
    column = [value if known else math.nan for _, (known, value) in rows]
    part = statistics("5m", offsets, **{name: column for name in STATISTICS if name != "premium"})
    found = in_intervals([part], "1h" if minutes == 60 else f"{minutes}m", LATE)
    if minutes == 5:
        np.testing.assert_array_equal(found.taker_buy_ratio, part.taker_buy_ratio)
        return
    expected = slow(part, minutes)
    assert found.time.tolist() == sorted(expected)
    for name in STATISTICS:
        np.testing.assert_allclose(
            getattr(found, name), [expected[time][name] for time in found.time.tolist()], rtol=1e-9, err_msg=name
        )


def test_the_longest_timeframe_that_has_a_value_counts():
    fine = statistics("5m", range(0, 120, 5), open_interest=range(24), premium=[0.5] * 24)
    hourly = statistics("1h", [0, 60], premium=[0.1, math.nan])
    odd = statistics("7m", [7], premium=[0.9])
    found = in_intervals([odd, fine, hourly], "1h", LATE)
    assert found.premium.tolist() == [0.1, 0.5]
    assert found.open_interest.tolist() == [11.0, 23.0]
    assert in_intervals([odd], "1h", LATE) is None
    assert in_intervals([hourly], "30m", LATE) is None


def test_an_interval_that_has_not_ended_is_left_out():
    fine = statistics("5m", range(0, 90, 5), open_interest=range(18))
    assert len(in_intervals([fine], "1h", START + 90 * MINUTE_MS)) == 1
    assert len(in_intervals([fine], "1h", START + 2 * HOUR_MS)) == 2


@pytest.fixture(params=["memory", "folder"])
def source(request, tmp_path):
    parts = [
        statistics("5m", range(0, 300, 5), open_interest=range(60)),
        statistics("1h", range(0, 300, 60), premium=[0.0, 0.1, 0.2, 0.3, 0.4]),
    ]
    if request.param == "memory":
        return MemorySource(MARKET.panel().values(), statistics=parts, clock=lambda: LATE)
    MARKET.write(tmp_path)
    for part in parts:
        write_statistics(tmp_path, part)
    return FreqtradeFolder(tmp_path, clock=lambda: LATE)


def test_sources_give_the_statistics_of_a_span(source):
    assert isinstance(source, StatisticsSource)
    found = source.statistics(SYMBOL, "1h", START + HOUR_MS, START + 3 * HOUR_MS)
    assert found.time.tolist() == [START + HOUR_MS, START + 2 * HOUR_MS]
    assert found.open_interest.tolist() == [23.0, 35.0]
    assert found.premium.tolist() == [0.1, 0.2]
    assert source.statistics(OTHER, "1h") is None
    assert len(source.statistics(SYMBOL, "1h", LATE, LATE)) == 0
    with pytest.raises(UnknownSymbolError):
        source.statistics("NONE/USDT:USDT", "1h")


def test_base_units_follow_a_split_that_is_recorded_later(tmp_path):
    MARKET.write(tmp_path)
    part = statistics("1h", [0, 60, 120], open_interest=[600.0] * 3, taker_buy_volume=[60.0] * 3, premium=[0.1] * 3)
    path = write_statistics(tmp_path, part).path
    before = path.read_bytes()
    record_split(tmp_path, Split(SYMBOL, START + 90 * MINUTE_MS, 100.0))
    record_split(tmp_path, Split(OTHER, START + 90 * MINUTE_MS, 5.0))
    found = FreqtradeFolder(tmp_path, clock=lambda: LATE).statistics(SYMBOL, "1h")
    assert found.open_interest.tolist() == [6.0, 6.0, 600.0]
    np.testing.assert_array_equal(found.taker_buy_volume, [0.6, math.nan, 60.0])
    assert found.premium.tolist() == [0.1] * 3
    assert path.read_bytes() == before


def test_a_source_of_candles_alone_has_no_statistics():
    assert not isinstance(MARKET, StatisticsSource)


def test_memory_refuses_what_does_not_belong_together():
    part = statistics("1h", [0], premium=[0.1])
    with pytest.raises(DataError, match="1h twice"):
        MemorySource(MARKET.panel().values(), statistics=[part, part])
    with pytest.raises(DataError, match="statistics without candles"):
        MemorySource([], statistics=[part])
    with pytest.raises(DataError, match=r"premium 3\.0"):
        MemorySource(MARKET.panel().values(), statistics=[statistics("1h", [0], premium=[3.0])])


def test_a_file_holds_what_was_written_and_is_not_written_twice(tmp_path):
    part = statistics("5m", [0, 5], open_interest=[1.0, math.nan], premium=[-0.1, 0.2])
    stored = write_statistics(tmp_path, part)
    assert stored.path == tmp_path / "statistics/SYNA_USDT_USDT-5m-statistics.feather"
    assert not write_statistics(tmp_path, part).changed
    found = read_statistics(tmp_path, SYMBOL, "5m")
    assert found.known == ("open_interest", "premium")
    for name in STATISTICS:
        np.testing.assert_array_equal(getattr(found, name), getattr(part, name))
    (tmp_path / "statistics/notes.txt").write_text("")
    assert [(file.symbol, file.timeframe) for file in list_statistics(tmp_path)] == [(SYMBOL, "5m")]
    assert len(read_statistics(tmp_path, OTHER, "5m")) == 0


def test_what_are_no_statistics_is_refused():
    time = np.array([START, START + HOUR_MS])
    with pytest.raises(DataError, match="the names interest"):
        MarketStatistics.of(SYMBOL, "1h", time, {"interest": np.zeros(2)})
    with pytest.raises(DataError, match="one length"):
        MarketStatistics.of(SYMBOL, "1h", time, {"premium": np.zeros(3)})
    with pytest.raises(DataError, match=r"row 1 .* not after"):
        MarketStatistics.of(SYMBOL, "1h", time[::-1], {"premium": np.zeros(2)})
    assert repr(MarketStatistics.of(SYMBOL, "1h", time, {})).startswith("MarketStatistics(SYNA/USDT:USDT, 1h: 2 rows")
