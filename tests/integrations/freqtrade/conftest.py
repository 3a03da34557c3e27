"""A small market with an edge under names that Freqtrade knows, and bundles of few trees trained on its first bars."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import timeframe_ms
from quorate.core.settings import (
    FeatureSettings,
    FreqtradeSettings,
    LightGBMSettings,
    ModelSettings,
    Settings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.core.types import Candles, Funding
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.integrations.freqtrade import Options
from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.synthetic import SyntheticMarket

COINS = ("BTC", "ETH")
TRAIN_BARS = 700
MODELS = ("xgboost", "lightgbm")
START = 1_704_067_200_000  # 2024-01-01


@dataclass(frozen=True)
class World:
    """Candles on disk in Freqtrade's layout, and the bundles below its user_data.

    Attributes:
        seam: end of the training span, ms.
        bundles: a folder of them.
        bundle: the champion.
    """

    user_data: Path
    panel: dict[str, Candles]
    timeframe: str
    seam: int
    bundles: Path
    bundle: Path

    @property
    def data(self) -> Path:
        return self.user_data / "data" / "binance"


def settings(trees: int = 20) -> Settings:
    return replace(
        Settings(),
        models=ModelSettings(
            xgboost=XGBoostSettings(trees=trees, l2_share=0.0), lightgbm=LightGBMSettings(trees=trees, l2_share=0.0)
        ),
        train=TrainSettings(threads=1),
    )


def train_trees(panel, timeframe, out, seam, trees=20, features="core14", own=None):
    base = settings(trees)
    given = replace(base, train=replace(base.train, features=features), features=own or FeatureSettings())
    return train_ensemble(panel, timeframe, TrainingSpec(models=MODELS, settings=given, end=seam), out)


def train_stack(world, bars=1_000):
    """A stack of two kinds of trees over the first bars, that acts however little it predicts; below user_data."""
    own = Settings().stack
    few = replace(
        own.models,
        xgboost=replace(own.models.xgboost, trees=20),
        lightgbm=replace(own.models.lightgbm, trees=40, patience=5),
    )
    asked = replace(
        Settings(), stack=replace(own, models=few, folds=3, round_trip=5e-5), train=TrainSettings(threads=1)
    )
    end = START + bars * timeframe_ms(world.timeframe)
    return train_ensemble(
        world.panel,
        world.timeframe,
        TrainingSpec(models=MODELS, settings=asked, recipe="stack", end=end),
        world.user_data / "quorate" / "stack",
    )


def make_world(folder: Path, timeframe: str = "1h", bars: int = 1_700, start: int = START) -> World:
    """Bars of the hourly synthetic market, stamped as bars of the timeframe, with prices that lie on ticks."""
    market = SyntheticMarket(seed=5, symbols=len(COINS), bars=bars, edge=0.3)
    length, data = timeframe_ms(timeframe), folder / "data" / "binance"
    panel = {}
    for name, coin in zip(market.names, COINS, strict=True):
        made = market.candles(name)
        prices = {column: np.round(getattr(made, column), 4) for column in ("open", "high", "low", "close")}
        time = start + length * np.arange(bars)
        spot = replace(made, symbol=f"{coin}/USDT", timeframe=timeframe, time=time, synthetic=False, **prices)
        perpetual = replace(spot, symbol=f"{coin}/USDT:USDT")
        panel[perpetual.symbol] = perpetual
        write_candles(data, spot)
        write_candles(data, perpetual)
        hours = replace(perpetual, timeframe="1h")[:: max(1, timeframe_ms("1h") // length)]
        write_candles(data, hours, mark=True)
        settled = np.arange(start, int(time[-1]), timeframe_ms("8h"))
        write_funding(data, Funding(perpetual.symbol, settled, np.full(len(settled), 1e-4)))
    seam = start + TRAIN_BARS * length
    bundles = folder / "quorate" / "bundles"
    trained = train_trees(panel, timeframe, bundles, seam)
    return World(folder, panel, timeframe, seam, bundles, trained.path)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world") / "user_data")


@pytest.fixture
def make_options(world, tmp_path):
    """Options of a strategy over the world's bundle; keywords are settings of the section [freqtrade]."""

    def make(runmode="backtest", *, spot=False, user_data=None, base=None, **own):
        chosen = FreqtradeSettings(**{"bundle": str(world.bundles), "cache": "", **own})
        return Options(chosen, base or settings(), user_data or tmp_path, runmode, spot)

    return make
