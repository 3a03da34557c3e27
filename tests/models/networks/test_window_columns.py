"""A network reads the bars themselves: of core30 it reads core14, and columns of a user's own."""

import numpy as np
import pytest

from quorate.core.errors import ModelError
from quorate.core.settings import (
    DocumentedLSTMSettings,
    DocumentedNHiTSSettings,
    DocumentedPatchTSTSettings,
    ModelSettings,
)
from quorate.features import feature_names
from quorate.features.catalogue import window_columns
from quorate.models.networks.safetensors_file import read_weights, write_weights
from quorate.models.registry import build
from quorate.models.runtime import OnnxSession, require_same

NAMES = (*feature_names("core30"), "my_column")
SETTINGS = ModelSettings(
    nhits=DocumentedNHiTSSettings(window=8, epochs=1, hidden=(8, 8, 8)),
    patchtst=DocumentedPatchTSTSettings(
        window=8, epochs=1, patch=4, stride=4, width=8, heads=2, layers=1, feedforward=8
    ),
    lstm=DocumentedLSTMSettings(window=8, epochs=1, width=8, head=4),
)


def rows(count=60):
    random = np.random.default_rng(3)
    return random.normal(size=(count, 8, len(NAMES))).astype(np.float32), random.integers(0, 3, count).astype(np.int8)


def member(name, names=NAMES):
    return build(name, "class", SETTINGS, seed=1, threads=1, features=names)


@pytest.fixture(scope="module", params=["nhits", "patchtst", "lstm"])
def fitted(request):
    return member(request.param).fit(*rows())


def test_the_summaries_of_the_past_are_left_out():
    assert window_columns(NAMES) == (*range(14), 30)
    for name in ("core14", "full65", "extended"):
        assert window_columns(feature_names(name)) == tuple(range(len(feature_names(name))))


def test_what_is_left_out_changes_nothing_and_what_is_read_does(fitted):
    X, _ = rows()
    before = fitted.output(X)
    for place, read in enumerate(place in (*range(14), 30) for place in range(len(NAMES))):
        other = X.copy()
        other[:, :, place] += 1
        assert (not np.array_equal(fitted.output(other), before)) == read, NAMES[place]


def test_the_graph_takes_all_columns_and_gives_the_same(fitted):
    X, _ = rows()
    require_same(fitted.output(X), OnnxSession(fitted.to_onnx(), len(NAMES), fitted.name).run(X), fitted.name)


def test_it_is_the_network_of_those_columns_alone(fitted):
    X, y = rows()
    alone = member(fitted.name, ()).fit(np.ascontiguousarray(X[:, :, window_columns(NAMES)]), y)
    np.testing.assert_array_equal(alone.output(X[:, :, window_columns(NAMES)]), fitted.output(X))
    assert alone.parameters == fitted.parameters


def test_a_file_holds_the_columns(fitted, tmp_path):
    X, _ = rows()
    fitted.save(tmp_path / "model")
    loaded = member(fitted.name, ()).load(tmp_path / "model")
    assert loaded.columns == len(NAMES)
    np.testing.assert_array_equal(loaded.output(X), fitted.output(X))


@pytest.mark.parametrize("reads", [None, [], [0, 0], [1, 0], [-1], [31], ["0"], [[0]], list(range(14))])
def test_a_file_of_other_columns_is_refused(fitted, tmp_path, reads):
    fitted.save(tmp_path / "model")
    header, tensors = read_weights(tmp_path / "model")
    write_weights(tmp_path / "model", {**header, "reads": reads}, tensors)
    with pytest.raises(ModelError, match="load"):
        member(fitted.name).load(tmp_path / "model")
