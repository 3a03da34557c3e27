"""Settings of the members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

from quorate.core.sections.compact_networks import (
    DLinearSettings,
    GRUSettings,
    InceptionSettings,
    MiniRocketSettings,
    TCNSettings,
    TFTSettings,
    TiDESettings,
)
from quorate.core.sections.extensible import ExtensibleSection
from quorate.core.sections.networks import DOCUMENTED, LSTMSettings, NHiTSSettings, PatchTSTSettings
from quorate.core.sections.pretrained import FracastSettings
from quorate.core.sections.section import Section, file_list, require
from quorate.core.sections.tabular_networks import TabMSettings, TabNetSettings


# Trees of the documented number, size and learning rate have a log-loss 5 % above that of the class shares out of
# sample. They are held back in proportion to the training rows, because rows of one bar and overlapping labels are
# correlated: more symbols are more rows, with little more information. On core30 splits drawn at random (LightGBM) or
# among few columns (XGBoost) do as well as smaller and slower trees.
@dataclass(frozen=True, slots=True)
class TreeSettings(Section):
    """Parameters shared by both libraries of boosted trees; each has its own defaults."""

    trees: int = 200  # number of boosting rounds
    depth: int = 6  # maximum of a tree
    learning_rate: float = 0.1  # how much of each new tree is added
    subsample: float = 0.8  # share of the rows, drawn for each tree
    colsample: float = 0.8  # share of the columns, drawn for each tree
    l2: float = 1.0  # penalty on the values of the leaves
    leaf_share: float = 0.03  # minimum rows of a leaf, as a share of the training rows
    l2_share: float = 0.03  # added to l2, as a share of the training rows
    from_mean: bool = True  # base prediction of returns: the mean of the training rows, else 0

    def require(self, section: str) -> None:
        """Check the ranges.

        Raises:
            SettingsError: a value out of range.
        """
        require(section, "trees", self.trees, 1, 100_000)
        require(section, "depth", self.depth, 1, 64)
        for name in ("learning_rate", "subsample", "colsample"):
            require(section, name, getattr(self, name), 1e-6, 1)
        require(section, "l2", self.l2, 0, 1e9)
        require(section, "leaf_share", self.leaf_share, 0, 0.5)
        require(section, "l2_share", self.l2_share, 0, 1e3)


@dataclass(frozen=True, slots=True)
class XGBoostSettings(TreeSettings):
    leaf_weight: float = 1.0  # minimum sum of second derivatives in a leaf: for returns, its number of rows
    colsample_node: float = 0.2  # share of the columns of a tree, drawn for each split

    def __post_init__(self) -> None:
        self.require("models.xgboost")
        require("models.xgboost", "leaf_weight", self.leaf_weight, 0, 1e9)
        require("models.xgboost", "colsample_node", self.colsample_node, 1e-6, 1)


@dataclass(frozen=True, slots=True)
class LightGBMSettings(TreeSettings):
    leaves: int = 31  # maximum of a tree
    patience: int = 0  # rounds without a lower loss on the stopping rows; 0 disables early stopping
    subsample: float = 0.5
    colsample: float = 0.5
    leaf_rows: int = 20  # minimum rows of a leaf
    l2: float = 0.0
    leaf_share: float = 0.01
    l2_share: float = 0.004
    random_splits: bool = True  # try one threshold of each column, drawn at random, instead of all (extra trees)

    def __post_init__(self) -> None:
        self.require("models.lightgbm")
        require("models.lightgbm", "leaves", self.leaves, 2, 131_072)
        require("models.lightgbm", "patience", self.patience, 0, 100_000)
        require("models.lightgbm", "leaf_rows", self.leaf_rows, 1, 100_000_000)


@dataclass(frozen=True, slots=True)
class ExtraTreesSettings(Section):
    trees: int = 100  # number of trees
    depth: int = 12  # maximum of a tree
    colsample_node: float = 0.2  # share of the columns, drawn for each split
    leaf_rows: int = 20  # minimum rows of a leaf
    leaf_share: float = 0.01  # minimum rows of a leaf, as a share of the training rows
    tail: float = 0.001  # quantile at which features are clipped for the fit, on each side

    def __post_init__(self) -> None:
        require("models.extra_trees", "trees", self.trees, 1, 10_000)
        require("models.extra_trees", "depth", self.depth, 1, 64)
        require("models.extra_trees", "colsample_node", self.colsample_node, 1e-6, 1)
        require("models.extra_trees", "leaf_rows", self.leaf_rows, 1, 100_000_000)
        require("models.extra_trees", "leaf_share", self.leaf_share, 0, 0.5)
        require("models.extra_trees", "tail", self.tail, 0, 0.25)


@dataclass(frozen=True, slots=True)
class CatBoostSettings(Section):
    trees: int = 200  # number of boosting rounds
    depth: int = 4  # of all trees
    learning_rate: float = 0.05  # how much of each new tree is added
    subsample: float = 0.5  # share of the rows, drawn for each tree
    colsample: float = 0.5  # share of the columns, drawn for each split
    l2: float = 3.0  # penalty on the values of the leaves
    l2_share: float = 0.03  # added to l2, as a share of the training rows

    def __post_init__(self) -> None:
        require("models.catboost", "trees", self.trees, 1, 100_000)
        require("models.catboost", "depth", self.depth, 1, 16)
        for name in ("learning_rate", "subsample", "colsample"):
            require("models.catboost", name, getattr(self, name), 1e-6, 1)
        require("models.catboost", "l2", self.l2, 0, 1e9)
        require("models.catboost", "l2_share", self.l2_share, 0, 1e3)


@dataclass(frozen=True, slots=True)
class LogisticSettings(Section):
    l2: float = 1.0  # penalty on half the squared weights: 1 / C in scikit-learn, alpha for returns
    l2_share: float = 0.0  # for returns, added to l2, as a share of the training rows
    iterations: int = 100  # maximum
    tail: float = 0.001  # quantile at which features are clipped, on each side

    def __post_init__(self) -> None:
        require("models.logistic", "l2_share", self.l2_share, 0, 1e3)
        require("models.logistic", "l2", self.l2, 0 if self.l2_share else 1e-9, 1e9)
        require("models.logistic", "iterations", self.iterations, 1, 1_000_000)
        require("models.logistic", "tail", self.tail, 0, 0.25)


@dataclass(frozen=True, slots=True)
class QDASettings(Section):
    pooled: float = 0.8  # shrinkage of the covariance of each class to that of all
    identity: float = 0.3  # shrinkage of the covariances to a multiple of the identity
    power: float = 0.6  # of the densities: below 1, since columns repeat each other
    tail: float = 0.001  # quantile at which features are clipped, on each side

    def __post_init__(self) -> None:
        require("models.qda", "pooled", self.pooled, 0, 1)
        require("models.qda", "identity", self.identity, 1e-6, 1)
        require("models.qda", "power", self.power, 1e-6, 1)
        require("models.qda", "tail", self.tail, 0, 0.25)


@dataclass(frozen=True, slots=True)
class LogHARSettings(Section):
    knots: int = 8  # of the spline from the linear index of volatility to P(move); 0 for none
    l2: float = 10.0  # penalty on half the squared weights
    tail: float = 0.001  # quantile at which columns are clipped, on each side

    def __post_init__(self) -> None:
        require("models.log_har", "knots", self.knots, 0, 100)
        require("models.log_har", "l2", self.l2, 1e-9, 1e9)
        require("models.log_har", "tail", self.tail, 0, 0.25)


@dataclass(frozen=True, slots=True)
class ModelSettings(ExtensibleSection):
    prefix: ClassVar[str] = "models."
    paths: ClassVar[tuple[str, ...]] = ("modules",)
    presets: ClassVar[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
        "networks": {"documented": {name: asdict(kind()) for name, kind in DOCUMENTED.items()}}
    }

    xgboost: XGBoostSettings = field(default_factory=XGBoostSettings)
    lightgbm: LightGBMSettings = field(default_factory=LightGBMSettings)
    catboost: CatBoostSettings = field(default_factory=CatBoostSettings)
    extra_trees: ExtraTreesSettings = field(default_factory=ExtraTreesSettings)
    logistic: LogisticSettings = field(default_factory=LogisticSettings)
    qda: QDASettings = field(default_factory=QDASettings)
    log_har: LogHARSettings = field(default_factory=LogHARSettings)
    nhits: NHiTSSettings = field(default_factory=NHiTSSettings)
    patchtst: PatchTSTSettings = field(default_factory=PatchTSTSettings)
    lstm: LSTMSettings = field(default_factory=LSTMSettings)
    dlinear: DLinearSettings = field(default_factory=DLinearSettings)
    gru: GRUSettings = field(default_factory=GRUSettings)
    tcn: TCNSettings = field(default_factory=TCNSettings)
    inception: InceptionSettings = field(default_factory=InceptionSettings)
    minirocket: MiniRocketSettings = field(default_factory=MiniRocketSettings)
    tide: TiDESettings = field(default_factory=TiDESettings)
    tft: TFTSettings = field(default_factory=TFTSettings)
    tabm: TabMSettings = field(default_factory=TabMSettings)
    tabnet: TabNetSettings = field(default_factory=TabNetSettings)
    fracast: FracastSettings = field(default_factory=FracastSettings)
    networks: Literal["compact", "documented"] = "compact"  # shapes and training of networks where nothing else is set
    modules: tuple[str, ...] = ()  # Python files with models of your own, relative to the folder of quorate.toml

    def __post_init__(self) -> None:
        object.__setattr__(self, "modules", file_list("models.modules", self.modules))
        if self.networks == "documented":
            for name, kind in DOCUMENTED.items():
                if getattr(self, name) == _default(self, name):
                    object.__setattr__(self, name, kind())

    def to_json(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Name -> settings of each named model that has a section of its own."""
        sections = {name: self.section(name) for name in names if self.has_section(name)}
        return {name: asdict(section) for name, section in sections.items() if not isinstance(section, tuple)}


def _default(section: ModelSettings, name: str) -> object:
    (factory,) = (own.default_factory for own in fields(section) if own.name == name)
    return factory() if callable(factory) else None
