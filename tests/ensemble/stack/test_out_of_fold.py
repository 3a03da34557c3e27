"""Predictions out of fold: no member predicts a row of its fit, and predictions are aligned by row."""

from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import ModelSettings, StackSettings
from quorate.core.types import Candles
from quorate.ensemble.stack.expanding_folds import StackFold, stack_folds
from quorate.ensemble.stack.out_of_fold import align, predict_held_out
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


class Memoriser(Model):
    """Memorises all rows: predicts the label of a row of the fit, and 7 for any other."""

    name, suffix = "double", ".none"
    read = 1
    stop = False
    log: list = []  # noqa: RUF012 - sizes of the fits

    @property
    def window(self):
        return self.read

    @property
    def stops_early(self):
        return self.stop

    @property
    def columns(self):
        return None if not hasattr(self, "known") else self.width

    def _fit(self, request):
        X = request.X[:] if self.read == 1 else request.X[np.arange(len(request.X))][:, -1]
        self.width = X.shape[1]
        self.known = {row.tobytes(): y for row, y in zip(X, request.y, strict=True)}
        if request.stopping is not None:
            V = request.stopping.X
            V = V[:] if self.read == 1 else V[np.arange(len(V))][:, -1]
            self.known |= {row.tobytes(): y for row, y in zip(V, request.stopping.y, strict=True)}
        self.log.append((len(request.X), None if request.stopping is None else len(request.stopping.X)))

    def _infer(self, X):
        rows = X[:] if self.read == 1 else X[np.arange(len(X))][:, -1]
        return np.array([self.known.get(row.tobytes(), 7.0) for row in rows])

    def save(self, path): ...
    def load(self, path): ...
    def to_onnx(self): ...


def learner(read=1, stop=False):
    kind = type("Learner", (Memoriser,), {"read": read, "stop": stop, "log": []})
    return lambda: kind("return", ModelSettings(), seed=1), kind.log


@pytest.fixture
def world():
    dataset = build_dataset({"BTC/USDT": walk(700, missing=[400, 401])}, "core14", ForwardReturn(4))
    rows = np.arange(len(dataset))
    embargo = 4 * HOUR_MS
    folds = stack_folds(dataset.time, dataset.span_end, rows, StackSettings(folds=4), embargo)
    return SimpleNamespace(dataset=dataset, folds=folds)


@pytest.mark.parametrize("stop", [False, True])
def test_a_member_that_memorises_knows_no_held_out_row(world, stop):
    make, log = learner(stop=stop)
    predictions = predict_held_out(make, world.dataset, world.folds, lambda *_: None)
    assert sorted(predictions) == [0, 1, 2, 3]
    for fold, (rows, predicted) in zip(world.folds, predictions.values(), strict=True):
        assert rows.tolist() == fold.held_out.tolist()
        assert (predicted == 7.0).all()
    # With early stopping the second part is for stopping; without, it belongs to the fit.
    for fold, (learned, later) in zip(world.folds, log, strict=True):
        total = len(fold.fit) + len(fold.stop)
        assert (learned, later) == ((len(fold.fit), len(fold.stop)) if stop else (total, None))


def test_the_same_member_knows_rows_of_its_fit(world):
    """Shows that the test above can fail."""
    make, _ = learner()
    every = np.arange(len(world.dataset))
    ((rows, predicted),) = predict_held_out(
        make, world.dataset, [StackFold(every, every, every)], lambda *_: None
    ).values()
    np.testing.assert_array_equal(predicted, world.dataset.y[rows])


def test_members_are_aligned_by_row_where_one_has_a_gap(world):
    make_rows, _ = learner()
    make_windows, _ = learner(read=24)
    predictions = {
        name: predict_held_out(make, world.dataset, world.folds, lambda *_: None)
        for name, make in (("rows", make_rows), ("windows", make_windows))
    }
    lengths = {name: sum(len(rows) for rows, _ in own.values()) for name, own in predictions.items()}
    assert lengths["windows"] < lengths["rows"]  # the missing bars cost windows of 24 bars
    # Each prediction is the time of its row, so that misaligned columns would differ.
    times = {
        name: {number: (rows, world.dataset.time[rows].astype(float)) for number, (rows, _) in own.items()}
        for name, own in predictions.items()
    }
    aligned = align(world.dataset, ("rows", "windows"), times)
    np.testing.assert_array_equal(aligned.predicted[:, 0], aligned.predicted[:, 1])
    np.testing.assert_array_equal(aligned.predicted[:, 0], world.dataset.time[aligned.rows])
    assert len(aligned) == lengths["windows"]
    for number, fold in enumerate(world.folds):
        assert np.isin(aligned.rows[aligned.fold == number], fold.held_out).all()


def test_rows_with_a_prediction_that_is_not_finite_are_left_out(world):
    rows = np.arange(5)
    predictions = {"a": {0: (rows, np.array([1.0, np.nan, 3.0, 4.0, 5.0]))}, "b": {0: (rows[::-1], np.arange(5.0))}}
    aligned = align(world.dataset, ("a", "b"), predictions)
    assert aligned.rows.tolist() == [0, 2, 3, 4]
    assert aligned.predicted.tolist() == [[1.0, 4.0], [3.0, 2.0], [4.0, 1.0], [5.0, 0.0]]
