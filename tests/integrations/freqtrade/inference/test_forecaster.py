"""Decisions on whole and live frames; invalid frames give no entries and a logged reason."""

import json
import logging
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from quorate import load_bundle
from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.types import Action, Candles, Vote
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.inference.bench import BenchSpan
from quorate.ensemble.series.bench_file import bench_path
from quorate.ensemble.voting.frame_signals import signal_at
from quorate.ensemble.voting.vote import decide
from quorate.integrations.freqtrade import BundleSource, Forecaster
from quorate.integrations.freqtrade.inference.bar_log import BarLog
from quorate.integrations.freqtrade.inference.signal_columns import TAG_LENGTH, plot_config, short_tag, tag

BTC = "BTC/USDT:USDT"
MODELS = ("xgboost", "lightgbm")


@pytest.fixture
def frame(world):
    return world.panel[BTC].to_pandas()


@pytest.fixture
def make_forecaster(make_options):
    def make(**section):
        options = make_options(**section)
        source = BundleSource(options)
        source.start()
        return Forecaster(options, source)

    return make


def test_every_bar_has_the_bundles_decision(world, frame, make_forecaster):
    columns = make_forecaster().columns(frame, BTC, "1h")
    expected = load_bundle(world.bundle).predict_frame(world.panel[BTC])
    assert np.array_equal(columns["quorate_action"], expected.action.astype(int) - 1)
    assert set(np.unique(columns["quorate_action"])) == {-1, 0, 1}
    assert np.allclose(columns["quorate_confidence"], expected.confidence, atol=5e-5)
    assert columns["quorate_consensus"].tolist() == expected.consensus.tolist()
    scores = np.max(expected.scores["xgboost"], axis=1)
    assert np.allclose(columns["quorate_xgboost"], scores, atol=5e-5, equal_nan=True)
    assert np.nanmax(np.abs(columns["quorate_lightgbm_says"])) == 1


def test_a_live_frame_decides_its_newest_bar_as_the_whole_history_does(frame, make_forecaster):
    whole = make_forecaster().columns(frame, BTC, "1h")
    for end in range(1_400, 1_700, 37):
        live = make_forecaster().columns(frame[end - 498 : end].reset_index(drop=True), BTC, "1h")
        for name in ("quorate_action", "quorate_confidence", "quorate_consensus"):
            assert live[name][-1] == whole[name][end - 1], (name, end)
        assert live["quorate_atr"][-1] == pytest.approx(whole["quorate_atr"][end - 1], rel=1e-7)


def test_no_bar_changes_when_later_bars_are_removed(frame, make_forecaster):
    whole = make_forecaster().columns(frame, BTC, "1h")
    for end in (1_000, 1_203, 1_555):
        cut = make_forecaster().columns(frame[:end], BTC, "1h")
        for name, column in cut.items():
            if column.dtype == object:
                assert column.tolist() == whole[name][:end].tolist()
            else:
                assert np.array_equal(column, whole[name][:end], equal_nan=True), name


def test_bars_of_the_training_span_give_no_entries_and_are_logged_once(world, frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    with caplog.at_level(logging.WARNING):
        columns = forecaster.columns(frame, BTC, "1h")
        forecaster.columns(frame[:1_500], BTC, "1h")
        forecaster.columns(world.panel["ETH/USDT:USDT"].to_pandas(), "ETH/USDT:USDT", "1h")
    manifest = load_bundle(world.bundle).manifest
    time = world.panel[BTC].time
    seen = (time >= manifest.training_start) & (time < manifest.training_end)
    assert seen.sum() > 600
    assert not columns["quorate_action"][seen].any()
    assert columns["quorate_action"][~seen].any()
    assert set(columns["quorate_rule"][seen]) == {"training_span"}
    assert sum("was trained on them" in record.message for record in caplog.records) == 1
    allowed = make_forecaster(allow_training_span=True).columns(frame, BTC, "1h")
    assert allowed["quorate_action"][seen].any()


def test_a_frame_inside_the_training_span_has_no_decisions(frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    columns = forecaster.columns(frame[100:600].reset_index(drop=True), BTC, "1h")
    assert not columns["quorate_action"].any()
    assert set(columns["quorate_rule"]) == {"training_span"}
    assert forecaster.latest(BTC) is None
    assert "inside the training span" in caplog.text


@pytest.mark.parametrize(
    ("pair", "timeframe", "section", "reason"),
    [
        (BTC, "4h", {}, "trained on. Set"),
        ("DOGE/USDT:USDT", "1h", {}, "a pair that the bundle was not trained on"),
        ("BTC/USDT", "1h", {"spot": True}, "found a spot market; expected perpetuals"),
    ],
)
def test_a_pair_or_timeframe_unknown_to_the_bundle_gives_no_entries_and_a_reason(
    frame, make_forecaster, caplog, pair, timeframe, section, reason
):
    columns = make_forecaster(**section).columns(frame, pair, timeframe)
    assert not columns["quorate_action"].any()
    assert not columns["quorate_confidence"].any()
    assert set(columns["quorate_rule"]) == {"refused"}
    assert f"no entries in {pair}" in caplog.text
    assert reason in caplog.text


def test_an_unseen_pair_is_decided_where_allowed(frame, make_forecaster):
    columns = make_forecaster(unseen_pairs=True).columns(frame, "DOGE/USDT:USDT", "1h")
    assert columns["quorate_action"].any()


def test_invalid_frames_give_no_entries_and_the_next_valid_one_does(frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    bad = frame.copy()
    bad.loc[1_500, "close"] = np.nan
    assert not forecaster.columns(bad, BTC, "1h")["quorate_action"].any()
    assert "close nan in row 1500" in caplog.text
    assert forecaster.latest(BTC) is None
    assert len(forecaster.columns(frame[:0], BTC, "1h")["quorate_action"]) == 0
    short = forecaster.columns(frame[1_600:1_640].reset_index(drop=True), BTC, "1h")
    assert not short["quorate_action"].any()
    assert set(short["quorate_rule"]) == {"no_votes"}
    assert "40 bars; members that read more bars abstain" in caplog.text
    frame["something"] = "else"
    assert forecaster.columns(frame, BTC, "1h")["quorate_action"].any()


def test_a_frame_is_predicted_once_and_again_after_a_revised_candle(frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    first = forecaster.columns(frame, BTC, "1h")
    before = forecaster.latest(BTC)
    repeated = forecaster.columns(frame, BTC, "1h")
    assert forecaster.latest(BTC).decisions is before.decisions
    assert all(np.array_equal(first[name], repeated[name], equal_nan=first[name].dtype != object) for name in first)
    frame.loc[1_690, "high"] *= 1.01
    forecaster.columns(frame, BTC, "1h")
    assert forecaster.latest(BTC).decisions is not before.decisions


def test_cached_predictions_are_identical_and_an_unreadable_file_is_replaced(frame, make_forecaster, tmp_path, caplog):
    first = make_forecaster(cache="cache").columns(frame, BTC, "1h")
    (file,) = (tmp_path / "cache").glob("*.npz")
    written = file.stat().st_mtime_ns
    cached = make_forecaster(cache="cache").columns(frame, BTC, "1h")
    assert file.stat().st_mtime_ns == written
    for name, column in first.items():
        assert np.array_equal(column, cached[name], equal_nan=column.dtype != object), name
    file.write_bytes(file.read_bytes()[:200])
    predicted = make_forecaster(cache="cache").columns(frame, BTC, "1h")
    assert "the frame is predicted again" in caplog.text
    assert np.array_equal(predicted["quorate_action"], first["quorate_action"])
    make_forecaster(cache="cache", allow_training_span=True).columns(frame, BTC, "1h")
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 2


def test_a_benched_member_has_no_score_from_the_bar_on_and_no_frame_of_before_is_used(world, frame, make_forecaster):
    """The strategy that runs reads the file, although its candles are the ones that it has predicted already."""
    forecaster = make_forecaster(cache="cache")
    before = forecaster.columns(frame, BTC, "1h")
    candles, bundle = world.panel[BTC], world.bundle.name
    start = int(candles.time[-50]) + timeframe_ms("1h")
    path = bench_path(world.bundles, bundle)
    path.parent.mkdir(exist_ok=True)
    span = BenchSpan("lightgbm", start, None, "drifted: skill")
    path.write_text(json.dumps({"bundle": bundle, "spans": [span.to_json()]}))
    try:
        for one in (forecaster, make_forecaster(cache="cache")):
            found = one.columns(frame, BTC, "1h")
            assert np.isnan(found["quorate_lightgbm"][-50:]).all()
            assert set(found["quorate_action"][-50:]) == {0}  # one of two is no quorum
            assert np.array_equal(found["quorate_lightgbm"][:-50], before["quorate_lightgbm"][:-50], equal_nan=True)
            assert np.array_equal(found["quorate_xgboost"], before["quorate_xgboost"], equal_nan=True)
            assert "lgbm:ABSTAIN" in tag(one.latest(BTC).decisions, len(candles) - 1, ("xgboost", "lightgbm"), "full")
    finally:
        path.unlink()
    again = forecaster.columns(frame, BTC, "1h")
    assert np.array_equal(again["quorate_lightgbm"], before["quorate_lightgbm"], equal_nan=True)


def test_rows_filled_into_a_gap_have_no_decision(world, frame, make_forecaster, caplog):
    """The decisions around a gap that Freqtrade has filled are those of the candles without the fill."""
    caplog.set_level("INFO")
    stored = Candles.from_pandas(frame.drop(index=range(1_200, 1_203)), BTC, "1h").time
    gap = frame.drop(index=range(1_200, 1_203)).reset_index(drop=True)
    filled = frame.copy()
    close = frame.loc[1_199, "close"]
    filled.loc[1_200:1_202, ["open", "high", "low", "close", "volume"]] = (close, close, close, close, 0.0)
    without = make_forecaster().columns(gap, BTC, "1h")["quorate_action"]
    with_ = make_forecaster().columns(filled, BTC, "1h", stored)
    assert "3 rows that Freqtrade filled in are left out" in caplog.text
    assert with_["quorate_rule"][1_200:1_203].tolist() == ["no candle"] * 3
    assert np.array_equal(np.delete(with_["quorate_action"], range(1_200, 1_203)), without)


def test_bars_without_a_trade_are_decided_as_from_the_folder(world, frame, make_forecaster, caplog):
    """Every tenth bar is quiet: decisions are those of the bundle on the same candles, and the log counts the bars."""
    caplog.set_level("INFO")
    quiet = frame.copy()
    for row in range(1_010, len(quiet), 10):
        close = quiet.loc[row - 1, "close"]
        quiet.loc[row, ["open", "high", "low", "close", "volume"]] = (close, close, close, close, 0.0)
    candles = Candles.from_pandas(quiet, BTC, "1h")
    own = load_bundle(world.bundle).predict_frame(candles, allow_training_span=True)
    forecaster = make_forecaster(allow_training_span=True)
    for stored in (None, candles.time):
        forecaster.columns(quiet, BTC, "1h", stored)
        assert np.array_equal(forecaster.latest(BTC).decisions.action, own.action)
        assert np.array_equal(forecaster.latest(BTC).decisions.confidence, own.confidence)
    count = len(range(1_010, len(quiet), 10))
    lines = [record.getMessage() for record in caplog.records if "one price and no volume" in record.getMessage()]
    assert lines == [
        f"{BTC}: {count} of {len(quiet)} bars have one price and no volume, and are candles as in training; rows that "
        "Freqtrade filled into gaps look the same and are counted with them"
    ]


def test_the_fallback_rules_decide_without_a_bundle_and_give_no_confidence(frame, make_forecaster):
    columns = make_forecaster(bundle="nowhere", fallback="rules").columns(frame, BTC, "1h")
    assert columns["quorate_action"].any()
    assert not columns["quorate_confidence"].any()
    assert {"fallback_rules"} == set(columns["quorate_rule"])


def test_a_tag_is_the_line_of_the_vote(world, frame, make_forecaster):
    forecaster = make_forecaster()
    forecaster.columns(frame, BTC, "1h")
    decisions = forecaster.latest(BTC).decisions
    bundle = load_bundle(world.bundle)
    decided = np.flatnonzero(decisions.action != Action.HOLD)
    assert len(decided) > 100
    for row in decided[::40]:
        votes = [
            Vote(model, Action(int(np.argmax(table[row]))), float(table[row].max()))
            for model, table in decisions.scores.items()
        ]
        by_hand = decide(votes, float(decisions.volatility[row]), policy=bundle.manifest.policy)
        assert tag(decisions, row, ("xgboost", "lightgbm"), "full") == by_hand.line()
        xgb, lgbm = (vote.action.name for vote in votes)
        # A backtest's tag has no scores, so that its report sums over trades with the same votes.
        short = short_tag(decisions, row, ("xgboost", "lightgbm", "nhits"), "full")
        assert short == f"{by_hand.consensus} | xgb:{xgb}, lgbm:{lgbm}, nhits:ABSTAIN"
        signal = signal_at(decisions, row, ("xgboost", "lightgbm"), "full")
        assert (signal.action, signal.consensus) == (by_hand.action, by_hand.consensus)


def test_a_tag_by_consensus_has_the_votes_given_a_move(world, frame, make_forecaster):
    forecaster = make_forecaster(policy="consensus")
    columns = forecaster.columns(frame, BTC, "1h")
    decisions = forecaster.latest(BTC).decisions
    for row in range(1_000, len(decisions), 97):
        votes = [
            Vote(model, Action.HOLD, 0.0, scores=tuple(table[row].tolist()))
            for model, table in decisions.scores.items()
        ]
        by_hand = decide(votes, float(decisions.volatility[row]), policy="consensus")
        assert tag(decisions, row, ("xgboost", "lightgbm"), "full") == by_hand.line()
        assert columns["quorate_action"][row] == by_hand.action - 1
        assert columns["quorate_xgboost_says"][row] == by_hand.votes[0].action - 1
        assert columns["quorate_xgboost"][row] == pytest.approx(by_hand.votes[0].score, abs=1e-4)


def test_a_closed_policy_enters_nowhere_and_says_so(frame, make_forecaster):
    columns = make_forecaster(policy="closed").columns(frame, BTC, "1h")
    assert not columns["quorate_action"].any()
    assert "closed" in set(columns["quorate_rule"])
    assert columns["quorate_confidence"].any()


def test_a_tag_is_cut_to_the_length_of_freqtrades_column(frame, make_forecaster):
    forecaster = make_forecaster()
    forecaster.columns(frame, BTC, "1h")
    many = tuple(f"a_member_with_a_long_name_{number}" for number in range(40))
    decisions = forecaster.latest(BTC).decisions
    assert len(tag(decisions, 1_650, many, "full")) == TAG_LENGTH


def test_the_plot_configuration_names_columns_of_the_frame(frame, make_forecaster):
    columns = make_forecaster().columns(frame, BTC, "1h")
    for plot in plot_config(("xgboost", "lightgbm"))["subplots"].values():
        assert set(plot) <= set(columns)


def test_the_vote_and_the_probabilities_are_columns(frame, make_forecaster):
    forecaster = make_forecaster()
    columns = forecaster.columns(frame, BTC, "1h")
    said = np.nansum([columns[f"quorate_{model}_says"] for model in MODELS], axis=0)
    decided = ~np.isnan(columns["quorate_votes"])
    assert set(columns["quorate_votes"][decided]) > {-1, 0, 1}
    np.testing.assert_array_equal(columns["quorate_votes"][decided], said[decided] / len(MODELS))
    probabilities = forecaster.latest(BTC).decisions.probabilities
    for side, action in (("buy", Action.BUY), ("sell", Action.SELL)):
        expected = np.nan if probabilities is None else np.round(probabilities[:, action], 4)
        np.testing.assert_array_equal(columns[f"quorate_{side}"][forecaster.latest(BTC).rows], expected)


def test_a_line_is_logged_for_each_closed_bar_once(frame, make_forecaster, caplog):
    caplog.set_level("INFO")
    forecaster, log = make_forecaster(), BarLog()
    forecaster.columns(frame, BTC, "1h")
    times = forecaster.latest(BTC).decisions.time[-2:].tolist()
    for time in (times[0], times[0], times[1], times[1]):
        log.log(BTC, time, forecaster.latest(BTC), "", MODELS, "full")
    log.log("X/USDT:USDT", times[1], None, "training_span", MODELS, "full")
    lines = [record.message for record in caplog.records if record.name.endswith("bar_log")]
    decisions = forecaster.latest(BTC).decisions
    assert len(lines) == 3
    for line, row in zip(lines[:2], (-2, -1), strict=True):
        assert line.startswith(
            f"{format_ms(int(decisions.time[row]))} {BTC}: {Action(int(decisions.action[row])).name} "
        )
        assert f"by {decisions.rule[row]} | {decisions.consensus[row]} | xgb:" in line
    assert lines[2].endswith("X/USDT:USDT: no decision: training span")


def test_a_new_bundle_predicts_the_frame_again(world, frame, make_options, tmp_path):
    options = make_options()
    source = BundleSource(options)
    source.start()
    forecaster = Forecaster(options, source)
    forecaster.columns(frame, BTC, "1h")
    before = forecaster.latest(BTC)
    source.bundle = load_bundle(BundleStore(world.bundles).path(source.id))
    source.bundle.manifest = replace(source.bundle.manifest, id="0123456789abcdef")
    forecaster.columns(frame, BTC, "1h")
    assert forecaster.latest(BTC).bundle == "0123456789abcdef" != before.bundle


DEFECTS = ("nan", "inf", "zero", "negative", "huge", "twice", "backwards", "text", "gap", "flat", "extra")


def damage(frame, how, row, column):
    frame = frame.astype({column: object}) if how == "text" else frame.copy()
    values = {"nan": np.nan, "inf": np.inf, "zero": 0.0, "negative": -1.0, "huge": 1e300, "text": "?"}
    if how in values:
        frame.loc[row, column] = values[how]
    elif how == "twice":
        frame.loc[row + 1, "date"] = frame.loc[row, "date"]
    elif how == "backwards":
        frame = frame[::-1]
    elif how == "gap":
        frame = frame.drop(index=range(row, row + 5))
    elif how == "flat":
        frame.loc[row : row + 5, ["open", "high", "low", "close"]] = frame.loc[row, "close"]
        frame.loc[row : row + 5, "volume"] = 0.0
    else:
        frame["close_of_tomorrow"] = frame["close"].shift(-1)
    return frame.reset_index(drop=True)


@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    how=st.sampled_from(DEFECTS),
    row=st.integers(0, 490),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
)
def test_no_frame_raises_and_an_invalid_one_gives_no_entries(world, make_forecaster, how, row, column):
    valid = world.panel[BTC][1_100:1_600].to_pandas()
    damaged = damage(valid, how, row, column)
    forecaster = make_forecaster()
    columns = forecaster.columns(damaged, BTC, "1h")
    assert {len(values) for values in columns.values()} == {len(damaged)}
    invalid = how in ("nan", "inf", "negative", "twice", "backwards", "text") or (how == "zero" and column != "volume")
    if invalid:
        assert not columns["quorate_action"].any()
        assert forecaster.latest(BTC) is None
    # The next frame is not affected.
    assert forecaster.columns(valid, BTC, "1h")["quorate_action"].any()
