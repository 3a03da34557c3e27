import json

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import ArgumentError, DataError, UnknownSymbolError
from quorate.core.types import Candles
from quorate.market.files.candle_store import merge_candles, write_candles
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.files.inspection import check_folder
from quorate.market.files.join_scales import expect_split, join_scales, settle_split
from quorate.market.files.quarantine import side_path
from quorate.market.files.splits import Split, parse_split, read_splits

START = parse_ms("2024-01-01")
SYMBOL = "BNX/USDT:USDT"
SPLIT = Split(SYMBOL, START + 50 * HOUR_MS, 100.0)
COLUMNS = ("open", "high", "low", "close", "volume")


@pytest.fixture
def candles(hourly):
    """100 bars; from the 40th on 30 hours later, at 100 times the price and a hundredth of the volume."""

    def make(*, factor=1.0, mark=False):
        columns = hourly(100)
        arrays = {name: getattr(columns, name).copy() for name in ("time", *COLUMNS)}
        arrays["time"][40:] += 30 * HOUR_MS
        for name in ("open", "high", "low", "close"):
            arrays[name][:40] /= factor
        arrays["volume"][:40] *= factor
        if mark:
            arrays["volume"][:] = 0
        return Candles(SYMBOL, "1h", **arrays)

    return make


def close_to(left, right):
    np.testing.assert_array_equal(left.time, right.time)
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol=1e-12)


def test_older_prices_are_stored_at_the_new_scale(tmp_path, candles):
    write_candles(tmp_path, candles(factor=100))
    write_candles(tmp_path, candles(factor=100, mark=True), mark=True)
    before = [report.report.scale_changes for report in check_folder(tmp_path)]
    assert [change[0].factor for change in before] == [pytest.approx(100, rel=0.05)] * 2
    joined = join_scales(tmp_path, SPLIT)
    assert [file.rows for file in joined] == [40, 40]
    close_to(load_candles(tmp_path, SYMBOL, "1h"), candles())
    close_to(FreqtradeFolder(tmp_path).mark(SYMBOL, "1h"), candles(mark=True))
    assert [report.report.scale_changes for report in check_folder(tmp_path)] == [(), ()]
    assert read_splits(tmp_path) == (SPLIT,)


def test_a_second_run_changes_nothing(tmp_path, candles):
    path = write_candles(tmp_path, candles(factor=100)).path
    join_scales(tmp_path, SPLIT)
    content = path.read_bytes()
    assert [file.rows for file in join_scales(tmp_path, SPLIT)] == [0]
    assert path.read_bytes() == content
    assert read_splits(tmp_path) == (SPLIT,)


def test_a_run_that_was_killed_is_completed(tmp_path, candles):
    write_candles(tmp_path, candles(factor=100))
    write_candles(tmp_path, candles(factor=100, mark=True), mark=True)
    join_scales(tmp_path, SPLIT)
    write_candles(tmp_path, candles(factor=100, mark=True), mark=True)  # as if only the first file had been replaced
    assert sorted(file.rows for file in join_scales(tmp_path, SPLIT)) == [0, 40]
    close_to(FreqtradeFolder(tmp_path).mark(SYMBOL, "1h"), candles(mark=True))


@pytest.mark.parametrize("kept", [slice(0, 20), slice(10, 60), slice(None), slice(60, None)])
def test_rows_that_come_later_are_converted(tmp_path, candles, kept):
    old, new = candles(factor=100), candles()
    write_candles(tmp_path, old[20:])
    join_scales(tmp_path, SPLIT)
    merged = merge_candles(tmp_path, old[kept], source="exchange")
    assert merged.conflicts == 0
    stored = load_candles(tmp_path, SYMBOL, "1h")
    close_to(stored, new[min(kept.start or 0, 20) :] if kept.start != 60 else new[20:])
    # Rows that are converted already, such as a copy of the joined file, stay as they are.
    assert merge_candles(tmp_path, new[10:], source="copy").conflicts == 0


def test_a_split_of_rows_to_come(tmp_path, candles):
    expect_split(tmp_path / "new", SPLIT)
    merge_candles(tmp_path / "new", candles(factor=100), source="exchange")
    close_to(load_candles(tmp_path / "new", SYMBOL, "1h"), candles())


def test_rows_that_all_are_older_wait_for_newer_ones(tmp_path, candles):
    """Nothing shows yet that they are at the old scale; converting them at a guess could convert them twice."""
    old = candles(factor=100)
    path = write_candles(tmp_path, old[:40]).path
    content = path.read_bytes()
    assert not expect_split(tmp_path, SPLIT)
    with pytest.raises(DataError, match=r"no bars on both sides of it; .*Store bars from before and after"):
        settle_split(tmp_path, SPLIT)
    assert path.read_bytes() == content
    assert read_splits(tmp_path) == ()
    merge_candles(tmp_path, old[40:], source="exchange")
    assert [file.rows for file in settle_split(tmp_path, SPLIT)] == [40]
    close_to(load_candles(tmp_path, SYMBOL, "1h"), candles())
    assert [file.rows for file in settle_split(tmp_path, SPLIT)] == [0]


def test_newer_rows_alone_are_kept_and_older_ones_converted_when_they_come(tmp_path, candles):
    write_candles(tmp_path, candles(factor=100)[50:])
    assert settle_split(tmp_path, SPLIT) == ()
    assert merge_candles(tmp_path, candles(factor=100)[:30], source="exchange").conflicts == 0
    stored = load_candles(tmp_path, SYMBOL, "1h")
    close_to(stored[:30], candles()[:30])
    close_to(stored[30:], candles()[50:])


def test_a_file_that_ends_before_a_split_is_converted_with_the_one_that_shows_it(tmp_path, candles):
    write_candles(tmp_path, candles(factor=100))
    write_candles(tmp_path, candles(factor=100, mark=True)[:30], mark=True)
    assert sorted(file.rows for file in join_scales(tmp_path, SPLIT)) == [30, 40]
    merge_candles(tmp_path, candles(factor=100, mark=True)[20:], source="exchange", mark=True)
    close_to(FreqtradeFolder(tmp_path).mark(SYMBOL, "1h"), candles(mark=True))
    assert [file.rows for file in join_scales(tmp_path, SPLIT)] == [0, 0]


@pytest.fixture
def daily(hourly):
    """20 days; the tenth opens at a hundredth of the price at which it closes."""
    columns = hourly(20)
    arrays = {name: getattr(columns, name).copy() for name in COLUMNS}
    time = parse_ms("2024-01-01") + np.arange(20) * DAY_MS
    for name in ("open", "high", "low", "close"):
        arrays[name][:9] /= 100
    arrays["volume"][:9] *= 100
    arrays["open"][9] /= 100
    arrays["low"][9] /= 100
    joined = {name: np.delete(getattr(columns, name), 9) for name in COLUMNS}
    made = Candles(SYMBOL, "1d", time, **arrays)
    return made, Candles(SYMBOL, "1d", np.delete(time, 9), **joined)


def test_a_bar_that_holds_a_split_becomes_a_gap(tmp_path, daily):
    raw, joined = daily
    split = Split(SYMBOL, int(raw.time[9]) + 8 * HOUR_MS, 100.0)
    path = write_candles(tmp_path, raw).path
    (file,) = join_scales(tmp_path, split)
    assert (file.rows, file.left_out) == (9, 1)
    close_to(load_candles(tmp_path, SYMBOL, "1d"), joined)
    assert side_path(path).read_text().count("\n") == 2  # a header and the bar, at the prices that it had
    content = path.read_bytes()
    (file,) = join_scales(tmp_path, split)
    assert (file.rows, file.left_out) == (0, 0)
    assert path.read_bytes() == content
    # The exchange still has the bar: it comes again with a download, alone or with others, and stays out.
    for again in (raw, raw[9:10], raw[5:15]):
        merged = merge_candles(tmp_path, again, source=path.name)
        assert (merged.added, merged.conflicts) == (0, 0)
    assert path.read_bytes() == content
    assert side_path(path).read_text().count("\n") == 2


def test_a_bar_that_ended_before_a_split_is_kept(tmp_path, candles):
    """The time may be any between the last bar and the next, also one at which the last bar had not closed."""
    write_candles(tmp_path, candles(factor=100))
    (file,) = join_scales(tmp_path, Split(SYMBOL, START + 39 * HOUR_MS + 1, 100.0))
    assert (file.rows, file.left_out) == (40, 0)
    close_to(load_candles(tmp_path, SYMBOL, "1h"), candles())


@pytest.mark.parametrize("kept", [slice(None), slice(9, None), slice(9, 10)])
def test_a_longer_bar_that_begins_the_new_scale_is_no_older_one(tmp_path, daily, kept):
    """Trading stopped with the day before, and went on at the new scale at 08:00 of the tenth day."""
    raw, _ = daily
    arrays = {name: getattr(raw, name).copy() for name in COLUMNS}
    for name in ("open", "low"):
        arrays[name][9] *= 100
    raw = Candles(SYMBOL, "1d", raw.time, **arrays)
    split = Split(SYMBOL, int(raw.time[9]) + 8 * HOUR_MS, 100.0)
    write_candles(tmp_path, raw)
    (file,) = join_scales(tmp_path, split)
    assert (file.rows, file.left_out) == (9, 0)
    stored = load_candles(tmp_path, SYMBOL, "1d")
    np.testing.assert_allclose(stored.close[:9], raw.close[:9] * 100)
    close_to(stored[9:], raw[9:])
    if kept != slice(9, 10):  # alone it could be at either scale
        assert merge_candles(tmp_path, raw[kept], source="exchange").conflicts == 0
        assert merge_candles(tmp_path, stored, source="copy").conflicts == 0


@pytest.mark.parametrize(
    ("split", "error", "found"),
    [
        (Split(SYMBOL, START + 20 * HOUR_MS, 100.0), DataError, r"prices [01.]+\d* times"),
        (Split(SYMBOL, START + 50 * HOUR_MS, 1000.0), DataError, r"prices \d+\.?\d* times those before"),
        (Split(SYMBOL, START + 50 * HOUR_MS, 0.01), DataError, "expected about 0.01 times"),
        (Split(SYMBOL, START + 900 * HOUR_MS, 100.0), DataError, "no bars on both sides"),
        (Split("ABC/USDT", START, 100.0), UnknownSymbolError, "ABC/USDT"),
    ],
)
def test_a_change_that_is_not_there_is_refused_and_nothing_written(tmp_path, candles, split, error, found):
    path = write_candles(tmp_path, candles(factor=100)).path
    content = path.read_bytes()
    with pytest.raises(error, match=found):
        join_scales(tmp_path, split)
    assert path.read_bytes() == content
    assert not (tmp_path / "splits.json").exists()


def test_texts():
    assert parse_split("BNX/USDT:USDT=100@2024-01-03T02:00") == SPLIT
    assert parse_split(str(SPLIT)) == SPLIT
    assert parse_split(" luna/usdt=0.5@2022-05-31") == Split("LUNA/USDT", parse_ms("2022-05-31"), 0.5)


@pytest.mark.parametrize(
    "text", ["", "BNX", "BNX/USDT=100", "BNX/USDT=0@2024-01-01", "BNX/USDT=1@2024-01-01", "BNX/USDT=x@2024-01-01",
             "BNX/USDT=inf@2024-01-01", "BNX/USDT=nan@2024-01-01", "BNX/USDT=100@soon", "BNXUSDT=100@2024-01-01"]
)  # fmt: skip
def test_texts_that_are_no_split(text):
    with pytest.raises(ArgumentError, match="SYMBOL=FACTOR@DATE"):
        parse_split(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "splits": []}', '{"version": 1, "splits": [1]}'])
def test_a_list_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "splits.json").write_text(text)
    with pytest.raises(DataError, match=r"splits\.json"):
        read_splits(tmp_path)


def test_the_list_of_a_folder(tmp_path, candles):
    write_candles(tmp_path, candles(factor=100))
    join_scales(tmp_path, SPLIT)
    document = json.loads((tmp_path / "splits.json").read_text())
    assert document == {"version": 1, "splits": [{"symbol": SYMBOL, "time": SPLIT.time, "factor": 100.0}]}
