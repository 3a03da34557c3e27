"""Folds that begin at the weights of an earlier one: nothing leaks, and one process gives what three give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.walk_forward.test_walk import made_rows
from quorate.core.clock import HOUR_MS
from quorate.core.settings import ModelSettings, NHiTSSettings, PolicySettings, Settings, SplitSettings, TrainSettings
from quorate.evaluation.walk_forward.fold_fit import FoldParts
from quorate.evaluation.walk_forward.fold_rows import split_folds
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.evaluation.walk_forward.warm_folds import earlier_folds
from quorate.market import SyntheticMarket
from quorate.targets import ForwardClass


@settings(max_examples=60)
@given(
    folds=st.integers(1, 12),
    horizon=st.integers(1, 6),
    embargo=st.integers(0, 6),
    stop=st.sampled_from([0.1, 0.3, 0.6, 1.0]),
    validation=st.sampled_from([0.05, 0.15, 0.3]),
    anchored=st.booleans(),
    gap=st.integers(0, 200),
)
def test_no_row_that_the_earlier_model_knew_reaches_into_a_row_that_judges_the_later_one(**drawn: Any) -> None:
    horizon, embargo = drawn["horizon"], drawn["embargo"]
    hours = np.delete(np.arange(420), slice(drawn["gap"], drawn["gap"] + 9))
    rows = made_rows({"A": hours, "B": np.arange(30, 420)}, horizon)
    split = SplitSettings(validation=drawn["validation"], stop=drawn["stop"], calibrate=1 - drawn["stop"])
    own = replace(Settings(), split=split)
    cut = split_folds(rows, drawn["folds"], embargo_bars=embargo, anchored=drawn["anchored"])
    parts = [FoldParts.of(fold, rows, own) for fold in cut]
    found = earlier_folds(parts, rows, embargo * HOUR_MS)
    assert found[0] is None
    for number, earlier in enumerate(found):
        judges = np.concatenate([parts[number].slices.stop, parts[number].scored])

        def leaks(fold: int, judges: Any = judges) -> bool:
            knew = np.concatenate([parts[fold].train, parts[fold].slices.stop])
            return bool(rows.span_end[knew].max() + embargo * HOUR_MS >= rows.time[judges].min())

        assert earlier is None or not leaks(earlier)
        # The newest one that does not leak.
        assert all(leaks(fold) for fold in range(0 if earlier is None else earlier + 1, number))


def test_of_many_folds_the_one_before_is_too_new() -> None:
    rows = made_rows({"A": np.arange(4_000)}, 2)
    parts = [FoldParts.of(fold, rows, Settings()) for fold in split_folds(rows, 30, embargo_bars=2)]
    found = earlier_folds(parts, rows, 2 * HOUR_MS)
    assert found[:3] == (None, 0, 1)
    assert found[-1] == 27


@pytest.mark.integration
def test_a_warm_walk_begins_each_fold_at_the_one_before() -> None:
    rows = build_rows(SyntheticMarket(seed=3, symbols=2, bars=900, edge=0.3).panel(), "core14", ForwardClass())

    def walked(warm_epochs: int, workers: int) -> Any:
        own = Settings(
            models=ModelSettings(
                nhits=NHiTSSettings(window=24, hidden=(16, 16, 16), epochs=2, warm_epochs=warm_epochs)
            ),
            train=TrainSettings(features="core14"),
            policy=PolicySettings(name="classic"),
        )
        return walk(rows, ("xgboost", "nhits"), own, WalkOptions(folds=3, workers=workers))

    cold, warm, side_by_side = walked(0, 1), walked(1, 1), walked(1, 3)
    for name in ("xgboost", "nhits"):
        np.testing.assert_array_equal(side_by_side.scores[name], warm.scores[name])
    np.testing.assert_array_equal(warm.scores["xgboost"], cold.scores["xgboost"])
    first, *later = warm.folds
    np.testing.assert_array_equal(warm.scores["nhits"][first.test], cold.scores["nhits"][first.test])
    for fold in later:
        assert warm.fits[fold.number]["nhits"].failure is None
        assert not np.array_equal(warm.scores["nhits"][fold.test], cold.scores["nhits"][fold.test], equal_nan=True)
