"""The base class of the networks, tested with the LSTM: scales, weights, files, windows."""

import json
import struct
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from quorate.core.errors import ModelError
from quorate.core.settings import DocumentedLSTMSettings, ModelSettings
from quorate.core.types import Action
from quorate.features import Windows
from quorate.models import StoppingRows, build
from quorate.models.runtime import OnnxSession, require_same

L, F = 8, 3
SETTINGS = DocumentedLSTMSettings(window=L, epochs=3, width=12, head=8, learning_rate=0.01)


def member(task="class", settings=SETTINGS, seed=1):
    return build("lstm", task, ModelSettings(lstm=settings), seed=seed, threads=1)


def rows(count, seed=0):
    """Random windows as views of one matrix, with returns that follow the first feature."""
    random = np.random.default_rng(seed)
    X = (random.normal(size=(count + L - 1, F)) * (1, 5, 0.01) + (0, 100, 0)).astype(np.float32)
    windows = Windows(X, 3_600_000 * np.arange(len(X)), L, "1h")
    returns = 0.01 * X[L - 1 :, 0] + 0.003 * random.normal(size=count)
    return windows.at(np.arange(L - 1, len(X))), returns


def classes(returns):
    return np.digitize(returns, (-0.005, 0.005)).astype(np.int8)


@pytest.fixture(scope="module")
def fitted():
    X, returns = rows(400)
    return {"class": member().fit(X, classes(returns)), "return": member("return").fit(X, returns)}


@pytest.mark.parametrize("task", ["class", "return"])
def test_lazy_windows_and_their_copy_give_the_same_outputs(fitted, task):
    X, returns = rows(400)
    y = classes(returns) if task == "class" else returns
    copied = member(task).fit(X[:], y)
    np.testing.assert_array_equal(copied.output(X[:]), fitted[task].output(X))
    session = OnnxSession(fitted[task].to_onnx(), F, "lstm")
    assert (session.window, session.batch) == (L, type(copied).batch)
    np.testing.assert_array_equal(session.run(X), session.run(X[:]))
    require_same(fitted[task].output(X), session.run(X), "lstm")


def test_input_scales_come_from_the_newest_bars_of_the_training_windows(fitted):
    X, _ = rows(400)
    bars = X[:][:, -1].astype(np.float64)
    scale = fitted["class"]._fitted.standardised.scale
    # 0.1 % of 400 rows is less than one row: the quantile is the second-outermost value.
    low, high = np.sort(bars, axis=0)[[1, -2]]
    held = np.clip(bars, low, high)
    np.testing.assert_array_equal(scale.low.numpy(), low.astype(np.float32))
    np.testing.assert_array_equal(scale.high.numpy(), high.astype(np.float32))
    np.testing.assert_allclose(scale.mean.numpy(), held.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(1 / scale.inverse.numpy(), held.std(axis=0), rtol=1e-5)


def test_a_single_outlier_does_not_move_the_scales():
    X, returns = rows(400)
    outlier = X[:]
    outlier[7, -1] = 1e30
    model = member().fit(outlier, classes(returns))
    assert float(model._fitted.standardised.scale.high.max()) < 200
    assert np.isfinite(model.output(outlier)).all()


def test_a_constant_feature_is_accepted():
    X, returns = rows(300)
    constant = X[:]
    constant[:, :, 1] = 7.5
    assert np.isfinite(member().fit(constant, classes(returns)).output(constant)).all()


def test_the_output_offset_is_the_log_of_the_class_shares(fitted):
    _, returns = rows(400)
    shares = np.bincount(classes(returns), minlength=3) / 400
    np.testing.assert_allclose(fitted["class"]._fitted.standardised.offset.numpy(), np.log(shares), rtol=1e-5)


def test_an_absent_class_scores_close_to_zero():
    X, returns = rows(300)
    y = np.where(returns > 0, Action.BUY, Action.HOLD).astype(np.int8)
    assert member().fit(X, y).predict_proba(X)[:, Action.SELL].max() < 1e-15


def test_predicted_returns_scale_with_the_training_returns():
    """Returns in percent give the same model as fractions, with predictions in percent."""
    X, returns = rows(300)
    small, large = (member("return").fit(X, unit * returns + 3 * unit).predict(X) for unit in (1, 128))
    np.testing.assert_allclose(large, 128 * small, rtol=1e-4)
    assert np.corrcoef(small, returns)[0, 1] > 0.7
    assert small.mean() == pytest.approx(3, abs=0.01)


def test_rows_of_weight_zero_have_no_effect(tmp_path):
    X, returns = rows(300)
    y = classes(returns)
    weight = np.r_[np.full(200, 2.0), np.zeros(100)]
    found = []
    for model in (
        member().fit(X, y, weight=weight),
        member().fit(X.select(np.arange(200)), y[:200], weight=np.ones(200)),
        member().fit(X, np.r_[y[:200], np.zeros(100, np.int8)], weight=weight / 7),
    ):
        model.save(tmp_path / "file")
        found.append((tmp_path / "file").read_bytes())
    assert found[0] == found[1] == found[2]


def test_balanced_classes_have_equal_scores_without_a_signal():
    """One in ten rows is BUY, at random: the scores are the class shares, or equal for both classes if balanced."""
    X, _ = rows(600)
    y = np.where(np.arange(600) % 10 == 0, Action.BUY, Action.HOLD).astype(np.int8)
    plain, balanced = (
        member(settings=replace(SETTINGS, balanced=balanced)).fit(X, y).predict_proba(X)[:, Action.BUY].mean()
        for balanced in (False, True)
    )
    assert plain == pytest.approx(0.1, abs=0.05)
    assert balanced == pytest.approx(0.5, abs=0.12)


def test_the_focal_loss_is_used_if_set():
    X, returns = rows(300)
    focal = member(settings=replace(SETTINGS, loss="focal", focal_gamma=3.0)).fit(X, classes(returns))
    plain = member().fit(X, classes(returns))
    # Less confident scores: rows with a high score have a small loss.
    assert focal.output(X).max(axis=1).mean() < plain.output(X).max(axis=1).mean() - 0.02


@pytest.mark.parametrize("task", ["class", "return"])
def test_early_stopping_uses_the_training_loss_on_the_stopping_rows(task):
    X, returns = rows(400)
    V, unseen = rows(150, 1)
    y, v = (classes(part) if task == "class" else part for part in (returns, unseen))
    model = member(task, replace(SETTINGS, epochs=30, patience=2)).fit(X, y, stopping=StoppingRows(V, v))
    history = model.history
    assert history.stopped == "patience"
    output = model.output(V)
    if task == "class":
        found = -np.log(output[np.arange(150), v]).mean()
    else:
        found = (((output[:, 0] - v) / returns.std()) ** 2).mean()
    assert found == pytest.approx(history.validation_losses[history.best], rel=0.02)


def test_an_interrupted_training_resumes_unless_the_data_differ(tmp_path, caplog):
    X, returns = rows(300)
    y, path = classes(returns), tmp_path / "checkpoint"

    class CutOffError(Exception):
        pass

    def cut(done, total):
        if done == 17:
            raise CutOffError

    settings = replace(SETTINGS, checkpoint_s=0)
    for labels, expected in ((y, 18), (np.roll(y, 1), 1)):
        with pytest.raises(CutOffError):
            member(settings=settings).fit(X, y, checkpoint=path, progress=cut)
        steps = []
        resumed = member(settings=settings).fit(X, labels, checkpoint=path, progress=lambda n, _: steps.append(n))  # noqa: B023
        assert steps[0] == expected
        whole = member(settings=settings).fit(X, labels)
        np.testing.assert_array_equal(resumed.output(X), whole.output(X))
        assert list(tmp_path.iterdir()) == []
    assert "data" in caplog.text


def change_header(content, change):
    """The file with a changed header."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    fields = json.loads(header["__metadata__"]["quorate"])
    change(fields)
    header["__metadata__"]["quorate"] = json.dumps(fields)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(format="quorate-network-9"), "quorate-network-9"),
        (lambda h: h.update(name="nhits"), "nhits"),
        (lambda h: h.update(features=4, reads=[0, 1, 2, 3]), "of shape (48, 3); expected shape (48, 4)"),
        (lambda h: h["settings"].update(width=13), "(8, 12); expected shape (8, 13)"),
        (lambda h: h["settings"].update(layers=3), "of shape none"),
        (lambda h: h["settings"].update(width=-1), "models.lstm.width"),
        (lambda h: h["settings"].update(unknown=1), "unknown"),
        (lambda h: h["settings"].update(width="wide"), "SettingsError"),
        (lambda h: h.pop("features"), "None features"),
        (lambda h: h.update(features=None), "None features"),
        (lambda h: h.update(features=0), "0 features"),
    ],
)
def test_an_invalid_file_is_refused_and_leaves_the_member_unchanged(fitted, tmp_path, change, message):
    path = tmp_path / "lstm.safetensors"
    fitted["class"].save(path)
    path.write_bytes(change_header(path.read_bytes(), change))
    model = member(settings=replace(SETTINGS, window=5))
    with pytest.raises(ModelError) as caught:
        model.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert (model.window, model.columns) == (5, None)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, 2000, -1])
def test_a_truncated_file_is_refused(fitted, tmp_path, keep):
    path = tmp_path / "lstm.safetensors"
    fitted["class"].save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="expected a file of quorate-network-1"):
        member().load(path)


def test_weights_of_nan_are_refused(fitted, tmp_path):
    path = tmp_path / "lstm.safetensors"
    fitted["class"].save(path)
    path.write_bytes(path.read_bytes()[:-4] + struct.pack("<f", float("nan")))
    with pytest.raises(ModelError, match="NaN or infinity in"):
        member().load(path)


def test_loading_sets_the_settings_of_the_file(fitted, tmp_path):
    path = tmp_path / "lstm.safetensors"
    fitted["class"].save(path)
    loaded = member(settings=DocumentedLSTMSettings()).load(path)
    X, _ = rows(50)
    assert (loaded.window, loaded.settings.lstm) == (L, SETTINGS)
    np.testing.assert_array_equal(loaded.output(X), fitted["class"].output(X))


def test_windows_of_another_length_are_refused(fitted):
    X, _ = rows(20)
    shorter = X[:][:, 1:]
    for predict in (fitted["class"].output, OnnxSession(fitted["class"].to_onnx(), F, "lstm").run):
        with pytest.raises(ModelError, match="found windows of 7 bars; expected 8 bars"):
            predict(shorter)
    with pytest.raises(ModelError, match="windows of 7 bars"):
        member().fit(shorter, np.zeros(20, np.int8))


def test_returns_too_large_for_float32_are_refused():
    X, returns = rows(50)
    model = member("return")
    with pytest.raises(ModelError, match="a return of 1e\\+300"):
        model.fit(X, np.r_[returns[:-1], 1e300])
    assert model.columns is None


def test_constant_returns_are_predicted():
    X, _ = rows(100)
    found = member("return").fit(X, np.full(100, 0.02)).predict(X)
    np.testing.assert_allclose(found, 0.02, atol=0.02)


def test_the_graph_has_no_paths_of_the_machine(fitted):
    import onnx

    content = fitted["class"].to_onnx()
    for word in (b"/home", b"/tmp", b"site-packages", b".py", b"torch/"):
        assert word not in content
    graph = onnx.load_from_string(content)
    assert [axis.dim_value for axis in graph.graph.input[0].type.tensor_type.shape.dim] == [0, L, F]
    assert graph.opset_import[0].version == 18
    weights = sum(parameter.numel() for parameter in fitted["class"]._fitted.parameters())
    assert len(content) < 4 * weights + 20_000


def test_a_required_gpu_that_is_missing_is_an_error():
    if torch.cuda.is_available():
        pytest.skip("torch finds a GPU")
    X, returns = rows(50)
    with pytest.raises(ModelError, match="train on a GPU"):
        member(settings=replace(SETTINGS, device="cuda")).fit(X, classes(returns))


def test_windows_are_copied_in_batches(fitted):  # the fixture has completed torch's lazy imports
    """240 MB of windows over 1 MB of bars: training on a few and predicting needs a small part of it."""
    X = np.random.default_rng(0).normal(size=(100_199, 3)).astype(np.float32)
    windows = Windows(X, 3_600_000 * np.arange(len(X)), 200, "1h").at(np.arange(199, len(X)))
    y = np.random.default_rng(1).integers(0, 3, len(windows)).astype(np.int8)
    settings = replace(SETTINGS, window=200, epochs=1, share=1e-3, batch=50)
    tracemalloc.start()
    try:
        model = member(settings=settings).fit(windows, y, stopping=StoppingRows(windows.select(slice(0, 600)), y[:600]))
        model.output(windows.select(slice(0, 600)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert model.history.steps == 2
    assert peak < 40e6
