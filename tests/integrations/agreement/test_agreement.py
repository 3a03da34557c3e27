"""Freqtrade's backtest and `quorate backtest` on the same decisions and market data: the same trades."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import (
    ExitSettings,
    PolicySettings,
    Settings,
    TrainSettings,
    VoteSettings,
)
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.series import publish
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.synthetic import SyntheticMarket
from stubs import agreement, freqtrade
from stubs.agreement import Trial
from stubs.small_models import small_trees

# A vote of two small members with a BUY or SELL on more than half of the bars.
SETTINGS = replace(
    Settings(),
    models=small_trees(),
    train=TrainSettings(threads=1, features="core14", head="classes"),
    vote=VoteSettings(floor=0.4),
    policy=PolicySettings(name="classic"),
)
BARS, TRAIN_BARS = 1_700, 700


def mean_loss(y, scores, prior, time, forward_return):
    del prior, time, forward_return
    return {"log_loss": float(-np.log(scores[np.arange(len(y)), y]).mean())}


def trained(panel, out, end, start=None):
    return train_ensemble(
        panel,
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=SETTINGS, measure=mean_loss, start=start, end=end),
        out,
    ).path


def rounded(candles, digits):
    """The candles with prices rounded to a tick."""
    prices = {name: np.round(getattr(candles, name), digits) for name in ("open", "high", "low", "close")}
    return replace(candles, **prices)


def thinned(candles):
    """Every tenth bar is without a trade, and three bars of the warm-up are missing."""
    columns = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close", "volume")}
    quiet = np.arange(9, len(candles), 10)
    for name in ("open", "high", "low", "close"):
        columns[name][quiet] = candles.close[quiet - 1]
    columns["volume"][quiet] = 0.0
    kept = np.delete(np.arange(len(candles)), [501, 502, 503])
    return replace(candles, time=candles.time[kept], **{name: column[kept] for name, column in columns.items()})


def synthetic(folder, names, *, marks, thin=False):
    """A synthetic market under pairs with leverage tiers in Freqtrade; mark prices differ slightly from last prices."""
    market = SyntheticMarket(seed=9, symbols=len(names), bars=BARS, edge=0.3)
    panel = {}
    for name, source in zip(names, market.names, strict=True):
        candles = replace(market.candles(source), symbol=name)
        digits = max(0, 4 - int(np.log10(candles.close.min())))
        panel[name] = thinned(rounded(candles, digits)) if thin else rounded(candles, digits)
        write_candles(folder, panel[name])
        if marks:
            funding = market.funding(source)
            write_funding(folder, replace(funding, symbol=name), synthetic=True)
            factor = 1 + 0.0005 * np.sin(np.arange(BARS))
            shifted = {column: getattr(candles, column) * factor for column in ("open", "high", "low", "close")}
            write_candles(folder, rounded(replace(candles, symbol=name, **shifted), digits), mark=True)
    return panel


def make_trial(tmp_path, names, *, marks, thin=False):
    panel = synthetic(tmp_path / "data", names, marks=marks, thin=thin)
    start = int(panel[names[0]].time[0])
    train_end = start + TRAIN_BARS * HOUR_MS
    bundle = trained(panel, tmp_path / "bundles", train_end)
    return Trial(tmp_path / "data", bundle, names, train_end, start + (BARS - 1) * HOUR_MS)


def test_perpetuals_agree_trade_by_trade(tmp_path):
    freqtrade.require()
    trial = make_trial(tmp_path, ("XRP/USDT:USDT", "LTC/USDT:USDT", "ADA/USDT:USDT"), marks=True)
    outcome = agreement.run(trial, tmp_path / "user_data")
    assert agreement.differences(outcome) == []
    ended = agreement.reasons(outcome)
    assert len(outcome.theirs) == ended.total() > 200
    assert min(ended["time"], ended["stop"], ended["target"]) >= 5
    assert {trade["is_short"] for trade in outcome.theirs} == {True, False}
    assert any(trade["funding_fees"] for trade in outcome.theirs)
    # The differences that docs/freqtrade.md lists do occur.
    assert agreement.opened_at_settlements(outcome) > 0
    _, reopening = agreement.trade(replace(trial, exits=ExitSettings(reopen=True)), outcome.contracts)
    assert len(reopening.trades) > len(outcome.theirs)
    # The comparison reports a wrong price, profit and bar, and a missing trade.
    changed = [dict(trade) for trade in outcome.theirs]
    changed[0]["close_rate"] *= 1.01
    changed[1]["profit_abs"] += 0.0002 * changed[1]["stake_amount"]
    changed[2]["close_timestamp"] += HOUR_MS
    assert len(agreement.differences(replace(outcome, theirs=changed[:-1]))) == 4


def test_spot_with_a_series_agrees_trade_by_trade(tmp_path):
    freqtrade.require()
    # A stake of many lots, since Freqtrade raises a stake below the minimum order.
    trial = replace(make_trial(tmp_path, ("XRP/USDT", "LTC/USDT"), marks=False), leverage=1.0, stake=1_000.0)
    source, hours = FreqtradeFolder(trial.data), (0, 400, 800)
    panel = {pair: source.candles(pair, "1h") for pair in trial.pairs}
    first = trial.start - TRAIN_BARS * HOUR_MS
    spans = [(first + hour * HOUR_MS, trial.start + hour * HOUR_MS) for hour in hours]
    paths = [trained(panel, tmp_path / "bundles", end, start) for start, end in spans]
    series, _ = publish(BundleStore(tmp_path / "bundles"), [path.name for path in paths])
    trial = replace(trial, bundle=series)
    outcome = agreement.run(trial, tmp_path / "user_data")
    assert agreement.differences(outcome) == []
    assert len(outcome.theirs) > 50
    assert {trade["is_short"] for trade in outcome.theirs} == {False}
    # A single bundle over the same span gives other trades.
    _, single = agreement.trade(replace(trial, bundle=paths[0]), outcome.contracts)
    assert {(t.symbol, t.entry_time) for t in single.trades} != {(t.symbol, t.entry_time) for t in outcome.ours.trades}


def test_bars_without_a_trade_agree_trade_by_trade_and_filled_gaps_are_left_out(tmp_path):
    freqtrade.require()
    trial = make_trial(tmp_path, ("XRP/USDT", "LTC/USDT"), marks=False, thin=True)
    trial = replace(trial, leverage=1.0, stake=1_000.0)
    outcome = agreement.run(trial, tmp_path / "user_data")
    assert agreement.differences(outcome) == []
    assert len(outcome.theirs) > 50
    bars = [(trade["open_timestamp"] - trial.start) // HOUR_MS for trade in outcome.theirs]
    assert sum(bar % 10 == 9 for bar in bars) > 3
    log = " ".join(outcome.log.split())  # long lines are wrapped
    assert "one price and no volume, and are candles as in training; 3 rows that Freqtrade filled in" in log


@pytest.mark.data
@pytest.mark.skipif("QUORATE_DATA" not in os.environ, reason="QUORATE_DATA names no folder of real candles")
def test_real_perpetuals_agree_trade_by_trade(tmp_path):
    freqtrade.require()
    pairs = ("XRP/USDT:USDT", "LTC/USDT:USDT", "ADA/USDT:USDT", "LINK/USDT:USDT")
    source = FreqtradeFolder(Path(os.environ["QUORATE_DATA"]) / "binance")
    first, train_end, last = parse_ms("2025-03-01"), parse_ms("2025-06-01"), parse_ms("2025-07-01")
    panel = {}
    for pair in pairs:
        panel[pair] = source.candles(pair, "1h", first, last + HOUR_MS)
        write_candles(tmp_path / "data", panel[pair])
        write_candles(tmp_path / "data", source.mark(pair, "1h", first, last + HOUR_MS), mark=True)
        write_funding(tmp_path / "data", source.funding(pair, first, last + HOUR_MS))
    bundle = trained(panel, tmp_path / "bundles", train_end)
    outcome = agreement.run(Trial(tmp_path / "data", bundle, pairs, train_end, last), tmp_path / "user_data")
    assert agreement.differences(outcome) == []
    assert len(outcome.theirs) > 200
    assert agreement.reasons(outcome)["stop"] > 20
