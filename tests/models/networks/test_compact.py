"""The compact shapes: columns of the window, the perceptron on the newest bar, the weights kept."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from quorate.core.configuration import load_settings
from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import (
    DocumentedNHiTSSettings,
    DocumentedPatchTSTSettings,
    ModelSettings,
    NHiTSSettings,
    Settings,
)
from quorate.features import feature_names
from quorate.models import StoppingRows, build
from quorate.models.networks.operations import operations
from quorate.models.runtime import OnnxSession, require_same

NAMES = feature_names("core30")
SMALL = {"nhits": {"window": 12, "hidden": (8, 8, 8)}, "patchtst": {"window": 24}, "lstm": {"window": 6, "width": 8}}


def member(name="nhits", names=NAMES, **changes):
    models = ModelSettings()
    own = replace(models.section(name), **{**SMALL[name], "epochs": 1, "share": 1.0, **changes})
    return build(name, "class", replace(models, **{name: own}), seed=1, threads=1, features=names)


def rows(member, count=300):
    random = np.random.default_rng(3)
    X = random.normal(size=(count, member.window, len(member.feature_names))).astype(np.float32)
    return X, random.integers(0, 3, count).astype(np.int8)


@pytest.mark.parametrize("name", ["nhits", "patchtst", "lstm"])
def test_every_column_is_read_at_the_newest_bar_and_few_in_the_window(name):
    model = member(name)
    X, y = rows(model)
    model.fit(X, y)
    before, read = model.output(X), {"newest": set(), "window": set()}
    for place, column in enumerate(NAMES):
        for part, bars in (("newest", slice(-1, None)), ("window", slice(0, -1))):
            other = X.copy()
            other[:, bars, place] += 1
            if not np.array_equal(model.output(other), before):
                read[part].add(column)
    assert read["newest"] == set(NAMES)
    assert read["window"] == set(model.settings.section(name).columns or NAMES[:14])


@pytest.mark.parametrize("name", ["nhits", "patchtst", "lstm"])
def test_the_graph_gives_the_same(name):
    model = member(name)
    X, y = rows(model)
    require_same(model.fit(X, y).output(X), OnnxSession(model.to_onnx(), len(NAMES), name).run(X), name)


def test_a_file_gives_the_same(tmp_path):
    model = member()
    X, y = rows(model)
    model.fit(X, y).save(tmp_path / "nhits.safetensors")
    loaded = member(names=()).load(tmp_path / "nhits.safetensors")
    np.testing.assert_array_equal(loaded.output(X), model.output(X))


def test_other_returns_can_be_learned_too():
    models = ModelSettings(nhits=replace(NHiTSSettings(), window=12, hidden=(8, 8, 8), epochs=40, share=1.0,
                                         learning_rate=0.01, weight_decay=0.0))  # fmt: skip
    model = build("nhits", "return", models, seed=1, threads=1, features=NAMES)
    X, _ = rows(model)
    y = 0.01 * X[:, -1, 20].astype(np.float64)  # a column that only the perceptron reads
    assert np.corrcoef(model.fit(X, y).output(X)[:, 0], y)[0, 1] > 0.8


def test_a_feature_set_without_the_columns_is_read_whole():
    model = member(names=("a", "b"), newest_width=0)
    X, y = rows(model)
    before = model.fit(X, y).output(X)
    for place in (0, 1):
        other = X.copy()
        other[:, 0, place] += 1
        assert not np.array_equal(model.output(other), before)


def test_an_unknown_column_is_named():
    model = member(columns=("price_chnge",))
    with pytest.raises(ModelError, match=r"(?s)price_chnge.*'price_change'"):
        model.fit(*rows(model))


def test_the_last_weights_are_kept_if_set():
    found = {}
    for keep in ("best", "last"):
        model = member(keep=keep, epochs=30, learning_rate=0.01, weight_decay=0.0, patience=30)
        X, y = rows(model)
        V, v = rows(model, 310)
        model.fit(X, y, stopping=StoppingRows(V[300:], v[300:]))
        history = model.history
        assert model.stops_early == (keep == "best")
        assert history.best == (29 if keep == "last" else int(np.argmin(history.validation_losses)))
        found[keep] = -np.log(model.output(V[300:])[np.arange(10), v[300:]]).mean()
        assert found[keep] == pytest.approx(history.validation_losses[history.best], rel=0.02)
    assert found["best"] < found["last"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"newest_width": -1}, "models.nhits.newest_width: found -1"),
    ],
)
def test_invalid_settings_are_refused(wrong, message):
    with pytest.raises(SettingsError, match=message):
        replace(NHiTSSettings(), **wrong)


def test_the_documented_shapes_are_one_setting_away():
    documented = load_settings(environment={"QUORATE_MODELS__NETWORKS": "documented"}).models
    assert asdict(documented.nhits) == asdict(DocumentedNHiTSSettings())
    assert ModelSettings(networks="documented").patchtst == DocumentedPatchTSTSettings()
    assert load_settings(environment={}).models == ModelSettings() == Settings().models


def test_other_settings_stand_above_the_preset(tmp_path):
    file = tmp_path / "quorate.toml"
    file.write_text('[models]\nnetworks = "documented"\n[models.nhits]\ndropout = 0.1\n')
    variables = {"QUORATE_MODELS__PATCHTST__LAYERS": "2"}
    models = load_settings(file, variables).models
    assert asdict(models.nhits) == asdict(replace(DocumentedNHiTSSettings(), dropout=0.1))
    assert asdict(models.patchtst) == asdict(replace(DocumentedPatchTSTSettings(), layers=2))
    own = replace(NHiTSSettings(), window=60)
    assert ModelSettings(networks="documented", nhits=own).nhits is own


def test_an_unknown_preset_is_refused():
    with pytest.raises(SettingsError, match=r"models\.networks"):
        load_settings(environment={"QUORATE_MODELS__NETWORKS": "huge"})


def test_a_graph_is_cut_by_the_size_of_its_tokens():
    for name, settings, rows_at_once in (("compact", ModelSettings(), 128), ("documented", documented(), 4)):
        model = build("patchtst", "class", settings, seed=1, threads=1, features=feature_names("core14"))
        X = np.random.default_rng(0).normal(size=(20, model.window, 14)).astype(np.float32)
        model.fit(X, (np.arange(20) % 3).astype(np.int8))
        assert OnnxSession(model.to_onnx(), 14, name).batch == rows_at_once


def documented():
    models = ModelSettings(networks="documented")
    return replace(models, patchtst=replace(models.patchtst, epochs=1))


@pytest.mark.parametrize(
    ("name", "documented_operations", "compact_operations"),
    [("nhits", 3.3e6, 1.1e5), ("patchtst", 1.7e8, 1.6e5), ("lstm", 1.0e7, 3e5)],
)
def test_compact_networks_are_quick_to_fit(name, documented_operations, compact_operations):
    """Operations as counted by hand for the products of the layers, within a fifth."""
    for settings, names, expected, slow in (
        (ModelSettings(networks="documented"), feature_names("core14"), documented_operations, name != "nhits"),
        (ModelSettings(), NAMES, compact_operations, False),
    ):
        model = build(name, "class", settings, seed=1, threads=1, features=names)
        network = model._new(model._reads(len(names)), len(names)).standardised
        assert operations(network, model.window, len(names)) == pytest.approx(expected, rel=0.2)
        assert model.slow_fit == slow
