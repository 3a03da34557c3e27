"""PatchTST as a member: its shape from the settings, and its pre-training."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from quorate.core.errors import SettingsError
from quorate.core.settings import DocumentedPatchTSTSettings, ModelSettings, PatchTSTSettings
from quorate.models import StoppingRows, build

SMALL = DocumentedPatchTSTSettings(
    share=1.0,
    window=16,
    epochs=3,
    batch=64,
    patch=4,
    stride=4,
    width=16,
    heads=2,
    layers=1,
    feedforward=32,
    learning_rate=3e-3,
)


def member(settings=SMALL, task="class", seed=1):
    return build("patchtst", task, ModelSettings(patchtst=settings), seed=seed, threads=1)


def rows(count, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(count, 16, 3)).astype(np.float32)
    return X, (1 + np.sign(X[:, -1, 0]) * (np.abs(X[:, -1, 0]) > 0.4)).astype(np.int8)


@pytest.mark.parametrize("preset", ["own", "paper", "small"])
def test_presets(preset):
    """`paper` and `small` are the published shapes; other settings of the shape are ignored."""
    config = member(DocumentedPatchTSTSettings(preset=preset, width=64))._module(14).config
    expected = {
        "own": (64, 8, 512, 12, 12, False, "layer", True, False, 10),
        "paper": (128, 16, 256, 16, 8, True, "batch", False, True, 15),
        "small": (16, 4, 128, 16, 8, True, "batch", False, True, 15),
    }[preset]
    e = config.encoder
    found = (e.width, e.heads, e.feedforward, config.patch, config.stride, config.end_padding)
    assert (*found, e.norm, e.pre_norm, e.residual_attention, config.patches) == expected
    assert config.outputs == 3


def test_settings_of_the_shape_are_used():
    changed = PatchTSTSettings(
        window=60,
        patch=10,
        stride=5,
        end_padding=True,
        embedding="convolution",
        positions="sinusoidal",
        width=32,
        heads=4,
        layers=2,
        feedforward=48,
        dropout=0.1,
        head_dropout=0.2,
        norm="batch",
        pre_norm=False,
        residual_attention=True,
        affine=True,
    )
    config = member(changed)._module(5).config
    for name in ("window", "patch", "stride", "end_padding", "embedding", "positions", "head_dropout", "affine"):
        assert getattr(config, name) == getattr(changed, name), name
    for name in ("width", "heads", "layers", "feedforward", "dropout", "norm", "pre_norm", "residual_attention"):
        assert getattr(config.encoder, name) == getattr(changed, name), name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"patch": 17}, "patch"),
        ({"stride": 5}, "stride"),
        ({"heads": 3}, "heads"),
        ({"mask": 0.0}, "mask"),
        ({"dropout": 1.0}, "dropout"),
        ({"pretrain_epochs": 1, "stride": 2}, "pretrain_epochs"),
        ({"pretrain_epochs": 1, "end_padding": True}, "pretrain_epochs"),
        ({"pretrain_epochs": 1, "preset": "paper"}, "pretrain_epochs"),
        ({"probe_epochs": 1}, "probe_epochs"),
    ],
)
def test_invalid_settings_are_refused(change, named):
    with pytest.raises(SettingsError, match=f"models.patchtst.{named}"):
        replace(SMALL, **change)


def test_pre_training_runs_before_the_training_and_changes_the_model():
    X, y = rows(192)
    stopping = StoppingRows(*rows(64, seed=9))
    scores = {}
    for name, settings in {
        "plain": SMALL,
        "pre-trained": replace(SMALL, pretrain_epochs=2),
        "probed": replace(SMALL, pretrain_epochs=2, probe_epochs=1),
    }.items():
        calls = []
        fitted = member(settings).fit(X, y, stopping=stopping, progress=lambda *step, calls=calls: calls.append(step))
        scores[name] = fitted.predict_proba(X)
        again = member(settings).fit(X, y, stopping=stopping)
        assert np.array_equal(again.predict_proba(X), scores[name])
        done = [step for step, _ in calls]
        epochs = settings.pretrain_epochs + settings.probe_epochs + settings.epochs
        assert done == sorted(done)
        assert done[-1] == calls[-1][1] == 3 * epochs  # three batches of 64 per epoch
        assert {total for _, total in calls} == {3 * epochs}
    assert not np.allclose(scores["plain"], scores["pre-trained"])
    assert not np.allclose(scores["probed"], scores["pre-trained"])


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", [2, 5, 8, 11])
def test_a_run_killed_in_any_phase_ends_with_the_same_model(tmp_path, step):
    """Three steps per epoch: pre-training to 6, probing to 9, training to 18."""
    settings = replace(SMALL, pretrain_epochs=2, probe_epochs=1, checkpoint_s=0.0)
    X, y = rows(192)
    whole = member(settings).fit(X, y).predict_proba(X)

    def kill(done, total):
        if done == step:
            raise Killed

    path = tmp_path / "checkpoint"
    with pytest.raises(Killed):
        member(settings).fit(X, y, checkpoint=path, progress=kill)
    assert list(tmp_path.iterdir())
    resumed = member(settings).fit(X, y, checkpoint=path)
    assert np.array_equal(resumed.predict_proba(X), whole)
    assert not list(tmp_path.iterdir())


def test_the_graph_has_only_transpositions_that_the_runtime_fuses():
    """Of the first axis, and of the keys; no operators on shapes."""
    model = member()
    X, y = rows(64)
    graph = onnx.load_from_string(model.fit(X, y).to_onnx()).graph
    attention = [node for node in graph.node if "/attention/" in node.name]
    assert {tuple(node.attribute[0].ints) for node in attention if node.op_type == "Transpose"} == {
        (1, 0, 2),
        (1, 2, 0),
    }
    assert not [node.op_type for node in graph.node if node.op_type in ("Shape", "Slice", "Gather")]
