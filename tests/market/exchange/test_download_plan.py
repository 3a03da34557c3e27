"""Missing spans of a file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.types import Candles, Funding
from quorate.market import write_candles, write_funding
from quorate.market.exchange.download_plan import missing, parts, plan

START = parse_ms("2024-01-01")
H = HOUR_MS


@given(
    st.sets(st.integers(-5, 60)),
    st.integers(0, 50),
    st.integers(0, 60),
    st.integers(-H + 1, H - 1),
    st.sampled_from(["1h", "4h", "1w"]),
)
def test_stored_and_missing_bars_are_all_there_are(stored, first, bars, shift, timeframe):
    """Against the plain form: every bar of the span is either stored or in exactly one missing span."""
    length = {"1h": H, "4h": 4 * H, "1w": 7 * DAY_MS}[timeframe]
    start, end = START + first * length + shift, START + (first + bars) * length + shift
    times = np.array(sorted(START + bar * length for bar in stored), dtype=np.int64)
    spans = list(missing(times, timeframe, start, end))
    wanted = {START + bar * length for bar in range(-10, 130) if start <= START + bar * length < end}
    asked = [time for begin, stop in spans for time in range(begin, stop, length)]
    assert len(asked) == len(set(asked))
    assert set(asked) == wanted - set(times.tolist())
    assert spans == sorted(spans)


def test_neighbouring_spans_are_one():
    assert list(missing(np.array([], dtype=np.int64), "1h", START, START + 9 * H)) == [(START, START + 9 * H)]
    assert list(missing(np.array([START]), "1h", START, START + H)) == []
    assert list(missing(np.array([START]), "1h", START, START)) == []


@pytest.mark.parametrize(("bars", "made"), [(4, [4, 4, 2]), (10, [10]), (99, [10])])
def test_parts_make_the_span(bars, made):
    found = list(parts((START, START + 10 * H), H, bars))
    assert [(end - begin) // H for begin, end in found] == made
    assert found[0][0] == START
    assert found[-1][1] == START + 10 * H


def test_a_plan_reads_the_folder(tmp_path):
    symbol, flat = "SYNA/USDT:USDT", np.ones(3)
    assert plan(tmp_path / "none", symbol, "1h", "futures", START, START + 5 * H).spans == ((START, START + 5 * H),)
    time = START + H * np.array([0, 1, 3])
    write_candles(tmp_path, Candles(symbol, "1h", time, flat, flat, flat, flat, flat))
    there = plan(tmp_path, symbol, "1h", "futures", START, START + 5 * H)
    assert there.spans == ((START + 2 * H, START + 3 * H), (START + 4 * H, START + 5 * H))
    assert plan(tmp_path, symbol, "1h", "mark", START, START + H).spans == ((START, START + H),)


@pytest.mark.parametrize(
    ("first", "last", "start", "end", "spans"),
    [
        (8, 16, 0, 17, [(16 + 1 / 60, 17)]),  # eight hours before the first settlement nothing is missing
        (24, 32, 0, 30, [(0, 24)]),
        (24, 32, 0, 40, [(0, 24), (32 + 1 / 60, 40)]),
        (24, 32, 33, 40, [(33, 40)]),
    ],
)
def test_settlements_are_missing_before_the_first_and_after_the_last(tmp_path, first, last, start, end, spans):
    symbol = "SYNA/USDT:USDT"
    write_funding(tmp_path, Funding(symbol, START + H * np.array([first, last]), np.zeros(2)))
    found = plan(tmp_path, symbol, "1h", "funding_rate", START + start * H, START + end * H).spans
    assert found == tuple((START + round(begin * H), START + round(stop * H)) for begin, stop in spans)
