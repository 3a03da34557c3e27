from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import FeatureError, TargetError, TooLittleHistoryError
from quorate.core.types import Candles, Funding
from quorate.features import build, contexts, feature_names
from quorate.targets import ForwardClass, ForwardReturn, build_dataset

START = parse_ms("2025-01-01")


@pytest.fixture(scope="module")
def panel(walk):
    return {
        "A/USDT:USDT": walk(300, 1, symbol="A/USDT:USDT"),
        "B/USDT:USDT": walk(120, 2, symbol="B/USDT:USDT", start="2025-01-06"),
        "C/USDT:USDT": walk(20, 3, symbol="C/USDT:USDT"),  # never warm
    }


def test_rows_are_where_every_feature_and_the_label_are_known(panel):
    dataset = build_dataset(panel, "core14", ForwardClass(horizon=5))
    expected = {"A/USDT:USDT": range(49, 295), "B/USDT:USDT": range(49, 115)}
    assert len(dataset) == 246 + 66
    assert dataset.symbols == tuple(panel)
    assert dataset.features == "core14"
    assert dataset.candles == 300 + 120 + 20
    assert dataset.X.dtype == np.float32
    assert dataset.y.dtype == np.int8
    assert dataset.symbol.dtype == np.int16
    for code, (symbol, rows) in enumerate(expected.items()):
        candles, here = panel[symbol], dataset.symbol == code
        labels = ForwardClass(horizon=5).label(candles)
        np.testing.assert_array_equal(dataset.time[here], candles.time[rows])
        np.testing.assert_array_equal(dataset.X[here], build(candles, "core14")[rows])
        np.testing.assert_array_equal(dataset.y[here], labels.y[rows])
        np.testing.assert_array_equal(dataset.span_end[here], candles.time[rows] + 5 * HOUR_MS)
        np.testing.assert_array_equal(dataset.forward_return[here], labels.forward_return[rows])


def test_a_span_is_warm_at_its_start_and_blind_at_its_end(panel):
    start, end = START + 100 * HOUR_MS, START + 200 * HOUR_MS
    dataset = build_dataset(panel, "core14", ForwardClass(horizon=5), start, end)
    of_a = dataset.time[dataset.symbol == 0]
    assert of_a[0] == start
    assert of_a[-1] == end - 6 * HOUR_MS
    assert dataset.span_end.max() == end - HOUR_MS
    # B begins 120 hours in and is warm 49 hours later.
    assert dataset.time[dataset.symbol == 1][0] == START + 169 * HOUR_MS
    assert dataset.candles == 100 + 80


def test_nothing_from_the_end_on_is_looked_at(panel):
    end = START + 200 * HOUR_MS

    def poisoned(candles: Candles) -> Candles:
        close = np.where(candles.time >= end, 1e9, candles.close)
        return replace(candles, close=close, high=np.maximum(close, candles.high))

    honest = build_dataset(panel, "core14", ForwardClass(), None, end)
    fooled = build_dataset({s: poisoned(c) for s, c in panel.items()}, "core14", ForwardClass(), None, end)
    for name in ("X", "y", "time", "symbol", "span_end", "forward_return"):
        np.testing.assert_array_equal(getattr(honest, name), getattr(fooled, name))


def test_a_symbols_rows_do_not_depend_on_its_company(panel):
    alone = build_dataset({"B/USDT:USDT": panel["B/USDT:USDT"]}, "core14", ForwardClass())
    together = build_dataset(panel, "core14", ForwardClass())
    np.testing.assert_array_equal(together.X[together.symbol == 1], alone.X)


def test_returns_are_labels_too(panel):
    dataset = build_dataset(panel, "core14", ForwardReturn(4))
    assert dataset.y.dtype == np.float64
    np.testing.assert_array_equal(dataset.y, dataset.forward_return)
    assert np.isfinite(dataset.y).all()


def test_rows_without_their_context_are_left_out(walk):
    panel = {f"{coin}/USDT:USDT": walk(500, seed, symbol=f"{coin}/USDT:USDT") for seed, coin in enumerate("AB")}
    panel["BTC/USDT:USDT"] = walk(450, 9, symbol="BTC/USDT:USDT")
    known = [name for name in feature_names("extended") if not name.startswith("funding")]
    assert len(known) < len(feature_names("extended"))
    with pytest.raises(TooLittleHistoryError):
        build_dataset(panel, "extended", ForwardClass(), contexts=contexts(panel))
    with pytest.raises(FeatureError, match="no context"):
        build_dataset(panel, "extended", ForwardClass())
    times = START + 8 * HOUR_MS * np.arange(63)
    funding = {symbol: Funding(symbol, times, np.full(63, 0.0001)) for symbol in panel}
    dataset = build_dataset(panel, "extended", ForwardClass(), contexts=contexts(panel, funding))
    # BTC ends 50 bars early: from there on its changes, and with them the rows of the others, are unknown.
    assert dataset.time.max() == START + 449 * HOUR_MS
    assert np.isfinite(dataset.X).all()
    assert (np.bincount(dataset.symbol) == [450 - 369, 450 - 369, 450 - 369 - 5]).all()


def test_a_gap_costs_the_labels_that_would_cross_it(walk):
    whole = walk(200, 5)
    keep = np.arange(200) != 150
    names = ("time", "open", "high", "low", "close", "volume")
    gapped = Candles("A/USDT", "1h", *(getattr(whole, name)[keep] for name in names))
    dataset = build_dataset({"A/USDT": gapped}, "core14", ForwardClass(horizon=5))
    missing = set(whole.time[49:195].tolist()) - set(dataset.time.tolist())
    assert missing == {START + hour * HOUR_MS for hour in range(145, 151)}


@pytest.mark.parametrize(
    ("span", "match"),
    [
        ((None, START + 40 * HOUR_MS), "no row with all features and a label"),
        ((START + 400 * HOUR_MS, None), "longest history has 300 bars"),
        ((START + 200 * HOUR_MS, START + 100 * HOUR_MS), "no row"),
    ],
)
def test_a_span_without_rows_is_refused(panel, span, match):
    with pytest.raises(TooLittleHistoryError, match=match):
        build_dataset(panel, "core14", ForwardClass(), *span)


def test_panels_that_cannot_be_joined_are_refused(panel, walk):
    with pytest.raises(TargetError, match="0 symbols"):
        build_dataset({}, "core14", ForwardClass())
    with pytest.raises(TargetError, match="timeframes 1h, 4h"):
        build_dataset({**panel, "D/USDT": walk(100, 1, timeframe="4h")}, "core14", ForwardClass())


def test_windows_reach_before_the_span_but_not_into_another_symbol_or_warm_up(panel):
    start = START + 160 * HOUR_MS
    windowed = build_dataset(panel, "core14", ForwardClass(horizon=5), start, lead=29)
    rows = np.arange(len(windowed))
    X, kept = windowed.read(rows, 30)
    # A has all the history that its first windows ask for. B, warm from the span's 9th hour, lacks 29 bars.
    assert np.array_equal(kept[windowed.symbol[kept] == 0], rows[windowed.symbol == 0])
    assert (windowed.symbol == 1).sum() - (windowed.symbol[kept] == 1).sum() == 29
    for place in (0, 100, len(kept) - 1):
        candles = panel[windowed.symbols[windowed.symbol[kept[place]]]]
        last = int(np.searchsorted(candles.time, windowed.time[kept[place]]))
        np.testing.assert_array_equal(X[place : place + 1][0], build(candles, "core14")[last - 29 : last + 1])
    # A lead adds history and no row.
    plain = build_dataset(panel, "core14", ForwardClass(horizon=5), start)
    np.testing.assert_array_equal(plain.X, windowed.X)
    assert len(plain.read(rows, 30)[1]) < len(kept)
    assert np.array_equal(plain.read(rows, 1)[0], plain.X)
