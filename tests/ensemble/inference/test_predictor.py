"""Predictions of a bundle: errors, abstentions, and live predictions against frames."""

import time
from dataclasses import replace

import numpy as np
import pytest

import quorate
from quorate import Action, Bundle
from quorate.core.clock import HOUR_MS
from quorate.core.errors import BundleError, CandleError, TooLittleHistoryError, TrainingSpanError
from quorate.core.settings import PredictSettings
from quorate.ensemble.bundle import bundle_files as storage
from quorate.features import Bars
from quorate.models import rule_actions


@pytest.fixture
def bundle(world):
    return quorate.load_bundle(world.trained.path)


@pytest.fixture
def candles(world):
    return world.panel["SYNC/USDT:USDT"]


def test_status_of_a_loaded_bundle(bundle):
    assert bundle.status() == {"xgboost": True, "lightgbm": True}
    assert bundle.mode == "full"


def test_the_frame_equals_live_predictions_at_each_bar(bundle, candles, world):
    frame = bundle.predict_frame(candles)
    for bar in range(len(candles) - 60, len(candles), 7):
        signal = bundle.predict(candles[: bar + 1], now=int(candles.time[bar]) + HOUR_MS)
        assert signal.time == candles.time[bar]
        assert signal.action == frame.action[bar]
        assert signal.consensus == frame.consensus[bar]
        assert signal.rule == frame.rule[bar]
        assert signal.confidence == pytest.approx(frame.confidence[bar], abs=1e-6)
        assert signal.volatility == pytest.approx(frame.volatility[bar], abs=1e-9)
        for vote in signal.votes:
            np.testing.assert_allclose(vote.scores, frame.scores[vote.model][bar], atol=1e-6)
            assert vote.probabilities is None
    assert set(np.unique(frame.action[candles.time >= world.seam])) == {0, 1, 2}


def test_later_bars_change_no_earlier_decision(bundle, candles):
    cut = len(candles) - 40
    poisoned = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in poisoned.values():
        column[cut:] *= 7
    whole = bundle.predict_frame(candles)
    other = bundle.predict_frame(replace(candles, **poisoned))
    np.testing.assert_array_equal(whole.action[:cut], other.action[:cut])
    np.testing.assert_array_equal(whole.confidence[:cut], other.confidence[:cut])
    assert not np.array_equal(whole.confidence[cut:], other.confidence[cut:])


def test_bars_of_the_training_span_are_an_error_and_the_first_after_it_is_not(bundle, candles, world):
    manifest = bundle.manifest
    assert manifest.training_end == world.seam - HOUR_MS
    inside = candles.between(end=manifest.training_end)
    with pytest.raises(TrainingSpanError, match="inside the training span, 2024-01-03 01:00 to"):
        bundle.predict(inside, now=world.now)
    with pytest.raises(TrainingSpanError, match="`allow_training_span=True`"):
        bundle.predict_frame(inside.between(manifest.training_start))
    assert bundle.predict(inside, now=world.now, allow_training_span=True).votes
    after = candles.between(end=manifest.training_end + 1)
    assert bundle.predict(after, now=world.now).time == manifest.training_end
    frame = bundle.predict_frame(candles)
    masked = bundle.in_training_span(candles.time)
    assert set(frame.rule[masked]) == {"training_span"}
    assert set(frame.action[masked]) == {Action.HOLD}
    assert np.isnan(frame.scores["xgboost"][masked]).all()
    assert np.isfinite(frame.scores["xgboost"][candles.time >= manifest.training_end]).all()


def test_only_closed_bars_are_predicted_and_bars_after_now_are_an_error(bundle, candles):
    newest = int(candles.time[-1])
    running = bundle.predict(candles, now=newest + HOUR_MS // 2)
    assert running.time == newest - HOUR_MS
    with pytest.raises(CandleError, match="none after now"):
        bundle.predict(candles, now=newest - 1)


def test_too_little_history_is_an_abstention_and_no_bar_an_error(bundle, candles, world):
    later = candles.between(world.seam)
    signal = bundle.predict(later[:30], now=world.now)
    assert (signal.action, signal.confidence, signal.rule) == (Action.HOLD, 0.0, "no_votes")
    assert [a.reason for a in signal.abstentions] == [
        "too little history: features known on 0 of the 1 bars it reads"
    ] * 2
    assert bundle.predict(later[:50], now=world.now).votes
    with pytest.raises(TooLittleHistoryError):
        bundle.predict(later[:0], now=world.now)


def test_another_timeframe_is_an_error(bundle, candles):
    with pytest.raises(BundleError, match="4h candles; expected 1h"):
        bundle.predict(replace(candles, timeframe="4h"))


class Slow:
    window = 1
    batch = None

    def __init__(self, session, seconds):
        self.session, self.seconds = session, seconds

    def run(self, rows):
        time.sleep(self.seconds)
        return self.session.run(rows)

    def stop(self, older_than_s):
        self.session.stop(older_than_s)


class Failing:
    window = 1
    batch = None

    def run(self, rows):
        raise RuntimeError("broken session")


class NotFinite:
    window = 1
    batch = None

    def run(self, rows):
        return np.full((len(rows), 3), np.nan)


def with_member(bundle, model, broken):
    """The same bundle with one session wrapped, and a deadline of 100 ms."""
    sessions = bundle.members.sessions
    wrapped = {**sessions, model: broken(sessions[model])}
    return Bundle(bundle.manifest, wrapped, {}, PredictSettings(deadline_ms=100))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda session: Slow(session, 0.6), "exceeded 100 ms"),
        (lambda _: Failing(), "failed: broken session"),
        (lambda _: NotFinite(), "scores are [nan, nan, nan]"),
    ],
)
def test_a_member_that_is_late_fails_or_returns_nan_abstains(world, candles, broken, reason):
    """The trained members, one of them wrapped."""
    bundle = with_member(quorate.load_bundle(world.trained.path), "xgboost", broken)
    signal = bundle.predict(candles, now=world.now)
    assert [(a.model, a.reason) for a in signal.abstentions] == [("xgboost", reason)]
    assert [v.model for v in signal.votes] == ["lightgbm"]
    # One of two members is no quorum.
    assert (signal.action, signal.rule) == (Action.HOLD, "no_quorum")


def test_a_signal_is_marked_synthetic_by_frame_and_manifest(bundle, candles):
    assert bundle.predict_frame(candles).synthetic
    assert bundle.manifest.synthetic


def without(world, *models):
    """Publish the bundle with unreadable graphs of some members."""
    manifest, files = storage.read(world.trained.path)
    altered = {f"{model}.onnx": files[f"{model}.onnx"][:50] for model in models}
    return storage.publish(world.trained.path.parent.parent / f"without-{'-'.join(models)}", manifest, files | altered)


@pytest.mark.parametrize("models", [("xgboost", "lightgbm"), ("lightgbm",)])
def test_with_fewer_than_two_members_the_fallback_rules_decide(world, candles, models):
    path, _ = without(world, *models)
    bundle = quorate.load_bundle(path)
    assert bundle.mode == "none"
    assert bundle.status() == {model: model not in models for model in ("xgboost", "lightgbm")}
    frame = bundle.predict_frame(candles)
    masked = bundle.in_training_span(candles.time)
    expected = rule_actions(Bars(candles))
    np.testing.assert_array_equal(frame.action[~masked], expected.action[~masked])
    assert set(frame.action[~masked]) == {0, 1, 2}
    assert set(frame.rule[~masked]) == {"fallback_rules"}
    assert set(frame.consensus[~masked]) == {"fallback_rules", "fallback_rules_contradicted"}
    assert (frame.consensus[~masked] == "fallback_rules_contradicted").sum() == expected.contradicted[~masked].sum()
    assert set(frame.action[masked]) == {Action.HOLD}
    assert set(frame.rule[masked]) == {"training_span"}
    assert not frame.confidence.any()
    assert not frame.base.any()
    assert all(np.isnan(scores).all() for scores in frame.scores.values())
    for bar in range(len(candles) - 90, len(candles), 6):
        signal = bundle.predict(candles[: bar + 1], now=int(candles.time[bar]) + HOUR_MS)
        assert (signal.action, signal.consensus) == (frame.action[bar], frame.consensus[bar])
        assert (signal.rule, signal.mode, signal.confidence, signal.votes) == ("fallback_rules", "none", 0.0, ())
        assert [a.model for a in signal.abstentions] == ["xgboost", "lightgbm"]
        assert signal.line().startswith("fallback_rules")
        assert signal.volatility == pytest.approx(frame.volatility[bar])
    reasons = {a.model: a.reason for a in signal.abstentions}
    for model, reason in reasons.items():
        assert ("could not load" in reason) if model in models else ("not asked" in reason)
    closed = bundle.with_policy("closed")
    assert set(closed.predict_frame(candles).action) == {Action.HOLD}
    assert set(closed.predict_frame(candles).rule[~masked]) == {"fallback_rules"}
    acting = int(np.flatnonzero(frame.action != Action.HOLD)[-1])
    held = closed.predict(candles[: acting + 1], now=int(candles.time[acting]) + HOUR_MS)
    assert (held.action, held.rule, held.policy) == (Action.HOLD, "fallback_rules", "closed")
    short = bundle.predict(candles.between(world.seam)[:10], now=world.now)
    assert (short.action, short.volatility, short.rule) == (Action.HOLD, None, "fallback_rules")


def test_a_folder_of_bundles_loads_its_champion(world, bundle):
    assert quorate.load_bundle(world.trained.path.parent).manifest.id == bundle.manifest.id


def test_an_empty_frame(bundle, candles):
    assert len(bundle.predict_frame(candles[:0])) == 0


def test_many_markets_at_once_equal_predictions_one_by_one(world):
    bundle = quorate.load_bundle(world.trained.path)
    markets = [*world.panel.values(), next(iter(world.panel.values())).tail(30)]
    together = bundle.predict_many(markets, now=world.now)
    assert [signal.symbol for signal in together] == [candles.symbol for candles in markets]
    for signal, candles in zip(together, markets, strict=True):
        alone = bundle.predict(candles, now=world.now)
        assert (signal.action, signal.consensus, signal.rule) == (alone.action, alone.consensus, alone.rule)
        assert signal.confidence == pytest.approx(alone.confidence, abs=1e-7)
        assert signal.abstentions == alone.abstentions
        for one, other in zip(signal.votes, alone.votes, strict=True):
            assert (one.model, one.action) == (other.model, other.action)
            assert one.scores == pytest.approx(other.scores, abs=1e-7)
    assert len(together[-1].abstentions) == 2
    assert bundle.predict_many((), now=world.now) == []
