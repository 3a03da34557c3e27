"""Trainings that begin at the weights of an earlier network."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import ModelError
from quorate.core.settings import DocumentedLSTMSettings, ModelSettings, NHiTSSettings, PatchTSTSettings
from quorate.models import StoppingRows, build

L, F = 8, 3
SHAPES = {
    "lstm": DocumentedLSTMSettings(window=L, width=12, head=8),
    "nhits": NHiTSSettings(window=L, hidden=(8, 8, 8), columns=()),
    "patchtst": PatchTSTSettings(
        window=L, patch=4, stride=4, width=8, heads=2, layers=1, feedforward=16, columns=(), bf16=False
    ),
}
OPTIONS = {"epochs": 3, "share": 1.0, "learning_rate": 0.01, "warm_epochs": 1, "warm_share": 0.5, "warm_rate": 0.1}


def member(name, task="class", seed=1, **options):
    settings = replace(SHAPES[name], **{**OPTIONS, **options})
    return build(name, task, ModelSettings(**{name: settings}), seed=seed, threads=1)


def rows(count, seed=0, scale=1.0):
    random = np.random.default_rng(seed)
    X = (scale * random.normal(size=(count, L, F)) + scale).astype(np.float32)
    returns = 0.01 * X[:, -1, 0] / scale + 0.003 * random.normal(size=count)
    return X, np.digitize(returns, (-0.005, 0.005)).astype(np.int8), returns


@pytest.fixture(scope="module", params=sorted(SHAPES))
def earlier(request):
    X, y, _ = rows(400)
    return member(request.param).fit(X, y)


def test_it_begins_as_the_earlier_network_under_the_earlier_scales(earlier):
    # Rows of another scale: with scales measured again, the same weights would be another function.
    X, y, _ = rows(300, seed=1, scale=3.0)
    warm = member(earlier.name, warm_rate=1e-6).fit(X, y, start=earlier)
    np.testing.assert_allclose(warm.output(X), earlier.output(X), atol=2e-5)
    scales, others = (dict(each._fitted.named_buffers()) for each in (warm, earlier))
    assert any(key.endswith("inverse") for key in scales)
    for key, scale in scales.items():
        np.testing.assert_array_equal(scale.numpy(), others[key].numpy())


def test_it_trains_for_its_own_epochs_at_its_own_rate(earlier):
    X, y, _ = rows(512, seed=1)
    cold, warm = member(earlier.name).fit(X, y), member(earlier.name).fit(X, y, start=earlier)
    assert warm.history.epochs == 1
    assert warm.history.steps == np.ceil(cold.history.steps / 3 / 2)
    assert not np.array_equal(warm.output(X), earlier.output(X))
    assert not np.array_equal(warm.output(X), cold.output(X))


def test_it_gives_the_same_bytes_again_and_depends_on_its_start(earlier, tmp_path):
    X, y, _ = rows(300, seed=1)
    other = member(earlier.name, seed=2).fit(*rows(400)[:2])
    files = []
    for number, start in enumerate((earlier, earlier, other)):
        member(earlier.name).fit(X, y, start=start).save(tmp_path / str(number))
        files.append((tmp_path / str(number)).read_bytes())
    assert files[0] == files[1]
    assert files[0] != files[2]


class KilledError(Exception):
    pass


def interrupted(earlier, X, y, path, start):
    def kill(done, total):
        if done == 2:
            raise KilledError

    with pytest.raises(KilledError):
        member(earlier.name, batch=32, checkpoint_s=0.0).fit(X, y, progress=kill, checkpoint=path, start=start)
    assert path.exists()


def test_an_interrupted_training_resumes_to_the_same_bytes(earlier, tmp_path):
    X, y, _ = rows(300, seed=1)
    path = tmp_path / "checkpoint"
    interrupted(earlier, X, y, path, earlier)
    said = []
    resumed = member(earlier.name, batch=32).fit(
        X, y, progress=lambda done, _: said.append(done), checkpoint=path, start=earlier
    )
    assert said[0] == 3
    straight = member(earlier.name, batch=32).fit(X, y, start=earlier)
    np.testing.assert_array_equal(resumed.output(X), straight.output(X))


def test_a_checkpoint_of_another_start_is_not_resumed(earlier, tmp_path, caplog):
    X, y, _ = rows(300, seed=1)
    path = tmp_path / "checkpoint"
    interrupted(earlier, X, y, path, earlier)
    other = member(earlier.name, seed=2).fit(*rows(400)[:2])
    with caplog.at_level(logging.WARNING):
        resumed = member(earlier.name, batch=32).fit(X, y, checkpoint=path, start=other)
    assert "is of another run" in caplog.text
    assert "start" in caplog.text
    straight = member(earlier.name, batch=32).fit(X, y, start=other)
    np.testing.assert_array_equal(resumed.output(X), straight.output(X))


def test_returns_keep_their_scale():
    X, _, returns = rows(300)
    earlier = member("lstm", "return").fit(X, returns)
    warm = member("lstm", "return", warm_rate=1e-6).fit(X, 5 * returns, start=earlier)
    np.testing.assert_allclose(warm.output(X), earlier.output(X), atol=1e-5)


def test_the_phases_before_training_are_those_of_the_earlier_network():
    X, y, _ = rows(300)
    options = {"pretrain_epochs": 2, "probe_epochs": 1}
    earlier = member("patchtst", **options).fit(X, y)
    said = []
    member("patchtst", **options).fit(X, y, start=earlier, progress=lambda _, total: said.append(total))
    assert set(said) == {1}


def test_starts_that_do_not_fit_are_refused():
    X, y, returns = rows(200)
    earlier = member("lstm").fit(X, y)
    named = member("lstm")
    named.feature_names = ("a", "b", "c")
    renamed = member("lstm").fit(X, y)
    renamed.feature_names = ("a", "b", "x")
    trees = build("xgboost", "class", ModelSettings(), seed=1, threads=1)
    for model, start, target, words in (
        (member("lstm"), member("nhits").fit(X, y), y, "found the model 'nhits'; expected 'lstm'"),
        (member("lstm", "return"), earlier, returns, "found the task 'class'; expected 'return'"),
        (member("lstm"), member("lstm").fit(X[:, :, :2], y), y, "found the width 2; expected 3"),
        (member("lstm"), member("lstm", window=4).fit(X[:, :4], y), y, "found the window 4; expected 8"),
        (
            member("lstm"),
            member("lstm", width=10).fit(X, y),
            y,
            r"shape \(8, 10\); expected shape \(8, 12\)",
        ),
        (named, renamed, y, r"found the columns \('a', 'b', 'x'\)"),
        (member("lstm", warm_epochs=0), earlier, y, "found lstm, which begins anew"),
        (member("lstm"), member("lstm"), y, "found the width None"),
    ):
        with pytest.raises(ModelError, match=words):
            model.fit(X, target, start=start)
    with pytest.raises(ModelError, match="found xgboost, which begins anew"):
        trees.fit(X[:, -1], y, start=trees)


def test_stopping_rows_stop_a_warm_training_too(earlier):
    X, y, _ = rows(300, seed=1)
    stopping = StoppingRows(*rows(100, seed=2)[:2])
    warm = member(earlier.name, warm_epochs=30, warm_rate=1.0, patience=1).fit(X, y, stopping=stopping, start=earlier)
    assert len(warm.history.validation_losses) == round(warm.history.epochs)
