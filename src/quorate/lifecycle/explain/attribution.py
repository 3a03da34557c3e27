"""What each group of features contributes to a member's score on one bar, and to the ensemble's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.types import Float32Array, FloatArray
from quorate.evaluation.feature_groups import FeatureGroup
from quorate.lifecycle.explain.shapley import coalitions, shapley_values


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """A score, taken apart.

    Attributes:
        base: (C,) mean score over the bars that the explained one is compared with; C = 3 scores of SELL, HOLD and
            BUY, or 1 predicted return.
        contributions: (k, C) of each group of features; base + their sum is the score.
        score: (C,) of the bar.
    """

    base: FloatArray
    contributions: FloatArray
    score: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Attribution:
        """From (2^k, C) values of every coalition, in the order of `coalitions`."""
        return cls(values[0], shapley_values(values), values[-1])

    def to_json(self, groups: Sequence[FeatureGroup]) -> dict[str, Any]:
        """Each value a list of C."""
        return {
            "score": self.score.tolist(),
            "base": self.base.tolist(),
            "contributions": {group.name: own.tolist() for group, own in zip(groups, self.contributions, strict=True)},
        }


def hybrid_inputs(row: Float32Array, background: Float32Array, groups: Sequence[FeatureGroup]) -> Float32Array:
    """Inputs of a member for every coalition but the whole one, with each row of the background.

    Groups of the coalition have the values of the explained bar, the others those of the background: of a window, the
    columns of all its bars.

    Args:
        row: (F,) or (L, F) input of the explained bar.
        background: (M, F) or (M, L, F) inputs of other bars.
        groups: k groups that share the F columns.

    Returns:
        ((2^k - 1) M, F) or (..., L, F), coalition by coalition.
    """
    present = coalitions(len(groups))[:-1]
    mask = np.zeros((len(present), row.shape[-1]), np.bool_)
    for number, group in enumerate(groups):
        mask[:, group.places] = present[:, number : number + 1]
    # (coalitions, M, [L,] F)
    mask = mask[:, None, :] if row.ndim == 1 else mask[:, None, None, :]
    mixed: Float32Array = np.where(mask, row, background[None])
    return mixed.reshape(-1, *row.shape)


def coalition_values(outputs: FloatArray, score: FloatArray, background: int) -> FloatArray:
    """(2^k, M, C) values of every coalition on each row of the background.

    Args:
        outputs: ((2^k - 1) M, C) of the hybrid inputs.
        score: (C,) of the explained bar itself, the value of the whole coalition.
        background: M.
    """
    values = outputs.reshape(-1, background, outputs.shape[-1])
    whole = np.broadcast_to(score, (1, *values.shape[1:]))
    return np.concatenate([values, whole])


def weighted_mean(tables: Mapping[str, FloatArray], weights: Mapping[str, float]) -> FloatArray:
    """The ensemble's values: the mean of its members' (..., C) values with the weights of the vote."""
    total = sum(weights[model] for model in tables)
    mean = np.zeros(next(iter(tables.values())).shape)
    for model, table in tables.items():
        mean += weights[model] / total * table
    return mean
