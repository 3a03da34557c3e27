"""Nested walk-forward: what it reads for a fold, and what it finds where members are planted."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import Settings, WeightSettings
from quorate.lifecycle.weights.comparison import WeightComparison
from quorate.lifecycle.weights.nested import nested
from quorate.lifecycle.weights.schemes import Convex, Evolved, Gated, Unfitted, class_shares, schemes_of, thinned

SETTINGS = replace(
    Settings(), weights=WeightSettings(strengths=(0.0, 0.01), penalties=(0.001, 0.1), evaluations=40, fewest=100)
)
FOUR = {"xgboost": 0.3, "lightgbm": 0.3, "nhits": 0.3, "patchtst": 0.3}
EMBARGO = 5 * HOUR_MS


def searched(rows, schemes=None):
    schemes = schemes or schemes_of(tuple(rows.members), SETTINGS)
    return nested(rows, schemes, SETTINGS, EMBARGO), schemes


def fitted_for(found, number):
    fold = next(fold for fold in found.folds if fold.number == number)
    return {name: (each.strength, each.weighting.to_json()) for name, each in fold.fitted.items()}


def test_nothing_of_a_fold_nor_an_open_label_is_read(make):
    """The labels and scores from a fold on, and labels that end within its embargo, are replaced by a planted future.

    A member then knows every outcome, so whoever reads one of these rows gives it all weight.
    """
    rows = make(FOUR, bars=400)
    number = 2
    start = int(rows.time[rows.fold == number].min())
    future = rows.span_end + EMBARGO >= start
    assert (future & (rows.fold < number)).any()  # rows of earlier folds whose label was open
    y = np.where(future, (rows.y + 1) % 3, rows.y).astype(np.int8)
    told = {name: scores.copy() for name, scores in rows.members.items()}
    told["nhits"][future] = 0.98 * np.eye(3)[y[future]] + 0.02 / 3
    regime = {name: np.where(future, -values, values) for name, values in rows.regime.items()}
    planted = replace(rows, members=told, y=y, regime=regime)
    honest, leaked = searched(rows)[0], searched(planted)[0]
    assert fitted_for(honest, number) == fitted_for(leaked, number)
    assert fitted_for(honest, number + 1) != fitted_for(leaked, number + 1)
    before = next(fold for fold in leaked.folds if fold.number == number)
    assert before.read == int((~future).sum())
    assert leaked.prior[before.rows][0] == pytest.approx(class_shares(rows.y[~future]))


def test_strengths_are_chosen_inside_the_earlier_rows_with_the_same_purge(make):
    """Altering the labels that were open at the start of an inner stretch changes no weight fitted for it."""
    rows = make({"xgboost": 0.2, "lightgbm": 1.0}, bars=400)
    seen = []

    class Watching(Convex):
        def fit(self, part, strength):
            seen.append((int(part.time.max()), int(part.span_end.max()), len(part)))
            return super().fit(part, strength)

    documented = {"xgboost": 0.5, "lightgbm": 0.5}
    found = nested(rows, [Watching(documented, SETTINGS.weights)], SETTINGS, EMBARGO)
    starts = {int(rows.time[rows.fold == number].min()) for number in range(1, 4)}
    last = int(rows.time.max())
    for _, end, _ in seen:
        later = [start for start in starts | {last + 100 * HOUR_MS} if start > end + EMBARGO]
        assert later
    tried = [each for each in found.tried if each.fold == 1]
    assert {each.strength for each in tried} == {0.0, 0.01, np.inf}
    assert all(0 < each.rows < int((rows.fold == 0).sum()) for each in tried)


def test_the_planted_better_member_wins_and_noise_gets_nothing(make):
    rows = make({"xgboost": 0.1, "lightgbm": 1.2, "nhits": None, "patchtst": None}, bars=900)
    found, schemes = searched(rows)
    weights = found.final["convex"].weighting.weights
    assert weights["xgboost"] > 0.9
    assert weights["nhits"] + weights["patchtst"] < 0.03
    assert found.final["evolved"].weighting.weights["xgboost"] > 0.4
    comparison = WeightComparison(found, schemes, SETTINGS, 5)
    assert "convex" in comparison.kept
    assert "gated" not in comparison.kept  # fixed weights are enough


def test_members_of_equal_worth_keep_their_weights(make):
    found, schemes = searched(make(FOUR, bars=900, seed=3))
    assert WeightComparison(found, schemes, SETTINGS, 5).kept == ()


def test_a_planted_regime_is_kept(make):
    rows = make({"xgboost": (0.05, 2.0), "lightgbm": (2.0, 0.05)}, regime="breadth", bars=900)
    found, schemes = searched(rows)
    comparison = WeightComparison(found, schemes, SETTINGS, 5)
    assert comparison.kept == ("gated",)
    gated = next(row for row in comparison.rows if row["scheme"] == "gated")
    assert set(gated["against"]) == {"equal", "documented", "convex"}


def test_too_few_rows_leave_the_documented_weights(make):
    rows = make(FOUR, bars=40)
    found, _ = searched(rows)
    first = found.folds[0].fitted
    assert first["convex"].strength == np.inf
    assert first["convex"].weighting.weights == pytest.approx(
        {"xgboost": 0.25, "lightgbm": 0.25, "nhits": 0.30, "patchtst": 0.20}
    )


def test_one_fold_is_refused(make):
    with pytest.raises(EvaluationError, match="at least two"):
        searched(make(FOUR, bars=60, folds=1))


def test_configured_weights_are_a_rival_where_they_differ(make):
    other = replace(SETTINGS, vote=replace(SETTINGS.vote, weights={"xgboost": 0.9}))
    names = [scheme.name for scheme in schemes_of(("xgboost", "lightgbm"), other)]
    assert names == ["equal", "documented", "configured", "convex", "evolved", "gated"]
    assert [type(scheme) for scheme in schemes_of(("xgboost",), SETTINGS)] == [
        Unfitted,
        Unfitted,
        Convex,
        Evolved,
        Gated,
    ]


def test_whole_bars_are_left_out_of_long_fits(make):
    rows = make(FOUR, bars=400)
    part = thinned(rows, 300)
    assert 200 < len(part) <= 300
    assert len(np.unique(part.time // HOUR_MS % 24)) == 24  # every hour of the day
    assert np.unique(part.time, return_counts=True)[1].tolist() == [3] * (len(part) // 3)
    assert thinned(rows, 5_000) is rows
