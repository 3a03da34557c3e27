import os
import resource
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import CandleError, DataError
from quorate.core.types import Candles, Funding
from quorate.market.files.candle_store import merge_candles, merge_funding, write_candles, write_funding
from quorate.market.files.formats import WRITERS
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles

START = parse_ms("2024-01-01")
SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def candles(hourly):
    """Build candles of valid rows: candles(rows, symbol), with values replaced."""

    def make(rows=10, symbol=SYMBOL, *, keep=None, synthetic=False, **replaced):
        columns = hourly(rows, **replaced).take(np.arange(rows) if keep is None else np.array(keep))
        names = ("time", "open", "high", "low", "close", "volume")
        arrays = {name: getattr(columns, name) for name in names}
        return Candles(symbol, "1h", **arrays, synthetic=synthetic)

    return make


def same(left, right):
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for name in ("time", "open", "high", "low", "close", "volume")
    )


@pytest.mark.parametrize(
    ("symbol", "mark", "name"),
    [
        ("BTC/USDT", False, "BTC_USDT-1h.feather"),
        (SYMBOL, False, "futures/BTC_USDT_USDT-1h-futures.feather"),
        (SYMBOL, True, "futures/BTC_USDT_USDT-1h-mark.feather"),
    ],
)
def test_files_have_freqtrades_names(tmp_path, candles, symbol, mark, name):
    stored = write_candles(tmp_path / "binance", candles(symbol=symbol), mark=mark)
    assert stored.path == tmp_path / "binance" / name
    assert (stored.rows, stored.changed) == (10, True)


def test_freqtrades_way_of_reading_finds_its_columns(tmp_path, candles):
    path = write_candles(tmp_path, candles()).path
    frame = pd.read_feather(path)
    assert frame.columns.tolist() == ["date", "open", "high", "low", "close", "volume"]
    assert str(frame["date"].dtype) == "datetime64[ms, UTC]"
    assert (frame.dtypes.iloc[1:] == "float64").all()
    assert frame["date"].iloc[0] == pd.Timestamp("2024-01-01", tz="UTC")
    schema = pa.feather.read_table(path).schema
    assert schema.field("date").type == pa.timestamp("ms", tz="UTC")
    assert oct(path.stat().st_mode & 0o777) == "0o644"


def test_written_candles_are_read_back_to_the_bit(tmp_path, candles):
    write_candles(tmp_path, candles(500))
    assert same(load_candles(tmp_path, SYMBOL, "1h"), candles(500))


def test_the_same_rows_leave_the_file_untouched(tmp_path, candles):
    first = write_candles(tmp_path, candles())
    before = first.path.stat()
    assert write_candles(tmp_path, candles()).changed is False
    after = first.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write_candles(tmp_path, candles(11)).changed is True
    assert write_candles(tmp_path, candles(11, close={3: 104.5})).changed is True
    assert load_candles(tmp_path, SYMBOL, "1h").close[3] == 104.5


def test_synthetic_candles_say_so_and_never_mix_with_real_ones(tmp_path, candles):
    write_candles(tmp_path, candles(symbol="SYNA/USDT:USDT", synthetic=True))
    assert load_candles(tmp_path, "SYNA/USDT:USDT", "1h").synthetic
    with pytest.raises(DataError, match="synthetic candles in the file and real candles to write"):
        write_candles(tmp_path, candles(symbol="SYNA/USDT:USDT"))
    write_candles(tmp_path, candles())
    assert not load_candles(tmp_path, SYMBOL, "1h").synthetic
    for put in (write_candles, lambda folder, new: merge_candles(folder, new, source="x")):
        with pytest.raises(DataError, match="real candles in the file and synthetic candles to write"):
            put(tmp_path, candles(synthetic=True))


def test_funding_is_written_in_the_layout_that_every_freqtrade_reads(tmp_path):
    funding = Funding(SYMBOL, START + 8 * HOUR_MS * np.arange(3), np.array([0.0001, -0.0002, 0.0003]))
    stored = write_funding(tmp_path, funding)
    assert stored.path == tmp_path / "futures/BTC_USDT_USDT-1h-funding_rate.feather"
    frame = pd.read_feather(stored.path)
    assert frame.columns.tolist() == ["date", "open", "high", "low", "close", "volume"]
    assert frame["open"].tolist() == [0.0001, -0.0002, 0.0003]
    assert write_funding(tmp_path, funding).changed is False
    write_candles(tmp_path, Candles(SYMBOL, "1h", [START], [1.0], [1.0], [1.0], [1.0], [1.0]))
    read = FreqtradeFolder(tmp_path).funding(SYMBOL)
    assert (read.time.tolist(), read.rate.tolist()) == (funding.time.tolist(), funding.rate.tolist())


def test_merging_adds_what_is_new(tmp_path, candles):
    first = merge_candles(tmp_path, candles(10, keep=[2, 3, 4, 7]), source="a")
    assert (first.added, first.duplicates, first.conflicts) == (4, 0, 0)
    second = merge_candles(tmp_path, candles(10, keep=[0, 3, 4, 5, 9]), source="b")
    assert (second.added, second.duplicates, second.conflicts) == (3, 2, 0)
    assert same(load_candles(tmp_path, SYMBOL, "1h"), candles(10, keep=[0, 2, 3, 4, 5, 7, 9]))
    again = merge_candles(tmp_path, candles(10, keep=[0, 3, 4, 5, 9]), source="b")
    assert (again.added, again.duplicates, again.stored.changed) == (0, 5, False)


def test_a_newcomer_that_contradicts_the_store_is_put_aside(tmp_path, candles):
    merge_candles(tmp_path, candles(5), source="a")
    for _ in range(2):
        merged = merge_candles(tmp_path, candles(7, close={3: 104.5}), source="other.csv")
        assert merged.conflicts == 1
        assert same(load_candles(tmp_path, SYMBOL, "1h"), candles(7))
        side = tmp_path / "futures/BTC_USDT_USDT-1h-futures.quarantine.csv"
        assert side.read_text().splitlines()[1:] == [
            "1704078000000,2024-01-01T03:00:00Z,103.0,105.0,101.0,104.5,13.0,other.csv"
        ]
    assert merged.stored.changed is False


def test_merging_goes_on_from_another_format(tmp_path, candles):
    rows = [[int(time), 1.0, 1.0, 1.0, 1.0, 1.0] for time in candles(2).time]
    (tmp_path / "futures").mkdir()
    (tmp_path / "futures/BTC_USDT_USDT-1h-futures.json").write_text(str(rows))
    merged = merge_candles(tmp_path, candles(4, keep=[2, 3]), source="a")
    assert (merged.added, merged.stored.rows) == (2, 4)
    assert load_candles(tmp_path, SYMBOL, "1h").close.tolist() == [1.0, 1.0, 103.0, 104.0]
    # In the format that is there: two files would claim one market.
    assert [path.name for path in (tmp_path / "futures").iterdir()] == ["BTC_USDT_USDT-1h-futures.json"]


@pytest.mark.parametrize("suffix", [".feather", ".parquet", ".json.gz", ".json"])
def test_every_format_is_written_as_it_is_read(tmp_path, candles, table, hourly, suffix):
    (tmp_path / "futures").mkdir()
    path = tmp_path / f"futures/BTC_USDT_USDT-1h-futures{suffix}"
    WRITERS[suffix](table(hourly(3, close={1: 101.1})), path)
    merged = merge_candles(tmp_path, candles(30, close={1: 101.1}), source="a")
    assert (merged.stored.path, merged.added, merged.conflicts) == (path, 27, 0)
    assert same(load_candles(tmp_path, SYMBOL, "1h"), candles(30, close={1: 101.1}))
    assert merge_candles(tmp_path, candles(30, close={1: 101.1}), source="a").stored.changed is False


def test_copies_in_two_formats_stay_equal(tmp_path, candles, table, hourly):
    (tmp_path / "futures").mkdir()
    for suffix in (".feather", ".json"):
        WRITERS[suffix](table(hourly(3)), tmp_path / f"futures/BTC_USDT_USDT-1h-futures{suffix}")
    merge_candles(tmp_path, candles(9), source="a")
    for formats in (None, (".feather",), (".json",)):
        assert len(FreqtradeFolder(tmp_path, formats=formats).candles(SYMBOL, "1h")) == 9


def test_an_empty_file_is_filled(tmp_path, candles):
    path = write_candles(tmp_path, candles(), mark=True).path
    path.write_bytes(b"")
    assert merge_candles(tmp_path, candles(4), source="a", mark=True).added == 4
    assert len(FreqtradeFolder(tmp_path).mark(SYMBOL, "1h")) == 4


def test_a_store_that_cannot_be_true_is_not_added_to(tmp_path, candles, hourly, write_feather):
    path = write_feather(tmp_path / "futures/BTC_USDT_USDT-1h-futures.feather", hourly(5, close={1: float("nan")}))
    before = path.read_bytes()
    with pytest.raises(CandleError, match="row 1 "):
        merge_candles(tmp_path, candles(9), source="a")
    assert path.read_bytes() == before


def test_merging_settlements(tmp_path):
    def funding(**rates):
        hours = [int(name[1:]) for name in rates]
        return Funding(SYMBOL, START + HOUR_MS * np.array(hours), np.array(list(rates.values())))

    first = merge_funding(tmp_path, funding(h0=0.1, h8=0.2), source="a")
    assert (first.added, first.stored.rows) == (2, 2)
    for changed, added, known in ((True, 1, 1), (False, 0, 2)):
        merged = merge_funding(tmp_path, funding(h4=0.15, h8=0.25, h0=0.1), source="b")
        assert (merged.stored.changed, merged.added, merged.duplicates, merged.conflicts) == (changed, added, known, 1)
    frame = pd.read_feather(first.stored.path)
    assert frame["open"].tolist() == [0.1, 0.15, 0.2]
    assert "0.25,b" in (tmp_path / "futures/BTC_USDT_USDT-1h-funding_rate.quarantine.csv").read_text()


def test_a_file_in_the_folders_place(tmp_path, candles):
    (tmp_path / "binance").write_text("")
    with pytest.raises(DataError, match="expected a writable folder"):
        write_candles(tmp_path / "binance", candles(symbol="BTC/USDT"))


# The limit on a file's size stops the writer in the middle, as a full disk does.
_WITHOUT_ROOM = """
import resource, sys
from quorate.core.errors import DataError
from quorate.market.files.candle_store import write_candles
from quorate.market.synthetic import SyntheticMarket
candles = SyntheticMarket(symbols=1, bars=5000).candles("SYNA/USDT:USDT")
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_candles(sys.argv[1], candles)
except DataError as error:
    print(error)
else:
    sys.exit("no error")
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="this system limits no file sizes")
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_half_written_when_there_is_no_room(tmp_path, candles, there):
    path = tmp_path / "futures/SYNA_USDT_USDT-1h-futures.feather"
    if there:
        write_candles(tmp_path, candles(symbol="SYNA/USDT:USDT", synthetic=True))
    before = path.read_bytes() if there else None
    code = textwrap.dedent(_WITHOUT_ROOM)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout
    assert "Nothing was changed. Free space" in done.stdout
    assert os.listdir(tmp_path / "futures") == ([path.name] if there else [])  # noqa: PTH208
    assert not there or path.read_bytes() == before


@pytest.fixture
def full_disk(tmp_path):
    """A disk of 64 KiB, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(full_disk, candles):
    write_candles(full_disk, candles())
    before = {path: path.read_bytes() for path in full_disk.rglob("*") if path.is_file()}
    random = np.random.default_rng(0).uniform(1, 2, 20_000)
    big = Candles(SYMBOL, "1h", START + HOUR_MS * np.arange(20_000), random, random, random, random, random)
    with pytest.raises(DataError, match="No space left on device"):
        write_candles(full_disk, big)
    assert {path: path.read_bytes() for path in full_disk.rglob("*") if path.is_file()} == before
