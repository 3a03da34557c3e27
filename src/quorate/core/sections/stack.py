"""The stack: members that predict returns, and what makes one prediction of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.models import LightGBMSettings, ModelSettings, XGBoostSettings
from quorate.core.sections.networks import LSTMSettings
from quorate.core.sections.section import Section, require

Method = Literal["ridge", "lasso", "forest", "blending", "voting"]


# Classes of their own, so that a file that sets one figure leaves the others as they are here. The members are held far
# back: a return over 16 hours is nearly all noise, and trees of the documented size are worse than predicting zero by a
# quarter of the squared error. Of the configurations in benchmarks/results/stack_trials.json, which saw no test row,
# these have about the most even skill: its mean over six folds in units of its own error. Leaves are shares of the
# rows, so that they suit spans of any length.
@dataclass(frozen=True, slots=True)
class StackXGBoostSettings(XGBoostSettings):
    trees: int = 300
    depth: int = 2
    learning_rate: float = 0.002
    subsample: float = 0.5
    colsample: float = 0.3
    leaf_share: float = 0.15
    l2_share: float = 0.0
    from_mean: bool = False


@dataclass(frozen=True, slots=True)
class StackLightGBMSettings(LightGBMSettings):
    trees: int = 500
    leaves: int = 4
    learning_rate: float = 0.01
    patience: int = 50
    subsample: float = 0.5
    colsample: float = 0.3
    leaf_share: float = 0.15
    l2_share: float = 0.0
    from_mean: bool = False


@dataclass(frozen=True, slots=True)
class StackLSTMSettings(LSTMSettings):
    width: int = 16
    layers: int = 1
    batch: int = 64
    learning_rate: float = 3e-4
    weight_decay: float = 1.0


@dataclass(frozen=True, slots=True)
class StackModelSettings(ModelSettings):
    xgboost: StackXGBoostSettings = field(default_factory=StackXGBoostSettings)
    lightgbm: StackLightGBMSettings = field(default_factory=StackLightGBMSettings)
    lstm: StackLSTMSettings = field(default_factory=StackLSTMSettings)


@dataclass(frozen=True, slots=True)
class StackSettings(Section):
    """How the members are combined, and their own figures where they differ from the vote's."""

    method: Method = "ridge"
    features: str = "core14"
    warmup_bars: int = 199  # first candles of the span that give no row: what an average over 200 of them needs
    folds: int = 4  # stretches of the training part, each predicted by members fitted on what lies before it
    first: float = 0.4  # share of the training part before the first of them
    stop: float = 0.3  # share of each stretch, its beginning, by which members stop early; it is not combined
    # Tried out of fold; the best is taken. Shares of the members' own strength, so that their scale is no matter.
    ridge: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)  # of the members' mean squared prediction
    lasso: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)  # of the penalty at which every weight is 0
    forest_trees: int = 200
    forest_depth: int = 3
    forest_leaf: float = 0.05  # least share of the rows in a leaf
    confidence_rows: int = 100  # least rows that a step of the confidence curve rests on
    round_trip: float = -1.0  # what a predicted return must exceed to act; -1: twice taker fee and slippage
    models: StackModelSettings = field(default_factory=StackModelSettings)

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise SettingsError(
                "use the setting stack.method", found=repr(self.method), expected=", ".join(get_args(Method))
            )
        require("stack", "warmup_bars", self.warmup_bars, 0, 1_000_000)
        require("stack", "folds", self.folds, 2, 1_000)
        require("stack", "first", self.first, 0.05, 0.95)
        require("stack", "stop", self.stop, 0.05, 0.9)
        for name, most in (("ridge", 1e12), ("lasso", 1)):
            strengths = getattr(self, name)
            require("stack", f"{name}: number of strengths", len(strengths), 1, 100)
            for strength in strengths:
                require("stack", name, strength, 0, most)
        require("stack", "confidence_rows", self.confidence_rows, 1, 1_000_000)
        require("stack", "forest_trees", self.forest_trees, 1, 100_000)
        require("stack", "forest_depth", self.forest_depth, 1, 32)
        require("stack", "forest_leaf", self.forest_leaf, 1e-6, 0.5)
        if self.round_trip != -1:
            require("stack", "round_trip", self.round_trip, 0, 1)
