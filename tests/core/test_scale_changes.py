import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import SettingsError
from quorate.core.scale_changes import ScaleChange, scale_change_bars, scale_changes
from quorate.market.columns import Columns

START = parse_ms("2024-01-01")


def walk(rows=400, move=0.004, seed=3, volume=10.0):
    """A market whose every close is `move` above or below the one before it."""
    steps = np.where(np.random.default_rng(seed).random(rows) < 0.5, -move, move)
    close = 100 * np.exp(np.cumsum(steps))
    opening = np.r_[100.0, close[:-1]]
    time = START + HOUR_MS * np.arange(rows, dtype=np.int64)
    high, low = np.maximum(opening, close), np.minimum(opening, close)
    return Columns(time, opening, high, low, close, np.full(rows, volume))


def changed(bars, at, factor, gap=0):
    """The bars, from `at` on times `factor`, after `gap` missing bars."""
    prices = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for values in prices.values():
        values[at:] *= factor
    time = bars.time.copy()
    time[at:] += gap * HOUR_MS
    return Columns(time, **prices, volume=bars.volume)


@pytest.mark.parametrize("factor", [100.0, 0.01, 1e-3, 3.0, 1 / 3, 1e5])
@pytest.mark.parametrize("gap", [1, 24, 72])
def test_another_scale_after_a_gap(factor, gap):
    (found,) = scale_changes(changed(walk(), 250, factor, gap), "1h")
    assert (found.bar, found.missing, found.time) == (250, gap, START + (250 + gap) * HOUR_MS)
    assert found.factor == pytest.approx(factor)


@pytest.mark.parametrize(("factor", "is_change"), [(10.0, True), (0.1, True), (5.0, True), (4.9, False), (0.21, False)])
def test_between_adjacent_bars_the_factor_is_larger(factor, is_change):
    assert scale_change_bars(changed(walk(), 250, factor), "1h").tolist() == ([250] if is_change else [])
    # 20 closes do not show the volatility.
    assert scale_change_bars(changed(walk(), 20, factor), "1h").tolist() == []
    assert scale_change_bars(changed(walk(), 21, factor), "1h").tolist() == ([21] if is_change else [])


@pytest.mark.parametrize(("factor", "gap"), [(2.9, 72), (1 / 2.9, 72), (1.0, 72), (2.0, 1)])
def test_smaller_moves_over_a_gap_are_moves(factor, gap):
    assert scale_changes(changed(walk(), 250, factor, gap), "1h") == ()


def test_the_volatility_of_the_market_explains_moves_over_long_gaps():
    # 10 moves of 2 % times sqrt(101) hours are a factor of e^2.01 = 7.46.
    assert scale_changes(changed(walk(move=0.02), 250, 7.4, gap=100), "1h") == ()
    assert len(scale_changes(changed(walk(move=0.02), 250, 7.6, gap=100), "1h")) == 1
    # Volatility before the change counts only, and it is not known from 20 closes.
    assert len(scale_changes(changed(walk(move=0.02), 20, 7.4, gap=100), "1h")) == 1


def test_bars_without_volume_are_a_pause():
    bars = changed(walk(), 250, 4.0)
    assert scale_changes(bars, "1h") == ()
    bars.volume[248:250] = 0.0
    (found,) = scale_changes(bars, "1h")
    assert (found.bar, found.missing) == (250, 0)


def test_mark_prices_have_no_volume():
    assert scale_changes(changed(walk(volume=0.0), 250, 4.0), "1h") == ()
    assert scale_change_bars(changed(walk(volume=0.0), 250, 4.0, gap=2), "1h").tolist() == [250]


def test_a_fall_within_bars_is_no_change_of_scale():
    bars = changed(walk(), 250, 1e-4)
    bars.open[250] = bars.close[249]
    bars.high[250] = bars.close[249]
    assert scale_changes(bars, "1h") == ()


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_bars_have_none(rows):
    assert scale_changes(walk(rows), "1h") == ()


@pytest.mark.parametrize("name", ["scale_gap", "scale_adjacent", "scale_moves"])
def test_the_rule_is_no_setting(name, monkeypatch):
    """Training, accounts, live trading and the check of files must agree about it."""
    monkeypatch.setenv(f"QUORATE_QUALITY__{name.upper()}", "4.5")
    with pytest.raises(SettingsError, match=f"quality.{name}"):
        load_settings()


def test_document():
    assert ScaleChange(3, START, 0.01, 72).to_json() == {
        "time": "2024-01-01T00:00:00Z",
        "factor": 0.01,
        "missing_bars": 72,
    }


@given(
    at=st.integers(21, 390),
    factor=st.sampled_from([1e-3, 1e-2, 0.1, 10.0, 100.0, 1000.0]),
    gap=st.integers(0, 30),
    seen=st.integers(1, 400),
)
def test_later_bars_do_not_matter(at, factor, gap, seen):
    bars = changed(walk(), at, factor, gap)
    whole = scale_changes(bars, "1h")
    assert [change.bar for change in whole] == [at]
    assert scale_changes(bars.take(np.arange(seen)), "1h") == tuple(change for change in whole if change.bar < seen)


@given(scale=st.sampled_from([1e-12, 1e-6, 1.0, 1e6, 1e12]), at=st.integers(21, 390), gap=st.integers(0, 5))
def test_the_unit_of_prices_does_not_matter(scale, at, gap):
    bars = changed(walk(), at, 100.0, gap)
    assert scale_change_bars(changed(bars, 0, scale), "1h").tolist() == [at]
