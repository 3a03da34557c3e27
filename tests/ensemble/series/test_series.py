"""Series of bundles: each bar is decided by the newest bundle trained before it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate import Action
from quorate.core.clock import HOUR_MS
from quorate.core.errors import BundleError, TrainingSpanError
from quorate.core.settings import (
    CalibrationSettings,
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    Settings,
    SplitSettings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.series import BEFORE_SERIES, BundleSeries, load, load_series, publish, windows
from quorate.ensemble.series.series import first_decided_bar
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.ensemble.voting.fallback import FALLBACK
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.features import Bars
from quorate.market.synthetic import SyntheticMarket
from quorate.models import rule_actions

BARS, WINDOW, PERIOD = 1_100, 600, 200

SETTINGS = replace(
    Settings(),
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=15, l2_share=0.0), lightgbm=LightGBMSettings(trees=15, l2_share=0.0)
    ),
    train=TrainSettings(threads=1),
    policy=PolicySettings(name="classic", refit="none"),
)
# The same, with scores calibrated on few rows and the calibrated policy.
CALIBRATED = replace(
    SETTINGS,
    split=SplitSettings(train=0.5, validation=0.45, stop=0.1, calibrate=0.5),
    calibration=CalibrationSettings(rows=50, class_rows=5),
    policy=PolicySettings(name="calibrated", signals=5),
)


def mean_loss(y, scores, prior, time, forward_return):
    del prior, time, forward_return
    return {"log_loss": float(-np.log(scores[np.arange(len(y)), y]).mean())}


@pytest.fixture(scope="module")
def market():
    made = SyntheticMarket(seed=5, symbols=2, bars=BARS, edge=0.3)
    return {name: made.candles(name) for name in made.names}


@pytest.fixture(scope="module")
def candles(market):
    return market["SYNB/USDT:USDT"]


def trained(market, out, given):
    start = int(next(iter(market.values())).time[0])
    spans = windows(start, start + BARS * HOUR_MS, WINDOW * HOUR_MS, PERIOD * HOUR_MS)
    made = [
        train_ensemble(
            market,
            "1h",
            TrainingSpec(
                models=("xgboost", "lightgbm"), settings=given, measure=mean_loss, start=span.start, end=span.end
            ),
            out,
        )
        for span in spans
    ]
    return publish(BundleStore(out), [one.manifest.id for one in made])[0]


@pytest.fixture(scope="module")
def path(market, tmp_path_factory):
    return trained(market, tmp_path_factory.mktemp("bundles"), SETTINGS)


@pytest.fixture(scope="module")
def series(path):
    return load_series(path)


def test_spans_begin_after_the_last_label_and_end_at_the_next_bundle(series, candles):
    start = int(candles.time[0])
    # Windows of 600 bars every 200: the last label that fits ends with the last bar of the window.
    assert [span.manifest.training_end for span in series.spans] == [start + hour * HOUR_MS for hour in (599, 799, 999)]
    assert [(span.start, span.end) for span in series.spans] == [
        (start + 600 * HOUR_MS, start + 800 * HOUR_MS),
        (start + 800 * HOUR_MS, start + 1000 * HOUR_MS),
        (start + 1000 * HOUR_MS, None),
    ]
    assert series.first_bar == start + 600 * HOUR_MS
    assert series.bundle_at(start + 800 * HOUR_MS - 1).manifest.id == series.spans[0].manifest.id
    assert series.bundle_at(start + 800 * HOUR_MS).manifest.id == series.spans[1].manifest.id
    assert series.manifest.id == series.spans[2].manifest.id


def test_the_frame_equals_the_frames_of_the_bundles(path, series, candles):
    whole = series.predict_frame(candles)
    np.testing.assert_array_equal(whole.time, candles.time)
    for span in series.spans:
        bundle = load_bundle(path.parent / span.manifest.id)
        alone = bundle.predict_frame(candles.between(None, span.end)).between(span.start)
        part = whole.between(span.start, span.end)
        assert len(part) == len(alone) > 0
        for name in ("time", "action", "confidence", "base", "consensus", "rule", "volatility"):
            np.testing.assert_array_equal(getattr(part, name), getattr(alone, name))
        for model in ("xgboost", "lightgbm"):
            np.testing.assert_array_equal(part.scores[model], alone.scores[model])
    decided = whole.between(series.first_bar)
    assert {bool(np.isfinite(table).all()) for table in decided.scores.values()} == {True}
    # The bundles differ, so a wrong bundle would be noticed.
    last = series.spans[2].start
    first = load_bundle(path.parent / series.spans[0].manifest.id).predict_frame(candles)
    assert (first.between(last).confidence != whole.between(last).confidence).any()


def test_the_frame_has_the_probabilities_of_calibrated_bundles(market, candles, tmp_path):
    path = trained(market, tmp_path, CALIBRATED)
    series = load(path)
    whole = series.predict_frame(candles, sets=True)
    assert whole.policy == "calibrated"
    for span in series.spans:
        bundle = load_bundle(path.parent / span.manifest.id)
        # Prediction sets adapt on the bars of the bundle's own span.
        own = candles.between(span.manifest.training_start, span.end)
        alone = bundle.predict_frame(own, sets=True).between(span.start)
        part = whole.between(span.start, span.end)
        np.testing.assert_allclose(part.probabilities, alone.probabilities, atol=1e-4)
        assert np.mean(part.action == alone.action) > 0.95
    classic = series.with_policy("classic").predict_frame(candles)
    assert classic.policy == "classic"
    assert classic.side is None
    closed = series.with_policy("closed").predict_frame(candles)
    assert (closed.policy, set(closed.action)) == ("closed", {Action.HOLD})
    np.testing.assert_array_equal(closed.consensus, classic.consensus)
    consensus = series.with_policy("consensus").predict_frame(candles)
    expected = decide_frame(
        consensus.scores, consensus.volatility, policy="consensus", members=2, calibrated=consensus.calibrated
    )
    decided = candles.time >= series.first_bar
    np.testing.assert_array_equal(consensus.action[decided], expected.action[decided])
    np.testing.assert_array_equal(consensus.confidence[decided], expected.confidence[decided])


def test_another_vote_replaces_that_of_every_bundle(series, candles):
    vote = replace(series.manifest.policy, floor=0.3)
    loose = series.with_vote(vote)
    assert loose.manifest.policy == vote != series.manifest.policy
    usual, changed = (one.with_policy("classic").predict_frame(candles) for one in (series, loose))
    assert set(usual.action) == {Action.HOLD}
    for bundle, part in loose.parts(changed):
        assert bundle.manifest.policy.floor == 0.3
        assert (part.action != Action.HOLD).any()


def test_live_predictions_equal_the_frame(series, market):
    frames = {symbol: series.predict_frame(own) for symbol, own in market.items()}
    for bar in (600, 799, 800, 1_050):
        asked = [own[: bar + 1] for own in market.values()]
        signals = series.predict_many(asked, now=int(asked[0].time[-1]) + HOUR_MS)
        for signal in signals:
            frame = frames[signal.symbol]
            assert signal.action == frame.action[bar]
            assert signal.rule == frame.rule[bar]
            assert signal.confidence == pytest.approx(frame.confidence[bar], abs=1e-5)


def test_bars_before_the_series_are_not_predicted(series, candles):
    frame = series.predict_frame(candles)
    early = candles.time < series.first_bar
    np.testing.assert_array_equal(series.in_training_span(candles.time), early)
    assert set(frame.rule[early]) == {BEFORE_SERIES}
    assert set(frame.action[early]) == {Action.HOLD}
    assert set(frame.confidence[early]) == {0.0}
    assert BEFORE_SERIES not in set(frame.rule[~early])
    with pytest.raises(TrainingSpanError, match="bars before 2024-01-26 00:00, the first bar of a series of 3 bundles"):
        series.predict_frame(candles[:600])
    for allow in (False, True):
        with pytest.raises(TrainingSpanError):
            series.predict(candles[:600], now=int(candles.time[599]) + HOUR_MS, allow_training_span=allow)
    with pytest.raises(TrainingSpanError):
        series.bundle_at(series.first_bar - 1)


def test_later_bars_change_no_earlier_decision(series, candles):
    cut = 900
    columns = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in columns.values():
        column[cut:] *= 3
    whole, other = series.predict_frame(candles), series.predict_frame(replace(candles, **columns))
    np.testing.assert_array_equal(whole.action[:cut], other.action[:cut])
    np.testing.assert_array_equal(whole.confidence[:cut], other.confidence[:cut])


def test_the_fallback_rules_decide_for_a_bundle_without_members(series, candles):
    second = series.spans[1]
    broken = BundleSeries(
        series.id,
        [span.manifest for span in series.spans],
        lambda name: (
            Bundle(second.manifest, {}, {"xgboost": "gone", "lightgbm": "gone"})
            if name == second.manifest.id
            else series.bundle_at(next(s.start for s in series.spans if s.manifest.id == name))
        ),
    )
    whole, frame = series.predict_frame(candles), broken.predict_frame(candles)
    ruled = (candles.time >= second.start) & (candles.time < second.end)
    assert set(frame.rule[ruled]) == {FALLBACK}
    assert set(frame.confidence[ruled]) == {0.0}
    assert np.isnan(frame.scores["xgboost"][ruled]).all()
    for name in ("action", "confidence", "rule"):
        np.testing.assert_array_equal(getattr(frame, name)[~ruled], getattr(whole, name)[~ruled])
    np.testing.assert_array_equal(frame.action[ruled], rule_actions(Bars(candles)).action[ruled])


def test_an_empty_frame(series, candles):
    assert len(series.predict_frame(candles[:0])) == 0


@pytest.fixture(scope="module")
def manifest(series) -> Manifest:
    return series.manifest


@settings(max_examples=200)
@given(
    spans=st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 300)), min_size=1, max_size=8, unique_by=lambda span: sum(span)
    ),
    bars=st.lists(st.integers(-10, 1_000), min_size=1, max_size=20),
)
def test_no_bundle_decides_on_a_bar_of_its_training(manifest, spans, bars):
    """For any training spans, overlapping or with gaps: the newest bundle trained before the bar, or an error."""
    made = {
        f"{number}": replace(
            manifest,
            id=f"{number}",
            training_start=start * HOUR_MS,
            training_end=(start + length) * HOUR_MS,
        )
        for number, (start, length) in enumerate(spans)
    }
    series = BundleSeries("any", list(made.values()), lambda name: Bundle(made[name], {}, {}))
    for bar in bars:
        time = bar * HOUR_MS
        before = [one for one in made.values() if one.training_end < time]
        if not before:
            with pytest.raises(TrainingSpanError):
                series.bundle_at(time)
            continue
        chosen = series.bundle_at(time).manifest
        assert chosen.id == max(before, key=lambda one: one.training_end).id
        assert not chosen.training_start <= time <= chosen.training_end
        assert first_decided_bar(chosen) <= time


def test_an_altered_series_is_an_error(path, tmp_path):
    copy = tmp_path / "bundles"
    shutil.copytree(path.parent, copy)
    file = copy / path.name / "series.json"
    document = json.loads(file.read_text())
    dropped = {**document, "bundles": document["bundles"][1:]}
    moved = {
        **document,
        "bundles": [{**document["bundles"][0], "speaks_from": "2020-01-01T00:00:00Z"}, *document["bundles"][1:]],
    }
    for wrong in (dropped, moved, {**document, "id": "0" * 16}):
        file.write_text(json.dumps(wrong))
        with pytest.raises(BundleError, match="does not match its bundles"):
            load_series(copy / path.name)
    for wrong, found in (
        ("{", "invalid JSON"),
        ("[]", "schema version"),
        (json.dumps({**document, "schema_version": 9}), "schema version 9"),
        (json.dumps({**document, "bundles": [1]}), "incomplete"),
        (json.dumps({**document, "bundles": []}), "does not match"),
    ):
        file.write_text(wrong)
        with pytest.raises(BundleError, match=found):
            load_series(copy / path.name)


def test_a_missing_or_altered_bundle_is_an_error_that_names_it(path, tmp_path, candles):
    copy = tmp_path / "bundles"
    shutil.copytree(path.parent, copy)
    second = json.loads((path / "series.json").read_text())["bundles"][1]["id"]
    graph = copy / second / "xgboost.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    series = load_series(copy / path.name)
    # Only bars that need the altered bundle are an error.
    assert len(series.predict_frame(candles[:700])) == 700
    with pytest.raises(BundleError, match=r"xgboost\.onnx altered"):
        series.predict_frame(candles)
    shutil.rmtree(copy / second)
    with pytest.raises(BundleError, match=f"find the bundle '{second}'"):
        load_series(copy / path.name)


def test_bundles_of_different_settings_are_an_error(market, path, tmp_path):
    copy = tmp_path / "bundles"
    shutil.copytree(path.parent, copy)
    store = BundleStore(copy)
    start = int(next(iter(market.values())).time[0])
    other = replace(SETTINGS, target=replace(SETTINGS.target, horizon=7))
    spec = TrainingSpec(
        models=("xgboost", "lightgbm"), settings=other, measure=mean_loss, start=start, end=start + 700 * HOUR_MS
    )
    different = train_ensemble(market, "1h", spec, copy)
    known = [span.manifest.id for span in load_series(path).spans]
    with pytest.raises(BundleError, match=r"target .*horizon=7"):
        publish(store, [*known, different.manifest.id])
    with pytest.raises(BundleError, match="both trained up to"):
        publish(store, [known[0], known[0]])
    with pytest.raises(BundleError, match="no bundle"):
        publish(store, [])


def test_the_same_bundles_give_the_same_series(path):
    ids = [span.manifest.id for span in load_series(path).spans]
    again, name = publish(BundleStore(path.parent), ids[::-1])
    assert again == path
    assert name in path.name


def test_load_returns_a_series_a_bundle_or_a_champion(path, series):
    assert isinstance(load(path), BundleSeries)
    assert load(path.parent / series.spans[1].manifest.id).manifest.id == series.spans[1].manifest.id
    assert isinstance(load(path.parent), Bundle)
    with pytest.raises(BundleError, match=r"decide by the policy .clasic.*Did you mean .classic."):
        series.with_policy("clasic")
    assert series.status() == {"xgboost": True, "lightgbm": True}
    assert (series.mode, series.decides, series.stack, len(series)) == ("full", "classic", None, 3)


@pytest.mark.parametrize(
    ("start", "end", "length", "period", "spans"),
    [
        (0, 10, 10, 3, [(0, 10)]),
        (0, 12, 10, 3, [(0, 10)]),
        (0, 13, 10, 3, [(0, 10), (3, 13)]),
        (5, 30, 10, 10, [(5, 15), (15, 25)]),
        (5, 30, 10, 15, [(5, 15), (20, 30)]),
    ],
)
def test_windows(start, end, length, period, spans):
    assert list(windows(start, end, length, period)) == spans


@pytest.mark.parametrize(("length", "period"), [(11, 1), (0, 1), (5, 0), (5, -1)])
def test_windows_that_do_not_fit_are_an_error(length, period):
    with pytest.raises(BundleError):
        windows(0, 10, length, period)
