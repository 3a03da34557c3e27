"""A gate: member weights that depend on the regime of the bar.

    w_j(bar) ~ anchor_j * exp(sum_r A_jr z_r(bar))

z are the columns of the regime, standardised by the rows that the gate was fitted on, and a constant. A is fitted by
the log-loss of the pooled scores plus penalty / 2 * |A|^2: an infinite penalty gives the anchor on every bar, a bar of
unknown regime has it anyway. Every weight is a share, so one bar cannot be driven beyond its members' scores.

Reference: Jacobs et al. (1991), Adaptive mixtures of local experts, Neural Computation 3, 79-87; the gate alone is
fitted here, on scores of members that never saw its rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from quorate.core.types import FloatArray
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.lifecycle.weights.weighting import true_scores

_FURTHEST = 3.0  # standard deviations at which a column of the regime is cut off
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """A fitted gate.

    Attributes:
        members: names, in the order of the rows of `coefficients`.
        columns: names of the regime's columns.
        anchor: (M,) weights of the average regime without its constant.
        mean, scale: (R,) by which the columns are standardised.
        coefficients: (M, R + 1), the constant's last.
    """

    members: tuple[str, ...]
    columns: tuple[str, ...]
    anchor: FloatArray
    mean: FloatArray
    scale: FloatArray
    coefficients: FloatArray

    @classmethod
    def fit(cls, rows: MemberPredictions, anchor: FloatArray, penalty: float) -> Self:
        """Fit the coefficients.

        Args:
            rows: with the members' scores, at least one.
            anchor: (M,) positive weights.
            penalty: of the squared coefficients, positive; infinity for none other than 0.
        """
        columns = tuple(rows.regime)
        raw = np.column_stack([rows.regime[name] for name in columns])
        known = np.isfinite(raw).all(axis=1)
        mean, scale = np.zeros(len(columns)), np.ones(len(columns))
        if known.any():
            mean, spread = raw[known].mean(axis=0), raw[known].std(axis=0)
            scale = np.where(spread > 1e-12, spread, 1.0)
        shape = (len(rows.members), len(columns) + 1)
        empty = cls(tuple(rows.members), columns, anchor / anchor.sum(), mean, scale, np.zeros(shape))
        if math.isinf(penalty) or not known.any():
            return empty
        z, p = empty._standardised(rows), true_scores(rows)
        found = _minimise(z, p, np.log(empty.anchor), penalty)
        return cls(empty.members, columns, empty.anchor, mean, scale, found)

    def table(self, rows: MemberPredictions) -> FloatArray:
        """(n, M) weights of the members on the rows; each row sums to 1."""
        return self._weights(self._standardised(rows))

    def along(self, column: str, z: FloatArray) -> FloatArray:
        """(k, M) weights where one column is (k,) standard deviations from its mean and the others are at theirs."""
        place = np.zeros((len(z), len(self.columns) + 1))
        place[:, -1] = 1.0
        place[:, self.columns.index(column)] = z
        return self._weights(place)

    def to_json(self) -> dict[str, Any]:
        """The parameters, JSON-safe."""
        return {
            "anchor": dict(zip(self.members, self.anchor.tolist(), strict=True)),
            "columns": list(self.columns),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "coefficients": dict(zip(self.members, self.coefficients.tolist(), strict=True)),
        }

    def _weights(self, z: FloatArray) -> FloatArray:
        raw = np.log(self.anchor) + z @ self.coefficients.T
        raw = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(raw / raw.sum(axis=1, keepdims=True))

    def _standardised(self, rows: MemberPredictions) -> FloatArray:
        """(n, R + 1) columns, cut off, and the constant; all 0 where one is unknown."""
        z = (np.column_stack([rows.regime[name] for name in self.columns]) - self.mean) / self.scale
        known = np.asarray(np.isfinite(z).all(axis=1))[:, None]
        z = np.clip(np.where(known, z, 0.0), -_FURTHEST, _FURTHEST)
        return np.hstack([z, known.astype(np.float64)])


def _minimise(z: FloatArray, p: FloatArray, bias: FloatArray, penalty: float) -> FloatArray:
    """(M, R + 1) coefficients with the smallest penalised log-loss, from 0 on, by L-BFGS."""
    from scipy.optimize import minimize

    voted = np.isfinite(p)
    likely = np.where(voted, np.maximum(p, _TINY), 0.0)
    n, shape = len(z), (p.shape[1], z.shape[1])

    def objective(flat: FloatArray) -> tuple[float, FloatArray]:
        coefficients = flat.reshape(shape)
        raw = bias + z @ coefficients.T
        raw = np.exp(raw - raw.max(axis=1, keepdims=True))
        explained, asked = raw * likely, raw * voted
        above, below = explained.sum(axis=1), asked.sum(axis=1)
        slope = asked / below[:, None] - explained / above[:, None]
        loss = float((np.log(below) - np.log(above)).mean()) + penalty / 2 * float(flat @ flat)
        return loss, np.asarray(slope.T @ z / n + penalty * coefficients).ravel()

    found = minimize(objective, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(found.x).reshape(shape)
