"""Predictions side by side: by bar, never by place; and none by a member that has seen the row."""

from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import ModelSettings, StackSettings
from quorate.core.types import Candles
from quorate.ensemble.stack.expanding_folds import StackFold, stack_folds
from quorate.ensemble.stack.out_of_fold import align, predict_held
from quorate.models import Model
from quorate.targets import ForwardReturn, build_dataset


def walk(bars, seed=1, missing=()):
    """Candles of a random walk without some bars."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * random.normal(size=bars)))
    kept = np.setdiff1d(np.arange(bars), missing)
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    columns = [column[kept] for column in (opened, high, low, close, np.ones(bars))]
    return Candles("BTC/USDT", "1h", kept * HOUR_MS, *columns)


class Double(Model):
    """Learns every row by heart: the label of one that it has seen, and far off for any other."""

    name, suffix = "double", ".none"
    read = 1
    stop = False
    log: list = []  # noqa: RUF012 - what fits were asked for

    @property
    def window(self):
        return self.read

    @property
    def stops_early(self):
        return self.stop

    @property
    def columns(self):
        return None if not hasattr(self, "known") else self.width

    def _learn(self, lesson):
        X = lesson.X[:] if self.read == 1 else lesson.X[np.arange(len(lesson.X))][:, -1]
        self.width = X.shape[1]
        self.known = {row.tobytes(): y for row, y in zip(X, lesson.y, strict=True)}
        if lesson.later is not None:
            later = lesson.later.X[:] if self.read == 1 else lesson.later.X[np.arange(len(lesson.later.X))][:, -1]
            self.known |= {row.tobytes(): y for row, y in zip(later, lesson.later.y, strict=True)}
        self.log.append((len(lesson.X), None if lesson.later is None else len(lesson.later.X)))

    def _infer(self, X):
        rows = X[:] if self.read == 1 else X[np.arange(len(X))][:, -1]
        return np.array([self.known.get(row.tobytes(), 7.0) for row in rows])

    def save(self, path): ...
    def load(self, path): ...
    def to_onnx(self): ...


def learner(read=1, stop=False):
    kind = type("Learner", (Double,), {"read": read, "stop": stop, "log": []})
    return lambda: kind("return", ModelSettings(), seed=1), kind.log


@pytest.fixture
def world():
    dataset = build_dataset({"BTC/USDT": walk(700, missing=[400, 401])}, "core14", ForwardReturn(4))
    rows = np.arange(len(dataset))
    embargo = 4 * HOUR_MS
    folds = stack_folds(dataset.time, dataset.span_end, rows, StackSettings(folds=4), embargo)
    return SimpleNamespace(dataset=dataset, folds=folds)


@pytest.mark.parametrize("stop", [False, True])
def test_a_member_that_learns_by_heart_knows_none_of_the_rows_held_back(world, stop):
    make, log = learner(stop=stop)
    said = predict_held(make, world.dataset, world.folds, lambda *_: None)
    assert sorted(said) == [0, 1, 2, 3]
    for fold, (rows, predicted) in zip(world.folds, said.values(), strict=True):
        assert rows.tolist() == fold.held.tolist()
        assert (predicted == 7.0).all()
    # One that stops early learns from the first part and looks at the second; another learns from both.
    for fold, (learned, later) in zip(world.folds, log, strict=True):
        both = len(fold.fit) + len(fold.stop)
        assert (learned, later) == ((len(fold.fit), len(fold.stop)) if stop else (both, None))


def test_the_same_member_would_know_them_had_it_seen_them(world):
    """The heart-learner can fail: shown the rows, it says their labels."""
    make, _ = learner()
    every = np.arange(len(world.dataset))
    ((rows, predicted),) = predict_held(make, world.dataset, [StackFold(every, every, every)], lambda *_: None).values()
    np.testing.assert_array_equal(predicted, world.dataset.y[rows])


def test_members_are_aligned_by_bar_where_one_has_a_gap(world):
    make_rows, _ = learner()
    make_windows, _ = learner(read=24)
    said = {
        name: predict_held(make, world.dataset, world.folds, lambda *_: None)
        for name, make in (("rows", make_rows), ("windows", make_windows))
    }
    lengths = {name: sum(len(rows) for rows, _ in own.values()) for name, own in said.items()}
    assert lengths["windows"] < lengths["rows"]  # the missing bars cost windows of 24 bars
    # Each member says the time of its row, so that columns of different bars would show.
    told = {
        name: {number: (rows, world.dataset.time[rows].astype(float)) for number, (rows, _) in own.items()}
        for name, own in said.items()
    }
    both = align(world.dataset, ("rows", "windows"), told)
    np.testing.assert_array_equal(both.predicted[:, 0], both.predicted[:, 1])
    np.testing.assert_array_equal(both.predicted[:, 0], world.dataset.time[both.rows])
    assert len(both) == lengths["windows"]
    for number, fold in enumerate(world.folds):
        assert np.isin(both.rows[both.fold == number], fold.held).all()


def test_a_prediction_that_is_not_finite_leaves_its_row_out(world):
    rows = np.arange(5)
    said = {"a": {0: (rows, np.array([1.0, np.nan, 3.0, 4.0, 5.0]))}, "b": {0: (rows[::-1], np.arange(5.0))}}
    both = align(world.dataset, ("a", "b"), said)
    assert both.rows.tolist() == [0, 2, 3, 4]
    assert both.predicted.tolist() == [[1.0, 4.0], [3.0, 2.0], [4.0, 1.0], [5.0, 0.0]]
