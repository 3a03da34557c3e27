import os
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.scale_changes import scale_changes
from quorate.market.columns import Columns
from quorate.market.files.formats import read_columns
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.quality.candle_checks import check_candles
from quorate.market.quality.changes_inside import changes_inside

START = parse_ms("2024-01-01")
NOW = parse_ms("2025-01-01")
PRICES = ("open", "high", "low", "close")


def market(factors, at, rows=400, move=0.004, seed=3):
    """A walk of closes; from bar `at` on, the closes are also multiplied by each of `factors`, then by the last."""
    steps = np.where(np.random.default_rng(seed).random(rows) < 0.5, -move, move)
    scale = np.ones(rows)
    scale[at:] = [*factors, *[factors[-1]] * rows][: rows - at]
    close = 100 * np.exp(np.cumsum(steps)) * scale
    opening = np.r_[100.0, close[:-1]]
    time = START + HOUR_MS * np.arange(rows, dtype=np.int64)
    return Columns(time, opening, np.maximum(opening, close), np.minimum(opening, close), close, np.full(rows, 10.0))


@pytest.mark.parametrize("factor", [5.2, 10.0, 1000.0, 1 / 5.2, 0.1, 1e-6])
@pytest.mark.parametrize("at", [21, 250, 398])
def test_a_bar_that_opens_at_one_scale_and_closes_at_another(factor, at):
    bars = market([factor], at)
    (found,) = changes_inside(bars)
    assert (found.bar, found.time) == (at, START + at * HOUR_MS)
    assert found.factor == pytest.approx(factor, rel=0.01)
    assert scale_changes(bars, "1h") == ()
    report = check_candles(bars, "1h", NOW).report
    assert report.ok
    assert report.changes_inside == (found,)
    assert report.to_json()["changes_inside"] == [
        {"time": report.to_json()["changes_inside"][0]["time"], "factor": found.factor}
    ]


@pytest.mark.parametrize(
    ("bars", "why"),
    [
        (market([4.9], 250), "a smaller move than the limit"),
        (market([10.0], 20), "too few bars before it: as after a listing"),
        (market([10.0], 399), "no bar after it yet"),
        (market([10.0, 1.0], 250), "a spike: the next bar is back"),
        (market([0.1, 0.1, 0.35], 250), "a crash: a bar soon after recovers a part of it"),
        (market([0.15, 0.05], 250), "a crash that goes on"),
        (market([10.0], 250, move=0.3), "within ten of the market's usual moves"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_bars_are_none(bars, why):
    assert changes_inside(bars) == ()


def test_a_spike_that_goes_back_within_the_next_bar_is_none():
    """The bar after a spike opens at its price and closes where the market was before."""
    bars = market([10.0, 1.0], 250)
    assert bars.open[251] / bars.close[251] == pytest.approx(10, rel=0.01)
    assert changes_inside(bars) == ()


def test_a_change_between_bars_is_not_one_inside():
    bars = market([10.0], 250)
    arrays = {name: getattr(bars, name).copy() for name in PRICES}
    for name in ("open", "low"):
        arrays[name][250] *= 10
    bars = Columns(bars.time, **arrays, volume=bars.volume)
    assert [change.bar for change in scale_changes(bars, "1h")] == [250]
    assert changes_inside(bars) == ()


@pytest.mark.parametrize("rows", [0, 1, 21])
def test_short_files(rows):
    assert changes_inside(market([1.0], 0, rows=rows)) == ()


@pytest.mark.data
def test_no_real_bar_is_suspected():
    """OM lost three quarters of its price in an hour of 2025-04-13, and AVAX rose fivefold in its first one."""
    folder = os.environ.get("QUORATE_DATA")
    if folder is None:
        pytest.skip("QUORATE_DATA does not name the folder of real candles")
    files = [file for file in FreqtradeFolder(Path(folder) / "binance").files() if file.kind != "funding_rate"]
    assert {"OM/USDT", "AVAX/USDT"} <= {file.symbol for file in files}
    found = {file.path.name: changes_inside(read_columns(file.path)) for file in files}
    assert {name: changes for name, changes in found.items() if changes} == {}
