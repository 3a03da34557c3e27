"""One section for each kind of member."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from quorate.core.sections.extensible import ExtensibleSection
from quorate.core.sections.networks import LSTMSettings, NHiTSSettings, PatchTSTSettings
from quorate.core.sections.section import Section, require


# Trees of the documented number, size and speed are worse than the class shares out of sample, by 5 % of the log-loss;
# held back by shares of the rows learned from they are better (docs/study.md). Shares, because rows of one bar and
# labels that overlap say much the same: more symbols are more rows, and hardly more to learn from.
@dataclass(frozen=True, slots=True)
class TreeSettings(Section):
    """What both libraries of boosted trees are told; each has its own figures."""

    trees: int = 200
    depth: int = 6
    learning_rate: float = 0.1
    subsample: float = 0.8  # of the rows, drawn anew for each tree
    colsample: float = 0.8  # of the columns, likewise
    l2: float = 1.0  # on the values of the leaves
    leaf_share: float = 0.04  # least rows of a leaf, as a share of those learned from, where that is more
    l2_share: float = 0.2  # added to l2, as a share of the rows learned from
    from_mean: bool = True  # the trees of returns begin at the mean of the training rows; else at 0

    def require(self, section: str) -> None:
        """Refuse what cannot be planted."""
        require(section, "trees", self.trees, 1, 100_000)
        require(section, "depth", self.depth, 1, 64)
        for name in ("learning_rate", "subsample", "colsample"):
            require(section, name, getattr(self, name), 1e-6, 1)
        require(section, "l2", self.l2, 0, 1e9)
        require(section, "leaf_share", self.leaf_share, 0, 0.5)
        require(section, "l2_share", self.l2_share, 0, 1e3)


@dataclass(frozen=True, slots=True)
class XGBoostSettings(TreeSettings):
    leaf_weight: float = 1.0  # least sum of the second derivatives in a leaf: for returns, of its rows

    def __post_init__(self) -> None:
        self.require("models.xgboost")
        require("models.xgboost", "leaf_weight", self.leaf_weight, 0, 1e9)


@dataclass(frozen=True, slots=True)
class LightGBMSettings(TreeSettings):
    leaves: int = 31
    patience: int = 0  # trees without a better loss on later rows, after which it stops; 0 to plant them all
    subsample: float = 0.5
    colsample: float = 0.5
    leaf_rows: int = 20  # least rows of a leaf
    l2: float = 0.0

    def __post_init__(self) -> None:
        self.require("models.lightgbm")
        require("models.lightgbm", "leaves", self.leaves, 2, 131_072)
        require("models.lightgbm", "patience", self.patience, 0, 100_000)
        require("models.lightgbm", "leaf_rows", self.leaf_rows, 1, 100_000_000)


@dataclass(frozen=True, slots=True)
class LogisticSettings(Section):
    l2: float = 1.0  # on half the squared weights, beside the losses' sum: 1 / C in scikit-learn, alpha for returns
    iterations: int = 500  # at most
    tail: float = 0.001  # share of the training rows beyond which, on each side, a feature counts as its quantile

    def __post_init__(self) -> None:
        require("models.logistic", "l2", self.l2, 1e-9, 1e9)
        require("models.logistic", "iterations", self.iterations, 1, 1_000_000)
        require("models.logistic", "tail", self.tail, 0, 0.25)


@dataclass(frozen=True, slots=True)
class ModelSettings(ExtensibleSection):
    prefix: ClassVar[str] = "models."

    xgboost: XGBoostSettings = field(default_factory=XGBoostSettings)
    lightgbm: LightGBMSettings = field(default_factory=LightGBMSettings)
    logistic: LogisticSettings = field(default_factory=LogisticSettings)
    nhits: NHiTSSettings = field(default_factory=NHiTSSettings)
    patchtst: PatchTSTSettings = field(default_factory=PatchTSTSettings)
    lstm: LSTMSettings = field(default_factory=LSTMSettings)

    def to_json(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Name -> settings of each named model that has a section of its own."""
        return {name: asdict(self.section(name)) for name in names if self.has_section(name)}
