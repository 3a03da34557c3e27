import json
import os
from pathlib import Path

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import DataError
from quorate.market.files.formats import WRITERS
from quorate.market.files.inspection import check_folder, count_files
from quorate.market.synthetic import SyntheticMarket

START = parse_ms("2024-01-01")


def test_every_file_is_checked_and_nothing_is_written(tmp_path, hourly, write_feather):
    write_feather(tmp_path / "A_USDT-1h.feather", hourly(5, close={2: float("nan")}))
    write_feather(tmp_path / "B_USDT-1h.feather", hourly(5, time={3: START + 2 * HOUR_MS}))
    (tmp_path / "C_USDT-1h.feather").write_bytes(b"ARROW1 but no more")
    write_feather(tmp_path / "futures/D_USDT_USDT-1h-mark.feather", hourly(5, volume={1: float("nan")}))
    SyntheticMarket(symbols=1, bars=10).write(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    reports = {(report.symbol, report.kind): report for report in check_folder(tmp_path)}
    assert len(reports) == count_files(tmp_path) == 6
    assert [key for key, report in reports.items() if not report.ok] == [("A/USDT", "spot"), ("C/USDT", "spot")]
    assert str(reports["A/USDT", "spot"].report.faults[0]) == "row 2 at 2024-01-01 02:00 with close nan"
    assert reports["B/USDT", "spot"].report.conflicts == 2
    assert reports["C/USDT", "spot"].report is None
    assert "C_USDT-1h.feather" in reports["C/USDT", "spot"].error
    assert reports["SYNA/USDT:USDT", "futures"].synthetic
    assert reports["SYNA/USDT:USDT", "funding_rate"].synthetic
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    document = json.loads(json.dumps([report.to_json() for report in reports.values()]))
    assert [entry["ok"] for entry in document] == [False, True, False, True, True, True]
    assert document[0]["faults"][0]["row"] == 2


def test_two_formats_of_one_market_are_errors_of_both(tmp_path, hourly, table, write_feather):
    write_feather(tmp_path / "A_USDT-1h.feather", hourly(5))
    WRITERS[".parquet"](table(hourly(9)), tmp_path / "A_USDT-1h.parquet")
    write_feather(tmp_path / "B_USDT-1h.feather", hourly(5))
    WRITERS[".json"](table(hourly(5)), tmp_path / "B_USDT-1h.json")
    reports = {report.path.name: report for report in check_folder(tmp_path)}
    assert {name: report.ok for name, report in reports.items()} == {
        "A_USDT-1h.feather": False,
        "A_USDT-1h.parquet": False,
        "B_USDT-1h.feather": True,
        "B_USDT-1h.json": True,
    }
    for name in ("A_USDT-1h.feather", "A_USDT-1h.parquet"):
        assert "A_USDT-1h.parquet (9 rows" in reports[name].error
        assert reports[name].to_json()["ok"] is False


def test_the_clock_is_an_argument(tmp_path, hourly, write_feather):
    write_feather(tmp_path / "A_USDT-1h.feather", hourly(5))
    (report,) = check_folder(tmp_path, now=START + 4 * HOUR_MS + 1)
    assert (report.ok, report.report.running) == (True, 1)
    (report,) = check_folder(tmp_path, now=START)
    assert [fault.kind for fault in report.report.faults] == ["future"]


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match="absent"):
        check_folder(tmp_path / "absent")


@pytest.mark.data
def test_real_candles_pass():
    name = os.environ.get("QUORATE_DATA")
    if not name:
        pytest.skip("QUORATE_DATA does not name a folder with binance/ candles")
    reports = list(check_folder(Path(name) / "binance"))
    assert len(reports) > 300
    assert [report.path.name for report in reports if not report.ok] == []
    assert sum(report.report.duplicates + report.report.conflicts for report in reports) == 0
    assert {report.report.gaps for report in reports if report.kind == "futures"} == {0}
    btc = next(report.report for report in reports if (report.symbol, report.timeframe) == ("BTC/USDT", "4h"))
    assert (btc.rows, btc.gaps, btc.missing_bars) == (17_012, 27, 52)
