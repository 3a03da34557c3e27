"""A replay of real candles through a bundle's live predictions, and the backtest of its frames."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.core.clock import parse_ms
from quorate.core.settings import (
    GuardSettings,
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    Settings,
    TrainSettings,
    VoteSettings,
    XGBoostSettings,
)
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market import FreqtradeFolder
from quorate.trading.backtest import backtest
from quorate.trading.oversight import Oversight
from quorate.trading.paper import AccountConfig, PaperSession, ReplayFeed

SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT", "DOGE/USDT:USDT")
FIRST, SEAM, END = parse_ms("2025-07-01"), parse_ms("2025-09-24"), parse_ms("2025-10-14")


@pytest.fixture(scope="module")
def source():
    named = os.environ.get("QUORATE_DATA")
    folder = Path(named) if named else None
    if folder is not None and not (folder / "futures").is_dir():
        folder = folder / "binance"
    if folder is None or not folder.is_dir():
        pytest.skip("QUORATE_DATA names no folder with real candles")
    return FreqtradeFolder(folder)


@pytest.fixture(scope="module")
def bundle(source, tmp_path_factory):
    """Trees with a low confidence threshold, so that they act."""
    models = ModelSettings(xgboost=XGBoostSettings(trees=15), lightgbm=LightGBMSettings(trees=15))
    trained = train_ensemble(
        {symbol: source.candles(symbol, "1h", FIRST, SEAM) for symbol in SYMBOLS},
        "1h",
        TrainingSpec(
            models=("xgboost", "lightgbm"),
            settings=replace(
                Settings(),
                models=models,
                train=TrainSettings(features="core14", head="classes"),
                vote=VoteSettings(floor=0.40, volatility_base=0.4),
                policy=PolicySettings(name="classic", refit="none"),
            ),
        ),
        tmp_path_factory.mktemp("bundles"),
    )
    return load_bundle(trained.path)


@pytest.mark.data
@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "guarded"])
def test_to_the_cent(source, bundle, open_journal, guarded):
    hour = 3_600_000
    panel = {symbol: source.candles(symbol, "1h", SEAM - LIVE_BARS * hour, END) for symbol in SYMBOLS}
    funding = {symbol: source.funding(symbol) for symbol in SYMBOLS}
    marks = {symbol: source.mark(symbol, "1h", SEAM, END) for symbol in SYMBOLS}
    watch = Oversight(GuardSettings(models=2, confidence=0.1, drawdown_usd=60.0)) if guarded else None
    config = AccountConfig(bundle.manifest.horizon, oversight=watch)

    def decide(markets, now):
        return bundle.predict_many(markets, now=now)

    with open_journal() as journal:
        feed = ReplayFeed(panel, SEAM, END, funding=funding, marks=marks)
        session = PaperSession(feed, decide, journal, config, bundle_id=bundle.manifest.id, mode="replay")
        session.run()
    frames = {symbol: bundle.predict_frame(candles).between(SEAM) for symbol, candles in panel.items()}
    expected = backtest(
        frames, panel, funding, horizon=config.horizon, start=SEAM, end=END, marks=marks, oversight=watch
    )
    got = session.engine.account
    assert len(got.trades) == len(expected.trades) > 10
    for mine, theirs in zip(got.trades, expected.trades, strict=True):
        assert (mine.symbol, mine.entry_time, mine.exit_time, mine.reason) == (
            theirs.symbol, theirs.entry_time, theirs.exit_time, theirs.reason
        )  # fmt: skip
        assert mine.net_usd == pytest.approx(theirs.net_usd, abs=1e-6)
    assert round(got.equity_usd, 2) == round(expected.final_equity_usd, 2)
