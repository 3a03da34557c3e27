from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.errors import EvaluationError
from quorate.core.types import MarketStatistics
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.features import Bars, build, feature_names, volatility_20
from quorate.market.synthetic import SyntheticMarket
from quorate.targets import ForwardClass

TARGET = ForwardClass(horizon=4, band=0.004)


def test_rows_are_what_each_symbol_gives_on_its_own(run: Any) -> None:
    start = int(next(iter(run.candles.values())).time[120])
    rows = build_rows(run.candles, "core14", TARGET, start)
    assert rows.columns == feature_names("core14")
    assert len(rows) == 2 * (480 - 120)
    for symbol, candles in run.candles.items():
        span, labels = rows.spans[symbol], TARGET.label(candles)
        np.testing.assert_array_equal(rows.X[span], build(candles, "core14")[120:])
        np.testing.assert_array_equal(rows.volatility[span], volatility_20(Bars(candles))[120:])
        np.testing.assert_array_equal(rows.time[span], candles.time[120:])
        known = labels.known[120:]
        np.testing.assert_array_equal(rows.known[span], known)
        np.testing.assert_array_equal(rows.y[span][known], labels.y[120:][known])
        np.testing.assert_array_equal(rows.span_end[span][known], labels.span_end[120:][known])
    assert rows.usable.all()
    assert rows.trainable.sum() == len(rows) - 2 * 4
    assert rows.bar_ms == 3_600_000
    assert not rows.synthetic


def test_bars_from_the_end_on_are_not_looked_at(run: Any) -> None:
    end = int(next(iter(run.candles.values())).time[300])
    poisoned = {
        symbol: replace(candles, close=np.where(candles.time >= end, 1e-3, candles.close),
                        low=np.where(candles.time >= end, 1e-3, candles.low))
        for symbol, candles in run.candles.items()
    }  # fmt: skip
    rows, same = build_rows(run.candles, "core14", TARGET, end=end), build_rows(poisoned, "core14", TARGET, end=end)
    assert len(rows) == 600
    for name in ("X", "y", "known", "time", "volatility"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(same, name))
    assert rows.known.sum() == 2 * (300 - 4)
    assert rows.usable.sum() == 2 * (300 - 49)


def test_a_set_that_reads_context_finds_it_in_the_panel() -> None:
    market = SyntheticMarket(seed=2, symbols=3, bars=500)
    funding = {name: found for name in market.names if (found := market.funding(name)) is not None}
    rows = build_rows(market.panel(), "extended", TARGET, funding=funding)
    assert set(rows.contexts) == set(market.names)
    assert rows.synthetic == frozenset(market.names)
    missing = {column for column, known in zip(rows.columns, np.isfinite(rows.X[-1]), strict=True) if not known}
    assert missing
    assert all(column.startswith("btc_") for column in missing)  # there is no BTC in a synthetic market


def test_market_statistics_reach_the_columns_of_their_symbol() -> None:
    market = SyntheticMarket(seed=2, symbols=2, bars=400)
    first, second = market.names
    time = market.candles(first).time
    statistics = MarketStatistics.of(first, "1h", time, {"premium": np.linspace(0.0, 0.01, len(time))})
    rows = build_rows(market.panel(), "core14+premium", TARGET, statistics={first: statistics})
    assert rows.usable[rows.spans[first]][168:].all()
    assert not rows.usable[rows.spans[second]].any()


def test_nothing_to_build_is_refused(run: Any) -> None:
    with pytest.raises(EvaluationError, match="no bar in the span"):
        build_rows(run.candles, "core14", TARGET, end=1)
    with pytest.raises(EvaluationError, match="0 timeframes"):
        build_rows({}, "core14", TARGET)
    mixed = {**run.candles, "X/USDT:USDT": replace(next(iter(run.candles.values())), timeframe="4h")}
    with pytest.raises(EvaluationError, match="2 timeframes"):
        build_rows(mixed, "core14", TARGET)


READS = ("log_range_6", "price_change", "hour")


def test_columns_beside_the_feature_set_are_those_of_the_catalogue(run: Any) -> None:
    start = int(next(iter(run.candles.values())).time[120])
    rows = build_rows(run.candles, "core14", TARGET, start, beside=(*READS, "no_such_column", "btc_change_1"))
    assert set(rows.beside) == {"log_range_6", "hour"}
    for symbol, candles in run.candles.items():
        expected = build(candles, "core14+log_range_6+hour")[120:, -2:]
        found = np.stack([rows.beside[name][rows.spans[symbol]] for name in ("log_range_6", "hour")], axis=1)
        np.testing.assert_array_equal(found, expected)
    plain = build_rows(run.candles, "core14", TARGET, start)
    np.testing.assert_array_equal(rows.X, plain.X)
    assert plain.beside == {}


def test_columns_beside_do_not_look_ahead(run: Any) -> None:
    end = int(next(iter(run.candles.values())).time[300])
    later = {
        symbol: replace(candles, high=np.where(candles.time >= end, 1e3, candles.high))
        for symbol, candles in run.candles.items()
    }
    (one, other) = (build_rows(panel, "core14", TARGET, end=end, beside=READS) for panel in (run.candles, later))
    np.testing.assert_array_equal(one.beside["log_range_6"], other.beside["log_range_6"])


def test_a_model_gets_the_columns_that_it_reads_from_the_set_or_beside_it(run: Any) -> None:
    rows = build_rows(run.candles, "core14", TARGET, beside=READS)
    assert rows.columns_for(()) == rows.columns
    assert rows.columns_for(("rsi_14",)) == rows.columns
    assert rows.columns_for(READS) == READS
    # Nowhere: the model itself says which column it lacks.
    assert rows.columns_for((*READS, "adx")) == rows.columns
    assert rows.inputs_of(()) is rows.inputs_of(rows.columns) is rows.inputs
    inputs = rows.inputs_of(READS)
    np.testing.assert_array_equal(inputs.X[:, 1], rows.X[:, rows.columns.index("price_change")])
    np.testing.assert_array_equal(inputs.X[:, 2], rows.beside["hour"])
    assert not inputs.whole(1)[:5].any()
    # Windows stay within a symbol, as those of the feature set do.
    assert not inputs.whole(3)[rows.spans["BBB/USDT:USDT"]][:7].any()
