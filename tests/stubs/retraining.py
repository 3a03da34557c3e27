"""A folder of bundles with a champion on a synthetic market, small enough to be retrained in a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.settings import (
    BundleSettings,
    CalibrationSettings,
    EvaluationSettings,
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    RetrainSettings,
    Settings,
    SplitSettings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.core.types import Candles
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket

MEMBERS = ("xgboost", "lightgbm")
# The first bar of the market, a Monday, and the training span of the first champion.
START = 1_704_067_200_000
TIMEFRAME, SPAN_DAYS = "4h", 60

SETTINGS = replace(
    Settings(),
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=6, depth=2, l2_share=0.0, leaf_share=0.05, colsample_node=1.0),
        lightgbm=LightGBMSettings(trees=6, leaves=4, l2_share=0.0, leaf_share=0.05, random_splits=False),
    ),
    train=TrainSettings(threads=1, features="core14", head="classes"),
    split=SplitSettings(train=0.6, validation=0.15),
    calibration=CalibrationSettings(rows=50, class_rows=5, days=2),
    policy=PolicySettings(name="classic", refit="none"),
    evaluation=EvaluationSettings(resamples=200),
    bundle=BundleSettings(evidence=50),
    retrain=RetrainSettings(margin=0.02, ece=0.2, keep=3, rollbacks=2),
)


def synthetic_market(days: int, edge: float = 0.3, seed: int = 5, symbols: int = 3) -> SyntheticMarket:
    """A synthetic market of some days."""
    return SyntheticMarket(seed=seed, symbols=symbols, bars=days * 6, timeframe=TIMEFRAME, start=START, edge=edge)


def market(days: int, edge: float = 0.3, seed: int = 5) -> dict[str, Candles]:
    """Symbol -> candles of a synthetic market."""
    return synthetic_market(days, edge, seed).panel()


def train_champion(
    out: Path, panel: Mapping[str, Candles], settings: Settings = SETTINGS, days: int = SPAN_DAYS
) -> str:
    """Train a bundle on the first days of a market; it becomes champion. Its id."""
    spec = TrainingSpec(models=MEMBERS, settings=settings, end=START + days * DAY_MS)
    return train_ensemble(panel, TIMEFRAME, spec, out).manifest.id


@dataclass
class Clock:
    """A clock that is set by hand, ms UTC."""

    now: int

    def __call__(self) -> int:
        return self.now

    def to_day(self, day: float) -> None:
        self.now = START + round(day * DAY_MS)


def drifting_market(weeks: int = 70) -> dict[str, Candles]:
    """Symbol -> candles of a market that changes.

    In the middle of the year after the first champion's span, most of what predicts returns is gone, and the volatility
    and the symbols' own sizes of move are others. One week moves four times as far as others. In one week two days are
    missing.
    """
    days = 7 * weeks
    drift = SPAN_DAYS + (days - SPAN_DAYS) // 2
    before, after = market(days, edge=0.3, seed=5), market(days, edge=0.05, seed=6)
    wild, gap = drift - 28, drift + 35
    joined = {}
    for symbol, early in before.items():
        late = after[symbol]
        day = (early.time - START) // DAY_MS
        scale = np.where((day >= wild) & (day < wild + 7), 4.0, 1.0)
        first, second = (np.concatenate(([candles.open[0]], candles.close[:-1])) for candles in (early, late))
        logs = {
            name: scale
            * np.where(
                day < drift,
                np.log(getattr(early, name) / first),
                np.log(getattr(late, name) / second),
            )
            for name in ("open", "high", "low", "close")
        }
        base = early.open[0] * np.exp(np.concatenate(([0.0], np.cumsum(logs["close"])[:-1])))
        columns = {name: base * np.exp(moves) for name, moves in logs.items()}
        kept = ~((day >= gap) & (day < gap + 2))
        joined[symbol] = Candles(
            symbol,
            TIMEFRAME,
            early.time[kept],
            **{name: values[kept] for name, values in columns.items()},
            volume=early.volume[kept],
            synthetic=True,
        )
    return joined


#: Name -> makes candles, for a process that is told which by their name.
MARKETS = {"steady": lambda: market(130), "drifting": drifting_market}
