"""The head that shrinks a member's direction: in numpy, and in the member's graph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.core.types import Action
from quorate.models.move_head import direction, shrink_direction, with_move_head
from quorate.models.registry import build
from quorate.models.runtime import OnnxSession

FACTORS = st.floats(0, 1)
ROWS = st.lists(st.tuples(*[st.floats(0, 1)] * 3).filter(lambda row: sum(row) > 0.1), min_size=1, max_size=20)


def normalised(rows):
    table = np.array(rows, np.float64)
    return table / table.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("scores", "factor", "expected"),
    [
        ((0.1, 0.5, 0.4), 1.0, (0.1, 0.5, 0.4)),
        ((0.1, 0.5, 0.4), 0.5, (0.5 / 3, 0.5, 1.0 / 3)),  # odds of 4 become 2
        ((0.1, 0.5, 0.4), 0.0, (0.25, 0.5, 0.25)),
        ((0.3, 0.1, 0.6), 0.5, (0.9 / (1 + 2**0.5), 0.1, 0.9 * 2**0.5 / (1 + 2**0.5))),
        ((0.0, 1.0, 0.0), 0.0, (0.0, 1.0, 0.0)),
    ],
)
def test_worked_examples(scores, factor, expected):
    np.testing.assert_allclose(shrink_direction(np.array([scores]), factor), [expected], rtol=1e-12)


@given(ROWS, FACTORS)
def test_a_move_is_as_likely_as_before_and_its_side_the_same(rows, factor):
    scores = normalised(rows)
    shrunk = shrink_direction(scores, factor)
    np.testing.assert_allclose(shrunk.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(shrunk[:, Action.HOLD], scores[:, Action.HOLD])
    moved = np.minimum(scores[:, 0], scores[:, 2]) > 1e-6
    np.testing.assert_allclose(direction(shrunk)[moved], factor * direction(scores)[moved], atol=1e-9)


@given(ROWS)
def test_without_a_direction_both_sides_are_equal_to_the_last_bit(rows):
    shrunk = shrink_direction(normalised(rows), 0.0)
    assert (shrunk[:, Action.SELL] == shrunk[:, Action.BUY]).all()


def test_an_abstention_stays_one():
    shrunk = shrink_direction(np.array([[np.nan] * 3, [0.2, 0.5, 0.3]]), 0.5)
    assert np.isnan(shrunk[0]).all()
    assert np.isfinite(shrunk[1]).all()


@pytest.fixture(scope="module", params=["xgboost", "lightgbm", "logistic", "nhits", "patchtst", "lstm"])
def member(request):
    random = np.random.default_rng(4)
    model = build(request.param, "class", ModelSettings(), seed=1, threads=1)
    shape = (300, 6) if model.window == 1 else (300, model.window, 6)
    X, y = random.normal(size=shape).astype(np.float32), random.integers(0, 3, 300).astype(np.int8)
    return request.param, model.fit(X, y).to_onnx(), X


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0])
def test_the_graph_gives_what_numpy_gives(member, factor):
    name, graph, X = member
    plain = OnnxSession(graph, 6, name)
    session = OnnxSession(with_move_head(graph, factor, name), 6, name)
    found = session.run(X)
    np.testing.assert_allclose(found, shrink_direction(plain.run(X), factor), atol=1e-6)
    assert session.window == plain.window
    assert session.batch == plain.batch
    if factor == 0:
        assert (found[:, Action.SELL] == found[:, Action.BUY]).all()


def test_the_same_graph_has_the_same_bytes(member):
    name, graph, _ = member
    assert with_move_head(graph, 0.25, name) == with_move_head(graph, 0.25, name)


@pytest.mark.parametrize("factor", [-0.1, 1.1, float("nan")])
def test_a_factor_out_of_range_is_refused(factor):
    with pytest.raises(ModelError, match="0 to 1"):
        with_move_head(b"", factor, "xgboost")


def test_bytes_that_are_no_graph_are_refused():
    with pytest.raises(ModelError, match="an ONNX graph"):
        with_move_head(b"\xff\xff", 0.5, "xgboost")
