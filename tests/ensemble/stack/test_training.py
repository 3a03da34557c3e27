"""Bundles of stacks: training, loading, prediction, and errors for altered files."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from quorate import load_bundle
from quorate.core.clock import HOUR_MS
from quorate.core.errors import BundleError
from quorate.core.settings import LSTMSettings, PredictSettings, Settings, TrainSettings
from quorate.core.types import Action
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.training import quantisation
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket

BARS, TRAIN_BARS = 1_300, 1_100
NO_TIMEOUT = PredictSettings(deadline_ms=60_000)


def measure(y, predicted, mean, time, forward_return):
    return {"rmse": float(np.sqrt(((y - predicted) ** 2).mean())), "n": len(y)}


def settings(method="ridge", **changed):
    models = Settings().stack.models
    few = replace(
        models,
        xgboost=replace(models.xgboost, trees=20),
        lightgbm=replace(models.lightgbm, trees=40, patience=5),
    )
    stack = replace(Settings().stack, method=method, models=few, forest_trees=20, folds=3, **changed)
    return replace(Settings(), stack=stack, train=TrainSettings(threads=1))


@pytest.fixture(scope="module")
def market():
    made = SyntheticMarket(seed=5, symbols=1, bars=BARS, edge=0.5)
    return made.candles(made.names[0])


def train(market, out, method="ridge", **changed):
    return train_ensemble(
        {market.symbol: market},
        "1h",
        TrainingSpec(
            models=("lightgbm", "xgboost", "logistic"),
            settings=settings(method, **changed),
            measure=measure,
            recipe="stack",
            end=int(market.time[TRAIN_BARS]),
        ),
        out,
    )


@pytest.fixture(scope="module", params=["ridge", "forest"])
def trained(request, market, tmp_path_factory):
    return train(market, tmp_path_factory.mktemp("stack"), request.param, round_trip=1e-6)


def now(market):
    return int(market.time[-1]) + HOUR_MS


def test_a_live_prediction_equals_the_frame(trained, market):
    bundle = load_bundle(trained.path, NO_TIMEOUT)
    frame = bundle.predict_frame(market)
    signal = bundle.predict(market, now=now(market))
    assert signal.mode == "full"
    assert [forecast.model for forecast in signal.forecasts] == ["lightgbm", "xgboost", "logistic"]
    for forecast in signal.forecasts:
        assert forecast.predicted_return == pytest.approx(frame.forecasts[forecast.model][-1], abs=1e-9)
    assert signal.predicted_return == pytest.approx(frame.predicted[-1], abs=1e-9)
    assert (signal.action, signal.rule) == (frame.action[-1], frame.rule[-1])
    assert signal.confidence == pytest.approx(frame.confidence[-1])
    assert signal.rule == "predicted_return"  # the cost is set to about 0
    json.dumps(signal.to_json(), allow_nan=False)


def test_log_line_of_a_stack_and_synthetic_frames(trained, market, caplog):
    with caplog.at_level("INFO", "quorate"):
        bundle = load_bundle(trained.path, NO_TIMEOUT)
    message = caplog.records[-1].getMessage()
    assert f"stack by {bundle.stack.method}" in message
    assert "policy" not in message
    assert "quorum" not in message
    measured = Bundle(replace(bundle.manifest, synthetic=False), bundle.members.sessions, {}, stack=bundle.stack)
    assert measured.predict_frame(market).synthetic
    assert not measured.predict_frame(replace(market, synthetic=False)).synthetic


def test_bars_inside_the_training_span_have_no_return(trained, market):
    bundle = load_bundle(trained.path, NO_TIMEOUT)
    frame = bundle.predict_frame(market)
    masked = bundle.in_training_span(market.time)
    assert set(frame.rule[masked]) == {"training_span"}
    assert np.isnan(frame.predicted[masked]).all()
    assert (frame.action[masked] == Action.HOLD).all()
    assert np.isfinite(frame.predicted[TRAIN_BARS:]).all()
    later = frame.between(int(market.time[TRAIN_BARS]))
    np.testing.assert_array_equal(later.predicted, frame.predicted[TRAIN_BARS:])
    np.testing.assert_array_equal(later.forecasts["xgboost"], frame.forecasts["xgboost"][TRAIN_BARS:])


def test_the_manifest_describes_the_combiner(trained):
    about = trained.manifest.stack
    assert about["members"] == ["lightgbm", "xgboost", "logistic"]
    assert trained.manifest.settings["stack"]["method"] == about["method"]
    assert "stack.json" in trained.manifest.files
    assert ("stack.onnx" in trained.manifest.files) == (about["method"] == "forest")
    parts = {name: list(parts) for name, parts in trained.manifest.metrics.items()}
    expected = ["lightgbm", "xgboost", "logistic", "stack", "predict_zero", "predict_mean"]
    assert parts == {name: ["out_of_fold", "validation", "test"] for name in expected}
    assert all(np.isfinite(value) for value in about["improvement"]["test"].values())


def test_the_warm_up_bars_give_no_row(trained, market):
    warm, horizon = Settings().stack.warmup_bars, Settings().target.return_horizon
    assert trained.manifest.rows["candles"] == TRAIN_BARS
    assert trained.manifest.rows["labelled"] == TRAIN_BARS - warm - horizon
    assert trained.manifest.training_start == market.time[warm]


def test_with_a_missing_member_it_holds_with_the_reason(trained, market):
    whole = load_bundle(trained.path, NO_TIMEOUT)
    sessions = {name: session for name, session in whole.members.sessions.items() if name != "xgboost"}
    bundle = Bundle(whole.manifest, sessions, {"xgboost": "could not load"}, NO_TIMEOUT, stack=whole.stack)
    signal = bundle.predict(market, now=now(market))
    assert bundle.mode == "partial"
    assert (signal.action, signal.rule, signal.confidence) == (Action.HOLD, "member_missing", 0.0)
    assert [(one.model, one.reason) for one in signal.abstentions] == [("xgboost", "could not load")]
    frame = bundle.predict_frame(market)
    assert set(frame.rule[TRAIN_BARS:]) == {"member_missing"}
    assert np.isfinite(frame.forecasts["lightgbm"][TRAIN_BARS:]).all()


def test_too_little_history_is_an_abstention(trained, market):
    signal = load_bundle(trained.path, NO_TIMEOUT).predict(market[-20:], now=now(market))
    assert (signal.action, signal.rule) == (Action.HOLD, "member_missing")
    assert all("too little history" in one.reason for one in signal.abstentions)


def test_with_one_member_left_the_fallback_rules_decide(trained, market):
    whole = load_bundle(trained.path, NO_TIMEOUT)
    one = {"xgboost": whole.members.sessions["xgboost"]}
    causes = {"lightgbm": "gone", "logistic": "gone"}
    bundle = Bundle(whole.manifest, one, causes, NO_TIMEOUT, stack=whole.stack)
    assert bundle.predict(market, now=now(market)).rule == "fallback_rules"
    assert set(bundle.predict_frame(market).rule[TRAIN_BARS:]) == {"fallback_rules"}


@pytest.mark.parametrize("alter", [lambda text: text.replace(b"0.", b"1.", 1), lambda text: text[:-20]])
def test_an_altered_combiner_is_an_error(trained, tmp_path, alter):
    manifest, files = storage.read(trained.path)
    folder = tmp_path / "copy"
    folder.mkdir()
    for name, content in {**files, "manifest.json": manifest.text().encode()}.items():
        (folder / name).write_bytes(alter(content) if name == "stack.json" else content)
    with pytest.raises(BundleError, match=r"stack\.json altered"):
        load_bundle(folder)


def test_a_combiner_of_other_members_with_the_right_hash_is_an_error(trained, tmp_path):
    manifest, files = storage.read(trained.path)
    tree = json.loads(files["stack.json"])
    altered = json.dumps({**tree, "members": ["lightgbm", "xgboost", "stranger"]}).encode()
    path, published = storage.publish(tmp_path, manifest, {**files, "stack.json": altered})
    assert published.files["stack.json"] == hashlib.sha256(altered).hexdigest()
    with pytest.raises(BundleError, match="stranger"):
        load_bundle(path)


def test_the_same_seed_gives_the_same_bundle(market, tmp_path):
    first, second = (train(market, tmp_path / name, "blending").manifest.id for name in ("a", "b"))
    assert first == second
    assert train(market, tmp_path / "c", "voting").manifest.id != first


def test_candles_after_the_end_do_not_change_the_bundle(market, tmp_path):
    late = np.arange(len(market)) >= TRAIN_BARS
    columns = {name: np.where(late, 3.0, 1.0) * getattr(market, name) for name in ("open", "high", "low", "close")}
    poisoned = replace(market, **columns)
    ids = [train(candles, tmp_path / name).manifest.id for name, candles in (("a", market), ("b", poisoned))]
    assert ids[0] == ids[1]


@pytest.mark.usefixtures("exact_byte_products")
def test_a_stack_in_8_bits(market, tmp_path, monkeypatch):
    monkeypatch.setattr(quantisation, "AGREEMENT", 0.98)  # one of the few rows may differ
    few = settings("voting", round_trip=1e-3)
    models = replace(few.stack.models, lstm=LSTMSettings(window=12, width=32, epochs=2))
    few = replace(few, stack=replace(few.stack, models=models))

    def train(bits, out):
        return train_ensemble(
            {market.symbol: market},
            "1h",
            TrainingSpec(
                models=("lstm", "xgboost"),
                settings=replace(few, train=replace(few.train, precision=bits)),
                measure=measure,
                recipe="stack",
                end=int(market.time[TRAIN_BARS]),
            ),
            out,
        )

    plain, quantised = train("float32", tmp_path / "a"), train("int8", tmp_path / "b")
    report = quantised.manifest.metrics["int8"]
    assert "int8" not in plain.manifest.metrics
    assert report["kept"] == ["lstm"]
    assert report["classes"]["lstm"] > 0.98
    assert report["decisions"]["stack"]["acted"] > 20
    assert [stage.name for stage in quantised.stages][-2:] == ["int8", "publish"]
    # The figures are those of the graphs that are run.
    before, after = (trained.manifest.metrics["lstm"]["validation"]["rmse"] for trained in (plain, quantised))
    assert after != before
    assert after == pytest.approx(before, rel=1e-3)
    assert (quantised.path / "lstm.onnx").read_bytes() != (plain.path / "lstm.onnx").read_bytes()
    assert load_bundle(quantised.path).mode == "full"

    monkeypatch.setattr(quantisation, "AGREEMENT", 1.01)
    refused = train("int8", tmp_path / "c")
    assert refused.manifest.metrics["int8"]["kept"] == []
    assert (refused.path / "lstm.onnx").read_bytes() == (plain.path / "lstm.onnx").read_bytes()
