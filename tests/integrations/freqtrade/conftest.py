"""A small synthetic market under real pair names, and bundles of few trees trained on its first bars."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import timeframe_ms
from quorate.core.settings import (
    FeatureSettings,
    FreqtradeSettings,
    PolicySettings,
    Settings,
    TrainSettings,
)
from quorate.core.types import Candles, Funding
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.integrations.freqtrade import StrategyOptions
from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.synthetic import SyntheticMarket
from stubs.small_models import small_trees

COINS = ("BTC", "ETH")
TRAIN_BARS = 700
MODELS = ("xgboost", "lightgbm")
START = 1_704_067_200_000  # 2024-01-01


@dataclass(frozen=True)
class World:
    """Candles on disk in Freqtrade's layout, and bundles below its user_data.

    Attributes:
        train_end: end of the training span, ms.
        bundles: folder of the bundles.
        bundle: the champion.
    """

    user_data: Path
    panel: dict[str, Candles]
    timeframe: str
    train_end: int
    bundles: Path
    bundle: Path

    @property
    def data(self) -> Path:
        return self.user_data / "data" / "binance"


def settings(trees: int = 20) -> Settings:
    return replace(
        Settings(),
        models=small_trees(trees),
        train=TrainSettings(threads=1, head="classes"),
        policy=PolicySettings(name="classic", refit="none"),
    )


def train_trees(panel, timeframe, out, train_end, trees=20, features="core14", own=None):
    base = settings(trees)
    given = replace(base, train=replace(base.train, features=features), features=own or FeatureSettings())
    return train_ensemble(panel, timeframe, TrainingSpec(models=MODELS, settings=given, end=train_end), out)


def train_stack(world, bars=1_000):
    """A stack of two tree models over the first bars, below user_data; its round-trip cost is low, so it acts often."""
    stack = Settings().stack
    small = replace(
        stack.models,
        xgboost=replace(stack.models.xgboost, trees=20),
        lightgbm=replace(stack.models.lightgbm, trees=40, patience=5),
    )
    given = replace(
        Settings(), stack=replace(stack, models=small, folds=3, round_trip=5e-5), train=TrainSettings(threads=1)
    )
    start = int(next(iter(world.panel.values())).time[0])
    end = start + bars * timeframe_ms(world.timeframe)
    return train_ensemble(
        world.panel,
        world.timeframe,
        TrainingSpec(models=MODELS, settings=given, recipe="stack", end=end),
        world.user_data / "quorate" / "stack",
    )


def make_world(folder: Path, timeframe: str = "1h", bars: int = 1_700, start: int = START) -> World:
    """The hourly synthetic market with the times of another timeframe and prices rounded to ticks."""
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
        settlements = np.arange(start, int(time[-1]), timeframe_ms("8h"))
        write_funding(data, Funding(perpetual.symbol, settlements, np.full(len(settlements), 1e-4)))
    train_end = start + TRAIN_BARS * length
    bundles = folder / "quorate" / "bundles"
    trained = train_trees(panel, timeframe, bundles, train_end)
    return World(folder, panel, timeframe, train_end, bundles, trained.path)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world") / "user_data")


@pytest.fixture
def make_options(world, tmp_path):
    """Options of a strategy with the world's bundle; further keywords are settings of the section [freqtrade]."""

    def make(runmode="backtest", *, spot=False, user_data=None, base=None, **section):
        freqtrade = FreqtradeSettings(**{"bundle": str(world.bundles), "cache": "", **section})
        return StrategyOptions(freqtrade, base or settings(), user_data or tmp_path, runmode, spot)

    return make
