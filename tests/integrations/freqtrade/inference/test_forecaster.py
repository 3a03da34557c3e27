"""Every bar has its own decision, the live frame has the same, and whatever is wrong gives no entry and a reason."""

import logging
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from quorate import load_bundle
from quorate.core.types import Action, Vote
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.voting.vote import decide
from quorate.integrations.freqtrade import BundleSource, Forecaster
from quorate.integrations.freqtrade.inference.signal_columns import TAG_LENGTH, plot_config, short_tag, tag, told

BTC = "BTC/USDT:USDT"


@pytest.fixture
def frame(world):
    return world.panel[BTC].to_pandas()


@pytest.fixture
def make_forecaster(make_options):
    def make(**own):
        options = make_options(**own)
        source = BundleSource(options)
        source.start()
        return Forecaster(options, source)

    return make


def test_every_bar_has_the_bundles_own_decision(world, frame, make_forecaster):
    columns = make_forecaster().columns(frame, BTC, "1h")
    expected = load_bundle(world.bundle).predict_frame(world.panel[BTC])
    assert np.array_equal(columns["quorate_action"], expected.action.astype(int) - 1)
    assert set(np.unique(columns["quorate_action"])) == {-1, 0, 1}
    assert np.allclose(columns["quorate_confidence"], expected.confidence, atol=5e-5)
    assert columns["quorate_consensus"].tolist() == expected.consensus.tolist()
    scores = np.max(expected.scores["xgboost"], axis=1)
    assert np.allclose(columns["quorate_xgboost"], scores, atol=5e-5, equal_nan=True)
    assert np.nanmax(np.abs(columns["quorate_lightgbm_says"])) == 1


def test_a_live_frame_says_of_its_newest_bars_what_the_whole_history_says(frame, make_forecaster):
    whole = make_forecaster().columns(frame, BTC, "1h")
    for end in range(1_400, 1_700, 37):
        live = make_forecaster().columns(frame[end - 498 : end].reset_index(drop=True), BTC, "1h")
        for name in ("quorate_action", "quorate_confidence", "quorate_consensus"):
            assert live[name][-1] == whole[name][end - 1], (name, end)
        assert live["quorate_atr"][-1] == pytest.approx(whole["quorate_atr"][end - 1], rel=1e-7)


def test_no_bar_changes_when_later_bars_are_taken_away(frame, make_forecaster):
    whole = make_forecaster().columns(frame, BTC, "1h")
    for end in (1_000, 1_203, 1_555):
        cut = make_forecaster().columns(frame[:end], BTC, "1h")
        for name, column in cut.items():
            if column.dtype == object:
                assert column.tolist() == whole[name][:end].tolist()
            else:
                assert np.array_equal(column, whole[name][:end], equal_nan=True), name


def test_bars_of_the_training_span_give_no_entries_and_it_is_said_once(world, frame, make_forecaster, caplog):
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


def test_a_frame_wholly_inside_the_training_span_has_no_decisions(frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    columns = forecaster.columns(frame[100:600].reset_index(drop=True), BTC, "1h")
    assert not columns["quorate_action"].any()
    assert set(columns["quorate_rule"]) == {"training_span"}
    assert forecaster.told(BTC) is None
    assert "inside the training span" in caplog.text


@pytest.mark.parametrize(
    ("pair", "timeframe", "own", "reason"),
    [
        (BTC, "4h", {}, "trained on. Set"),
        ("DOGE/USDT:USDT", "1h", {}, "a pair that the bundle was not trained on"),
        ("BTC/USDT", "1h", {"spot": True}, "found a spot market; expected perpetuals"),
    ],
)
def test_what_the_bundle_does_not_know_gives_no_entry_and_a_reason(
    frame, make_forecaster, caplog, pair, timeframe, own, reason
):
    columns = make_forecaster(**own).columns(frame, pair, timeframe)
    assert not columns["quorate_action"].any()
    assert not columns["quorate_confidence"].any()
    assert set(columns["quorate_rule"]) == {"refused"}
    assert f"no entries in {pair}" in caplog.text
    assert reason in caplog.text


def test_a_pair_that_it_never_saw_trades_where_that_is_allowed(frame, make_forecaster):
    columns = make_forecaster(unseen_pairs=True).columns(frame, "DOGE/USDT:USDT", "1h")
    assert columns["quorate_action"].any()


def test_bad_frames_give_no_entry_and_the_next_good_one_does(frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    bad = frame.copy()
    bad.loc[1_500, "close"] = np.nan
    assert not forecaster.columns(bad, BTC, "1h")["quorate_action"].any()
    assert "close nan in row 1500" in caplog.text
    assert forecaster.told(BTC) is None
    assert len(forecaster.columns(frame[:0], BTC, "1h")["quorate_action"]) == 0
    short = forecaster.columns(frame[1_600:1_640].reset_index(drop=True), BTC, "1h")
    assert not short["quorate_action"].any()
    assert set(short["quorate_rule"]) == {"no_votes"}
    assert "40 bars; members abstain" in caplog.text
    frame["something"] = "else"
    assert forecaster.columns(frame, BTC, "1h")["quorate_action"].any()


def test_a_frame_is_predicted_once_and_a_revised_candle_anew(frame, make_forecaster, caplog):
    forecaster = make_forecaster()
    first = forecaster.columns(frame, BTC, "1h")
    before = forecaster.told(BTC)
    again = forecaster.columns(frame, BTC, "1h")
    assert forecaster.told(BTC).decisions is before.decisions
    assert all(np.array_equal(first[name], again[name], equal_nan=first[name].dtype != object) for name in first)
    frame.loc[1_690, "high"] *= 1.01
    forecaster.columns(frame, BTC, "1h")
    assert forecaster.told(BTC).decisions is not before.decisions


def test_predictions_on_disk_are_the_same_to_the_bit_and_a_broken_file_is_predicted_anew(
    frame, make_forecaster, tmp_path, caplog
):
    first = make_forecaster(cache="kept").columns(frame, BTC, "1h")
    (kept,) = (tmp_path / "kept").glob("*.npz")
    stamp = kept.stat().st_mtime_ns
    again = make_forecaster(cache="kept").columns(frame, BTC, "1h")
    assert kept.stat().st_mtime_ns == stamp
    for name, column in first.items():
        assert np.array_equal(column, again[name], equal_nan=column.dtype != object), name
    kept.write_bytes(kept.read_bytes()[:200])
    broken = make_forecaster(cache="kept").columns(frame, BTC, "1h")
    assert "predicted anew" in caplog.text
    assert np.array_equal(broken["quorate_action"], first["quorate_action"])
    make_forecaster(cache="kept", allow_training_span=True).columns(frame, BTC, "1h")
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 2


def test_gaps_stay_gaps(world, frame, make_forecaster):
    """Freqtrade fills a gap; the decisions around it are those of the candles without it."""
    holed = frame.drop(index=range(1_200, 1_203)).reset_index(drop=True)
    filled = frame.copy()
    close = frame.loc[1_199, "close"]
    filled.loc[1_200:1_202, ["open", "high", "low", "close", "volume"]] = (close, close, close, close, 0.0)
    without = make_forecaster().columns(holed, BTC, "1h")["quorate_action"]
    with_ = make_forecaster().columns(filled, BTC, "1h")
    assert with_["quorate_rule"][1_200:1_203].tolist() == ["no candle"] * 3
    assert np.array_equal(np.delete(with_["quorate_action"], range(1_200, 1_203)), without)


def test_rules_speak_only_without_a_bundle_and_without_confidence(frame, make_forecaster):
    columns = make_forecaster(bundle="nowhere", fallback="rules").columns(frame, BTC, "1h")
    assert columns["quorate_action"].any()
    assert not columns["quorate_confidence"].any()
    assert {"fallback_rules"} == set(columns["quorate_rule"])


def test_a_tag_is_the_line_of_the_live_vote(world, frame, make_forecaster):
    forecaster = make_forecaster()
    forecaster.columns(frame, BTC, "1h")
    known = forecaster.told(BTC)
    bundle = load_bundle(world.bundle)
    acted = np.flatnonzero(known.decisions.action != Action.HOLD)
    assert len(acted) > 100
    for row in acted[::40]:
        votes = [
            Vote(model, Action(int(np.argmax(table[row]))), float(table[row].max()))
            for model, table in known.decisions.scores.items()
        ]
        by_hand = decide(votes, float(known.decisions.volatility[row]), policy=bundle.manifest.policy)
        assert tag(known.decisions, row, ("xgboost", "lightgbm"), "full") == by_hand.line()
        xgb, lgbm = (vote.action.name for vote in votes)
        # A backtest's tag has no scores, so that its report can add up what such votes brought.
        brief = short_tag(known.decisions, row, ("xgboost", "lightgbm", "nhits"), "full")
        assert brief == f"{by_hand.consensus} | xgb:{xgb}, lgbm:{lgbm}, nhits:ABSTAIN"
        signal = told(known.decisions, row, ("xgboost", "lightgbm"), "full")
        assert (signal.action, signal.consensus) == (by_hand.action, by_hand.consensus)


def test_a_tag_is_no_longer_than_freqtrades_column(frame, make_forecaster):
    forecaster = make_forecaster()
    forecaster.columns(frame, BTC, "1h")
    many = tuple(f"a_member_with_a_long_name_{number}" for number in range(40))
    decisions = forecaster.told(BTC).decisions
    assert len(tag(decisions, 1_650, many, "full")) == TAG_LENGTH


def test_the_chart_shows_columns_that_there_are(frame, make_forecaster):
    columns = make_forecaster().columns(frame, BTC, "1h")
    for plot in plot_config(("xgboost", "lightgbm"))["subplots"].values():
        assert set(plot) <= set(columns)


def test_a_new_bundle_is_asked_anew(world, frame, make_options, tmp_path):
    options = make_options()
    source = BundleSource(options)
    source.start()
    forecaster = Forecaster(options, source)
    forecaster.columns(frame, BTC, "1h")
    before = forecaster.told(BTC)
    source.bundle = load_bundle(BundleStore(world.bundles).path(source.id))
    source.bundle.manifest = replace(source.bundle.manifest, id="0123456789abcdef")
    forecaster.columns(frame, BTC, "1h")
    assert forecaster.told(BTC).bundle == "0123456789abcdef" != before.bundle


SPOILED = ("nan", "inf", "zero", "negative", "huge", "twice", "backwards", "words", "hole", "still", "stranger")


def spoil(frame, how, row, column):
    frame = frame.astype({column: object}) if how == "words" else frame.copy()
    values = {"nan": np.nan, "inf": np.inf, "zero": 0.0, "negative": -1.0, "huge": 1e300, "words": "?"}
    if how in values:
        frame.loc[row, column] = values[how]
    elif how == "twice":
        frame.loc[row + 1, "date"] = frame.loc[row, "date"]
    elif how == "backwards":
        frame = frame[::-1]
    elif how == "hole":
        frame = frame.drop(index=range(row, row + 5))
    elif how == "still":
        frame.loc[row : row + 5, ["open", "high", "low", "close"]] = frame.loc[row, "close"]
        frame.loc[row : row + 5, "volume"] = 0.0
    else:
        frame["close_of_tomorrow"] = frame["close"].shift(-1)
    return frame.reset_index(drop=True)


@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    how=st.sampled_from(SPOILED),
    row=st.integers(0, 490),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
)
def test_no_frame_stops_the_bot_and_none_that_cannot_be_true_gives_an_entry(world, make_forecaster, how, row, column):
    whole = world.panel[BTC][1_100:1_600].to_pandas()
    spoiled = spoil(whole, how, row, column)
    forecaster = make_forecaster()
    columns = forecaster.columns(spoiled, BTC, "1h")
    assert {len(values) for values in columns.values()} == {len(spoiled)}
    impossible = how in ("nan", "inf", "negative", "twice", "backwards", "words") or (
        how == "zero" and column != "volume"
    )
    if impossible:
        assert not columns["quorate_action"].any()
        assert forecaster.told(BTC) is None
    # One bad frame spoils no other.
    assert forecaster.columns(whole, BTC, "1h")["quorate_action"].any()
