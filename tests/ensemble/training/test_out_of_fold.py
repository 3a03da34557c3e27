"""Refits out of fold: which rows they read, which members take part, and no look-ahead."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from quorate.core.errors import ModelError
from quorate.core.progress import silent
from quorate.core.settings import PolicySettings, Settings, SplitSettings
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.training.out_of_fold import refit_folds, score_out_of_fold, stretch_numbers
from quorate.ensemble.training.training_data import prepare_training_data
from quorate.market.synthetic import SyntheticMarket

HOUR = 3_600_000
SETTINGS = Settings()


@dataclass
class Rows:
    """Two markets, one after the other, as in a data set; a row's only feature is its number."""

    n: int = 500
    window_from: int = 0

    def __post_init__(self):
        self.time = np.tile(np.arange(self.n), 2) * HOUR
        self.span_end = self.time + 5 * HOUR
        self.y = (np.arange(2 * self.n) % 3).astype(np.int8)

    def read(self, model, rows):
        kept = rows[rows % 50 >= model.window - 1]
        return kept[:, None].astype(np.float32), kept


class Recorder:
    """Counts the classes that it was fitted on, and remembers its rows."""

    slow_fit = False
    stops_early = False
    window = 1

    def __init__(self, log):
        self.log = log

    def fit(self, X, y, stopping=None):
        self.shares = np.bincount(y, minlength=3) / len(y)
        self.fitted = X[:, 0].astype(int)
        self.stopping = None if stopping is None else stopping.X[:, 0].astype(int)

    def predict_proba(self, X):
        self.log.append((self.fitted, self.stopping, X[:, 0].astype(int)))
        return np.tile(self.shares, (len(X), 1)) + X * 0


class Stopping(Recorder):
    stops_early = True
    window = 3


class Slow(Recorder):
    slow_fit = True


class Failing(Recorder):
    def fit(self, X, y, stopping=None):
        raise ModelError("fit", found="nothing", expected="something")


def scored(makers, rows=None, settings=SETTINGS, embargo=5 * HOUR):
    rows = rows or Rows()
    return score_out_of_fold(makers, rows, rows.read, np.arange(2 * rows.n), settings, embargo, silent)


def test_each_stretch_but_the_first_is_scored_once_by_earlier_rows():
    rows, log = Rows(), []
    found = scored({"plain": lambda: Recorder(log)}, rows)
    assert len(log) == 4
    for number, (fitted, _, held_out) in enumerate(log, 1):
        begin = rows.time[held_out].min()
        assert begin == number * 100 * HOUR
        # All rows whose label ends the embargo before it, of both markets.
        np.testing.assert_array_equal(fitted, np.flatnonzero(rows.span_end + 5 * HOUR < begin))
        np.testing.assert_array_equal(held_out, np.flatnonzero(rows.time // (100 * HOUR) == number))
    assert (np.diff(rows.time[found.rows]) >= 0).all()
    table = found.scores["plain"]
    np.testing.assert_array_equal(np.isfinite(table[:, 0]), found.stretch > 0)
    # The score of each row is at its place.
    first = found.stretch == 1
    np.testing.assert_allclose(
        table[first], np.tile(np.bincount(rows.y[log[0][0]], minlength=3) / len(log[0][0]), (200, 1))
    )


def test_rows_for_early_stopping_are_the_last_training_rows_and_purged():
    rows, log = Rows(), []
    found = scored({"network": lambda: Stopping(log)}, rows)
    for fitted, stopping, held_out in log:
        seam, begin = rows.time[stopping].min(), rows.time[held_out].min()
        assert rows.span_end[fitted].max() + 5 * HOUR < seam
        assert rows.span_end[stopping].max() + 5 * HOUR < begin
        share = (begin - 10 * HOUR - seam) / (begin - 10 * HOUR)
        assert share == pytest.approx(0.3 * 0.15 / 0.85, abs=0.03)
    # Rows that lack bars of its window are not scored.
    lacking = found.rows % 50 < 2
    assert np.isnan(found.scores["network"][lacking]).all()
    assert np.isfinite(found.scores["network"][~lacking & (found.stretch > 0)]).all()


def test_without_a_share_for_early_stopping_all_rows_are_fitted():
    log = []
    scored({"network": lambda: Stopping(log)}, settings=replace(SETTINGS, split=SplitSettings(stop=0.0)))
    assert all(stopping is None for _, stopping, _ in log)


@pytest.mark.parametrize(("refit", "members"), [("fast", {"plain"}), ("all", {"plain", "network"}), ("none", set())])
def test_which_members_are_fitted_again(refit, members):
    settings = replace(SETTINGS, policy=PolicySettings(refit=refit))
    found = scored({"plain": lambda: Recorder([]), "network": lambda: Slow([])}, settings=settings)
    assert set(found.scores) == members
    assert set(found.left_out) == {"plain", "network"} - members
    assert set(found.left_out.values()) <= {f'policy.refit "{refit}"'}


def test_a_member_that_fails_is_left_out_with_its_reason():
    found = scored({"plain": lambda: Recorder([]), "broken": lambda: Failing([])})
    assert set(found.scores) == {"plain"}
    assert "nothing" in found.left_out["broken"]


def test_changed_later_rows_change_no_score_of_earlier_stretches():
    plain, changed = Rows(), Rows()
    later = changed.time >= 300 * HOUR
    changed.y = np.where(later, 2, changed.y).astype(np.int8)
    one, other = (scored({"plain": lambda: Recorder([])}, rows) for rows in (plain, changed))
    early = one.stretch <= 3
    np.testing.assert_array_equal(one.scores["plain"][early], other.scores["plain"][early])
    assert not np.array_equal(one.scores["plain"][~early], other.scores["plain"][~early])


def test_too_few_rows_have_no_fold():
    assert refit_folds(np.arange(3), np.arange(3) + 5, np.arange(3), np.array([0, 1, 2]), SplitSettings(), 5) == ()
    assert stretch_numbers(np.empty(0, np.int64), 5).shape == (0,)
    found = scored({"plain": lambda: Recorder([])}, Rows(n=5))
    assert (found.scores, set(found.left_out)) == ({}, {"plain"})


def test_rows_out_of_fold_end_before_the_choosing_slice():
    panel = SyntheticMarket(seed=1, symbols=2, bars=600).panel()
    data = prepare_training_data(panel, RECIPES["vote"], ("xgboost",), Settings(), None, None)
    choose = data.slices.choose
    assert len(choose)
    assert data.dataset.span_end[data.before_choice].max() < data.dataset.time[choose].min()
    assert set(data.split.train) < set(data.before_choice)
