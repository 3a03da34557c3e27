"""Explanations of the signals of real bundles: additive, without look-ahead, and equal to brute force."""

import shutil
from itertools import permutations

import numpy as np
import pytest

import quorate
from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.errors import ArgumentError, BundleError, TooLittleHistoryError, TrainingSpanError
from quorate.ensemble.series.series import BundleSeries
from quorate.lifecycle.explain.explain_signal import explain_signal
from quorate.models.export import Step, steps_to_onnx
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession

EXACT = {"rtol": 0, "atol": 1e-6}


@pytest.fixture(scope="module")
def bundle(world):
    return quorate.load_bundle(world.bundle)


@pytest.fixture(scope="module")
def stack(world):
    return quorate.load_bundle(world.stack)


@pytest.fixture
def candles(world):
    return world.panel[world.symbol]


def explained(bundle, candles, **options):
    return explain_signal(bundle, candles, now=int(candles.time[-1]) + HOUR_MS, **{"background": 6, **options})


def totals(own):
    return own.base + own.contributions.sum(axis=0)


def test_contributions_add_up_to_every_score(bundle, candles):
    for bars in range(len(candles) - 60, len(candles) + 1, 20):
        found = explained(bundle, candles[:bars])
        signal = bundle.predict(candles[:bars], now=int(candles.time[bars - 1]) + HOUR_MS)
        assert [vote.model for vote in signal.votes] == list(found.members) == ["xgboost", "lightgbm", "nhits"]
        for vote in signal.votes:
            np.testing.assert_allclose(totals(found.members[vote.model]), vote.scores, **EXACT)
        weights = [bundle.manifest.policy.weight(vote.model) for vote in signal.votes]
        mean = np.average([vote.scores for vote in signal.votes], axis=0, weights=weights)
        np.testing.assert_allclose(totals(found.ensemble), mean, **EXACT)
        # Scores of the classes sum to 1, so that contributions to them sum to 0.
        np.testing.assert_allclose(found.ensemble.contributions.sum(axis=1), 0, **EXACT)
        assert np.abs(found.ensemble.contributions).max() > 0.005


@pytest.mark.parametrize("model", ["xgboost", "nhits"])
def test_contributions_are_those_of_brute_force(bundle, candles, model):
    """Groups replaced one after the other in every order, on features that the test computes itself."""
    found = explained(bundle, candles, background=3)
    session, X = bundle.members.sessions[model], quorate.features(candles.tail(498), "core14")
    times = candles.tail(498).time

    def inputs(time):
        row = int(np.searchsorted(times, time))
        return X[row].copy() if session.window == 1 else X[row - session.window + 1 : row + 1].copy()

    newest, expected = inputs(times[-1]), np.zeros((len(found.groups), 3))
    orders = list(permutations(range(len(found.groups))))
    for time in found.background:
        for order in orders:
            mixed = inputs(time)
            steps = [mixed.copy()]
            for number in order:
                mixed[..., found.groups[number].places] = newest[..., found.groups[number].places]
                steps.append(mixed.copy())
            expected[list(order)] += np.diff(session.run(np.stack(steps)), axis=0)
    np.testing.assert_allclose(
        found.members[model].contributions, expected / len(orders) / len(found.background), **EXACT
    )


def test_of_a_change_the_earlier_scores_are_the_base(bundle, candles):
    for since in (1, 5, 40):
        time = int(candles.time[-1 - since])
        found = explained(bundle, candles, since=time + HOUR_MS // 2)
        before = bundle.predict(candles[: len(candles) - since], now=time + HOUR_MS)
        assert found.earlier.time == time
        assert found.background == (time,)
        for vote, later in zip(before.votes, found.signal.signal.votes, strict=True):
            np.testing.assert_allclose(found.members[vote.model].base, vote.scores, **EXACT)
            np.testing.assert_allclose(totals(found.members[vote.model]), later.scores, **EXACT)
        np.testing.assert_allclose(totals(found.ensemble), found.ensemble.score, **EXACT)


def test_later_bars_change_nothing_and_the_background_is_earlier(bundle, world, candles):
    cut = len(candles) - 30
    whole = quorate.explain(world.bundle, world.data, world.symbol, at=int(candles.time[cut - 1]))
    alone = explained(bundle, candles[:cut], background=world.settings.explain.background)
    assert whole.to_json() == alone.to_json()
    assert max(whole.background) < whole.signal.time == candles.time[cut - 1]
    assert len(whole.background) == 8


def test_columns_of_trees_add_up_to_the_log_odds(bundle, candles):
    for options in ({}, {"since": int(candles.time[-20])}):
        found = explained(bundle, candles, **options)
        assert set(found.trees) == {"xgboost", "lightgbm"}
        for model, own in found.trees.items():
            logs = np.log(found.members[model].score)
            np.testing.assert_allclose(totals(own), logs - logs.mean(), atol=1e-5)
    np.testing.assert_array_equal(found.features, quorate.features(candles.tail(498), "core14")[-1])
    own = np.abs(found.trees["xgboost"].contributions[:, 2])
    assert own[found.trees["xgboost"].largest(2, 1)[0]] == own.max()


@pytest.mark.usefixtures("exact_byte_products")
def test_of_a_network_in_8_bits_the_score_of_the_vote_is_explained(bundle, candles):
    """It rounds by the batch: the explained input alone has another score than among the hybrid ones."""
    graph = quantise((bundle.folder / "nhits.onnx").read_bytes(), "nhits")
    sessions = {**bundle.members.sessions, "nhits": OnnxSession(graph, 14, "nhits")}
    light = quorate.Bundle(bundle.manifest, sessions, {}, None, bundle.calibration)
    found = explained(light, candles)
    (vote,) = (vote for vote in found.signal.signal.votes if vote.model == "nhits")
    np.testing.assert_allclose(totals(found.members["nhits"]), vote.scores, **EXACT)
    exact = explained(bundle, candles).members["nhits"]
    np.testing.assert_allclose(found.members["nhits"].contributions, exact.contributions, atol=0.01)


def test_of_a_stack_the_predicted_return_is_explained(stack, candles):
    found = explained(stack, candles)
    signal = found.signal.signal
    assert found.outputs == ("predicted_return",)
    for own in signal.forecasts:
        np.testing.assert_allclose(totals(found.members[own.model]), own.predicted_return, **EXACT)
    np.testing.assert_allclose(totals(found.ensemble), signal.predicted_return, rtol=0, atol=1e-12)
    np.testing.assert_allclose(totals(found.trees["lightgbm"]), found.members["lightgbm"].score, atol=1e-6)


def without(bundle, *models):
    sessions = {name: own for name, own in bundle.members.sessions.items() if name not in models}
    return quorate.Bundle(
        bundle.manifest, sessions, dict.fromkeys(models, "taken out"), None, bundle.calibration, bundle.stack
    )


def test_a_member_that_abstains_has_no_part(bundle, candles):
    found = explained(without(bundle, "lightgbm"), candles)
    assert list(found.members) == ["xgboost", "nhits"]
    np.testing.assert_allclose(totals(found.ensemble), found.ensemble.score, **EXACT)
    assert found.trees == {}  # there is no folder with native files
    with pytest.raises(BundleError, match="the fallback rules decide"):
        explained(without(bundle, "lightgbm", "nhits"), candles)


def test_a_stack_without_a_member_predicts_nothing(stack, candles):
    found = explained(without(stack, "xgboost"), candles)
    assert found.signal.signal.rule == "member_missing"
    assert found.ensemble is None
    assert list(found.members) == ["lightgbm", "nhits"]
    assert found.to_json()["ensemble"] is None


def test_what_cannot_be_explained_is_an_error(bundle, world, candles):
    inside = candles.between(end=bundle.manifest.training_end)
    with pytest.raises(TrainingSpanError, match="inside the training span"):
        explained(bundle, inside)
    assert explained(bundle, inside, allow_training_span=True).signal.in_training_span
    for since in (int(candles.time[-1]), int(candles.time[0]) - 1):
        with pytest.raises(ArgumentError, match="what changed SYNA/USDT:USDT: found `since`"):
            explained(bundle, candles, since=since)
    with pytest.raises(ArgumentError, match="no bar that had opened by"):
        quorate.explain(world.bundle, world.data, world.symbol, at=int(candles.time[0]) - 1)
    new = candles[800:850]
    with pytest.raises(TooLittleHistoryError, match="no bar before"):  # the first row with every feature
        explained(without(bundle, "nhits"), new)
    with pytest.raises(BundleError, match="no vote"):
        explained(bundle, new[:20])


def test_an_altered_native_file_is_refused(world, candles, tmp_path):
    shutil.copytree(world.bundle, tmp_path / "bundle")
    loaded = quorate.load_bundle(tmp_path / "bundle")
    native = tmp_path / "bundle" / "lightgbm.txt"
    native.write_text(native.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(BundleError, match=r"lightgbm\.txt altered"):
        explained(loaded, candles)


def test_the_document_and_the_table(bundle, candles):
    found = explained(bundle, candles)
    document = found.to_json()
    assert document["time"] == iso_ms(int(candles.time[-1]))
    assert document["explained"] == quorate.Action(int(found.ensemble.score.argmax())).name
    assert document["groups"]["volume"] == ["volume_change", "volume_ma_ratio"]
    assert document["columns"]["xgboost"]["contributions"]["rsi_14"]["value"] == found.features[9]
    table = found.to_pandas()
    assert table.loc[("ensemble", "price"), "BUY"] == document["ensemble"]["contributions"]["price"][2]
    assert len(table) == 4 * 4


def test_a_group_that_no_member_reads_contributes_nothing(world, candles):
    """A graph that is linear in one column: the other groups are dummies, and the weight is that of the column."""
    loaded = quorate.load_bundle(world.bundle)
    weights = np.zeros((14, 3), np.float32)
    weights[list(loaded.features.names).index("rsi_14")] = (0.001, 0.0, -0.001)
    shares = np.array([[0.3, 0.4, 0.3]], np.float32)
    graph = steps_to_onnx(
        "line",
        [Step("MatMul", ("input", "w"), "moved"), Step("Add", ("moved", "b"), "scores")],
        {"w": weights, "b": shares},
        14,
        3,
    )
    sessions = {**loaded.members.sessions, "xgboost": OnnxSession(graph, 14, "line")}
    made = quorate.Bundle(loaded.manifest, sessions, {}, None, loaded.calibration)
    found = explained(made, candles).members["xgboost"]
    names = [group.name for group in explained(made, candles).groups]
    X = quorate.features(candles.tail(498), "core14")[:, loaded.features.names.index("rsi_14")]
    rows = np.searchsorted(candles.tail(498).time, explained(made, candles).background)
    moved = 0.001 * (X[-1] - X[rows].mean())
    for name, own in zip(names, found.contributions, strict=True):
        np.testing.assert_allclose(own, (moved, 0, -moved) if name == "technical" else 0, **EXACT)


def test_the_bundle_of_a_series_that_decides_on_a_bar_explains_it(bundle, candles):
    series = BundleSeries("series", [bundle.manifest], lambda _: bundle)
    assert explained(series, candles).to_json() == explained(bundle, candles).to_json()
    with pytest.raises(TrainingSpanError, match="first bar of a series"):
        explained(series, candles.between(end=series.first_bar))
