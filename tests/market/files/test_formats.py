import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import DataError
from quorate.core.types.times import NO_TIME
from quorate.market.files import formats
from quorate.market.files.formats import read_columns, read_funding_columns, read_times

START = parse_ms("2024-01-01")
PRICES = {"open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]}


def json_rows(columns):
    names = ("time", "open", "high", "low", "close", "volume")
    return [list(row) for row in zip(*(getattr(columns, name).tolist() for name in names), strict=True)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", None, "Europe/Berlin"])
@pytest.mark.parametrize("ending", ["feather", "parquet"])
def test_dates_of_every_unit_and_zone(tmp_path, hourly, table, unit, zone, ending):
    path = tmp_path / f"BTC_USDT-1h.{ending}"
    if ending == "feather":
        pa.feather.write_feather(table(hourly(5), unit, zone), str(path))
    else:
        # Parquet knows no seconds: pyarrow writes them as ms.
        pa.parquet.write_table(table(hourly(5), unit, zone), path)
    assert read_columns(path).same_rows(hourly(5))


@pytest.mark.parametrize("factor", [1e-3, 1, 1e3, 1e6])
def test_dates_as_numbers(tmp_path, hourly, factor):
    rows = hourly(5)
    time = (rows.time * factor).astype(np.int64)
    names = {name: getattr(rows, name) for name in ("open", "high", "low", "close", "volume")}
    path = tmp_path / "BTC_USDT-1h.feather"
    pa.feather.write_feather(pa.table({"date": time, **names}), str(path))
    assert read_columns(path).time.tolist() == rows.time.tolist()
    pa.feather.write_feather(pa.table({"date": time.astype(np.float64), **names}), str(path))
    assert read_columns(path).time.tolist() == rows.time.tolist()


def test_several_record_batches_and_more_columns(tmp_path, hourly, table):
    path = tmp_path / "BTC_USDT-1h.feather"
    rows = table(hourly(50), extra=["text"] * 50)
    pa.feather.write_feather(rows, str(path), chunksize=7, compression="zstd")
    assert read_columns(path).same_rows(hourly(50))


def test_whole_numbers_are_numbers(tmp_path, hourly, table):
    rows = table(hourly(3))
    path = tmp_path / "BTC_USDT-1h.feather"
    for name, kind in (("volume", pa.int64()), ("open", pa.float32()), ("high", pa.uint16())):
        rows = rows.set_column(rows.column_names.index(name), name, rows.column(name).cast(kind))
    pa.feather.write_feather(rows, str(path))
    assert read_columns(path).same_rows(hourly(3))


def test_nulls_are_no_time_and_nan(tmp_path):
    path = tmp_path / "BTC_USDT-1h.feather"
    date = pa.array([START, None], pa.timestamp("ms", "UTC"))
    values = pa.array([None, 1.0])
    pa.feather.write_feather(pa.table({"date": date, **dict.fromkeys(formats.CANDLE_COLUMNS, values)}), str(path))
    rows = read_columns(path)
    assert rows.time.tolist() == [START, NO_TIME]
    assert np.isnan(rows.close).tolist() == [True, False]


@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_the_older_json(tmp_path, hourly, ending):
    path = tmp_path / f"BTC_USDT-1h.{ending}"
    text = json.dumps(json_rows(hourly(5))).encode()
    path.write_bytes(gzip.compress(text) if ending == "json.gz" else text)
    assert read_columns(path).same_rows(hourly(5))
    assert read_times(path)[0].tolist() == hourly(5).time.tolist()


def test_json_without_rows(tmp_path):
    path = tmp_path / "BTC_USDT-1h.json"
    path.write_text("[]")
    assert len(read_columns(path)) == 0


@pytest.mark.parametrize("name", ["open", "funding_rate"])
@pytest.mark.parametrize("ending", ["feather", "parquet"])
def test_both_funding_layouts(tmp_path, name, ending):
    path = tmp_path / f"BTC_USDT_USDT-1h-funding_rate.{ending}"
    rates = pa.table({"date": pa.array([START], pa.timestamp("ms", "UTC")), name: [0.0001]})
    if name == "open":
        rates = rates.append_column("high", pa.array([0.0]))
    (pa.feather.write_feather if ending == "feather" else pa.parquet.write_table)(rates, str(path))
    rows = read_funding_columns(path)
    assert (rows.time.tolist(), rows.rate.tolist()) == ([START], [0.0001])


@pytest.mark.parametrize("row", [[START, 0.0001], [START, 0.0001, 0.0, 0.0, 0.0, 0.0]])
def test_both_funding_layouts_as_json(tmp_path, row):
    path = tmp_path / "BTC_USDT_USDT-1h-funding_rate.json"
    path.write_text(json.dumps([row]))
    rows = read_funding_columns(path)
    assert (rows.time.tolist(), rows.rate.tolist()) == ([START], [0.0001])


def test_the_note_of_a_synthetic_file(tmp_path, hourly, table):
    path = tmp_path / "BTC_USDT-1h.feather"
    for note, synthetic in (({b"quorate": b'{"synthetic": true}'}, True), ({b"pandas": b"{}"}, False), (None, False)):
        pa.feather.write_feather(table(hourly(2)).replace_schema_metadata(note), str(path))
        assert read_columns(path).synthetic is synthetic
        assert read_times(path)[1] is synthetic


def feather(path, columns):
    pa.feather.write_feather(pa.table(columns), str(path))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"date": [START]}, "no open, high, low, close, volume"),
        ({"date": [START], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]}, "no volume"),
        ({"open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [1.0]}, "no date"),
        ({"date": [START], **PRICES, "volume": ["1"]}, "volume of type"),
        ({"date": [START], **PRICES, "volume": [True]}, "type bool"),
        ({"date": ["2024-01-01"], **PRICES, "volume": [1.0]}, "date of type string"),
    ],
)
def test_missing_columns_and_wrong_types_are_named(tmp_path, columns, message):
    path = tmp_path / "BTC_USDT-1h.feather"
    feather(path, columns)
    with pytest.raises(DataError, match=message) as refusal:
        read_columns(path)
    assert path.name in str(refusal.value)


def test_a_column_twice_is_refused(tmp_path, hourly, table):
    path = tmp_path / "BTC_USDT-1h.feather"
    rows = table(hourly(2)).append_column("open", pa.array([1.0, 2.0]))
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
    with pytest.raises(DataError, match="open twice"):
        read_columns(path)


@pytest.mark.parametrize("ending", ["feather", "parquet", "json", "json.gz"])
@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"PK\x03\x04 a zip", b"ARROW1\0\0", b"FEA1", b"PAR1PAR1", b"\x1f\x8b\x08", b'{"a": 1}', b"[1, 2]"],
)
def test_foreign_bytes_are_refused_by_name(tmp_path, ending, content):
    path = tmp_path / f"BTC_USDT-1h.{ending}"
    path.write_bytes(content)
    with pytest.raises(DataError) as refusal:
        read_columns(path)
    assert path.name in str(refusal.value)
    assert "an empty file" in str(refusal.value) or f"expected a {ending} file" in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "[[1704067200000, 1, 2, 0.5, 1]]",
        "[[1704067200000, 1, 2, 0.5, 1, 5], [1704067200000, 1]]",
        '[["2024-01-01", 1, 2, 0.5, 1, 5]]',
        "[[1704067200000, 1, 2, 0.5, [1], 5]]",
        "[" * 100_000,
        "[[1e400, 1, 2, 0.5, 1, 5]]",
        "[[99999999999999999999999999, 1, 2, 0.5, 1, 5]]",
    ],
)
def test_json_of_another_shape_is_refused(tmp_path, text):
    path = tmp_path / "BTC_USDT-1h.json"
    path.write_text(text)
    with pytest.raises(DataError, match="expected a json file"):
        read_columns(path)


@pytest.mark.parametrize("ending", ["feather", "parquet", "json.gz"])
def test_truncated_files_are_refused(tmp_path, hourly, table, ending):
    path = tmp_path / f"BTC_USDT-1h.{ending}"
    if ending == "feather":
        pa.feather.write_feather(table(hourly(500)), str(path))
    elif ending == "parquet":
        pa.parquet.write_table(table(hourly(500)), path)
    else:
        path.write_bytes(gzip.compress(json.dumps(json_rows(hourly(500))).encode()))
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 9):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"Remove the file, and download"):
            read_columns(path)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MOST_BYTES", 1000)
    path = tmp_path / "BTC_USDT-1h.json.gz"
    path.write_bytes(gzip.compress(b"[" + b" " * 2000 + b"]"))
    with pytest.raises(DataError, match="more than 1000 bytes"):
        read_columns(path)


def test_a_folder_in_a_files_place(tmp_path):
    path = tmp_path / "BTC_USDT-1h.feather"
    path.mkdir()
    with pytest.raises(DataError, match="directory"):
        read_columns(path)


def test_settlements_an_hour_apart_keep_their_times(tmp_path):
    path = tmp_path / "BTC_USDT_USDT-1h-funding_rate.feather"
    time = [START, START + HOUR_MS]
    feather(path, {"date": pa.array(time, pa.timestamp("ms")).cast(pa.timestamp("ns")), "funding_rate": [0.1, 0.2]})
    assert read_funding_columns(path).time.tolist() == time
