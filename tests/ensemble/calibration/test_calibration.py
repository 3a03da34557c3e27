"""Calibrated bundles: live predictions against frames, calibration.json, and its errors."""

import asyncio
import json
import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest

import quorate
from quorate import Abstention, Action, Agent, Bundle, Vote
from quorate.core.clock import HOUR_MS
from quorate.core.errors import BundleError
from quorate.core.settings import PredictSettings, VoteSettings
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.calibration_file import FILE_NAME, UNCALIBRATED, Calibration
from quorate.ensemble.bundle.manifest import FILE_NAME as MANIFEST
from quorate.ensemble.calibration.isotonic import fit_isotonic
from quorate.ensemble.calibration.temperature import Temperature
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.market.synthetic import SyntheticMarket


@pytest.fixture
def bundle(calibrated):
    return quorate.load_bundle(calibrated.path, PredictSettings(deadline_ms=60_000))


@pytest.fixture
def candles(world):
    return world.panel["SYNC/USDT:USDT"]


def test_a_bundle_has_its_maps_and_the_chosen_policy(calibrated, bundle, world):
    assert bundle.decides == "calibrated"
    assert set(bundle.policies) == {"classic", "calibrated", "consensus", "closed"}
    assert set(bundle.calibration.members) == {"xgboost", "lightgbm"}
    report = calibrated.manifest.metrics["probabilities"]
    # 45 % of the bars, half of those, two symbols, less the purged rows.
    assert report["rows"]["calibrate"] == pytest.approx(2 * 0.5 * 0.45 * 648, abs=20)
    assert report["why"] == "asked for by the settings"
    assert report["evidence"]["policy"] == "closed"
    assert set(report["evidence"]["members"]) == {"xgboost", "lightgbm"}
    assert report["later"]["classic"].keys() == {"signals", "net_bps"}
    few = quorate.load_bundle(world.trained.path)
    assert (few.decides, set(few.policies)) == ("classic", {"classic", "consensus", "closed"})
    assert "of at least 300" in few.calibration.lacking["ensemble"]


def test_the_frame_equals_live_predictions_at_each_bar(bundle, candles):
    # Prediction sets adapt in a frame and not live, so the two are compared without them.
    policy = replace(bundle.calibration.policy, unambiguous=False)
    bundle.policies["calibrated"] = policy
    bundle.calibration = replace(bundle.calibration, policy=policy)
    frame = bundle.predict_frame(candles)
    assert frame.policy == "calibrated"
    for bar in range(len(candles) - 60, len(candles), 7):
        signal = bundle.predict(candles[: bar + 1], now=int(candles.time[bar]) + HOUR_MS)
        assert (signal.action, signal.rule, signal.policy) == (frame.action[bar], frame.rule[bar], "calibrated")
        assert signal.confidence == pytest.approx(frame.confidence[bar], abs=1e-6)
        np.testing.assert_allclose(signal.probabilities, frame.probabilities[bar], atol=1e-6)
        for vote in signal.votes:
            np.testing.assert_allclose(vote.probabilities, frame.calibrated[vote.model][bar], atol=1e-6)
            np.testing.assert_allclose(vote.scores, frame.scores[vote.model][bar], atol=1e-6)
    assert signal.prediction_set is not None
    part = frame.between(int(candles.time[-10]))
    assert part.probabilities.shape == (10, 3)
    assert len(part.limit) == len(part.side) == len(part.probability) == 10


def test_the_classic_vote_does_not_depend_on_probabilities(bundle, candles, world):
    plain = bundle.with_policy("classic")
    bare = Bundle(bundle.manifest, bundle.members.sessions, {}).with_policy("classic")
    one, other = plain.predict_frame(candles), bare.predict_frame(candles)
    for name in ("action", "confidence", "base", "consensus", "rule"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    signal = plain.predict(candles, now=world.now)
    assert signal.policy == "classic"
    assert signal.probabilities is not None
    assert signal.line() == bare.predict(candles, now=world.now).line()
    assert bundle.decides == "calibrated"


@pytest.mark.parametrize("name", ["consensus", "closed"])
def test_other_policies_decide_live_as_in_frames(bundle, candles, name):
    other = bundle.with_policy(name)
    frame = other.predict_frame(candles)
    assert frame.policy == name
    for bar in range(len(candles) - 60, len(candles), 7):
        signal = other.predict(candles[: bar + 1], now=int(candles.time[bar]) + HOUR_MS)
        assert (signal.action, signal.rule, signal.policy) == (frame.action[bar], frame.rule[bar], name)
        assert signal.consensus == frame.consensus[bar]
        assert signal.confidence == pytest.approx(frame.confidence[bar], abs=1e-6)


def test_consensus_votes_by_the_members_probabilities(bundle, candles, world):
    signal = bundle.with_policy("consensus").predict(candles, now=world.now)
    for vote in signal.votes:
        sell, hold, buy = vote.probabilities
        expected = hold if vote.action == Action.HOLD else max(sell, buy) / (sell + buy)
        assert vote.score == expected
        assert vote.score != pytest.approx(max(vote.scores[0], vote.scores[2]) / (vote.scores[0] + vote.scores[2]))


def test_a_closed_bundle_shows_the_vote_and_says_why(calibrated, bundle, candles, world, tmp_path):
    manifest, files = storage.read(calibrated.path)
    report = dict(manifest.metrics["probabilities"], why="closed: no day earned its costs")
    closed = replace(manifest, decides="closed", metrics={**manifest.metrics, "probabilities": report})
    path, _ = storage.publish(tmp_path, closed, files)
    shut = quorate.load_bundle(path, PredictSettings(deadline_ms=60_000))
    classic = bundle.with_policy("classic").predict_frame(candles)
    frame = shut.predict_frame(candles)
    assert (classic.action != Action.HOLD).any()
    assert (frame.action == Action.HOLD).all()
    np.testing.assert_array_equal(frame.confidence, classic.confidence)
    np.testing.assert_array_equal(frame.consensus, classic.consensus)
    signal = shut.predict(candles, now=world.now)
    assert (signal.rule, signal.closed_because) == ("closed", "no day earned its costs")
    assert len(signal.votes) == 2
    assert bundle.with_policy("closed").predict(candles, now=world.now).closed_because == (
        "the closed policy was asked for in place of the bundle's own"
    )


def test_prediction_sets_are_computed_if_used_or_requested(bundle, candles):
    own, classic = bundle.predict_frame(candles), bundle.with_policy("classic")
    assert classic.predict_frame(candles).limit is None
    np.testing.assert_array_equal(classic.predict_frame(candles, sets=True).limit, own.limit)


def test_later_bars_change_no_set_and_no_decision(bundle, candles):
    cut = len(candles) - 40
    poisoned = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in poisoned.values():
        column[cut:] *= 7
    whole, other = bundle.predict_frame(candles), bundle.predict_frame(replace(candles, **poisoned))
    for name in ("action", "confidence", "rule", "limit", "probabilities"):
        np.testing.assert_array_equal(getattr(whole, name)[:cut], getattr(other, name)[:cut])
    assert len(set(whole.limit.tolist())) > 10


def test_another_policy_by_name(world, calibrated):
    assert quorate.load_bundle(calibrated.path, policy="classic").decides == "classic"
    with pytest.raises(BundleError, match="Did you mean 'calibrated'"):
        quorate.load_bundle(calibrated.path, policy="calibratd")
    with pytest.raises(BundleError, match=r"no probabilities.*rows with scores, of at least 300"):
        quorate.load_bundle(world.trained.path, policy="calibrated")


def republished(calibrated, out, change):
    """Publish the bundle with another calibration.json, with the right hash and id."""
    manifest, files = storage.read(calibrated.path)
    tree = json.loads(files[FILE_NAME])
    change(tree)
    path, _ = storage.publish(out, manifest, {**files, FILE_NAME: json.dumps(tree).encode()})
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree["ensemble"].update(kind="oracle"),
        lambda tree: tree.update(ensemble={"kind": "temperature", "inverse": -1, "offsets": [0, 0, 0]}),
        lambda tree: tree["policy"].update(returns=[0, 0]),
        lambda tree: tree["policy"].update(cost="much"),
        lambda tree: tree["policy"].update(net_return=float("inf")),
        lambda tree: tree["conformal"]["quantiles"].reverse(),
        lambda tree: tree["conformal"].update(miss=2),
        lambda tree: tree.pop("members"),
    ],
)
def test_an_invalid_calibration_is_an_error(calibrated, tmp_path, change):
    with pytest.raises(BundleError, match=r"an invalid calibration\.json"):
        quorate.load_bundle(republished(calibrated, tmp_path, change))


def test_an_altered_or_missing_calibration_is_an_error(calibrated, tmp_path):
    path = tmp_path / "bundle"
    shutil.copytree(calibrated.path, path)
    text = (path / FILE_NAME).read_text()
    (path / FILE_NAME).write_text(text.replace('"net_return": ', '"net_return": -'))
    with pytest.raises(BundleError, match=r"calibration\.json altered"):
        quorate.load_bundle(path)
    (path / FILE_NAME).unlink()
    with pytest.raises(BundleError, match=r"calibration\.json missing"):
        quorate.load_bundle(path)
    tree = json.loads((path / MANIFEST).read_text())
    del tree["files"][FILE_NAME]
    (path / MANIFEST).write_text(json.dumps(tree))
    with pytest.raises(BundleError, match=r"a calibrated policy without calibration\.json"):
        quorate.load_bundle(path)


def both_kinds_of_maps():
    random = np.random.default_rng(3)
    scores = random.dirichlet([1, 1, 1], 300)
    isotonic = fit_isotonic(scores, random.integers(0, 3, 300).astype(np.int8))
    policy = CalibratedPolicy(VoteSettings(), Temperature(0.8, (0.1, 0.0, 0.0)), (-0.01, 0.0, 0.01), 0.001)
    return Calibration({"xgboost": Temperature(1.7), "nhits": isotonic}, {"lightgbm": "too few"}, policy)


def test_all_maps_at_once_equal_each_map_alone():
    calibration, random = both_kinds_of_maps(), np.random.default_rng(4)
    for _ in range(50):
        rows = {name: random.dirichlet([1, 1, 1]) for name in ("xgboost", "lightgbm", "nhits")}
        votes = [Vote(name, Action.BUY, 0.5, scores=tuple(row.tolist())) for name, row in rows.items()]
        ((calibrated_votes, ensemble),) = calibration.calibrate_votes(
            [[*votes, Abstention("patchtst", "late")]], VoteSettings()
        )
        tables = {name: row[None] for name, row in rows.items()}
        frame = calibration.frame(tables)
        assert calibrated_votes[0].probabilities == tuple(frame["xgboost"][0].tolist())
        assert calibrated_votes[1] == votes[1]
        assert calibrated_votes[2].probabilities == tuple(frame["nhits"][0].tolist())
        assert calibrated_votes[3] == Abstention("patchtst", "late")
        mean = (0.25 * rows["xgboost"] + 0.25 * rows["lightgbm"] + 0.3 * rows["nhits"]) / 0.8
        np.testing.assert_allclose(ensemble, calibration.policy.ensemble(mean[None])[0], atol=1e-12)


def test_there_are_no_probabilities_without_maps_or_votes():
    votes = [Vote("xgboost", Action.BUY, 0.6, scores=(0.2, 0.2, 0.6)), Abstention("lightgbm", "late")]
    assert UNCALIBRATED.calibrate_votes([votes], VoteSettings()) == [(votes, None)]
    assert both_kinds_of_maps().calibrate_votes([votes[1:]], VoteSettings()) == [(votes[1:], None)]


def test_many_markets_have_the_probabilities_of_each():
    calibration, random = both_kinds_of_maps(), np.random.default_rng(5)
    names = ("xgboost", "lightgbm", "nhits")
    markets = [
        [
            Vote(name, Action.BUY, 0.5, scores=tuple(random.dirichlet([1, 1, 1]).tolist()))
            if random.random() < 0.4
            else Abstention(name, "late")
            for name in names
        ]
        for _ in range(40)
    ]
    together = calibration.calibrate_votes(markets, VoteSettings())
    assert together == [calibration.calibrate_votes([votes], VoteSettings())[0] for votes in markets]
    assert {probabilities is None for _, probabilities in together} == {True, False}
    assert calibration.calibrate_votes([], VoteSettings()) == []


def test_calibration_json_is_read_and_written_byte_for_byte():
    calibration = both_kinds_of_maps()
    assert Calibration.parse(calibration.content(), VoteSettings(), "x").content() == calibration.content()


class Failing:
    window = 1
    batch = None

    def run(self, rows):
        raise RuntimeError("killed")


class NotFinite:
    window = 1
    batch = None

    def run(self, rows):
        return np.full((len(rows), 3), np.nan)


@pytest.mark.parametrize(("broken", "reason"), [(Failing, "failed: killed"), (NotFinite, "scores are [nan, nan, nan]")])
def test_a_member_that_fails_abstains_and_leaves_no_quorum(bundle, candles, world, broken, reason):
    sessions = {**bundle.members.sessions, "xgboost": broken()}
    partial = Bundle(bundle.manifest, sessions, {}, PredictSettings(deadline_ms=60_000), bundle.calibration)
    signal = partial.predict(candles, now=world.now)
    assert [(a.model, a.reason) for a in signal.abstentions] == [("xgboost", reason)]
    assert (signal.action, signal.rule) == (Action.HOLD, "no_quorum")
    assert signal.votes[0].probabilities is not None
    frame = partial.predict_frame(candles)
    assert set(frame.rule[candles.time >= world.seam]) == {"no_quorum"}


def test_log_lines_at_start(calibrated, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "quorate"):
        quorate.load_bundle(calibrated.path)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[:2] == ["xgboost: loaded", "lightgbm: loaded"]
    assert messages[2].endswith("mode full, 2 of 2 members, quorum 2, policy calibrated")
    caplog.clear()
    manifest, files = storage.read(calibrated.path)
    path, _ = storage.publish(tmp_path, manifest, {**files, "xgboost.onnx": b"no graph"})
    with caplog.at_level(logging.INFO, "quorate"):
        quorate.load_bundle(path)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines[0][0] == "ERROR"
    assert "xgboost: not loaded, abstains" in lines[0][1]
    assert lines[-1][0] == "WARNING"
    assert "mode none, 1 of 2 members" in lines[-1][1]


def test_async_predictions_of_one_and_of_many_markets(bundle, world):
    market = SyntheticMarket(seed=5, symbols=3, bars=1_100, edge=0.3)
    predictor = Agent(bundle, market, clock=lambda: world.now)
    names = market.names[:2]
    signals = asyncio.run(predictor.signals([names[1], names[0], names[1]]))
    assert list(signals) == [names[1], names[0]]
    for name in names:
        direct = predictor.predict_direction(name, world.panel[name])
        assert signals[name].time == direct.time == world.now - HOUR_MS
        assert signals[name].action == direct.action
        assert signals[name].confidence == pytest.approx(direct.confidence, abs=1e-6)
    assert predictor.status() == {"xgboost": True, "lightgbm": True}
    with pytest.raises(BundleError, match="expected candles of X"):
        predictor.predict_direction("X", world.panel[names[0]])
    with pytest.raises(BundleError, match="no source of candles"):
        asyncio.run(Agent(bundle).signals(names))
