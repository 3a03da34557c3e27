import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import CandleError, DataError, TooLittleHistoryError, UnknownSymbolError, UnknownTimeframeError
from quorate.market.tables.table_folder import TableFolder, read_table

START = parse_ms("2024-01-01")
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


@pytest.fixture
def kline(hourly):
    """The text of the exchange's kline CSV: kline(rows, header, per_ms), per_ms 1000 for microseconds."""

    def make(rows=5, header=False, per_ms=1, columns=None):
        columns = hourly(rows) if columns is None else columns
        lines = [HEADER] if header else []
        for row in range(len(columns)):
            time = int(columns.time[row])
            prices = ",".join(
                f"{getattr(columns, name)[row]:.8f}" for name in ("open", "high", "low", "close", "volume")
            )
            lines.append(f"{time * per_ms},{prices},{(time + HOUR_MS) * per_ms - 1},123456.7,42,1.5,2.5,0")
        return "\n".join(lines) + "\n"

    return make


def zipped(text, name="BTCUSDT-1h-2024-01.csv"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("per_ms", [1, 1000])
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "zip"])
def test_the_exchanges_klines(tmp_path, hourly, kline, header, per_ms, ending):
    path = tmp_path / f"BTCUSDT-1h-2024-01.{ending}"
    text = kline(5, header, per_ms)
    path.write_bytes({"csv": str.encode, "csv.gz": lambda t: gzip.compress(t.encode()), "zip": zipped}[ending](text))
    assert read_table(path).same_rows(hourly(5))


def test_a_change_of_unit_within_one_file(tmp_path, hourly, kline):
    path = tmp_path / "BTCUSDT-1h.csv"
    path.write_text(
        kline(columns=hourly(6).take(np.arange(3))) + kline(columns=hourly(6).take(np.arange(3, 6)), per_ms=1000)
    )
    assert read_table(path).same_rows(hourly(6))


@pytest.mark.parametrize(
    "text",
    [
        "date,open,high,low,close,volume\n2024-01-01 00:00:00+00:00,100,102,98,101,10\n",
        "date,open,high,low,close,volume\n2024-01-01 00:00:00,100,102,98,101,10\n",
        "date,open,high,low,close,volume\n2024-01-01T00:00:00Z,100,102,98,101,10\n",
        "timestamp,open,high,low,close,volume\n1704067200,100,102,98,101,10\n",
        "timestamp,open,high,low,close,volume\n1704067200000.0,100,102,98,101,10\n",
        "Open time,Open,High,Low,Close,Volume\n1704067200000,100,102,98,101,10\n",
        ' "Time" , "Open","High","Low","Close","Volume"\n1704067200000,100,102,98,101,10\n',
        "time;open;high;low;close;volume\n1704067200000;100;102;98;101;10\n",
        "volume\tclose\tlow\thigh\topen\tdatetime\n10\t101\t98\t102\t100\t2024-01-01T00:00:00\n",
        "\ufeffdate,open,high,low,close,volume\n2024-01-01,100,102,98,101,10\n",
        "date,open,high,low,close,volume,open_time\n2023-06-06,100,102,98,101,10,1704067200000\n",
        "1704067200000,100,102,98,101,10\r\n",
    ],
)
def test_what_other_programs_write(tmp_path, hourly, text):
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    assert read_table(path).same_rows(hourly(1))


def test_parquet(tmp_path, hourly, table):
    path = tmp_path / "BTC_USDT-1h.parquet"
    pa.parquet.write_table(table(hourly(5)), path)
    assert read_table(path).same_rows(hourly(5))
    rows = table(hourly(5), "us").rename_columns(["Timestamp", "Open", "High", "Low", "Close", "Volume"])
    pa.parquet.write_table(rows, path)
    assert read_table(path).same_rows(hourly(5))


def test_empty_cells_are_nan(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("date,open,high,low,close,volume\n2024-01-01,100,,98,101,\n")
    rows = read_table(path)
    assert np.isnan(rows.high[0])
    assert np.isnan(rows.volume[0])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "an empty file"),
        ("a.csv", b"\n", "Empty CSV file"),
        ("a.csv", b"\x00\xff\xfe\x12" * 50, "no time, open|csv table"),
        ("a.csv", b"date,open,high,low,close\n2024-01-01,1,1,1,1\n", "no volume in its columns"),
        ("a.csv", b"o,h,l,c,v\n1,1,1,1,1\n", "no time in its columns: o, h, l, c, v"),
        ("a.csv", b"1704067200000,1,2,3\n", "rows of 4 values and no header"),
        ("a.csv", b"date,open,high,low,close,volume\n2024-01-01,1,1\n", "Expected 6 columns, got 3"),
        ("a.csv", b"date,open,high,low,close,volume\n2024-01-01,1,x,1,1,1\n", "invalid value 'x'"),
        (
            "a.csv",
            b"date,open,high,low,close,volume\nyesterday,1,1,1,1,1\n",
            "'yesterday' in row 0 of a column of times",
        ),
        ("a.csv", b"date,open,open,high,low,close,volume\n2024-01-01,1,1,1,1,1,1\n", "open twice"),
        ("a.csv.gz", b"plain", "csv.gz table"),
        ("a.csv.gz", gzip.compress(b"date,open\n")[:-9], "csv.gz table"),
        ("a.zip", b"PK\x03\x04", "zip table"),
        ("a.zip", zipped("x", "readme.md"), "no table in the zip"),
        ("a.zip", zipped("date,open,high,low,close,volume\n" * 50)[:90], "zip table"),
        ("a.parquet", b"PAR1", "parquet table"),
        ("a.xlsx", b"x", "not a zip file"),
        ("a.xls", b"x", r"found the ending '.xls'.*Save the sheet as .xlsx or .csv"),
    ],
    # Not the bytes: archives hold the second in which they were made, and processes that share the tests would differ.
    ids=lambda value: "content" if isinstance(value, bytes) else None,
)
def test_foreign_files_are_refused_by_name(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as refusal:
        read_table(path)
    assert name in str(refusal.value)


def test_a_zip_with_a_password_is_refused(tmp_path):
    content = bytearray(zipped("date,open\n"))
    content[6] |= 1  # the flag in the file's own header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the list at the end
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(DataError, match="password"):
        read_table(tmp_path / "a.zip")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("quorate.market.tables.readers.MOST_BYTES", 1000)
    (tmp_path / "a.zip").write_bytes(zipped("1" * 5000))
    with pytest.raises(DataError, match="more than 1000 bytes"):
        read_table(tmp_path / "a.zip")


@pytest.fixture
def folder(tmp_path, hourly, kline):
    """Two overlapping months of a perpetual, one file of spot, and one of an unknown market."""
    perpetual, spot = tmp_path / "futures/um", tmp_path / "spot"
    perpetual.mkdir(parents=True)
    spot.mkdir()
    (perpetual / "BTCUSDT-1h-2024-02.csv").write_text(kline(columns=hourly(10).take(np.arange(4, 10))))
    (perpetual / "BTCUSDT-1h-2024-01.zip").write_bytes(zipped(kline(columns=hourly(5))))
    (spot / "BTCUSDT-1h-2024-01.csv").write_text(kline(3, header=True))
    (tmp_path / "BTCUSDT-4h.csv").write_text(kline(1))
    return tmp_path


def test_a_folder_of_tables_is_a_source(folder, hourly):
    source = TableFolder(folder)
    assert source.symbols("1h") == ("BTC/USDT", "BTC/USDT:USDT")
    assert source.symbols("1h", perpetual=True) == ("BTC/USDT:USDT",)
    candles = source.candles("BTC/USDT:USDT", "1h")
    assert candles.close.tolist() == hourly(10).close.tolist()
    assert len(source.candles("BTC/USDT", "1h")) == 3
    assert source.funding("BTC/USDT:USDT") is None
    assert source.mark("BTC/USDT:USDT", "1h") is None
    with pytest.raises(UnknownTimeframeError, match="found only 1h; expected 4h"):
        source.candles("BTC/USDT", "4h")
    with pytest.raises(UnknownSymbolError, match="Did you mean 'BTC/USDT'"):
        source.candles("BTC/USDTT", "1h")


def test_files_that_do_not_say_it_follow_the_folders_word(folder):
    assert TableFolder(folder).symbols("4h") == ()
    assert TableFolder(folder, perpetual=False).symbols("4h") == ("BTC/USDT",)
    assert TableFolder(folder, perpetual=True).symbols("4h") == ("BTC/USDT:USDT",)
    assert TableFolder(folder, perpetual=True).symbols("1h") == ("BTC/USDT", "BTC/USDT:USDT")


def test_tables_are_checked(folder, hourly, kline):
    path = folder / "spot/BTCUSDT-1h-2024-01.csv"
    path.write_text(kline(columns=hourly(3, close={1: 500.0})))
    with pytest.raises(CandleError, match=r"BTCUSDT-1h-2024-01.csv: found row 1 at 2024-01-01 01:00 with open 101.0"):
        TableFolder(folder).candles("BTC/USDT", "1h")
    path.write_text(HEADER + "\n")
    with pytest.raises(TooLittleHistoryError):
        TableFolder(folder).candles("BTC/USDT", "1h")


def test_contradictions_between_tables_are_put_aside(folder, hourly, kline):
    (folder / "spot/BTCUSDT-1h-2024-02.csv").write_text(kline(columns=hourly(3, close={2: 103.5}).take(np.array([2]))))
    assert len(TableFolder(folder).candles("BTC/USDT", "1h")) == 2
    assert "103.5" in (folder / "spot/BTCUSDT-1h-2024-01.quarantine.csv").read_text()
    assert len(TableFolder(folder).candles("BTC/USDT", "1h")) == 2


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        TableFolder(tmp_path / "absent")
    (tmp_path / "file.csv").write_text("")
    with pytest.raises(DataError, match="Not a directory"):
        TableFolder(tmp_path / "file.csv")


@pytest.mark.data
def test_real_archives():
    name = os.environ.get("QUORATE_DATA")
    if not name:
        pytest.skip("QUORATE_DATA does not name a folder with freqtrade-testdata/")
    source = TableFolder(Path(name) / "freqtrade-testdata/binance_public_data")
    assert source.symbols("1h") == ("BTC/USDT", "BTC/USDT:USDT")
    spot, perpetual = source.candles("BTC/USDT", "1h"), source.candles("BTC/USDT:USDT", "1h")
    assert spot.time.tolist() == perpetual.time.tolist() == [parse_ms("2024-10-28") + h * HOUR_MS for h in range(24)]
    assert (spot.open[0], spot.volume[0]) == (68021.69, 555.35912)
    assert (perpetual.open[0], perpetual.volume[0]) == (67992.7, 5179.117)
