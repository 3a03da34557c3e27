"""A bundle whose trees learn on: only from matured labels, the same trees after a kill, and in a challenge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError
from quorate.core.settings import ChallengeSettings, OnlineSettings
from quorate.ensemble.inference.loading import load_bundle
from quorate.lifecycle.challenge import Challenge
from quorate.lifecycle.online import OnlineLearner

ONLINE = OnlineSettings(every_bars=12, trees=3, least_rows=50)


@pytest.fixture(scope="module")
def bundle(arena):
    return load_bundle(arena.challenger)


def markets_at(arena, bar):
    """The newest 500 candles of every market, up to a bar."""
    return [candles.between(bar - 499 * HOUR_MS, bar + HOUR_MS) for candles in arena.market.panel().values()]


def learner(bundle, **changes):
    return OnlineLearner(bundle, replace(ONLINE, **changes))


def first_fit(arena):
    """The first bar at or after the training at which a learner fits."""
    step = ONLINE.every_bars * HOUR_MS
    return -(-arena.end // step) * step + 2 * step


def scores(signals):
    return [vote.scores for signal in signals for vote in signal.votes]


def test_it_learns_from_labels_that_the_bar_has_made_known_and_no_later_ones(arena, bundle):
    bar, horizon = first_fit(arena), bundle.manifest.target.horizon
    made = learner(bundle)
    markets = markets_at(arena, bar)
    X, y = made.rows(markets, bar)
    assert len(X) == len(y) > 50
    # Whatever comes later, nothing that is learnt changes; the newest bar itself decides the newest label.
    X_later, y_later = made.rows(markets_at(arena, bar + 11 * HOUR_MS), bar)
    np.testing.assert_array_equal(X, X_later)
    np.testing.assert_array_equal(y, y_later)
    window = 498 - ONLINE.every_bars
    assert len(y) == len(markets) * (window - bundle.features.warmup - horizon)


def test_the_trees_are_the_same_after_a_kill_between_two_fits(arena, bundle):
    bar = first_fit(arena)
    running = learner(bundle)
    running.decide(markets_at(arena, bar), bar + HOUR_MS)
    later = bar + 9 * HOUR_MS
    expected = running.decide(markets_at(arena, later), later + HOUR_MS)
    resumed = learner(bundle).decide(markets_at(arena, later), later + HOUR_MS)
    assert scores(resumed) == scores(expected)


def test_it_changes_the_scores_at_a_fit_and_only_there(arena, bundle):
    bar = first_fit(arena)
    made = learner(bundle)
    frozen = bundle.predict_many(markets_at(arena, bar), now=bar + HOUR_MS)
    learnt = made.decide(markets_at(arena, bar), bar + HOUR_MS)
    assert scores(learnt) != scores(frozen)
    assert [signal.votes[0].model for signal in learnt] == ["xgboost"] * len(learnt)
    fits = set()
    for hours in range(13):
        later = bar + hours * HOUR_MS
        made.decide(markets_at(arena, later), later + HOUR_MS)
        fits.add(made._learnt[0])
    assert fits == {bar, bar + 12 * HOUR_MS}


def test_with_few_rows_it_decides_as_the_bundle_does(arena, bundle):
    bar = first_fit(arena)
    made = learner(bundle, least_rows=1_000_000)
    markets = markets_at(arena, bar)
    assert scores(made.decide(markets, bar + HOUR_MS)) == scores(bundle.predict_many(markets, now=bar + HOUR_MS))


def test_what_cannot_learn_on(arena):
    far, loose = load_bundle(arena.challenger), load_bundle(arena.challenger)
    far.features = replace(far.features, warmup=485)
    with pytest.raises(ArgumentError, match=r"features that need 485.*online\.every_bars lower"):
        learner(far)
    loose.folder = None
    with pytest.raises(ArgumentError, match="the folder of a bundle"):
        learner(loose)


def test_a_challenge_of_a_bundle_by_itself_as_it_learns_on(arena, tmp_path):
    """Interrupted in the middle, with the same evidence as without."""
    settings = replace(arena.settings, online=ONLINE, challenge=ChallengeSettings(alpha=1e-5, horizon_bars=20))
    found = []
    for name, parts in (("whole", (22,)), ("parts", (7, 22))):
        challenge = Challenge(name, f"sqlite:///{tmp_path / name}.sqlite", settings=settings)
        for bars in parts:
            status = challenge.run(
                arena.challenger,
                arena.challenger,
                arena.data,
                online=True,
                start=arena.end,
                end=arena.end + bars * HOUR_MS,
            )
        found.append(status.to_json())
    assert found[0]["challenger"] == f"{found[0]['champion']}-online"
    assert found[0]["log_loss"]["n"] == 15
    assert found[0]["log_loss"]["difference"] != 0
    assert found[1]["log_loss"] == found[0]["log_loss"]
