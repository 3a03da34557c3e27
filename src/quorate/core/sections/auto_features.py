"""Settings of the choice of columns on training rows."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class AutoFeatureSettings(Section):
    """Choice of columns by `train.features = "auto"`, on training rows alone."""

    candidates: str = "core30"  # feature set to choose from; columns can be added, as in "core30+obv"
    model: str = "lightgbm"  # fitted with all columns and without each group of them; reads single bars
    trees: int = 60  # most of its boosted trees, as it is fitted many times
    rows: int = 40_000  # most training rows; of more, bars are left out evenly
    folds: int = 4  # spans of the training rows that are scored, each by models of the rows before it
    correlation: float = 0.7  # columns whose mean rank correlation is at least this are judged as one group
    span_hours: int = 24  # mean length of the spans of time that are shuffled
    repeats: int = 2  # orders of these spans
    positive: float = 0.75  # a group earns its place if the loss rises without it in this share of the folds
    tolerance: float = 0.0005  # largest rise of the loss by all removals together, as a share of the prior's loss
    fewest: int = 5  # columns that are kept at least

    def __post_init__(self) -> None:
        require("auto_features", "trees", self.trees, 1, 100_000)
        require("auto_features", "rows", self.rows, 100, 1e9)
        require("auto_features", "folds", self.folds, 1, 100)
        require("auto_features", "correlation", self.correlation, 0.01, 1)
        require("auto_features", "span_hours", self.span_hours, 1, 24 * 366)
        require("auto_features", "repeats", self.repeats, 1, 1_000)
        require("auto_features", "positive", self.positive, 0, 1)
        require("auto_features", "tolerance", self.tolerance, 0, 1)
        require("auto_features", "fewest", self.fewest, 1, 10_000)
