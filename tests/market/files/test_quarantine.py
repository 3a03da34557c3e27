import pytest

from quorate.core.errors import DataError
from quorate.market.columns import FundingColumns
from quorate.market.files.quarantine import quarantine, side_path


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("BTC_USDT-4h.feather", "BTC_USDT-4h.quarantine.csv"),
        ("BTC_USDT-4h.json.gz", "BTC_USDT-4h.quarantine.csv"),
        ("BTCUSDT-1h-2024-10.csv", "BTCUSDT-1h-2024-10.quarantine.csv"),
    ],
)
def test_the_side_file_lies_beside_the_data(tmp_path, name, side):
    assert side_path(tmp_path / name) == tmp_path / side


def test_rows_are_kept_as_text_once_and_in_order(tmp_path, hourly):
    path = tmp_path / "BTC_USDT-1h.feather"
    side = quarantine(path, hourly(2), "a.csv")
    written = side.read_text()
    assert written.splitlines() == [
        "time,date,open,high,low,close,volume,source",
        "1704067200000,2024-01-01T00:00:00Z,100.0,102.0,98.0,101.0,10.0,a.csv",
        "1704070800000,2024-01-01T01:00:00Z,101.0,103.0,99.0,102.0,11.0,a.csv",
    ]
    before = side.stat()
    quarantine(path, hourly(1), "a.csv")
    assert side.stat().st_mtime_ns == before.st_mtime_ns
    assert side.stat().st_ino == before.st_ino
    quarantine(path, hourly(1), "b,\n.csv\udcff")
    assert len(side.read_text().splitlines()) == 4
    assert "10.0,b_.csv?" in side.read_text()


def test_settlements_have_a_rate(tmp_path, hourly):
    rows = FundingColumns(hourly(1).time, hourly(1).open / 1e6)
    assert quarantine(tmp_path / "f.feather", rows, "f").read_text().splitlines() == [
        "time,date,rate,source",
        "1704067200000,2024-01-01T00:00:00Z,0.0001,f",
    ]


def test_a_side_file_of_somebody_else_is_left_alone(tmp_path, hourly):
    side = tmp_path / "BTC_USDT-1h.quarantine.csv"
    side.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="Move that file"):
        quarantine(tmp_path / "BTC_USDT-1h.feather", hourly(1), "a")
    assert side.read_bytes() == b"\xff\xfe\x00"
