"""The gate: a planted regime is recovered, its gradient is right, and without knowledge it is the anchor."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.evaluation.metrics.classification import log_loss
from quorate.lifecycle.weights.gate import Gate
from quorate.lifecycle.weights.weighting import pooled

ANCHOR = np.array([0.5, 0.5])
BETTER_ABOVE = {"xgboost": (0.05, 2.0), "lightgbm": (2.0, 0.05)}


def test_a_planted_regime_is_recovered_on_other_rows(make):
    fitted = Gate.fit(make(BETTER_ABOVE, regime="trend", seed=1), ANCHOR, 0.001)
    along = fitted.along("trend", np.array([-2.0, 0.0, 2.0]))
    assert along[0, 1] > 0.95
    assert along[2, 0] > 0.95
    assert along[1] == pytest.approx([0.5, 0.5], abs=0.2)
    for column in ("volatility", "breadth", "hour_sin", "hour_cos"):
        assert fitted.along(column, np.array([-2.0, 2.0])) == pytest.approx(0.5, abs=0.35)
    later = make(BETTER_ABOVE, regime="trend", seed=2)
    gated, equal = pooled(later, fitted.table(later)), pooled(later, np.full((len(later), 2), 0.5))
    assert log_loss(later.y, gated) < log_loss(later.y, equal) - 0.02


def test_the_penalty_leads_to_the_anchor(make):
    rows = make(BETTER_ABOVE, regime="trend", bars=300)
    anchor = np.array([0.7, 0.3])
    assert Gate.fit(rows, anchor, np.inf).table(rows) == pytest.approx(np.tile(anchor, (len(rows), 1)))
    assert Gate.fit(rows, anchor, 1e5).table(rows) == pytest.approx(np.tile(anchor, (len(rows), 1)), abs=1e-3)


def test_an_unknown_regime_has_the_anchor(make):
    rows = make(BETTER_ABOVE, regime="trend", bars=300)
    fitted = Gate.fit(rows, ANCHOR, 0.001)
    trend = rows.regime["trend"].copy()
    trend[5] = np.nan
    found = fitted.table(replace(rows, regime={**rows.regime, "trend": trend}))
    assert found[5] == pytest.approx(ANCHOR)
    assert np.abs(found[6:] - ANCHOR).max() > 0.3


def test_weights_are_shares_whatever_the_regime(make):
    rows = make(BETTER_ABOVE, regime="trend", bars=300)
    wild = replace(rows, regime={name: 1e6 * values for name, values in rows.regime.items()})
    found = Gate.fit(rows, ANCHOR, 0.001).table(wild)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()


def test_the_fit_is_an_optimum(make):
    """No coefficient can be moved either way for a smaller objective, also where members abstain."""
    rows = make({"xgboost": 0.3, "lightgbm": 0.6, "nhits": None}, bars=200)
    rows.members["nhits"][::3] = np.nan
    penalty = 0.01
    fitted = Gate.fit(rows, np.ones(3), penalty)

    def objective(coefficients):
        gate = replace(fitted, coefficients=coefficients)
        return log_loss(rows.y, pooled(rows, gate.table(rows))) + penalty / 2 * float((coefficients**2).sum())

    least = objective(fitted.coefficients)
    for place in np.ndindex(fitted.coefficients.shape):
        for step in (-0.02, 0.02):
            moved = fitted.coefficients.copy()
            moved[place] += step
            assert objective(moved) > least - 1e-7
