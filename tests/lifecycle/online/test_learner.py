"""A bundle whose trees learn on: only from matured labels, the same trees after a kill, and in a challenge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError, ModelError
from quorate.core.settings import ChallengeSettings, OnlineSettings
from quorate.ensemble.inference.loading import load_bundle
from quorate.lifecycle.challenge import Challenge
from quorate.lifecycle.online import OnlineLearner

ONLINE = OnlineSettings(every_bars=12, trees=3, least_rows=50)


@pytest.fixture(scope="module")
def bundle(arena):
    return load_bundle(arena.challenger)


def markets_at(place, bar):
    """The newest 500 candles of every market of the arena or the world, up to a bar."""
    panel = place.panel if hasattr(place, "panel") else place.market.panel()
    return [candles.between(bar - 499 * HOUR_MS, bar + HOUR_MS) for candles in panel.values()]


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
    rows = made.rows(markets, bar)
    window = 498 - ONLINE.every_bars
    assert len(rows) == len(markets) * (window - bundle.features.warmup - horizon) > 50
    # The newest bar itself decides the newest label.
    times = rows.inputs.time[rows.labelled]
    assert times.max() == bar - horizon * HOUR_MS
    np.testing.assert_array_equal(rows.known_at, times + horizon * HOUR_MS)
    for candles, number in zip(sorted(markets, key=lambda each: each.symbol), range(len(markets)), strict=True):
        own = rows.inputs.symbol[rows.labelled] == number
        np.testing.assert_array_equal(rows.y[own], labels_by_hand(candles, times[own], bundle.manifest.target))


def labels_by_hand(candles, times, target):
    """SELL, HOLD and BUY by the return from a close to that of `horizon` bars later."""
    close = dict(zip(candles.time.tolist(), candles.close.tolist(), strict=True))
    found = [close[time + target.horizon * HOUR_MS] / close[time] - 1 for time in times.tolist()]
    return [2 if move > target.band else 0 if move < -target.band else 1 for move in found]


class _EarlyTarget:
    """A planted leak: labels that claim to be known one bar before their horizon is over."""

    def __init__(self, target):
        self.target, self.horizon = target, target.horizon

    def label(self, candles):
        found = self.target.label(candles)
        known = found.known.copy()
        known[-self.horizon] = True
        return replace(found, known=known)


def test_a_label_that_is_not_known_yet_is_refused(arena, bundle):
    bar, made = first_fit(arena), learner(bundle)
    markets = markets_at(arena, bar)
    made._target = _EarlyTarget(made._target)
    with pytest.raises(ModelError, match=f"{len(markets)} labels that are not known yet.*horizon is over"):
        made.rows(markets, bar)


class _LeakyLearner(OnlineLearner):
    """A planted leak: reads three bars more than have closed."""

    def rows(self, markets, bar):
        return super().rows(markets, bar + 3 * HOUR_MS)


@pytest.mark.parametrize(("kind", "same"), [(OnlineLearner, True), (_LeakyLearner, False)])
def test_no_later_candle_changes_what_is_learnt(world, kind, same):
    """Of trees and a network."""
    bar, bundle = first_fit(world), load_bundle(world.bundle)
    learnt = []
    for factor in (1.0, 3.0):
        markets = []
        for candles in markets_at(world, bar + 11 * HOUR_MS):
            scale = np.where(candles.time > bar, factor, 1.0)
            prices = {name: getattr(candles, name) * scale for name in ("open", "high", "low", "close")}
            markets.append(replace(candles, **prices))
        made = kind(bundle, ONLINE)
        made.bundle_at(bar, markets)
        learnt.append(made.state)
    for name in ("xgboost", "lightgbm", "nhits"):
        assert (learnt[0].natives[name] == learnt[1].natives[name]) is same


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
        fits.add(made.state.bar)
    assert fits == {bar, bar + 12 * HOUR_MS}


def test_with_few_rows_it_decides_as_the_bundle_does(arena, bundle):
    bar = first_fit(arena)
    made = learner(bundle, least_rows=1_000_000)
    markets = markets_at(arena, bar)
    assert scores(made.decide(markets, bar + HOUR_MS)) == scores(bundle.predict_many(markets, now=bar + HOUR_MS))


def test_what_cannot_learn_on(arena):
    far, loose = load_bundle(arena.challenger), load_bundle(arena.challenger)
    with pytest.raises(ArgumentError, match=r"members xgboost, lightgbm; expected one of nhits.*online\.members"):
        learner(far, members=("nhits",))
    far.features = replace(far.features, warmup=485)
    with pytest.raises(ArgumentError, match=r"that need 490.*online\.every_bars lower"):
        learner(far)
    loose.folder = None
    with pytest.raises(ArgumentError, match="the folder of a bundle"):
        learner(loose)


def test_a_challenge_of_a_bundle_by_itself_as_it_learns_on(arena, tmp_path):
    """Interrupted in the middle, with the same evidence as without."""
    online = replace(ONLINE, folder=str(tmp_path / "online"))
    settings = replace(arena.settings, online=online, challenge=ChallengeSettings(alpha=1e-5, horizon_bars=20))
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
