"""Archives of market statistics in the exchange's formats: what is read, when it is known, and what is refused."""

import gzip
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_ms
from quorate.market import FreqtradeFolder, check_folder, count_files, list_folder
from quorate.market.files.freqtrade_folder import load_candles
from quorate.market.tables.command_line import ImportOptions
from quorate.market.tables.imports import import_files

SYMBOL = "BTC/USDT:USDT"
DAY = parse_ms("2024-10-28")
NOW = parse_ms("2025-01-01")
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
)
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


def metrics_line(stamp, interest=1000.0, taker="1.5", symbol="BTCUSDT"):
    return f"{stamp},{symbol},{interest},{interest * 67000},1.1,1.2,0.9,{taker}\n"


def at(minute):
    return f"2024-10-28 {minute // 60:02d}:{minute % 60:02d}:00"


def metrics_file(folder, lines, name="BTCUSDT-metrics-2024-10-28.csv", header=METRICS):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(header + "".join(lines))
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "data"


def run(out, *paths, **options):
    return import_files(paths, out, ImportOptions(**options), now=NOW)


def stored(out, timeframe="5m"):
    return FreqtradeFolder(out, clock=lambda: NOW).statistics(SYMBOL, timeframe)


def test_metrics_are_stored_under_their_statistics(tmp_path, out):
    lines = [metrics_line(at(minute), 1000.0 + minute) for minute in range(5, 30, 5)]
    report = run(out, metrics_file(tmp_path, lines))
    assert report.ok
    (market,) = report.markets
    assert (market.symbol, market.timeframe, market.kind) == (SYMBOL, "5m", "statistics")
    assert market.merged.stored.path == out / "statistics/BTC_USDT_USDT-5m-statistics.feather"
    found = stored(out)
    assert found.time.tolist() == [DAY + minute * MINUTE_MS for minute in range(5, 30, 5)]
    assert found.open_interest.tolist() == [1005.0, 1010.0, 1015.0, 1020.0, 1025.0]
    assert found.open_interest_usd[0] == 1005.0 * 67000
    assert found.long_short_top_accounts[0] == 1.1
    assert found.long_short_top_positions[0] == 1.2
    assert found.long_short_accounts[0] == 0.9
    assert found.taker_buy_ratio[0] == 1.5
    assert found.taker_buy_share[0] == pytest.approx(0.6)
    assert np.isnan(found.premium).all()
    assert np.isnan(found.taker_buy_volume).all()


def test_a_value_counts_once_the_five_minutes_after_its_stamp_are_over(tmp_path, out):
    run(out, metrics_file(tmp_path, [metrics_line(at(minute), float(minute)) for minute in (50, 55, 60, 65)]))
    first, second = stored(out, "1h").open_interest.tolist()
    # The bar from 00:00 closes at 01:00, when the row stamped 01:00 is not yet published.
    assert (first, second) == (55.0, 65.0)


@pytest.mark.parametrize("form", ["zip", "gz", "no header", "quoted"])
def test_every_form_of_a_file_gives_the_same(tmp_path, out, form):
    lines = [metrics_line(at(minute)) for minute in (5, 10)]
    path = metrics_file(tmp_path, lines)
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "BTCUSDT-metrics-2024-10-28.zip", "w") as archive:
            archive.write(path, path.name)
        path = tmp_path / "BTCUSDT-metrics-2024-10-28.zip"
    elif form == "gz":
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress((METRICS + "".join(lines)).encode()))
    elif form == "no header":
        path = metrics_file(tmp_path / "bare", lines, header="")
    else:
        path.write_text(METRICS + "".join('"' + line.strip().replace(",", '","') + '"\n' for line in lines))
    assert run(out, path).ok
    assert stored(out).open_interest.tolist() == [1000.0, 1000.0]


def test_odd_times_and_repeated_rows_of_older_files(tmp_path, out):
    lines = [
        metrics_line("2024-10-28 00:05:03", 1.0),
        metrics_line("2024-10-28 00:05:03", 1.0),  # repeated
        metrics_line("2024-10-28 00:10:00", 2.0),
        metrics_line("2024-10-28 00:13:59", 3.0),  # a later stamp in the same five minutes
        metrics_line("2024-10-28 00:00:00", 0.5),  # out of order
    ]
    (market,) = run(out, metrics_file(tmp_path, lines)).markets
    assert stored(out).open_interest.tolist() == [0.5, 1.0, 3.0]
    assert market.report.duplicates == 1
    assert market.report.out_of_order == 1


def test_rows_of_one_stamp_that_contradict_each_other_are_set_aside(tmp_path, out):
    lines = [metrics_line(at(5), 1.0), metrics_line(at(5), 2.0), metrics_line(at(10), 3.0)]
    report = run(out, metrics_file(tmp_path, lines))
    (market,) = report.markets
    assert not report.ok
    assert stored(out).open_interest.tolist() == [3.0]
    assert market.conflicts == 2
    assert len(market.quarantine.read_text().splitlines()) == 3


def test_an_empty_cell_is_unknown(tmp_path, out):
    run(out, metrics_file(tmp_path, [metrics_line(at(5), taker=""), metrics_line(at(10))]))
    assert np.isnan(stored(out).taker_buy_ratio[0])
    assert stored(out).open_interest[0] == 1000.0


def test_importing_twice_changes_nothing_and_a_second_day_is_added(tmp_path, out):
    first = metrics_file(tmp_path, [metrics_line(at(5)), metrics_line(at(10))])
    path = run(out, first).markets[0].merged.stored.path
    before = path.read_bytes()
    (market,) = run(out, first).markets
    assert (market.merged.added, market.merged.duplicates) == (0, 2)
    assert not market.merged.stored.changed
    assert path.read_bytes() == before
    second = metrics_file(tmp_path, [metrics_line("2024-10-29 00:05:00")], "BTCUSDT-metrics-2024-10-29.csv")
    assert run(out, tmp_path).markets[0].merged.added == 1
    assert second.exists()
    assert len(stored(out)) == 3


def test_a_stored_value_is_kept_and_the_other_one_set_aside(tmp_path, out):
    run(out, metrics_file(tmp_path, [metrics_line(at(5), 1.0)]))
    report = run(out, metrics_file(tmp_path / "new", [metrics_line(at(5), 2.0), metrics_line(at(10), 3.0)]))
    assert stored(out).open_interest.tolist() == [1.0, 3.0]
    assert report.markets[0].conflicts == 1
    assert report.markets[0].conflicting == (tmp_path / "new/BTCUSDT-metrics-2024-10-28.csv",)


@pytest.mark.parametrize(
    ("name", "lines", "words"),
    [
        ("BTCUSDT-metrics-2024-10-28.csv", [metrics_line(at(5), symbol="ETHUSDT")], "rows of ETHUSDT from row 0"),
        ("BTCUSDT-metrics-2024-10-28.csv", [metrics_line("yesterday")], "create_time 'yesterday' in row 0"),
        ("BTCUSDT-metrics-2024-10-28.csv", [metrics_line(at(5), taker="x")], "sum_taker_long_short_vol_ratio 'x' in"),
        (
            "BTCUSDT-metrics-2024-10-28.csv",
            [metrics_line(at(5), -1.0)],
            "row 0 at 2024-10-28 00:05 with open_int",
        ),
        (
            "BTCUSDT-metrics-2024-10-28.csv",
            [metrics_line("2031-01-01 00:05:00")],
            "row 0 at 2031-01-01 00:05 in",
        ),
        ("BTCUSDT-metrics-2024-10-28.csv", [f"{at(5)},BTCUSDT,1\n"], "3 values in row 0"),
        ("BTCUSDT-metrics-2024-10-28.csv", [], "no value in 0 rows"),
        ("BTCUSDT-metrics-2023-01-21.csv", [metrics_line("2023-01-21")], "one row a day"),
        ("ARBUSD-metrics-2024-10-28.csv", [metrics_line(at(5))], "ARBUSD, which can be AR/BUSD or ARB/USD"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_others_go_on(tmp_path, out, name, lines, words):
    bad = metrics_file(tmp_path, lines, name)
    good = metrics_file(tmp_path, [metrics_line(at(5), symbol="ETHUSDT")], "ETHUSDT-metrics-2024-10-28.csv")
    report = run(out, bad, good)
    assert [market.symbol for market in report.markets] == ["ETH/USDT:USDT"]
    (refused,) = report.refused
    assert refused.path == bad
    assert words in str(refused.error)
    assert refused.error.expected


def test_a_file_of_another_layout_names_the_missing_columns(tmp_path, out):
    header = METRICS.replace("sum_open_interest_value", "value")
    (refused,) = run(out, metrics_file(tmp_path, [metrics_line(at(5))], header=header)).refused
    assert "no column sum_open_interest_value" in str(refused.error)


def premium_file(folder, values, name="BTCUSDT-1h-2024-10-28.csv"):
    path = folder / "um/daily/premiumIndexKlines/BTCUSDT/1h" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        f"{DAY + hour * HOUR_MS},{value},{value},{value},{value},0,{DAY + (hour + 1) * HOUR_MS - 1},0,720,0,0,0\n"
        for hour, value in enumerate(values)
    ]
    path.write_text(KLINES + "".join(rows))
    return path


def test_the_premium_index_is_stored_and_is_no_candle(tmp_path, out):
    # All above 0: as candles these rows would pass every check.
    report = run(out, premium_file(tmp_path, [0.0001, 0.0002, 0.0003]))
    (market,) = report.markets
    assert (market.kind, market.timeframe) == ("statistics", "1h")
    found = stored(out, "1h")
    assert found.premium.tolist() == [0.0001, 0.0002, 0.0003]
    assert found.time.tolist() == [DAY, DAY + HOUR_MS, DAY + 2 * HOUR_MS]
    assert FreqtradeFolder(out).symbols("1h") == ()


def test_a_premium_of_more_than_the_price_is_refused(tmp_path, out):
    (refused,) = run(out, premium_file(tmp_path, [-0.0001, 1.5])).refused
    assert "row 1 at 2024-10-28 01:00 with premium 1.5; expected premium from -1 to 1" in str(refused.error)


def klines_file(folder, rows):
    path = folder / "um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-10-28.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{DAY + hour * HOUR_MS},100,101,99,100,{volume},{DAY + (hour + 1) * HOUR_MS - 1},0,9,{bought},0,0\n"
        for hour, (volume, bought) in enumerate(rows)
    ]
    path.write_text(KLINES + "".join(lines))
    return path


def test_taker_volumes_of_candles_are_stored_where_they_are_asked_for(tmp_path, out):
    path = klines_file(tmp_path, [(10.0, 4.0), (0.0, 0.0), (8.0, 8.0)])
    assert [market.kind for market in run(out, path).markets] == ["futures"]
    assert not (out / "statistics").exists()
    assert [market.kind for market in run(out, path, statistics=True).markets] == ["futures", "statistics"]
    found = stored(out, "1h")
    assert found.taker_buy_volume.tolist() == [4.0, 0.0, 8.0]
    assert found.taker_sell_volume.tolist() == [6.0, 0.0, 0.0]
    np.testing.assert_array_equal(found.taker_buy_share, [0.4, np.nan, 1.0])
    assert load_candles(out, SYMBOL, "1h").volume.tolist() == [10.0, 0.0, 8.0]


def test_premium_and_taker_volumes_of_one_timeframe_share_a_file(tmp_path, out):
    run(out, premium_file(tmp_path, [0.1, 0.2]), klines_file(tmp_path, [(10.0, 4.0)] * 2), statistics=True)
    run(out, metrics_file(tmp_path, [metrics_line(at(minute), float(minute)) for minute in range(5, 120, 5)]))
    found = stored(out, "1h")
    assert found.premium.tolist() == [0.1, 0.2]
    assert found.taker_buy_volume.tolist() == [4.0, 4.0]
    assert found.open_interest.tolist() == [55.0, 115.0]
    assert {file.kind for file in list_folder(out)} == {"futures", "statistics"}
    assert count_files(out) == 3
    assert all(report.ok for report in check_folder(out, now=NOW))


def test_a_damaged_file_is_reported_by_the_check(tmp_path, out):
    run(out, metrics_file(tmp_path, [metrics_line(at(5))]))
    path = out / "statistics/BTC_USDT_USDT-5m-statistics.feather"
    path.write_bytes(b"nothing")
    (report,) = check_folder(out, now=NOW)
    assert not report.ok
    assert "expected a feather file" in report.error


def test_the_interval_that_is_still_running_is_left_out(tmp_path, out):
    now = DAY + 12 * MINUTE_MS
    path = metrics_file(tmp_path, [metrics_line(at(minute)) for minute in (0, 5, 10)])
    (market,) = import_files([path], out, now=now).markets
    assert market.report.running == 1
    assert len(stored(out)) == 2


@pytest.mark.data
def test_a_published_archive_of_candles_gives_its_taker_volumes(out):
    name = os.environ.get("QUORATE_DATA")
    if name is None or not (Path(name) / "freqtrade-testdata").is_dir():
        pytest.skip("QUORATE_DATA does not name a folder with freqtrade-testdata/")
    path = Path(name) / "freqtrade-testdata/binance_public_data/futures-um-klines-BTCUSDT-1h-2024-10-28.zip"
    assert run(out, path, statistics=True).ok
    found = stored(out, "1h")
    assert len(found) == DAY_MS // HOUR_MS
    assert found.taker_buy_volume[0] == 2415.052
    assert found.taker_sell_volume[0] == pytest.approx(5179.117 - 2415.052)
