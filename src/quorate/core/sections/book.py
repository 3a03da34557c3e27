"""Settings of the book: its universe, its sleeves and how their weights become one portfolio."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.core.errors import SettingsError
from quorate.core.sections.models import (
    ExtraTreesSettings,
    LightGBMSettings,
    LogisticSettings,
    ModelSettings,
    XGBoostSettings,
)
from quorate.core.sections.section import Section, require


# Members that predict a week's return beside the other markets', which is nearly all noise: leaves of 3 % of the rows
# and a penalty of a tenth of them.
@dataclass(frozen=True, slots=True)
class BookXGBoostSettings(XGBoostSettings):
    trees: int = 200
    depth: int = 3
    learning_rate: float = 0.03
    subsample: float = 0.5
    colsample: float = 0.4
    colsample_node: float = 1.0
    leaf_weight: float = 200.0
    l2: float = 0.0
    l2_share: float = 0.1


@dataclass(frozen=True, slots=True)
class BookLightGBMSettings(LightGBMSettings):
    trees: int = 200
    leaves: int = 8
    depth: int = 8
    learning_rate: float = 0.03
    subsample: float = 0.5
    colsample: float = 0.4
    leaf_rows: int = 200
    leaf_share: float = 0.03
    l2_share: float = 0.1
    random_splits: bool = False


@dataclass(frozen=True, slots=True)
class BookExtraTreesSettings(ExtraTreesSettings):
    depth: int = 6
    colsample_node: float = 0.4
    leaf_rows: int = 100


@dataclass(frozen=True, slots=True)
class BookLogisticSettings(LogisticSettings):
    l2: float = 0.0
    l2_share: float = 1.0


@dataclass(frozen=True, slots=True)
class BookModelSettings(ModelSettings):
    xgboost: BookXGBoostSettings = field(default_factory=BookXGBoostSettings)
    lightgbm: BookLightGBMSettings = field(default_factory=BookLightGBMSettings)
    extra_trees: BookExtraTreesSettings = field(default_factory=BookExtraTreesSettings)
    logistic: BookLogisticSettings = field(default_factory=BookLogisticSettings)


@dataclass(frozen=True, slots=True)
class BookSettings(Section):
    """The book: daily target weights of many perpetuals, from several sleeves."""

    sleeves: tuple[str, ...] = ("cross_section", "trend", "carry", "dip")  # registered names
    # Universe, of each day by what was known then.
    markets: int = 30  # perpetuals of the largest trailing dollar volume
    volume_days: int = 30  # of the median of that volume
    age_days: int = 60  # that a market was listed at least
    volatility_half_life: float = 10.0  # days, of the daily variance
    # Cross-section: returns beside those of the other markets, forecast by members that vote.
    members: tuple[str, ...] = ("lightgbm", "xgboost", "extra_trees", "logistic")  # of the cross-section
    quorum: int = 3  # members that have a market in the same outer group before it is held
    outer: float = 1 / 3  # share of the markets on each side that is an outer group
    horizon_days: int = 7  # of the return that the members forecast
    clip: float = 3.0  # largest label, in units of the market's volatility over the horizon
    smooth_days: int = 5  # over which the weights of cross-section and carry are averaged
    # The other sleeves.
    trend_smooth_days: int = 3  # over which the weights of the trend are averaged
    carry_markets: int = 50  # the universe of the carry, of which those with known funding are held
    dip_share: float = 0.24  # of the equity that a full dip holds
    dip_bars: int = 6  # of 4h, that a dip is held
    # Portfolio.
    target_volatility: float = 0.08  # a year, of each sleeve that is scaled to it
    scale_half_life: float = 60.0  # days, of the squared returns that measure a sleeve's volatility
    most_scale: float = 3.0  # gross weight of a sleeve's scale
    band: float = 0.3  # a weight is left where it is while it is this near its target, as a share of the larger one
    step: float = 0.5  # share of the way to the target that a change goes
    most_weight: float = 0.5  # of one market, as a share of the equity
    most_gross: float = 3.0  # sum of the weights' sizes
    volume_share: float = 0.01  # of a market's trailing dollar volume of a day, that its position may be worth
    earlier_trials: int = 832  # configurations tried before these defaults were frozen, which deflate a Sharpe ratio
    models: BookModelSettings = field(default_factory=BookModelSettings)

    def __post_init__(self) -> None:
        for name in ("sleeves", "members"):
            values = getattr(self, name)
            if isinstance(values, str) or not values or len(set(values)) < len(values):
                raise SettingsError(
                    f"use the setting book.{name}", found=repr(values), expected="a list of names, each once"
                )
        require("book", "markets", self.markets, 6, 10_000)
        require("book", "volume_days", self.volume_days, 2, 1_000)
        require("book", "age_days", self.age_days, 0, 10_000)
        require("book", "quorum", self.quorum, 1, len(self.members))
        require("book", "outer", self.outer, 0.01, 0.5)
        require("book", "horizon_days", self.horizon_days, 1, 365)
        require("book", "clip", self.clip, 0.1, 100)
        for name in ("smooth_days", "trend_smooth_days"):
            require("book", name, getattr(self, name), 1, 365)
        require("book", "carry_markets", self.carry_markets, 6, 10_000)
        require("book", "dip_share", self.dip_share, 0, 10)
        require("book", "dip_bars", self.dip_bars, 1, 1_000)
        require("book", "target_volatility", self.target_volatility, 1e-3, 10)
        for name in ("volatility_half_life", "scale_half_life"):
            require("book", name, getattr(self, name), 0.5, 1_000)
        require("book", "most_scale", self.most_scale, 1e-3, 100)
        require("book", "band", self.band, 0, 1)
        require("book", "step", self.step, 1e-3, 1)
        for name in ("most_weight", "most_gross"):
            require("book", name, getattr(self, name), 1e-3, 100)
        require("book", "volume_share", self.volume_share, 1e-9, 1)
        require("book", "earlier_trials", self.earlier_trials, 0, 1_000_000)
