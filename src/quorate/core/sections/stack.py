"""Settings of the stack: the combiner, and the members where they differ from the vote's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.models import LightGBMSettings, ModelSettings, XGBoostSettings
from quorate.core.sections.networks import DocumentedLSTMSettings
from quorate.core.sections.section import Section, require

Method = Literal["ridge", "lasso", "forest", "blending", "voting"]


# Classes of their own, so that a file that sets one value keeps the other defaults of the stack. The members are
# strongly regularised: a return over 16 hours is nearly all noise, and the squared error of trees of the documented
# size is a quarter above that of predicting zero. Of the configurations in benchmarks/results/stack_trials.json, which
# use no test row, these have about the best mean skill over six folds in units of its standard error. Leaf sizes are
# shares of the rows, so that they suit spans of any length.
@dataclass(frozen=True, slots=True)
class StackXGBoostSettings(XGBoostSettings):
    trees: int = 300
    depth: int = 2
    learning_rate: float = 0.002
    subsample: float = 0.5
    colsample: float = 0.3
    colsample_node: float = 1.0
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
    random_splits: bool = False


@dataclass(frozen=True, slots=True)
class StackLSTMSettings(DocumentedLSTMSettings):
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
    """Combiner of the members, and settings of the members where they differ from the vote's."""

    method: Method = "ridge"  # combiner
    features: str = "core14"  # feature set
    warmup_bars: int = 199  # first candles of the span without a row: the warm-up of an average over 200
    folds: int = 4  # time folds of the training part, each predicted by members fitted on the rows before it
    first: float = 0.4  # share of the training part before the first fold
    stop: float = 0.3  # share at the beginning of each fold for early stopping; not used by the combiner
    # Chosen out of fold. Relative to the members' predictions, so that their scale does not matter.
    ridge: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)  # penalties tried, of the members' mean squared prediction
    lasso: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)  # penalties tried, of the one at which all weights are 0
    forest_trees: int = 200  # number of trees
    forest_depth: int = 3  # maximum
    forest_leaf: float = 0.05  # minimum share of the rows in a leaf
    confidence_rows: int = 100  # minimum rows per step of the confidence curve
    round_trip: float = -1.0  # minimum predicted return to act; -1: twice taker fee and slippage
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
