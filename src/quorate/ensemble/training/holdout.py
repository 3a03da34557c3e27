"""Scores of trained members on holdout rows, with the true classes and returns of these rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import ActionArray, BoolArray, Candles, FloatArray, IntArray
from quorate.ensemble.bundle.calibration_file import Calibration
from quorate.ensemble.measure import HeldOutOutcomes
from quorate.ensemble.voting.independence import error_correlations
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.features import Bars, volatility_20
from quorate.models.runtime import OnnxSession
from quorate.targets import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class HoldoutScores:
    """Scores on rows that no member was fitted on, and the outcome of these rows.

    Attributes:
        scores: model -> (n, 3); NaN rows where it abstained.
        y: (n,) true classes.
        time: (n,) int64 open times in ms, in any order.
        span_end: (n,) int64 open time in ms of the bar whose close each label reads last.
        forward_return: (n,) fractions.
        volatility: (n,) volatility_20; NaN where unknown.
        chosen: (n, m) whether each model is chosen to vote on each row; None where all are.
    """

    scores: Mapping[str, FloatArray]
    y: ActionArray
    time: IntArray
    span_end: IntArray
    forward_return: FloatArray
    volatility: FloatArray
    chosen: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def voting(self) -> Mapping[str, FloatArray]:
        """Model -> (n, 3) scores on the rows on which it is chosen to vote, NaN on the others."""
        if self.chosen is None:
            return self.scores
        return {
            model: np.where(self.chosen[:, place, None], table, np.nan)
            for place, (model, table) in enumerate(self.scores.items())
        }

    @property
    def members(self) -> int:
        """Number of models that vote on a row, or may."""
        if self.chosen is None or not len(self):
            return len(self.scores)
        return int(self.chosen.sum(axis=1).max())

    @property
    def voters(self) -> IntArray:
        """(n,) int64, number of members that did not abstain."""
        found = np.zeros(len(self), np.int64)
        for table in self.voting.values():
            found += np.isfinite(table).all(axis=1)
        return found

    def error_correlations(self) -> dict[str, float]:
        """Pair of members -> correlation of being right, as `VoteSettings.correlation` has it."""
        return error_correlations(self.y, self.scores)

    def in_time(self) -> HoldoutScores:
        """The rows in order of time."""
        return self.rows(np.argsort(self.time, kind="stable"))

    def rows(self, chosen: IntArray | BoolArray | slice) -> HoldoutScores:
        """The chosen rows."""
        return HoldoutScores(
            {model: table[chosen] for model, table in self.scores.items()},
            self.y[chosen],
            self.time[chosen],
            self.span_end[chosen],
            self.forward_return[chosen],
            self.volatility[chosen],
            None if self.chosen is None else self.chosen[chosen],
        )


def score_holdout(
    sessions: Mapping[str, OnnxSession], panel: Mapping[str, Candles], dataset: Dataset, rows: IntArray
) -> HoldoutScores:
    """Run the members' ONNX graphs on some rows.

    Args:
        sessions: model -> session.
        panel: symbol -> candles, for the volatility of each row.
        dataset: all rows.
        rows: (n,) row numbers, increasing.
    """
    scores = {}
    for model, session in sessions.items():
        scores[model] = np.full((len(rows), 3), np.nan)
        X, read = dataset.read(rows, session.window)
        if len(read):
            scores[model][np.searchsorted(rows, read)] = session.run(X)
    return with_outcomes(scores, panel, dataset, rows)


def with_outcomes(
    scores: Mapping[str, FloatArray], panel: Mapping[str, Candles], dataset: Dataset, rows: IntArray
) -> HoldoutScores:
    """Scores of some rows with the outcomes of these rows.

    Args:
        scores: model -> (n, 3).
        panel: symbol -> candles, for the volatility of each row.
        dataset: all rows.
        rows: (n,) row numbers.
    """
    return HoldoutScores(
        scores=scores,
        y=dataset.y[rows],
        time=dataset.time[rows],
        span_end=dataset.span_end[rows],
        forward_return=dataset.forward_return[rows],
        volatility=_volatility(panel, dataset, rows),
    )


def held_out_outcomes(
    calibration: Calibration,
    weights: VoteSettings,
    prior: FloatArray,
    *parts: HoldoutScores,
) -> HeldOutOutcomes:
    """Probabilities of the ensemble and of each member on the rows of all parts, scores where one has no map.

    Args:
        calibration: of the bundle.
        weights: of the vote.
        prior: (3,) class shares of the training rows.
        *parts: scores of different rows; members may differ.
    """
    probabilities = []
    members: dict[str, list[FloatArray]] = {model: [] for part in parts for model in part.scores}
    for part in parts:
        found = calibration.ensemble(part.scores, weights) if part.scores else None
        if found is None and part.scores:
            found = mean_scores(part.scores, weights)
        absent = np.full((len(part), 3), np.nan)
        probabilities.append(absent if found is None else found)
        own = {**part.scores, **calibration.frame(part.scores)}
        for model, tables in members.items():
            tables.append(own.get(model, absent))
    return HeldOutOutcomes(
        np.concatenate(probabilities),
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.time for part in parts]),
        prior,
        {model: np.concatenate(tables) for model, tables in members.items()},
    )


def _volatility(panel: Mapping[str, Candles], dataset: Dataset, rows: IntArray) -> FloatArray:
    """(n,) volatility_20 at each row's bar."""
    found = np.full(len(rows), np.nan)
    for place, symbol in enumerate(dataset.symbols):
        own = dataset.symbol[rows] == place
        if own.any():
            candles = panel[symbol]
            found[own] = volatility_20(Bars(candles))[np.searchsorted(candles.time, dataset.time[rows[own]])]
    return found
