"""What all networks share as members, shown on the LSTM: scales, weights, files, windows."""

import json
import struct
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from quorate.core.errors import ModelError
from quorate.core.settings import LSTMSettings, ModelSettings
from quorate.core.types import Action
from quorate.features import Windows
from quorate.models import StoppingRows, build
from quorate.models.runtime import OnnxSession, require_same

L, F = 8, 3
SETTINGS = LSTMSettings(window=L, epochs=3, width=12, head=8, learning_rate=0.01)


def member(task="class", settings=SETTINGS, seed=1):
    return build("lstm", task, ModelSettings(lstm=settings), seed=seed, threads=1)


def rows(count, seed=0):
    """Windows of a random walk's features, as views of one matrix, and the returns that follow them."""
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
def test_views_and_their_copy_give_the_same(fitted, task):
    X, returns = rows(400)
    y = classes(returns) if task == "class" else returns
    copied = member(task).fit(X[:], y)
    np.testing.assert_array_equal(copied.output(X[:]), fitted[task].output(X))
    session = OnnxSession(fitted[task].to_onnx(), F, "lstm")
    assert (session.window, session.batch) == (L, type(copied).batch)
    np.testing.assert_array_equal(session.run(X), session.run(X[:]))
    require_same(fitted[task].output(X), session.run(X), "lstm")


def test_what_is_standardised_by_comes_from_the_newest_bars_of_the_training_windows(fitted):
    X, _ = rows(400)
    bars = X[:][:, -1].astype(np.float64)
    standardised = fitted["class"]._answers.standardised
    # 0.1 % of 400 rows is less than one of them: the quantile is the inner neighbour of the outermost row.
    low, high = np.sort(bars, axis=0)[[1, -2]]
    held = np.clip(bars, low, high)
    np.testing.assert_array_equal(standardised.low.numpy(), low.astype(np.float32))
    np.testing.assert_array_equal(standardised.high.numpy(), high.astype(np.float32))
    np.testing.assert_allclose(standardised.mean.numpy(), held.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(1 / standardised.inverse.numpy(), held.std(axis=0), rtol=1e-5)


def test_one_wild_row_is_not_felt():
    X, returns = rows(400)
    wild = X[:]
    wild[7, -1] = 1e30
    model = member().fit(wild, classes(returns))
    assert float(model._answers.standardised.high.max()) < 200
    assert np.isfinite(model.output(wild)).all()


def test_a_feature_that_never_moves_is_no_reason_to_fail():
    X, returns = rows(300)
    still = X[:]
    still[:, :, 1] = 7.5
    assert np.isfinite(member().fit(still, classes(returns)).output(still)).all()


def test_a_class_network_starts_at_the_shares_of_its_classes(fitted):
    _, returns = rows(400)
    shares = np.bincount(classes(returns), minlength=3) / 400
    np.testing.assert_allclose(fitted["class"]._answers.standardised.offset.numpy(), np.log(shares), rtol=1e-5)


def test_a_class_that_never_was_is_next_to_impossible():
    X, returns = rows(300)
    y = np.where(returns > 0, Action.BUY, Action.HOLD).astype(np.int8)
    assert member().fit(X, y).predict_proba(X)[:, Action.SELL].max() < 1e-15


def test_returns_come_back_in_their_own_unit():
    """Percent are learned as fractions are, and are said as percent."""
    X, returns = rows(300)
    small, large = (member("return").fit(X, unit * returns + 3 * unit).predict(X) for unit in (1, 128))
    np.testing.assert_allclose(large, 128 * small, rtol=1e-4)
    assert np.corrcoef(small, returns)[0, 1] > 0.7
    assert small.mean() == pytest.approx(3, abs=0.01)


def test_rows_of_weight_zero_might_as_well_not_be_there(tmp_path):
    X, returns = rows(300)
    y = classes(returns)
    weight = np.r_[np.full(200, 2.0), np.zeros(100)]
    found = []
    for one in (
        member().fit(X, y, weight=weight),
        member().fit(X.select(np.arange(200)), y[:200], weight=np.ones(200)),
        member().fit(X, np.r_[y[:200], np.zeros(100, np.int8)], weight=weight / 7),
    ):
        one.save(tmp_path / "file")
        found.append((tmp_path / "file").read_bytes())
    assert found[0] == found[1] == found[2]


def test_balanced_classes_are_said_alike():
    """One in ten is BUY and nothing tells which: as they come the scores are the shares, balanced they are even."""
    X, _ = rows(600)
    y = np.where(np.arange(600) % 10 == 0, Action.BUY, Action.HOLD).astype(np.int8)
    plain, balanced = (
        member(settings=replace(SETTINGS, balanced=balanced)).fit(X, y).predict_proba(X)[:, Action.BUY].mean()
        for balanced in (False, True)
    )
    assert plain == pytest.approx(0.1, abs=0.05)
    assert balanced == pytest.approx(0.5, abs=0.12)


def test_focal_loss_is_learned_by_where_asked_for():
    X, returns = rows(300)
    focal = member(settings=replace(SETTINGS, loss="focal", focal_gamma=3.0)).fit(X, classes(returns))
    plain = member().fit(X, classes(returns))
    # Less sure of itself: what is nearly known counts for next to nothing.
    assert focal.output(X).max(axis=1).mean() < plain.output(X).max(axis=1).mean() - 0.02


@pytest.mark.parametrize("task", ["class", "return"])
def test_it_stops_by_later_rows_in_the_loss_it_learns_by(task):
    X, returns = rows(400)
    later, further = rows(150, 1)
    y, after = (classes(one) if task == "class" else one for one in (returns, further))
    model = member(task, replace(SETTINGS, epochs=30, patience=2)).fit(X, y, later=StoppingRows(later, after))
    history = model.history
    assert history.stopped == "patience"
    output = model.output(later)
    if task == "class":
        found = -np.log(output[np.arange(150), after]).mean()
    else:
        found = (((output[:, 0] - after) / returns.std()) ** 2).mean()
    assert found == pytest.approx(history.later[history.best], rel=0.02)


def test_an_interrupted_training_goes_on_and_another_data_set_begins_anew(tmp_path, caplog):
    X, returns = rows(300)
    y, path = classes(returns), tmp_path / "checkpoint"

    class CutOffError(Exception):
        pass

    def cut(done, total):
        if done == 17:
            raise CutOffError

    settings = replace(SETTINGS, checkpoint_s=0)
    for given, expected in ((y, 18), (np.roll(y, 1), 1)):
        with pytest.raises(CutOffError):
            member(settings=settings).fit(X, y, checkpoint=path, progress=cut)
        steps = []
        again = member(settings=settings).fit(X, given, checkpoint=path, progress=lambda n, _: steps.append(n))  # noqa: B023
        assert steps[0] == expected
        whole = member(settings=settings).fit(X, given)
        np.testing.assert_array_equal(again.output(X), whole.output(X))
        assert list(tmp_path.iterdir()) == []
    assert "data" in caplog.text


def spoil_header(content, change):
    """The file with another header."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    told = json.loads(header["__metadata__"]["quorate"])
    change(told)
    header["__metadata__"]["quorate"] = json.dumps(told)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda h: h.update(format="quorate-network-9"), "quorate-network-9"),
        (lambda h: h.update(name="nhits"), "nhits"),
        (lambda h: h.update(features=4), "of shape (3,); expected shape (4,)"),
        (lambda h: h["settings"].update(width=13), "(8, 12); expected shape (8, 13)"),
        (lambda h: h["settings"].update(layers=3), "of shape none"),
        (lambda h: h["settings"].update(width=-1), "models.lstm.width"),
        (lambda h: h["settings"].update(unknown=1), "unknown"),
        (lambda h: h["settings"].update(width="wide"), "TypeError"),
        (lambda h: h.pop("features"), "None features"),
        (lambda h: h.update(features=None), "None features"),
        (lambda h: h.update(features=0), "0 features"),
    ],
)
def test_a_file_of_something_else_is_refused_and_the_member_stays_as_it_was(fitted, tmp_path, change, told):
    path = tmp_path / "lstm.safetensors"
    fitted["class"].save(path)
    path.write_bytes(spoil_header(path.read_bytes(), change))
    one = member(settings=replace(SETTINGS, window=5))
    with pytest.raises(ModelError) as caught:
        one.load(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert (one.window, one.columns) == (5, None)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, 2000, -1])
def test_a_file_cut_short_is_refused(fitted, tmp_path, keep):
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


def test_a_file_brings_its_own_settings(fitted, tmp_path):
    path = tmp_path / "lstm.safetensors"
    fitted["class"].save(path)
    loaded = member(settings=LSTMSettings()).load(path)
    X, _ = rows(50)
    assert (loaded.window, loaded.settings.lstm) == (L, SETTINGS)
    np.testing.assert_array_equal(loaded.output(X), fitted["class"].output(X))


def test_windows_of_another_length_are_refused(fitted):
    X, _ = rows(20)
    shorter = X[:][:, 1:]
    for ask in (fitted["class"].output, OnnxSession(fitted["class"].to_onnx(), F, "lstm").run):
        with pytest.raises(ModelError, match="found windows of 7 bars; expected 8 bars"):
            ask(shorter)
    with pytest.raises(ModelError, match="windows of 7 bars"):
        member().fit(shorter, np.zeros(20, np.int8))


def test_returns_that_cannot_be_are_refused_and_nothing_is_learned():
    X, returns = rows(50)
    model = member("return")
    with pytest.raises(ModelError, match="a return of 1e\\+300"):
        model.fit(X, np.r_[returns[:-1], 1e300])
    assert model.columns is None


def test_returns_that_never_move_are_said_again():
    X, _ = rows(100)
    found = member("return").fit(X, np.full(100, 0.02)).predict(X)
    np.testing.assert_allclose(found, 0.02, atol=0.02)


def test_the_graph_tells_nothing_of_where_it_was_made(fitted):
    import onnx

    content = fitted["class"].to_onnx()
    for word in (b"/home", b"/tmp", b"site-packages", b".py", b"torch/"):
        assert word not in content
    graph = onnx.load_from_string(content)
    assert [axis.dim_value for axis in graph.graph.input[0].type.tensor_type.shape.dim] == [0, L, F]
    assert graph.opset_import[0].version == 18
    weights = sum(parameter.numel() for parameter in fitted["class"]._answers.parameters())
    assert len(content) < 4 * weights + 20_000


def test_a_gpu_that_is_not_there_is_said_so():
    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU here")
    X, returns = rows(50)
    with pytest.raises(ModelError, match="train on a GPU"):
        member(settings=replace(SETTINGS, device="cuda")).fit(X, classes(returns))


def test_windows_are_never_all_copied(fitted):  # by then, torch has imported what it imports late
    """240 MB of windows over 1 MB of bars: learning from a few and answering needs a small part of it."""
    X = np.random.default_rng(0).normal(size=(100_199, 3)).astype(np.float32)
    windows = Windows(X, 3_600_000 * np.arange(len(X)), 200, "1h").at(np.arange(199, len(X)))
    y = np.random.default_rng(1).integers(0, 3, len(windows)).astype(np.int8)
    settings = replace(SETTINGS, window=200, epochs=1, share=1e-3, batch=50)
    tracemalloc.start()
    try:
        model = member(settings=settings).fit(windows, y, later=StoppingRows(windows.select(slice(0, 600)), y[:600]))
        model.output(windows.select(slice(0, 600)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert model.history.steps == 2
    assert peak < 40e6
