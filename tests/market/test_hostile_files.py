"""Damaged bytes and invalid rows raise nothing but a QuorateError."""

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import parse_ms
from quorate.core.errors import QuorateError
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.files.inspection import check_folder
from quorate.market.files.listing import list_folder
from quorate.market.synthetic import SyntheticMarket
from quorate.market.tables.imports import import_files
from quorate.market.tables.table_folder import TableFolder

NOW = parse_ms("2026-01-01")


def _samples() -> dict[str, bytes]:
    candles = SyntheticMarket(symbols=1, bars=40).candles("SYNA/USDT:USDT")
    columns = ("open", "high", "low", "close", "volume")
    table = pa.table(
        {
            "date": pa.array(candles.time, pa.int64()).cast(pa.timestamp("ms", "UTC")),
            **{name: getattr(candles, name) for name in columns},
        }
    )
    rows = list(zip(candles.time.tolist(), *(getattr(candles, name).tolist() for name in columns), strict=True))
    text = "\n".join(",".join(map(repr, row)) for row in rows).encode()
    feather, parquet, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pa.feather.write_feather(table, feather, compression="lz4")
    pa.parquet.write_table(table, parquet)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", text)
    return {
        "feather": feather.getvalue(),
        "parquet": parquet.getvalue(),
        "json": json.dumps(rows).encode(),
        "json.gz": gzip.compress(json.dumps(rows).encode()),
        "csv": text,
        "csv.gz": gzip.compress(b"date,open,high,low,close,volume\n" + text),
        "zip": archive.getvalue(),
    }


SAMPLES = _samples()


@st.composite
def broken(draw):
    """A valid file with some bytes replaced, cut or repeated, or random bytes."""
    ending = draw(st.sampled_from(sorted(SAMPLES)))
    content = bytearray(SAMPLES[ending])
    what = draw(st.sampled_from(["replaced", "word", "cut", "repeated", "foreign", "another"]))
    at = draw(st.integers(0, len(content) - 1))
    if what == "replaced":
        for place in draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
            content[place] = draw(st.integers(0, 255))
    elif what == "word":
        word = draw(
            st.sampled_from([b"\xff" * 8, b"\x00" * 8, b"\xff" * 7 + b"\x7f", b"\x00\x00\x00\x00\x00\x01\x00\x00"])
        )
        content[at : at + 8] = word
    elif what == "cut":
        content = content[:at]
    elif what == "repeated":
        content[at:at] = content[at : at + draw(st.integers(1, 200))]
    elif what == "foreign":
        content = bytearray(draw(st.binary(max_size=200)))
    else:
        content = bytearray(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))])
    return ending, bytes(content)


def read_everywhere(ending: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in (
            folder / f"futures/X_USDT_USDT-1h-futures.{ending}",
            folder / f"futures/X_USDT_USDT-8h-funding_rate.{ending}",
        ):
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        for attempt in (
            lambda: load_candles(folder, "X/USDT:USDT", "1h", now=NOW),
            lambda: FreqtradeFolder(folder).funding("X/USDT:USDT"),
            lambda: TableFolder(folder).candles("X/USDT:USDT", "1h"),
            lambda: [report.to_json() for report in check_folder(folder, now=NOW)],
            lambda: [file.to_json() for file in list_folder(folder)],
            lambda: import_files([folder / "futures"], folder / "store", now=NOW).to_json(),
        ):
            try:
                attempt()
            except QuorateError as error:
                assert "could not" in str(error)  # noqa: PT017


@settings(max_examples=100)
@given(broken())
def test_hostile_bytes(file):
    read_everywhere(*file)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(broken())
def test_ten_thousand_hostile_files(file):
    read_everywhere(*file)


_CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([1.0, 2.0, 1_704_067_200_000, 1_704_070_800_000, "2024-01-01", "1e400"]),
)
_ROWS = st.lists(st.lists(_CELL, min_size=0, max_size=8), max_size=6)


def read_rows(rows: list[list[object]]) -> None:
    read_everywhere("json", json.dumps(rows).encode())
    lines = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    read_everywhere("csv", lines.encode("utf-8", "surrogatepass"))


@settings(max_examples=50)
@given(_ROWS)
def test_hostile_rows(rows):
    read_rows(rows)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(_ROWS)
def test_ten_thousand_hostile_rows(rows):
    read_rows(rows)


_NAME = st.one_of(
    st.sampled_from(["date", "open", "high", "low", "close", "volume", "funding_rate"]), st.text(max_size=8)
)
_COLUMN = st.one_of(
    st.sampled_from(
        [
            pa.array([1.0, 2.0]),
            pa.array([1, 2]),
            pa.array(["a", "b"]),
            pa.array([None, None]),
            pa.array([True, False]),
            pa.array([[1.0], [2.0]]),
            pa.array([{"a": 1}, None]),
            pa.array(["a", "b"]).dictionary_encode(),
            pa.array([0, 1], pa.date32()),
            pa.array([0, 1], pa.duration("ms")),
            pa.array([0, 1], pa.time64("us")),
            pa.array([1_704_067_200, 1_704_070_800], pa.timestamp("s", "UTC")),
            pa.array([-(2**62), 2**62], pa.timestamp("ms")),
            pa.array([-(2**62), 2**62], pa.timestamp("s")),
            pa.array([2**64 - 1, 0], pa.uint64()),
            pa.array(np.array([1, 2], np.float16)),
        ]
    )
)


@settings(max_examples=100)
@given(st.lists(st.tuples(_NAME, _COLUMN), max_size=8), st.sampled_from(["feather", "parquet"]))
def test_hostile_columns(columns, ending):
    table = pa.Table.from_arrays([column for _, column in columns], names=[name for name, _ in columns])
    content = io.BytesIO()
    try:
        if ending == "parquet":
            pa.parquet.write_table(table, content)
        else:
            with pa.ipc.new_file(content, table.schema) as writer:
                writer.write_table(table)
    except (pa.ArrowException, ValueError, KeyError):
        return  # not a file that the library would write
    read_everywhere(ending, content.getvalue())
