from collections import defaultdict
from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import DAY_MS, HOUR_MS, format_ms, parse_ms
from quorate.core.errors import CandleError
from quorate.core.settings import QualitySettings
from quorate.core.types import CANDLE_COLUMNS
from quorate.core.types.times import NO_TIME
from quorate.market.columns import Columns, FundingColumns, join
from quorate.market.quality.candle_checks import check_candles, check_funding

START = parse_ms("2024-01-01")
NOW = parse_ms("2025-01-01")
FUTURE = parse_ms("2031-01-01")


def test_sound_rows_pass_untouched(hourly, now):
    checked = check_candles(hourly(48), "1h", now)
    report = checked.report
    assert report.ok
    assert checked.kept.same_rows(hourly(48))
    assert (report.rows, report.kept, report.start, report.end) == (48, 48, START, START + 47 * HOUR_MS)
    assert (report.gaps, report.missing_bars, report.duplicates, report.conflicts) == (0, 0, 0, 0)
    assert (report.out_of_order, report.running, report.zero_volume, report.spikes) == (0, 0, 0, ())
    report.require("here")


@pytest.mark.parametrize(
    ("replaced", "kind", "row", "value"),
    [
        ({"close": {3: float("nan")}}, "not_finite", 3, "close nan"),
        ({"open": {0: float("inf")}}, "not_finite", 0, "open inf"),
        ({"low": {9: float("-inf")}}, "not_finite", 9, "low -inf"),
        ({"volume": {4: float("nan")}}, "not_finite", 4, "volume nan"),
        ({"low": {2: 0.0}}, "price", 2, "low 0.0"),
        ({"low": {2: -1.5}}, "price", 2, "low -1.5"),
        ({"high": {2: 1e19}}, "price", 2, "high 1e+19"),
        ({"low": {2: 5e-324}}, "price", 2, "low 5e-324"),
        ({"high": {5: 104.0}}, "high_low", 5, "open 105.0, high 104.0, low 103.0, close 106.0"),
        ({"high": {5: 105.5}}, "high_low", 5, "open 105.0, high 105.5, low 103.0, close 106.0"),
        ({"low": {5: 105.5}}, "high_low", 5, "open 105.0, high 107.0, low 105.5, close 106.0"),
        ({"volume": {6: -1.0}}, "volume", 6, "volume -1.0"),
        ({"volume": {6: 1e19}}, "volume", 6, "volume 1e+19"),
        ({"time": {7: START + 7 * HOUR_MS + 1}}, "misaligned", 7, "its open time"),
        ({"time": {7: START + 7 * HOUR_MS + HOUR_MS // 2}}, "misaligned", 7, "its open time"),
        ({"time": {9: FUTURE}}, "future", 9, "its open time"),
        ({"time": {0: NO_TIME}}, "no_time", 0, "no date"),
        ({"time": {0: 0}}, "no_time", 0, "no date"),
        ({"time": {0: -HOUR_MS}}, "no_time", 0, "no date"),
    ],
)
def test_rows_that_cannot_be_true_are_rejected_by_file_row_and_value(hourly, now, replaced, kind, row, value):
    report = check_candles(hourly(10, **replaced), "1h", now).report
    assert not report.ok
    (fault,) = report.faults
    assert (fault.kind, fault.row, fault.value, fault.rows) == (kind, row, value, 1)
    with pytest.raises(CandleError) as refusal:
        report.require("binance/X_USDT-1h.feather")
    message = str(refusal.value)
    assert "binance/X_USDT-1h.feather" in message
    assert f"row {row} " in message
    assert value in message
    if kind not in ("no_time", "misaligned", "future"):
        assert format_ms(START + row * HOUR_MS) in message


def test_every_kind_of_fault_is_counted_and_the_first_row_leads(hourly, now):
    nan = float("nan")
    report = check_candles(hourly(10, close={8: nan, 4: nan}, volume={6: -1.0}, time={9: FUTURE}), "1h", now).report
    assert {fault.kind: (fault.row, fault.rows) for fault in report.faults} == {
        "not_finite": (4, 2),
        "volume": (6, 1),
        "future": (9, 1),
    }
    with pytest.raises(CandleError, match=r"row 4 at 2024-01-01 04:00 with close nan \(2 such rows\)"):
        report.require("x")


def rescaled(columns, at, factor, gap=0):
    prices = {name: getattr(columns, name).copy() for name in ("open", "high", "low", "close")}
    for values in prices.values():
        values[at] *= factor
    time = columns.time.copy()
    time[at] += gap * HOUR_MS
    return Columns(time, **prices, volume=columns.volume)


def test_a_change_of_scale_is_reported_with_its_time_and_factor(hourly, now):
    for gap, missing in ((72, 72), (0, 0)):
        report = check_candles(rescaled(hourly(60), slice(40, None), 100.0, gap), "1h", now).report
        assert report.ok
        (change,) = report.scale_changes
        assert (change.time, change.missing) == (START + (40 + gap) * HOUR_MS, missing)
        assert change.factor == pytest.approx(100.0)
        assert report.to_json()["scale_changes"][0]["missing_bars"] == missing


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_one_candle_of_another_scale_is_a_spike_only(hourly, now, factor):
    report = check_candles(rescaled(hourly(60), 40, factor), "1h", now).report
    assert report.spikes == (START + 40 * HOUR_MS,)
    assert report.scale_changes == ()


def test_gaps_between_settlements_are_reported():
    hours = np.array([*range(0, 80, 8), *range(200, 280, 8)], np.int64)
    report = check_funding(FundingColumns(START + HOUR_MS * hours, np.full(len(hours), 1e-4)), NOW).report
    assert (report.ok, report.gaps) == (True, 1)
    assert report.funding_gaps == ((START + 80 * HOUR_MS, START + 200 * HOUR_MS),)
    assert report.to_json()["funding_gaps"] == [{"from": "2024-01-04T08:00:00Z", "to": "2024-01-09T08:00:00Z"}]


def test_a_row_with_two_faults_counts_once(hourly, now):
    report = check_candles(hourly(3, close={1: float("nan")}, volume={1: -5.0}), "1h", now).report
    assert [(fault.kind, fault.rows) for fault in report.faults] == [("not_finite", 1)]


def test_the_future_begins_after_now(hourly):
    rows = hourly(10)
    last = int(rows.time[-1])
    assert check_candles(rows, "1h", last).report.faults == ()
    assert [fault.kind for fault in check_candles(rows, "1h", last - 1).report.faults] == ["future"]


@pytest.mark.parametrize(("late_ms", "kept", "running"), [(0, 10, 0), (-1, 9, 1), (-HOUR_MS, 9, 1)])
def test_a_running_bar_is_no_fault_and_not_kept(hourly, late_ms, kept, running):
    rows = hourly(10)
    report = check_candles(rows, "1h", int(rows.time[-1]) + HOUR_MS + late_ms).report
    assert (report.ok, report.kept, report.running) == (True, kept, running)


def test_two_states_of_a_running_bar_do_not_contradict_each_other(hourly):
    rows = hourly(10)
    later = hourly(10, close={9: 109.5}).take(np.array([9]))
    report = check_candles(join([rows, later]), "1h", int(rows.time[-1]) + 60_000).report
    assert (report.kept, report.running, report.conflicts) == (9, 2, 0)


def test_exact_duplicates_collapse(hourly, now):
    rows = hourly(10)
    checked = check_candles(join([rows, rows.take(np.array([3, 3, 9]))]), "1h", now)
    assert checked.kept.same_rows(rows)
    assert (checked.report.duplicates, checked.report.conflicts, checked.report.rows) == (3, 0, 13)


def test_conflicting_duplicates_are_put_aside_all_of_them(hourly, now):
    rows = hourly(10)
    other = hourly(10, close={4: 104.5}).take(np.array([4]))
    checked = check_candles(join([rows, rows.take(np.array([4])), other]), "1h", now)
    assert checked.report.conflicts == 3
    assert checked.quarantined.time.tolist() == [START + 4 * HOUR_MS] * 3
    assert checked.quarantined.close.tolist() == [105.0, 105.0, 104.5]
    assert checked.kept.time.tolist() == [START + hour * HOUR_MS for hour in range(10) if hour != 4]
    assert (checked.report.gaps, checked.report.missing_bars) == (1, 1)


def test_gaps_are_counted_and_kept(hourly, now):
    rows = hourly(20).take(np.array([0, 1, 4, 5, 6, 12, 13]))
    checked = check_candles(rows, "1h", now)
    assert checked.kept.same_rows(rows)
    report = checked.report
    assert (report.gaps, report.missing_bars, report.longest_gap) == (2, 2 + 5, 5)


def test_shuffled_rows_are_sorted_and_counted(hourly, now):
    rows = hourly(6)
    checked = check_candles(rows.take(np.array([0, 2, 1, 5, 4, 3])), "1h", now)
    assert checked.kept.same_rows(rows)
    assert checked.report.out_of_order == 3


def test_zero_volume_is_reported(hourly, now):
    report = check_candles(hourly(6, volume={1: 0.0, 5: 0.0}), "1h", now).report
    assert (report.ok, report.zero_volume, report.quiet) == (True, 2, 0)


def test_quiet_bars_are_candles_and_are_counted(hourly, now):
    """Bars 1 and 3 have one price and no volume; bar 5 has no volume, but its price moved."""
    flat = {1: 100.0, 3: 100.0}
    rows = hourly(6, open=flat, high=flat, low=flat, close=flat, volume={1: 0.0, 3: 0.0, 5: 0.0})
    checked = check_candles(rows, "1h", now)
    assert checked.kept.same_rows(rows)
    assert (checked.report.zero_volume, checked.report.quiet, checked.report.gaps) == (3, 2, 0)
    assert check_candles(rows, "1h", now, has_volume=False).report.quiet == 0


@pytest.mark.parametrize(
    ("replaced", "spikes"),
    [
        ({"high": {4: 150.0}}, [4]),
        ({"low": {4: 60.0}}, [4]),
        ({"high": {4: 150.0, 5: 151.0}}, []),
        ({"high": {4: 112.0}}, []),
        ({"high": {0: 150.0}}, []),
    ],
)
def test_a_spike_stands_alone_between_its_neighbours(hourly, now, replaced, spikes):
    report = check_candles(hourly(10, **replaced), "1h", now).report
    assert report.ok
    assert report.spikes == tuple(START + bar * HOUR_MS for bar in spikes)


def test_a_spike_needs_neighbours_in_time(hourly, now):
    rows = hourly(10, high={4: 150.0}).take(np.array([0, 1, 2, 4, 5, 6]))
    assert check_candles(rows, "1h", now).report.spikes == ()


def test_what_counts_as_a_spike_is_a_setting(hourly, now):
    rows = hourly(10, high={4: 112.0})
    assert check_candles(rows, "1h", now, settings=QualitySettings(spike=0.04, spike_moves=1)).report.spikes == (
        START + 4 * HOUR_MS,
    )


def test_mark_prices_have_no_volume(hourly, now):
    checked = check_candles(hourly(4, volume={1: float("nan"), 2: -1.0}), "1h", now, has_volume=False)
    assert checked.report.ok
    assert checked.kept.volume.tolist() == [0.0] * 4
    assert checked.report.zero_volume == 0


def test_weeks_open_on_mondays(hourly, now):
    monday, thursday = parse_ms("2024-01-01"), parse_ms("2024-01-04")
    rows = hourly(3, time={0: monday, 1: monday + 7 * DAY_MS, 2: monday + 14 * DAY_MS})
    assert check_candles(rows, "1w", now).report.ok
    rows = hourly(2, time={0: thursday, 1: thursday + 7 * DAY_MS})
    assert [fault.kind for fault in check_candles(rows, "1w", now).report.faults] == ["misaligned"]


def test_no_rows_are_no_fault(hourly, now):
    report = check_candles(hourly(0), "1h", now).report
    assert (report.ok, report.rows, report.kept, report.start, report.end) == (True, 0, 0, None, None)


def test_the_report_as_json(hourly, now):
    json = check_candles(hourly(5, high={2: 150.0}, volume={3: 0.0}), "1h", now).report.to_json()
    assert json["ok"] is True
    assert (json["start"], json["end"]) == ("2024-01-01T00:00:00Z", "2024-01-01T04:00:00Z")
    assert json["spikes"] == ["2024-01-01T02:00:00Z"]
    assert json["zero_volume"] == 1
    json = check_candles(hourly(2, time={1: 10**17 // HOUR_MS * HOUR_MS}), "1h", now).report.to_json()
    assert json["faults"] == [{"kind": "future", "row": 1, "time": None, "value": "its open time", "rows": 1}]


def plain_checks(rows: Columns, now: int) -> tuple[dict[int, tuple[float, ...]], int, int, int]:
    """Slow oracle: kept rows by time, and numbers of faulty, dropped and quarantined rows."""
    by_time: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    faulty = 0
    for row in range(len(rows)):
        time = int(rows.time[row])
        o, h, l, c, v = values = tuple(float(getattr(rows, name)[row]) for name in CANDLE_COLUMNS)  # noqa: E741
        finite = all(np.isfinite(values))
        possible = finite and all(1e-18 <= p <= 1e18 for p in (o, h, l, c)) and (v == 0 or 1e-18 <= v <= 1e18)
        if not possible or not l <= min(o, c) or not max(o, c) <= h or time <= 0 or time % HOUR_MS or time > now:
            faulty += 1
        elif time + HOUR_MS <= now:
            by_time[time].append(values)
    kept = {
        time: rows_then[0]
        for time, rows_then in by_time.items()
        if all(isclose(*pair, rel_tol=1e-12) for row in rows_then for pair in zip(row, rows_then[0], strict=True))
    }
    collapsed = sum(len(by_time[time]) - 1 for time in kept)
    aside = sum(len(values) for time, values in by_time.items() if time not in kept)
    return kept, faulty, collapsed, aside


value = st.one_of(
    st.sampled_from([0.0, -1.0, 1.0, 2.0, 3.0, 1e18, 2e18, 1e-18, 1e-19, float("nan"), float("inf"), float("-inf")]),
    st.floats(),
)
hour = st.one_of(
    st.integers(0, 6).map(lambda hours: START + hours * HOUR_MS),
    st.sampled_from([NO_TIME, 0, -HOUR_MS, START + 1, FUTURE, 2**63 - 1]),
    st.integers(-(2**63), 2**63 - 1),
)
sound = st.tuples(st.integers(0, 6).map(lambda h: START + h * HOUR_MS), *[st.sampled_from([2.0, 2.5])] * 5).map(
    lambda row: (row[0], row[1], 3.0, 1.0, row[4], row[5])
)


@settings(max_examples=150)
@given(st.lists(st.one_of(sound, sound, st.tuples(hour, value, value, value, value, value)), max_size=25))
def test_judging_agrees_with_the_plain_rules(rows):
    check_against_plain_rules(rows)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(st.lists(st.one_of(sound, sound, st.tuples(hour, value, value, value, value, value)), max_size=25))
def test_ten_thousand_checks_agree_with_the_plain_rules(rows):
    check_against_plain_rules(rows)


def check_against_plain_rules(rows):
    time = np.array([row[0] for row in rows], dtype=np.int64)
    columns = Columns(time, *np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 5).T)
    checked = check_candles(columns, "1h", NOW)
    kept, faulty, collapsed, aside = plain_checks(columns, NOW)
    report = checked.report
    assert sum(fault.rows for fault in report.faults) == faulty
    assert (report.kept, report.duplicates, report.conflicts) == (len(kept), collapsed, aside)
    assert checked.kept.time.tolist() == sorted(kept)
    assert [
        tuple(float(getattr(checked.kept, name)[row]) for name in CANDLE_COLUMNS) for row in range(len(checked.kept))
    ] == [kept[moment] for moment in sorted(kept)]
    report.to_json()


@settings(max_examples=60)
@given(st.permutations(range(8)), st.lists(st.integers(0, 7), max_size=6))
def test_order_and_repetition_change_nothing(order, repeated):
    opening = 100.0 + np.arange(8)
    time = START + HOUR_MS * np.arange(8, dtype=np.int64)
    rows = Columns(time, opening, opening + 2, opening - 2, opening + 1, opening)
    checked = check_candles(rows.take(np.array([*order, *repeated])), "1h", NOW)
    assert checked.kept.same_rows(rows)
    assert checked.report.duplicates == len(repeated)


def test_settlements_are_cut_to_the_minute_and_sorted():
    rows = FundingColumns(np.array([START + 8 * HOUR_MS + 17, START + 3]), np.array([0.0002, -0.0001]))
    checked = check_funding(rows, NOW)
    assert checked.kept.time.tolist() == [START, START + 8 * HOUR_MS]
    assert checked.kept.rate.tolist() == [-0.0001, 0.0002]
    assert (checked.report.ok, checked.report.out_of_order) == (True, 1)


@pytest.mark.parametrize(
    ("time", "rate", "kind"),
    [
        (START, float("nan"), "not_finite"),
        (START, float("-inf"), "not_finite"),
        (START, 1.5, "rate"),
        (START, -1.5, "rate"),
        (FUTURE, 0.0001, "future"),
        (NO_TIME, 0.0001, "no_time"),
    ],
)
def test_settlements_that_cannot_be_true_are_rejected(time, rate, kind):
    report = check_funding(FundingColumns(np.array([START - 1, time]), np.array([0.0, rate])), NOW).report
    assert [(fault.kind, fault.row) for fault in report.faults] == [(kind, 1)]
    with pytest.raises(CandleError, match="row 1 "):
        report.require("funding")


def test_settlements_twice_collapse_or_are_put_aside():
    time = np.array([START, START, START + HOUR_MS, START + HOUR_MS, START + 2 * HOUR_MS])
    checked = check_funding(FundingColumns(time, np.array([0.1, 0.1, 0.1, 0.2, 0.3])), NOW)
    assert checked.kept.time.tolist() == [START, START + 2 * HOUR_MS]
    assert checked.quarantined.rate.tolist() == [0.1, 0.2]
    assert (checked.report.duplicates, checked.report.conflicts) == (1, 2)
