"""Time: timeframes, the closed-bar rule, parsing and formatting of dates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import (
    DAY_MS,
    HOUR_MS,
    bar_offset_ms,
    format_ms,
    iso_ms,
    newest_closed_ms,
    now_ms,
    parse_ms,
    timeframe_ms,
)
from quorate.core.errors import QuorateError, UnknownTimeframeError


@pytest.mark.parametrize(
    ("timeframe", "length"), [("1m", 60_000), ("5m", 300_000), ("1h", HOUR_MS), ("4h", 4 * HOUR_MS), ("1w", 7 * DAY_MS)]
)
def test_timeframes(timeframe, length):
    assert timeframe_ms(timeframe) == length


@pytest.mark.parametrize("wrong", ["", "h", "0h", "1H", "1 h", "-1h", "1.5h", "1y", "99999h"])
def test_timeframes_that_are_none(wrong):
    with pytest.raises(UnknownTimeframeError, match="such as 5m, 1h, 4h or 1d"):
        timeframe_ms(wrong)


@given(st.sampled_from(["1m", "15m", "1h", "4h", "1d", "1w"]), st.integers(0, 4_000_000_000_000))
def test_the_newest_closed_bar_is_over_and_the_next_is_not(timeframe, now):
    newest, length = newest_closed_ms(timeframe, now), timeframe_ms(timeframe)
    assert newest + length <= now < newest + 2 * length
    assert (newest - bar_offset_ms(timeframe)) % length == 0


def test_weeks_open_on_monday():
    assert format_ms(newest_closed_ms("1w", parse_ms("2025-05-07"))) == "2025-04-28 00:00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2025-05-01", "2025-05-01T00:00:00Z"),
        ("2025-05-01T12:30", "2025-05-01T12:30:00Z"),
        ("2025-05-01 12:30:15", "2025-05-01T12:30:15Z"),
        ("2025-05-01T02:00+02:00", "2025-05-01T00:00:00Z"),
        ("2025-05-01T00:00:00Z", "2025-05-01T00:00:00Z"),
    ],
)
def test_dates_are_utc_unless_they_say_otherwise(text, shown):
    assert iso_ms(parse_ms(text)) == shown


@pytest.mark.parametrize("wrong", ["", "yesterday", "2025-13-01", "01.05.2025"])
def test_dates_that_are_none(wrong):
    with pytest.raises(QuorateError, match="YYYY-MM-DD"):
        parse_ms(wrong)


def test_times_no_calendar_has_are_shown_as_they_are():
    assert format_ms(10**18) == "1000000000000000000 ms"
    assert parse_ms("2024-01-01") < now_ms() < parse_ms("2200-01-01")
