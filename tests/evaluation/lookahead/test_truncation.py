from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quorate.core.types import Candles
from quorate.evaluation.lookahead.truncation import perturbation_changes, truncation_changes
from quorate.features import build, feature_names


@pytest.mark.parametrize("features", ["core14", "full65"])
def test_features_do_not_change_when_the_future_is_taken_away(run: Any, features: str) -> None:
    for look in (truncation_changes, perturbation_changes):
        assert look(run.candles, feature_names(features), lambda candles: build(candles, features), cuts=8) == ()


def test_a_column_that_reads_later_candles_is_named(run: Any) -> None:
    def compute(candles: Candles) -> np.ndarray:
        ahead = np.concatenate([candles.close[1:], candles.close[-1:]]) / candles.close - 1
        whole_mean = np.full(len(candles), candles.close.mean() / candles.close[0])
        return np.column_stack([build(candles, "core14"), ahead, whole_mean]).astype(np.float32)

    names = (*feature_names("core14"), "next return", "mean of all")
    found = truncation_changes(run.candles, names, compute, cuts=12)
    assert {change.column for change in found} == {"next return", "mean of all"}
    change = next(change for change in found if change.column == "next return")
    assert change.cut == 0.0
    assert change.whole != 0.0
    assert change.to_json()["symbol"] in run.candles
    assert truncation_changes({}, names, compute) == ()
    assert {change.column for change in perturbation_changes(run.candles, names, compute, cuts=12)} == {
        "next return",
        "mean of all",
    }
