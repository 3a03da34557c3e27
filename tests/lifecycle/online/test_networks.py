"""A bundle whose network learns on: a few steps from its weights, a bounded buffer, and a file that survives kills."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import DataError, ModelError, SettingsError
from quorate.core.sections.online import ONLINE_NETWORKS
from quorate.core.settings import ModelSettings, OnlineSettings
from quorate.ensemble.inference.loading import load_bundle
from quorate.lifecycle.online import OnlineLearner, StateFile
from quorate.lifecycle.online.members import OnlineMember, newest_of, read_members
from quorate.lifecycle.online.replay import ReplayBuffer
from quorate.models import build
from quorate.models.runtime import OnnxSession

ONLINE = OnlineSettings(every_bars=6, trees=3, least_rows=50, replay_windows=60, network_rate=0.3)
OF = {"bundle": "b", "challenge": "c"}


@pytest.fixture(scope="module")
def bundle(world):
    return load_bundle(world.bundle)


def markets_at(world, bar):
    return [candles.between(bar - 499 * HOUR_MS, bar + HOUR_MS) for candles in world.panel.values()]


def first_update(world):
    step = ONLINE.every_bars * HOUR_MS
    return -(-world.end // step) * step + 2 * step


def decide(world, learner, bar):
    return learner.decide(markets_at(world, bar), bar + HOUR_MS)


def scores(signals, model):
    return np.array([vote.scores for signal in signals for vote in signal.votes if vote.model == model])


def test_a_network_takes_a_few_steps_and_the_loss_of_what_it_learnt_falls(world, bundle):
    bar = first_update(world)
    member = read_members(bundle, ("nhits",))["nhits"]
    made = OnlineLearner(bundle, ONLINE)
    frozen = bundle.predict_many(markets_at(world, bar), now=bar + HOUR_MS)
    learnt = decide(world, made, bar)
    apart = np.abs(scores(learnt, "nhits") - scores(frozen, "nhits"))
    assert 0 < apart.max() < 0.05, "a few steps at a low rate"
    assert set(made.state.natives) == {"xgboost", "lightgbm", "nhits"}
    assert made.state.rows["windows"] == 2 * ONLINE.every_bars, "the newest six labels of both markets"
    # As many steps as it takes, on the same windows: the loss on them falls.
    rows = made.rows(markets_at(world, bar), bar)
    chosen = rows.places(24)[-64:]
    X, y = np.asarray(rows.inputs.at(rows.labelled[chosen], 24)), rows.y[chosen]
    taught = member.with_steps(X, y, replace(ONLINE, passes=30, network_rate=1.0), seed=1)
    losses = [-np.log(one.model.predict_proba(X)[np.arange(len(y)), y]).mean() for one in (member, taught)]
    assert losses[1] < losses[0] - 0.02
    # Scales and class shares are those of the bundle.
    ours, theirs = (one.model._fitted.state_dict() for one in (taught, member))
    kept = [name for name in theirs if "scale" in name or "offset" in name]
    assert kept
    assert all(bool((ours[name] == theirs[name]).all()) for name in kept)
    assert taught.model.settings == member.model.settings, "its file describes the bundle's training"


@pytest.mark.parametrize("name", ONLINE_NETWORKS)
def test_every_network_learns_on_and_is_restored(name):
    random = np.random.default_rng(0)
    model = build(name, "class", ModelSettings(), seed=1, threads=1)
    X = newest_of(random.normal(size=(40, max(model.window, 2), 5)).astype(np.float32), model.window)
    y = random.integers(0, 3, 40).astype(np.int8)
    member = OnlineMember(model.fit(X, y), 0.5)
    before = member.native
    taught = member.with_steps(X, y, replace(ONLINE, network_rate=1.0), seed=2)
    assert member.native == before, "the bundle's own is not changed"
    assert taught.native != before
    restored = member.restored(taught.native)
    np.testing.assert_array_equal(restored.model.output(X), taught.model.output(X))
    taught.require_same_scores(OnnxSession(taught.graph(), 5, name), X)
    with pytest.raises(ModelError, match="rows off"):
        taught.require_same_scores(OnnxSession(member.graph(), 5, name), X)


def test_kills_leave_the_same_file_and_the_same_scores(world, bundle, tmp_path):
    start, bars = first_update(world) + HOUR_MS, 20
    running = OnlineLearner(bundle, ONLINE)
    running.keep_in(StateFile(tmp_path / "whole", OF), None)
    expected = [decide(world, running, start + hour * HOUR_MS) for hour in range(bars)]
    file, last, found = StateFile(tmp_path / "parts", OF), None, []
    for hour in range(bars):
        bar = start + hour * HOUR_MS
        if hour in (0, 1, 5, 6, 13):  # at an update, beside it, and between two
            killed = OnlineLearner(bundle, ONLINE)
            killed.keep_in(file, last)
        found.append(decide(world, killed, bar))
        if hour == 5:
            # Killed after the update of a bar whose decision was lost: the bar is decided again.
            killed.bundle_at(bar + HOUR_MS, markets_at(world, bar + HOUR_MS))
        last = bar
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    for ours, theirs in zip(found, expected, strict=True):
        for model in ("xgboost", "lightgbm", "nhits"):
            np.testing.assert_array_equal(scores(ours, model), scores(theirs, model))


def test_nothing_grows_over_many_updates(world, bundle, tmp_path):
    file, start, sizes = tmp_path / "state", first_update(world), []
    made = OnlineLearner(bundle, ONLINE)
    made.keep_in(StateFile(file, OF), None)
    trained = {name: len(member.native) for name, member in read_members(bundle, ONLINE.learning).items()}
    threads = None
    for update in range(24):
        bar = start + update * ONLINE.every_bars * HOUR_MS
        decide(world, made, bar)
        assert len(made.state.replay) == 60
        sizes.append(file.stat().st_size)
        trees = read_members(bundle, ONLINE.learning)["xgboost"].restored(made.state.natives["xgboost"])
        assert trees.model._booster.num_boosted_rounds() == 12 + ONLINE.trees
        assert len(made.state.natives["nhits"]) == trained["nhits"]
        threads = threads or threading.active_count()
    assert threading.active_count() <= threads + 2
    assert max(sizes) < 1.02 * min(sizes), "trees of other shapes, and nothing else"
    assert made.state.updates == 24
    assert made.state.replay.seen > 24 * 2 * ONLINE.every_bars


def test_the_buffer_is_an_even_sample_of_all_that_it_was_given():
    random = np.random.default_rng(0)
    kept = np.zeros(10)
    for _ in range(400):
        buffer = ReplayBuffer.empty(20, 1, 1)
        for part in range(10):
            X = np.full((30, 1, 1), part, np.float32)
            buffer = buffer.with_windows(X, np.full(30, part % 3, np.int8), random)
        assert (len(buffer), buffer.seen) == (20, 300)
        np.testing.assert_array_equal(buffer.X[:, 0, 0].astype(int) % 3, buffer.y)
        kept += np.bincount(buffer.X[:, 0, 0].astype(int), minlength=10)
    # 800 of each part are expected; a standard deviation is about 26.
    assert np.abs(kept - 800).max() < 130
    X, y = buffer.drawn(7, random)
    assert len(X) == len(y) == 7
    assert not len(ReplayBuffer.empty(0, 1, 1).with_windows(X, y, random))


def test_what_was_learnt_is_refused_where_it_does_not_fit(world, bundle, tmp_path):
    bar, path = first_update(world), tmp_path / "state"
    made = OnlineLearner(bundle, ONLINE)
    made.keep_in(StateFile(path, OF), None)
    decide(world, made, bar)

    def resumed(last=bar, settings=ONLINE, of=OF, path=path):
        OnlineLearner(bundle, settings).keep_in(StateFile(path, of), last)

    resumed()
    with pytest.raises(DataError, match="expected a writable folder"):
        resumed(path=path / "below a file", last=None)
    with pytest.raises(DataError, match="no such file"):
        resumed(path=tmp_path / "none")
    with pytest.raises(DataError, match=r"the state of .*challenge of another name"):
        resumed(last=bar - 2 * HOUR_MS)
    with pytest.raises(DataError, match="settings"):
        resumed(settings=replace(ONLINE, trees=4))
    with pytest.raises(DataError, match="found the challenge c; expected d"):
        resumed(of={**OF, "challenge": "d"})
    with pytest.raises(DataError, match="a later bar"):
        made.bundle_at(bar - HOUR_MS, markets_at(world, bar - HOUR_MS))
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="does not match its digest"):
        resumed()


def test_settings_name_members_that_can_learn_on():
    assert OnlineSettings().learning[:4] == ("xgboost", "lightgbm", "nhits", "patchtst")
    assert "logistic" not in OnlineSettings().learning
    with pytest.raises(SettingsError, match=r"'logistic'.*some of xgboost"):
        OnlineSettings(members=("nhits", "logistic"))


def test_no_training_library_is_imported_before_something_is_learnt():
    program = (
        "import sys, quorate.lifecycle.online, quorate.lifecycle.challenge.status\n"
        "print([name for name in ('torch', 'xgboost', 'lightgbm', 'safetensors') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
