"""The log-HAR member: what it finds, an independent oracle of its regression, its refusals and its files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import LogHARSettings, ModelSettings
from quorate.models import build
from quorate.models.log_har import LogHAR
from quorate.models.runtime import OnnxSession, require_same

NAMES = ("rsi_14", *LogHAR.reads)
LEVEL = NAMES.index("log_volatility_24")
HOUR = NAMES.index("hour")


def market(n=6_000, seed=3):
    """Rows whose P(move) is known: a curve of log-volatility, and the hour; a coin decides the direction."""
    random = np.random.default_rng(seed)
    level = random.normal(size=n)
    X = (level[:, None] + 0.3 * random.normal(size=(n, len(NAMES)))).astype(np.float32)
    X[:, HOUR] = random.integers(0, 24, n)
    index = level + 0.5 * np.sin(2 * np.pi * X[:, HOUR] / 24)
    odds = np.where(index > 0, 0.4, 2.0) * index - 0.3
    moves = 1 / (1 + np.exp(-odds))
    y = np.where(random.random(n) < moves, np.where(random.random(n) < 0.6, 2, 0), 1).astype(np.int8)
    return X, y, moves


def member(task="class", names=NAMES, **settings):
    return build("log_har", task, ModelSettings(log_har=LogHARSettings(**settings)), seed=1, features=names)


def test_it_finds_the_probability_of_a_move_and_nothing_of_its_direction():
    X, y, moves = market()
    later, _, true = market(seed=8)
    scores = member().fit(X, y).predict_proba(later)
    assert np.abs((1 - scores[:, 1]) - true).mean() < 0.03
    # SELL and BUY share P(move) as in the training rows, on every row.
    share = np.mean(y[y != 1] == 2)
    np.testing.assert_allclose(scores[:, 2], share * (1 - scores[:, 1]), rtol=1e-12)
    assert moves.std() > 0.15  # there is something to find


def test_a_column_that_tells_the_direction_changes_nothing():
    X, y, _ = market()
    told = X.copy()
    told[:, 0] = y - 1.0
    np.testing.assert_array_equal(member().fit(X, y).predict_proba(X), member().fit(told, y).predict_proba(told))


def test_knots_bend_the_curve_where_the_logistic_one_is_wrong():
    X, y, _ = market()
    later, true_y, _ = market(seed=8)

    def loss(knots):
        hold = member(knots=knots).fit(X, y).predict_proba(later)[:, 1]
        return -np.log(np.where(true_y == 1, hold, 1 - hold)).mean()

    assert loss(8) < loss(0) - 0.002


def test_the_hour_is_a_circle():
    X, y, _ = market()
    model = member().fit(X, y)
    midnight, before = X[:50].copy(), X[:50].copy()
    midnight[:, HOUR], before[:, HOUR] = 0, 24
    np.testing.assert_allclose(model.predict_proba(midnight), model.predict_proba(before), atol=1e-12)


def test_the_order_of_the_columns_is_read_from_their_names():
    X, y, _ = market()
    order = np.random.default_rng(1).permutation(len(NAMES))
    mixed = np.ascontiguousarray(X[:, order])
    other = member(names=tuple(np.array(NAMES)[order])).fit(mixed, y)
    np.testing.assert_allclose(other.predict_proba(mixed), member().fit(X, y).predict_proba(X), atol=1e-12)


def test_rows_that_volatility_separates_give_finite_scores_of_the_right_class():
    X, _, _ = market(400)
    X[:, HOUR] = 12
    y = np.where(X[:, LEVEL] > 0, 2, 1).astype(np.int8)
    X[:, 1:HOUR] = np.where(y == 2, 2.0, -2.0)[:, None]
    found = member(l2=1e-4).fit(X, y).predict_proba(X)
    assert np.isfinite(found).all()
    assert found[np.arange(400), y].min() > 0.99


@pytest.mark.parametrize("value", [0, 1, 2])
def test_rows_of_one_class_give_that_class(value):
    X, _, _ = market(300)
    scores = member().fit(X, np.full(300, value, np.int8)).predict_proba(X)
    assert scores[:, value].min() > 1 - 1e-12


def test_constant_columns_give_the_training_shares():
    _, y, _ = market(900)
    X = np.ones((900, len(NAMES)), np.float32)
    shares = np.bincount(y, minlength=3) / 900
    np.testing.assert_allclose(member().fit(X, y).predict_proba(X), np.tile(shares, (900, 1)), atol=1e-6)


def test_a_weight_counts_as_so_many_rows():
    X, y, _ = market(1_500)
    twice = np.arange(1_500) % 3 == 0
    weighted = member(tail=0.0, knots=0).fit(X, y, weight=1.0 + twice)
    repeated = member(tail=0.0, knots=0).fit(np.concatenate([X, X[twice]]), np.concatenate([y, y[twice]]))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


def test_a_single_outlier_has_hardly_any_effect():
    X, y, _ = market()
    spiked = X.copy()
    spiked[7, LEVEL] = 1e9
    rows = np.arange(len(X)) != 7
    apart = member().fit(spiked, y).predict_proba(X)[rows] - member().fit(X, y).predict_proba(X)[rows]
    assert np.abs(apart).max() < 0.01


def test_returns_are_their_weighted_mean():
    X, _, _ = market(200)
    returns, weight = np.linspace(-0.01, 0.03, 200), np.linspace(0, 2, 200)
    model = member("return").fit(X, returns, weight=weight)
    np.testing.assert_allclose(model.predict(X), np.average(returns, weights=weight), rtol=1e-12)
    require_same(model.output(X), OnnxSession(model.to_onnx(), X.shape[1], "log_har").run(X), "log_har")


def test_missing_columns_are_named_with_the_feature_set_that_has_them():
    X, y, _ = market(50)
    names = tuple("other" if name == "log_range_6" else name for name in NAMES)
    with pytest.raises(ModelError, match=r'no column log_range_6; .*Set train.features = "core30"'):
        member(names=names).fit(X, y)
    with pytest.raises(ModelError, match="found columns without names"):
        member(names=()).fit(X, y)
    with pytest.raises(ModelError, match="found 11 columns; expected 12, as named"):
        member().fit(X[:, 1:], y)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("place", [0] * 10),
        ("place", [-1] * 11),
        ("place", [99] * 11),
        ("place", [0.5] * 11),
        ("scale", [0.0] * 12),
        ("weights", [1.0]),
        ("knots", [1.0]),
        ("sides", [0.5, -1.0, 0.6]),
        ("sides", [-0.5, -1.0, 1.5]),
        ("intercept", [float("1e999")]),
        ("task", "return"),
        ("format", "quorate-logistic-1"),
        ("columns", "many"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, key, value):
    X, y, _ = market(300)
    path = tmp_path / "log_har.json"
    member().fit(X, y).save(path)
    tree = json.loads(path.read_text())
    path.write_text(json.dumps(tree | {key: value}))
    with pytest.raises(ModelError, match=r"log_har\.json"):
        member().load(path)


def test_a_loaded_model_needs_no_names(tmp_path):
    X, y, _ = market(300)
    path = tmp_path / "log_har.json"
    model = member().fit(X, y)
    model.save(path)
    np.testing.assert_array_equal(member(names=()).load(path).predict_proba(X), model.predict_proba(X))


def test_without_knots_the_graph_is_the_model():
    X, y, _ = market(300)
    model = member(knots=0).fit(X, y)
    require_same(model.output(X), OnnxSession(model.to_onnx(), X.shape[1], "log_har").run(X), "log_har")


def test_settings_out_of_range_are_refused():
    for wrong in ({"knots": -1}, {"l2": 0.0}, {"tail": 0.3}):
        with pytest.raises(SettingsError, match=f"models.log_har.{next(iter(wrong))}"):
            replace(LogHARSettings(), **wrong)
