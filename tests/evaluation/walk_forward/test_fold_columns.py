"""Columns chosen fold by fold: on which rows, and by which models they are read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.progress import Progress, silent
from quorate.core.settings import LightGBMSettings, ModelSettings, PolicySettings, Settings, TrainSettings
from quorate.ensemble.column_choice import CandidateRows, ColumnChoice
from quorate.evaluation.walk_forward.fold_columns import choose_in_folds
from quorate.evaluation.walk_forward.fold_fit import FitKey, FoldFits, FoldParts
from quorate.evaluation.walk_forward.fold_rows import split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.evaluation.walk_forward.permutation_importance import PermutationImportance
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.evaluation.walk_forward.warm_folds import earlier_fits
from quorate.market import SyntheticMarket
from quorate.models.registry import build
from quorate.targets import ForwardClass

SETTINGS = Settings(
    models=ModelSettings(lightgbm=LightGBMSettings(trees=8, depth=3, l2_share=0.0)),
    train=TrainSettings(threads=1, head="classes"),
    policy=PolicySettings(refit="all"),
)
CHOSEN = (("rsi_14", "macd"), ("price_change",))


@pytest.fixture(scope="module")
def rows() -> LabelledBars:
    return build_rows(SyntheticMarket(seed=3, symbols=2, bars=500, edge=0.3).panel(), "core14", ForwardClass())


class Chooser:
    """Other columns in each fold; keeps the rows it was given."""

    def __init__(self) -> None:
        self.seen: list[CandidateRows] = []

    def __call__(self, rows: CandidateRows, progress: Progress) -> ColumnChoice:
        progress("choosing columns", 1, 1)
        self.seen.append(rows)
        return ColumnChoice(CHOSEN[len(self.seen) - 1])


def parts_of(rows: LabelledBars) -> list[FoldParts]:
    return [FoldParts.of(fold, rows, SETTINGS) for fold in split_folds(rows, 2, embargo_bars=5)]


def test_each_fold_chooses_on_the_rows_its_members_are_fitted_on(rows: LabelledBars) -> None:
    chooser, stages, parts = Chooser(), [], parts_of(rows)
    choose_in_folds(rows, parts, ["lightgbm"], SETTINGS, chooser, lambda *call: stages.append(call))
    assert [stage for stage, *_ in stages] == ["fold 1/2, choosing columns", "fold 2/2, choosing columns"]
    for seen, part in zip(chooser.seen, parts, strict=True):
        assert len(seen) == len(part.train)
        later = np.concatenate([part.slices.stop, part.scored])
        assert seen.span_end.max() < rows.time[later].min()
        assert seen.embargo_ms == 5 * rows.bar_ms
        assert np.isfinite(seen.X).all()
    # Other bars from the test span on: the same rows to choose on.
    after = rows.time >= parts[0].fold.start
    y, X = np.where(after, 2 - rows.y, rows.y), np.where(after[:, None], -rows.X, rows.X)
    again = Chooser()
    choose_in_folds(replace(rows, X=X, y=y), parts[:1], ["lightgbm"], SETTINGS, again, silent)
    assert (again.seen[0].X == chooser.seen[0].X).all()
    assert (again.seen[0].y == chooser.seen[0].y).all()


def test_members_read_the_chosen_columns_and_baselines_all(rows: LabelledBars) -> None:
    importance = PermutationImportance(rows, ("lightgbm",), SETTINGS.evaluation)
    options = WalkOptions(folds=2, baselines=("logistic",), choose=Chooser(), examination=importance)
    walked = walk(rows, ("lightgbm",), SETTINGS, options)
    assert [choice.columns for choice in walked.choices] == list(CHOSEN)
    plain = walk(rows, ("lightgbm",), SETTINGS, WalkOptions(folds=2, baselines=("logistic",)))
    np.testing.assert_array_equal(walked.scores["logistic"], plain.scores["logistic"])
    assert plain.choices == ()
    for number, part in enumerate(parts_of(rows)):
        test = part.fold.test
        model = build("lightgbm", "class", SETTINGS.models, seed=SETTINGS.train.seed, threads=1)
        places = [rows.columns.index(name) for name in CHOSEN[number]]
        expected = model.fit(rows.X[part.train][:, places], rows.y[part.train]).predict_proba(rows.X[test][:, places])
        np.testing.assert_array_equal(walked.scores["lightgbm"][test], expected)
    # Shuffling a column that no fold chose changes nothing.
    (table,) = importance.to_json()["models"].values()
    read = {row["column"] for row in table if row["log_loss"] != 0}
    assert read <= {"rsi_14", "macd", "price_change"}
    assert "rsi_14" in read


def test_a_network_begins_at_earlier_weights_only_with_the_same_columns(rows: LabelledBars) -> None:
    parts = tuple(FoldParts.of(fold, rows, SETTINGS) for fold in split_folds(rows, 3, embargo_bars=5))
    fits = FoldFits(rows, parts, ("nhits",), ("nhits",), SETTINGS, lambda name: pytest.fail(name), None)
    plain = earlier_fits(fits, ["nhits"])
    same = replace(fits, columns=(("a",), ("a",), ("a",)))
    assert earlier_fits(same, ["nhits"]) == plain != {}
    other = replace(fits, columns=(("a",), ("b",), ("c",)))
    assert earlier_fits(other, ["nhits"]) == {}
    assert FitKey(0, "nhits") not in plain
