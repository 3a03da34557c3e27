"""The explanation of a signal: what each group of features contributes to the score of every member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import CLASS_NAMES, Float32Array, FloatArray
from quorate.evaluation.feature_groups import FeatureGroup
from quorate.lifecycle.explain.attribution import Attribution
from quorate.workflows.results import tables
from quorate.workflows.results.signals import MarketSignal

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class ColumnAttribution:
    """What each column contributes to the margins of a member of boosted trees.

    Of a vote the margins are those before the member's head, less their mean over the three classes: the log-odds of a
    class against the others.

    Attributes:
        base: (C,) expectation over the training rows; for a change, the margins of the earlier bar.
        contributions: (F, C); base + their sum is the margin of the bar.
    """

    base: FloatArray
    contributions: FloatArray

    def largest(self, output: int, count: int) -> list[int]:
        """Places of the columns with the largest contributions to an output, the largest first."""
        order = np.argsort(-np.abs(self.contributions[:, output]), kind="stable")
        return [int(place) for place in order[:count]]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What moved the scores of one bar from those of earlier bars of its market.

    Attributes:
        bundle: id of the bundle that decided.
        signal: the decision, with its marks.
        groups: k groups of features.
        columns: (F,) names of the features.
        features: (F,) their values at the bar.
        members: model -> its score, for members that voted or forecast.
        ensemble: the weighted mean of the members' scores, or the return that a stack predicts; None where a member of
            the stack is missing.
        trees: member of boosted trees -> contributions of single columns.
        background: open times in ms of the bars that the bar is compared with.
        earlier: the decision at an earlier bar, if the explanation is of the change since then.
    """

    bundle: str
    signal: MarketSignal
    groups: tuple[FeatureGroup, ...]
    columns: tuple[str, ...]
    features: Float32Array
    members: Mapping[str, Attribution]
    ensemble: Attribution | None
    trees: Mapping[str, ColumnAttribution]
    background: tuple[int, ...]
    earlier: MarketSignal | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the values of a score: SELL, HOLD and BUY, or of a stack predicted_return."""
        return ("predicted_return",) if self.signal.signal.policy == "stack" else CLASS_NAMES

    @property
    def explained(self) -> int:
        """Place of the output that is explained first: the class with the largest score of the ensemble."""
        return 0 if self.ensemble is None else int(self.ensemble.score.argmax())

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate explain --json`."""
        return {
            "bundle": self.bundle,
            "symbol": self.signal.symbol,
            "time": iso_ms(self.signal.time),
            "since": None if self.earlier is None else iso_ms(self.earlier.time),
            "outputs": list(self.outputs),
            "explained": self.outputs[self.explained],
            "groups": {group.name: list(group.columns) for group in self.groups},
            "background": [iso_ms(time) for time in self.background],
            "ensemble": None if self.ensemble is None else self.ensemble.to_json(self.groups),
            "members": {model: own.to_json(self.groups) for model, own in self.members.items()},
            "columns": {model: self._columns_json(own) for model, own in self.trees.items()},
            "signal": self.signal.to_json(),
            "earlier": None if self.earlier is None else self.earlier.to_json(),
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row for each member and the ensemble, and each group: its contribution to every output.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        tables_of = {**self.members, **({} if self.ensemble is None else {"ensemble": self.ensemble})}
        rows = {
            (model, group.name): own
            for model, table in tables_of.items()
            for group, own in zip(self.groups, table.contributions.tolist(), strict=True)
        }
        frame: pd.DataFrame = tables.pandas().DataFrame(list(rows.values()), columns=list(self.outputs))
        frame.index = tables.pandas().MultiIndex.from_tuples(list(rows), names=["model", "group"])
        return frame

    def _columns_json(self, own: ColumnAttribution) -> dict[str, Any]:
        values = zip(self.columns, self.features.tolist(), own.contributions.tolist(), strict=True)
        return {
            "base": own.base.tolist(),
            "contributions": {name: {"value": value, "margins": margins} for name, value, margins in values},
        }
