"""A stack comes back from its files to the bit, and a spoiled file is refused."""

import json
import re

import numpy as np
import pytest

from quorate.core.errors import BundleError
from quorate.core.settings import StackSettings
from quorate.ensemble.stack import Linear, SignProbability, Stack
from quorate.ensemble.stack.forest import fit_forest
from quorate.ensemble.stack.stack_files import FILE, GRAPH, read, write

CURVE = SignProbability(np.array([0.001, 0.002]), np.array([0.48, 0.61]))
LINEAR = Stack("ridge", ("a", "b"), Linear(np.array([0.1 + 0.2, -1e-17])), CURVE, 0.0014)


def forest():
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, 2))
    fitted = fit_forest(rows, rows[:, 0], StackSettings(forest_trees=5), 1)
    return Stack("forest", ("a", "b"), fitted, CURVE, 0.0)


@pytest.mark.parametrize("stack", [LINEAR, forest()], ids=["linear", "forest"])
def test_it_comes_back_to_the_bit(stack):
    files = write(stack)
    again = read(files, ("c", "b", "a"), "load")
    assert (again.method, again.members, again.round_trip) == (stack.method, stack.members, stack.round_trip)
    rows = np.random.default_rng(2).normal(size=(50, 2))
    np.testing.assert_array_equal(again.combiner.combine(rows), stack.combiner.combine(rows))
    np.testing.assert_array_equal(again.confidence.at(rows[:, 0]), stack.confidence.at(rows[:, 0]))
    assert write(again) == files
    assert set(files) == ({FILE} if stack is LINEAR else {FILE, GRAPH})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "quorate-stack-9"}, "format 'quorate-stack-9'"),
        ({"method": "guessing"}, "method 'guessing'"),
        ({"members": ["a", "stranger"]}, "members ('a', 'stranger')"),
        ({"members": ["a", "a"]}, "members ('a', 'a')"),
        ({"members": []}, "members ()"),
        ({"weights": [1.0]}, "1 weights for 2 members"),
        ({"weights": [1.0, None]}, "where finite numbers belong"),
        ({"weights": "1"}, "where finite numbers belong"),
        ({"weights": None}, "where finite numbers belong"),
        ({"weights": None, "unit": 0.0}, "a unit of 0.0"),
        ({"weights": None, "unit": 1.0}, "stack.onnx"),
        ({"round_trip": -0.1}, "a round trip of -0.1"),
        ({"round_trip": None}, "where finite numbers belong"),
        ({"confidence": {"size": [0.1, 0.2], "probability": [0.6, 0.5]}}, "a confidence that falls"),
        ({"confidence": {"size": [0.2, 0.1], "probability": [0.5, 0.6]}}, "a confidence that falls"),
        ({"confidence": {"size": [0.1], "probability": [1.5]}}, "no probability"),
        ({"confidence": {"size": [0.1], "probability": [0.5, 0.6]}}, "1 sizes, 2 probabilities"),
        ({"confidence": {"size": [], "probability": []}}, "0 sizes, 0 probabilities"),
        ({"confidence": {"size": [0.1]}}, "probability"),
        ({"confidence": 1}, "subscriptable"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    tree = {**json.loads(write(LINEAR)[FILE]), **change}
    with pytest.raises(BundleError, match=re.escape(words)):
        read({FILE: json.dumps(tree).encode()}, ("a", "b"), "load")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000], ids=repr)
def test_what_is_no_document_is_refused(content):
    with pytest.raises(BundleError, match=r"stack\.json that cannot be used"):
        read({FILE: content}, ("a", "b"), "load")


def test_a_forest_whose_graph_is_spoiled_is_refused():
    files = write(forest())
    with pytest.raises(BundleError, match="cannot be used"):
        read({**files, GRAPH: files[GRAPH][:50]}, ("a", "b"), "load")


def test_a_bundle_without_it_is_refused():
    with pytest.raises(BundleError, match=r"no stack\.json"):
        read({}, ("a",), "load")
