"""Trees that are added to a fitted model on newer rows."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.core.errors import ModelError
from quorate.core.settings import LightGBMSettings, ModelSettings, XGBoostSettings
from quorate.models.registry import build

SMALL = ModelSettings(xgboost=XGBoostSettings(trees=12), lightgbm=LightGBMSettings(trees=12))


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_added_trees_lower_the_loss_of_their_rows_and_leave_the_model(name: str) -> None:
    random = np.random.default_rng(1)
    X = random.standard_normal((600, 5)).astype(np.float32)
    y = random.integers(0, 3, 600).astype(np.int8)
    model = build(name, "class", SMALL, seed=7, threads=1).fit(X, y)
    before = model.predict_proba(X)
    moved = ((y + 1) % 3).astype(np.int8)
    grown = model.boost_on(X, moved, 20, 1.0)
    assert (model.predict_proba(X) == before).all()
    at = np.arange(600)
    assert np.log(grown.predict_proba(X)[at, moved]).mean() > np.log(before[at, moved]).mean()
    with pytest.raises(ModelError, match="0 trees"):
        model.boost_on(X, y, 0, 1.0)
    with pytest.raises(ModelError, match="4 columns"):
        model.boost_on(X[:, :4], y, 1, 1.0)
    with pytest.raises(ModelError, match="no fitted model"):
        build(name, "class", SMALL, seed=7).boost_on(X, y, 1, 1.0)
