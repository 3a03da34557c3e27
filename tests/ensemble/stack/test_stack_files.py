"""Files of a stack: read back bit for bit, and errors for invalid files."""

import json
import re

import numpy as np
import pytest

from quorate.core.errors import BundleError
from quorate.core.settings import StackSettings
from quorate.ensemble.stack import Linear, SignProbability, Stack
from quorate.ensemble.stack.forest import fit_forest
from quorate.ensemble.stack.stack_files import FILE_NAME, GRAPH_NAME, read, write

CURVE = SignProbability(np.array([0.001, 0.002]), np.array([0.48, 0.61]))
LINEAR = Stack("ridge", ("a", "b"), Linear(np.array([0.1 + 0.2, -1e-17])), CURVE, 0.0014)


def forest():
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, 2))
    fitted = fit_forest(rows, rows[:, 0], StackSettings(forest_trees=5), 1)
    return Stack("forest", ("a", "b"), fitted, CURVE, 0.0)


@pytest.mark.parametrize("stack", [LINEAR, forest()], ids=["linear", "forest"])
def test_files_are_read_back_bit_for_bit(stack):
    files = write(stack)
    again = read(files, ("c", "b", "a"), "load")
    assert (again.method, again.members, again.round_trip) == (stack.method, stack.members, stack.round_trip)
    rows = np.random.default_rng(2).normal(size=(50, 2))
    np.testing.assert_array_equal(again.combiner.combine(rows), stack.combiner.combine(rows))
    np.testing.assert_array_equal(again.confidence.at(rows[:, 0]), stack.confidence.at(rows[:, 0]))
    assert write(again) == files
    assert set(files) == ({FILE_NAME} if stack is LINEAR else {FILE_NAME, GRAPH_NAME})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "quorate-stack-9"}, "format 'quorate-stack-9'"),
        ({"method": "guessing"}, "method 'guessing'"),
        ({"members": ["a", "stranger"]}, "members ('a', 'stranger')"),
        ({"members": ["a", "a"]}, "members ('a', 'a')"),
        ({"members": []}, "members ()"),
        ({"weights": [1.0]}, "1 weights for 2 members"),
        ({"weights": [1.0, None]}, "instead of finite numbers"),
        ({"weights": "1"}, "instead of finite numbers"),
        ({"weights": None}, "instead of finite numbers"),
        ({"weights": None, "unit": 0.0}, "a unit of 0.0"),
        ({"weights": None, "unit": 1.0}, "stack.onnx"),
        ({"round_trip": -0.1}, "a round trip of -0.1"),
        ({"round_trip": None}, "instead of finite numbers"),
        ({"confidence": {"size": [0.1, 0.2], "probability": [0.6, 0.5]}}, "a confidence that decreases"),
        ({"confidence": {"size": [0.2, 0.1], "probability": [0.5, 0.6]}}, "a confidence that decreases"),
        ({"confidence": {"size": [0.1], "probability": [1.5]}}, "a confidence outside 0 to 1"),
        ({"confidence": {"size": [0.1], "probability": [0.5, 0.6]}}, "1 sizes, 2 probabilities"),
        ({"confidence": {"size": [], "probability": []}}, "0 sizes, 0 probabilities"),
        ({"confidence": {"size": [0.1]}}, "probability"),
        ({"confidence": 1}, "subscriptable"),
    ],
)
def test_invalid_values_are_an_error(change, words):
    tree = {**json.loads(write(LINEAR)[FILE_NAME]), **change}
    with pytest.raises(BundleError, match=re.escape(words)):
        read({FILE_NAME: json.dumps(tree).encode()}, ("a", "b"), "load")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000], ids=repr)
def test_content_that_is_not_a_stack_is_an_error(content):
    with pytest.raises(BundleError, match=r"an invalid stack\.json"):
        read({FILE_NAME: content}, ("a", "b"), "load")


def test_a_forest_with_an_invalid_graph_is_an_error():
    files = write(forest())
    with pytest.raises(BundleError, match="an invalid stack"):
        read({**files, GRAPH_NAME: files[GRAPH_NAME][:50]}, ("a", "b"), "load")


def test_a_bundle_without_stack_json_is_an_error():
    with pytest.raises(BundleError, match=r"no stack\.json"):
        read({}, ("a",), "load")
