"""`quorate data check` names changes of the price scale, and `quorate data split` joins what it names."""

import json
import re

import numpy as np
import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS, parse_ms, timeframe_ms
from quorate.core.types import Candles
from quorate.market import write_candles

START = parse_ms("2024-01-01")
SYMBOL = "BNX/USDT:USDT"
# A perpetual of 60 days in minutes of 30; its prices are 100 times larger from here on.
HALF_HOUR = HOUR_MS // 2
AT = 48 * 40 + 17


def bars(timeframe, paused=0):
    """Bars of `timeframe` made of half-hourly ones; trading pauses for `paused` half hours before the new scale."""
    steps = np.where(np.random.default_rng(4).random(48 * 60) < 0.5, -0.002, 0.002)
    close = np.exp(np.cumsum(steps)) * np.where(np.arange(len(steps)) < AT, 4.0, 400.0)
    opening = np.r_[4.0, close[:-1]]
    opening[AT] = close[AT]
    time = START + HALF_HOUR * np.arange(len(steps), dtype=np.int64)
    kept = (np.arange(len(steps)) < AT - paused) | (np.arange(len(steps)) >= AT)
    time, opening, close = time[kept], opening[kept], close[kept]
    group = time // timeframe_ms(timeframe) * timeframe_ms(timeframe)
    first = np.flatnonzero(np.r_[True, np.diff(group) > 0])
    last = np.r_[first[1:], len(group)] - 1
    high = np.maximum.reduceat(np.maximum(opening, close), first)
    low = np.minimum.reduceat(np.minimum(opening, close), first)
    return Candles(SYMBOL, timeframe, group[first], opening[first], high, low, close[last], np.full(len(first), 5.0))


def checked(folder, capsys):
    """Notes of `data check`, and the splits that they name."""
    capsys.readouterr()
    assert main(["data", "check", "--data", str(folder)]) == 0
    said = " ".join(capsys.readouterr().err.split())
    return said, re.findall(r"BNX/USDT:USDT=\S+", said)


@pytest.mark.parametrize(
    ("timeframes", "paused", "split", "inside"),
    [
        (["1h", "4h", "1d"], 0, "BNX/USDT:USDT=100@2024-02-10T08:30", True),
        (["4h", "1d"], 0, "BNX/USDT:USDT=100@2024-02-10T10:00", True),
        (["4h", "1d"], 5, "BNX/USDT:USDT=100@2024-02-10T08:00", False),
        (["30m", "1h", "4h", "1d"], 0, "BNX/USDT:USDT=100@2024-02-10T08:30", False),
        (["1h", "4h"], 30, "BNX/USDT:USDT=100@2024-02-10T08:00", False),
        (["1h", "1d"], 17, "BNX/USDT:USDT=100@2024-02-10T08:00", False),
    ],
)
def test_one_split_is_named_for_all_timeframes_and_joins_them(tmp_path, capsys, timeframes, paused, split, inside):
    for timeframe in timeframes:
        write_candles(tmp_path, bars(timeframe, paused))
    said, splits = checked(tmp_path, capsys)
    assert splits == [split]
    assert ("a bar opens at one price scale and closes at another" in said) is inside
    assert main(["data", "split", "--data", str(tmp_path), *splits, "--json"]) == 0
    files = json.loads(capsys.readouterr().out)
    assert len(files) == len(timeframes)
    assert all(file["rows"] > 0 for file in files)
    said, splits = checked(tmp_path, capsys)
    assert splits == []
    assert "scale" not in said
    assert main(["data", "split", "--data", str(tmp_path), split, "--json"]) == 0
    assert {(file["rows"], file["left_out"]) for file in json.loads(capsys.readouterr().out)} == {(0, 0)}


def test_the_table_and_the_document_name_a_suspected_change(tmp_path, capsys):
    write_candles(tmp_path, bars("1h"))
    assert main(["data", "check", "--data", str(tmp_path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "suspected change of the price scale" in shown
    assert main(["data", "check", "--data", str(tmp_path), "--json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)
    assert file["scale_changes"] == []
    (change,) = file["changes_inside"]
    assert change["time"] == "2024-02-10T08:00:00Z"
    assert change["factor"] == pytest.approx(100, rel=0.01)
