"""Publishing what a challenger has learnt: only after its victory or by force, as a bundle like any other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from quorate.cli.app import app
from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.errors import ArgumentError, BundleError, DataError, TrainingSpanError
from quorate.core.settings import ChallengeSettings, OnlineSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.inference.loading import load_bundle
from quorate.evaluation.cards.write_card import read_card
from quorate.lifecycle.challenge import Challenge
from quorate.lifecycle.online import OnlineLearner, StateFile

ONLINE = OnlineSettings(every_bars=24, trees=3, least_rows=50)


def challenge_of(place, folder, name, alpha=1e-5):
    online = replace(ONLINE, folder=str(folder / "online"))
    terms = ChallengeSettings(alpha=alpha, horizon_bars=190)
    settings = replace(place.settings, online=online, challenge=terms)
    return Challenge(name, f"sqlite:///{folder / 'journal.sqlite'}", settings=settings)


def run(place, challenge, champion, challenger, bars, *, online=True):
    return challenge.run(
        champion, challenger, place.data, online=online, start=place.end, end=place.end + bars * HOUR_MS
    )


@pytest.fixture(scope="module")
def won(arena, tmp_path_factory):
    """A challenge that a bundle of more trees has won as it learnt on."""
    folder = tmp_path_factory.mktemp("won")
    challenge = challenge_of(arena, folder, "won", alpha=0.5)
    status = run(arena, challenge, arena.champion, arena.challenger, 195)
    assert status.verdict == "challenger"
    return challenge, status, BundleStore(arena.challenger.parent)


def test_the_winner_is_a_bundle_that_scores_as_the_learner_did(arena, won):
    challenge, status, store = won
    assert "quorate challenge publish" in status.headline.text()
    found = challenge.publish(store)
    manifest = store.verify(found.manifest.id)
    base = store.manifest(arena.challenger.name)
    assert found.champion == store.champion() == base.id, "nothing is promoted"
    origin = manifest.settings["learnt_on"]
    assert (origin["bundle"], origin["challenge"], origin["verdict"]) == (base.id, "won", "challenger")
    assert origin["members"] == ["lightgbm", "xgboost"]
    assert found.to_json()["learnt_on"] == origin
    # Its training span ends at the last update, a multiple of 24 hours.
    last = arena.end + status.to_json()["bars"] * HOUR_MS - HOUR_MS
    assert manifest.training_end == manifest.fitted_until == last // (24 * HOUR_MS) * 24 * HOUR_MS > base.training_end
    assert "xgboost" not in manifest.metrics, "figures of a training that had other trees"
    assert manifest.metrics["probabilities"] == base.metrics["probabilities"]

    published, learner = load_bundle(found.path), OnlineLearner(load_bundle(arena.challenger), ONLINE)
    markets = [each.between(last - 499 * HOUR_MS, last + HOUR_MS) for each in arena.market.panel().values()]
    expected = learner.decide(markets, last + HOUR_MS)
    assert published.predict_many(markets, now=last + HOUR_MS) == expected
    before = [each.between(end=manifest.training_end) for each in markets]
    with pytest.raises(TrainingSpanError):
        published.predict_many(before, now=manifest.training_end)

    card = read_card(found.path)
    (section,) = [each for each in card.sections if each.title == "How to reproduce it"]
    assert f"learnt on from the bundle {base.id} in the challenge 'won'" in " ".join(section.text)
    assert not any("learnt_on" in code for code in section.code)
    assert (found.path / "card.md").exists()

    assert challenge.publish(store).manifest.id == manifest.id, "the same document"
    store.promote(manifest.id)
    assert store.champion() == manifest.id
    store.rollback()


def test_before_a_victory_it_takes_force_and_a_reason(world, tmp_path):
    """With a network among the members, through the command."""
    challenge, store = challenge_of(world, tmp_path, "open"), BundleStore(world.bundle.parent)
    with pytest.raises(DataError, match="no file"):
        _forced_without_state(world, tmp_path, store)
    run(world, challenge, world.bundle, world.bundle, 26)
    with pytest.raises(ArgumentError, match="no verdict yet; expected the verdict challenger"):
        challenge.publish(store)
    with pytest.raises(ArgumentError, match="force without a reason"):
        challenge.publish(store, force=True)
    with pytest.raises(BundleError, match="no such bundle"):
        challenge.publish(tmp_path, force=True, why="to see it")
    arguments = ["challenge", "publish", "--name", "open", "--journal", challenge.url, "--bundles", str(store.folder)]
    environment = {"QUORATE_ONLINE__FOLDER": str(tmp_path / "online")}
    done = CliRunner().invoke(app, [*arguments, "--force", "--why", "to see it", "--json"], env=environment)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    origin = document["learnt_on"]
    assert (origin["verdict"], origin["forced"]) == ("open", "to see it")
    assert origin["members"] == ["lightgbm", "nhits", "xgboost"]
    assert document["champion"] == world.bundle.name
    assert store.history()[-1].why == "to see it"
    # The network of the bundle is the one that decided.
    published, bar = load_bundle(store.path(document["bundle"])), world.end + 25 * HOUR_MS
    markets = [each.between(bar - 499 * HOUR_MS, bar + HOUR_MS) for each in world.panel.values()]
    learner = OnlineLearner(load_bundle(world.bundle), ONLINE)
    start = world.end + 12 * HOUR_MS
    for hour in (start, bar):
        cut = [each.between(hour - 499 * HOUR_MS, hour + HOUR_MS) for each in world.panel.values()]
        expected = learner.decide(cut, hour + HOUR_MS)
    assert iso_ms(learner.state.bar) == origin["bar"]
    found = published.predict_many(markets, now=bar + HOUR_MS)
    assert [signal.probabilities for signal in found] == [signal.probabilities for signal in expected]
    np.testing.assert_array_equal(
        [[vote.scores for vote in signal.votes] for signal in found],
        [[vote.scores for vote in signal.votes] for signal in expected],
    )
    assert challenge.stop(who="ann", note="enough").verdict == "stopped"
    with pytest.raises(ArgumentError, match="the verdict stopped: by ann: enough"):
        challenge.publish(store)
    text = CliRunner().invoke(app, [*arguments, "--force", "--why", "to see it"], env=environment)
    assert f": lightgbm, nhits, xgboost of {world.bundle.name}, which learnt on to 20" in text.stdout
    assert "in 2 updates; verdict stopped" in text.stdout


def _forced_without_state(world, tmp_path, store):
    challenge = challenge_of(world, tmp_path, "lost")
    run(world, challenge, world.bundle, world.bundle, 2)
    for file in (tmp_path / "online").iterdir():
        file.unlink()
    challenge.publish(store, force=True, why="to see it")


def test_a_challenger_that_learns_nothing_has_nothing_to_publish(arena, tmp_path):
    challenge = challenge_of(arena, tmp_path, "plain")
    run(arena, challenge, arena.champion, arena.challenger, 2, online=False)
    with pytest.raises(ArgumentError, match=r"which learns nothing.*quorate bundle promote"):
        challenge.publish(arena.challenger.parent, force=True, why="to see it")


def test_a_challenge_is_not_resumed_without_what_it_had_learnt(world, tmp_path):
    challenge = challenge_of(world, tmp_path, "resumed")
    run(world, challenge, world.bundle, world.bundle, 3)
    (file,) = (tmp_path / "online").iterdir()
    assert StateFile(file, {"bundle": world.bundle.name}).read().updates == 1
    file.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="no such file"):
        run(world, challenge, world.bundle, world.bundle, 5)
