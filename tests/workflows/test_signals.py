"""Signals of many markets as a function, with their marks."""

import json

import numpy as np
import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS, now_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import (
    ArgumentError,
    BundleError,
    SettingsError,
    TrainingSpanError,
    UnknownSymbolError,
    WorkerError,
)
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.core.types.shards import Shard
from quorate.ensemble.series import load
from quorate.workflows.inputs.predictors import load_predictor
from quorate.workflows.signals import signals
from stubs.killing_source import KillingSource

SEEN, UNSEEN = "SYNA/USDT:USDT", "SYNC/USDT:USDT"


def moved(candles, end):
    """The same candles, the last of which opens at `end`."""
    time = candles.time + (end - int(candles.time[-1]))
    return Candles(candles.symbol, "1h", time, *(getattr(candles, name) for name in CANDLE_COLUMNS), synthetic=True)


def test_the_document_is_that_of_the_command_line(world, capsys, calls):
    made = signals(world.bundle, world.data, [SEEN, UNSEEN], progress=calls)
    assert capsys.readouterr() == ("", "")
    assert calls.calls == [("predicting", 1, 2), ("predicting", 2, 2)]
    assert main(["signal", "--bundle", str(world.bundle), "--data", str(world.data), SEEN, UNSEEN, "--json"]) == 0
    assert made.to_json() == json.loads(capsys.readouterr().out)


def test_a_closed_policy_says_why_on_every_market(world, capsys):
    asked = ["signal", "--bundle", str(world.bundle), "--data", str(world.data), SEEN, "--policy", "closed"]
    assert main([*asked, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["action"], found["rule"], found["policy"], len(found["votes"])) == ("HOLD", "closed", "closed", 2)
    assert found["closed_because"]
    assert main(asked) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"CLOSED: the vote is shown and every bar is HOLD, because {found['closed_because']}" in shown


def test_marks_of_training_symbol_span_and_synthetic_candles(world):
    assert [each.symbol for each in signals(world.bundle, world.data)] == [SEEN, "SYNB/USDT:USDT"]
    made = signals(world.bundle, world.data, all_markets=True)
    assert [(each.symbol, each.trained_symbol) for each in made] == [
        (SEEN, True),
        ("SYNB/USDT:USDT", True),
        (UNSEEN, False),
    ]
    assert len(made) == 3
    assert made[0].stale
    assert made.stale
    assert not made[0].in_training_span
    assert made[-1].synthetic
    assert [each.symbol for each in made[1:]] == ["SYNB/USDT:USDT", UNSEEN]


@pytest.mark.parametrize(("bars", "stale"), [(1, False), (2, False), (4, True)])
def test_a_signal_is_stale_after_three_bars(world, bars, stale):
    newest = now_ms() // HOUR_MS * HOUR_MS
    candles = moved(world.market.candles(SEEN), newest - bars * HOUR_MS)
    (made,) = signals(world.bundle, candles)
    assert made.stale is stale
    assert made.time == newest - bars * HOUR_MS


def test_one_stale_market_is_marked_beside_a_current_one(world):
    newest = now_ms() // HOUR_MS * HOUR_MS - HOUR_MS
    panel = {SEEN: moved(world.market.candles(SEEN), newest), UNSEEN: world.market.candles(UNSEEN)}
    made = signals(world.bundle, panel)
    assert [each.stale for each in made] == [False, True]
    assert not made.stale
    assert made.newest == newest


def test_bars_of_the_training_span_are_refused_or_marked(world):
    candles = world.market.candles(SEEN).between(end=world.end - 50 * HOUR_MS)
    with pytest.raises(TrainingSpanError):
        signals(world.bundle, candles)
    (made,) = signals(world.bundle, candles, allow_training_span=True)
    assert made.in_training_span
    assert "INSIDE THE TRAINING SPAN" in str(signals(world.bundle, candles, allow_training_span=True))


def test_a_loaded_bundle_and_a_policy(world):
    loaded = load(world.bundle)
    (by_path,) = signals(world.bundle, world.data, SEEN, policy="classic").to_json()
    (by_bundle,) = signals(loaded, world.data, SEEN, policy="classic").to_json()
    assert by_path == by_bundle
    assert by_path["policy"] == "classic"
    with pytest.raises(BundleError, match="no probabilities"):
        signals(world.bundle, world.data, SEEN, policy="calibrated")
    with pytest.raises(ArgumentError, match="`policy`: found 'loud'; expected one of classic, calibrated"):
        signals(loaded, world.data, SEEN, policy="loud")


def test_tables_and_texts(world):
    made = signals(world.bundle, world.data, [SEEN, UNSEEN])
    table = made.to_pandas()
    assert list(table["symbol"]) == [SEEN, UNSEEN]
    assert list(table["trained_symbol"]) == [True, False]
    assert str(table["time"].dt.tz) == "UTC"
    assert table["confidence"].tolist() == [each.signal.confidence for each in made]
    assert table["predicted_return"].isna().all()
    votes = made.to_pandas("votes")
    assert list(votes.index) == [(name, model) for name in (SEEN, UNSEEN) for model in ("xgboost", "lightgbm")]
    assert votes.loc[(SEEN, "xgboost"), "score"] == made[0].signal.votes[0].score
    stacked = signals(world.stack, world.data, [SEEN])
    assert np.isfinite(stacked.to_pandas("votes")["predicted_return"]).all()
    assert np.isfinite(stacked.to_pandas()["predicted_return"]).all()
    with pytest.raises(ArgumentError, match="signals, votes"):
        made.to_pandas("metrics")
    for text in (str(made), made._repr_html_()):
        assert "SYNTHETIC MARKET" in text
        assert SEEN in text
        assert "not a training symbol" in text
        assert made[0].signal.action.name in text


def test_another_timeframe_than_the_bundles_is_refused(world):
    assert len(signals(world.bundle, world.data, SEEN, timeframe="1h")) == 1
    with pytest.raises(ArgumentError, match="found `timeframe` 4h; expected 1h, the timeframe of the bundle"):
        signals(world.bundle, world.data, SEEN, timeframe="4h")


def test_no_market_of_the_bundles_kind_is_refused(world):
    spot = Candles("SYN/USDT", "1h", *(getattr(world.market.candles(SEEN), name) for name in ("time", *CANDLE_COLUMNS)))
    with pytest.raises(ArgumentError, match="`symbols`"):
        signals(world.bundle, spot)


def test_one_unknown_market_does_not_keep_the_others_from_being_predicted(world, capsys):
    asked = ["signal", "--bundle", str(world.bundle), "--data", str(world.data), SEEN, "SYNZ/USDT:USDT"]
    assert main(asked) == 1
    shown = capsys.readouterr()
    assert SEEN in shown.out
    assert "SYNZ/USDT:USDT" in shown.err
    with pytest.raises(UnknownSymbolError):
        signals(world.bundle, world.data, ["SYNZ/USDT:USDT"])


def test_the_vote_of_the_environment_is_applied_and_marked(world, monkeypatch, capsys):
    """A bundle decides by the floor that it was trained with, unless one is set for the run."""
    monkeypatch.setenv("QUORATE_VOTE__FLOOR", "0.3")
    (made,) = signals(world.bundle, world.data, SEEN)
    loaded = load_predictor(world.bundle, load_settings())
    assert (loaded.manifest.policy.floor, loaded.newest.trained_vote.floor) == (0.3, 0.69)
    assert loaded.policies["consensus"].vote.floor == 0.3
    (document,) = signals(world.bundle, world.data, SEEN).to_json()
    assert document["vote_overrides"] == {"floor": {"trained": 0.69, "applied": 0.3, "read": True}}
    assert main(["signal", "--bundle", str(world.bundle), "--data", str(world.data), SEEN]) == 0
    assert "VOTE SET FOR THIS RUN: floor 0.3 instead of 0.69" in capsys.readouterr().out
    monkeypatch.delenv("QUORATE_VOTE__FLOOR")
    (again,) = signals(world.bundle, world.data, SEEN).to_json()
    assert "vote_overrides" not in again
    assert made.signal.rule != "below_floor"


def test_the_vote_of_a_settings_file_is_refused_where_the_bundle_has_another(world, tmp_path, monkeypatch):
    file = tmp_path / "quorate.toml"
    file.write_text("[vote]\nfloor = 0.3\n")
    monkeypatch.setenv("QUORATE_CONFIG", str(file))
    with pytest.raises(SettingsError, match=r"vote\.floor = 0\.3; expected 0\.69, with which it was trained"):
        signals(world.bundle, world.data, SEEN)
    monkeypatch.setenv("QUORATE_VOTE__FLOOR", "0.4")  # above the file
    assert load_predictor(world.bundle, load_settings()).manifest.policy.floor == 0.4
    file.write_text("[vote]\nfloor = 0.69\n")
    monkeypatch.delenv("QUORATE_VOTE__FLOOR")
    assert load_predictor(world.bundle, load_settings()).manifest.policy.floor == 0.69


def test_what_a_notebook_shows_of_a_loaded_bundle_is_one_line(world):
    bundle = load(world.bundle)
    candles = world.market.candles(SEEN)
    signal, frame = bundle.predict(candles), bundle.predict_frame(candles.between(world.end))
    assert repr(bundle) == f"Bundle({bundle.id}: vote, 1h, 2 markets, 2 of 2 members, {bundle.decides})"
    assert repr(candles).startswith(f"Candles({SEEN}, 1h: 900 bars, 20")
    assert repr(frame).startswith(f"DecisionFrame({SEEN}, 1h: {len(frame)} bars, ")
    assert repr(signal) == (
        f"Signal({SEEN}: {signal.action.name} {signal.confidence:.0%} by {signal.rule}, {signal.line()})"
    )
    with pytest.raises(ArgumentError, match="from_pandas"):
        bundle.predict(candles.to_pandas())


@pytest.fixture
def unpaced(monkeypatch):
    """On a busy machine a member may miss its deadline, in one run and not in another."""
    monkeypatch.setenv("QUORATE_PREDICT__DEADLINE_MS", "60000")


def test_the_shards_of_a_command_are_all_markets(world, capsys, unpaced):
    whole = signals(world.bundle, world.data, all_markets=True).to_json()
    asked = ["signal", "--bundle", str(world.bundle), "--data", str(world.data), "--all", "--json", "--shard"]
    found = []
    for shard in (Shard(1, 2), Shard(2, 2)):
        held = shard.select(market["symbol"] for market in whole)
        assert main([*asked, str(shard)]) == (0 if held else 2)
        shown = capsys.readouterr()
        found += json.loads(shown.out) if held else []
        assert held or f"none of shard {shard} among 3" in shown.err
    assert sorted(found, key=lambda market: market["symbol"]) == whole
    with pytest.raises(ArgumentError, match="could not choose a shard: found 3/2"):
        signals(world.bundle, world.data, shard="3/2")


def test_several_processes_make_the_signals_of_one(world, calls, unpaced):
    names = [UNSEEN, SEEN, "SYNZ/USDT:USDT", "SYNB/USDT:USDT"]
    whole = signals(world.bundle, world.data, names)
    found = signals(world.bundle, world.data, names, processes=2, progress=calls)
    assert found.to_json() == whole.to_json()
    assert [each.symbol for each in found] == [UNSEEN, SEEN, "SYNB/USDT:USDT"]
    assert {name: str(error) for name, error in found.left_out.items()} == {
        name: str(error) for name, error in whole.left_out.items()
    }
    assert (found.mode, found.status, found.stale) == (whole.mode, whole.status, whole.stale)
    assert calls.calls[-1] == ("predicting", 4, 4)


def test_a_process_that_is_killed_is_named_and_begun_again_once(world, tmp_path, caplog, unpaced):
    whole = signals(world.bundle, world.data, all_markets=True)
    shard = Shard(1, 2).of(UNSEEN)
    found = signals(world.bundle, KillingSource(world.data, UNSEEN, tmp_path, 1), all_markets=True, processes=2)
    assert found.to_json() == whole.to_json()
    (message,) = [record.getMessage() for record in caplog.records if record.name.endswith("workers")]
    assert f"could not run the shard {shard} in a process of its own: found it ended by signal 9" in message
    for mark in tmp_path.iterdir():
        mark.unlink()
    with pytest.raises(WorkerError, match=f"run the shard {shard} in a process of its own: found it ended by signal 9"):
        signals(world.bundle, KillingSource(world.data, UNSEEN, tmp_path, 2), all_markets=True, processes=2)


def test_what_several_processes_cannot_do_is_refused(world):
    with pytest.raises(ArgumentError, match="found `processes` 2 with a `bundle` that is loaded"):
        signals(load(world.bundle), world.data, processes=2)
    with pytest.raises(ArgumentError, match="found `processes` 0"):
        signals(world.bundle, world.data, processes=0)
    with pytest.raises(ArgumentError, match="found `processes` 2 with `panel`"):
        signals(world.bundle, world.data, processes=2, panel=True)
