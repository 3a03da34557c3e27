"""Training as a function: from every kind of data, as documents, tables and headlines."""

import json

import numpy as np
import pandas as pd
import pytest

from quorate.cli.app import main
from quorate.cli.render import training
from quorate.core.clock import HOUR_MS, iso_ms, parse_ms
from quorate.core.errors import ArgumentError, BundleError, DataError, ModelError
from quorate.core.types import Candles
from quorate.workflows.evaluate import evaluate
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.train import train
from quorate.workflows.train_rolling import train_rolling

NAMES = ("SYNA/USDT:USDT", "SYNB/USDT:USDT")
MODELS = ("xgboost", "lightgbm")


@pytest.fixture
def trained(world, tmp_path):
    return train(world.data, tmp_path / "made", models=MODELS, symbols=NAMES, end=world.end)


@pytest.fixture
def series(world, tmp_path, calls):
    return train_rolling(
        world.data, tmp_path / "made", every="7d", window="20d", models="xgboost,lightgbm", symbols=NAMES,
        end="2024-02-01", progress=calls,
    )  # fmt: skip


def without_cost(document):
    """The document without what differs from run to run: seconds, memory and the folder."""
    if isinstance(document, dict):
        kept = {name: without_cost(value) for name, value in document.items()}
        return {name: value for name, value in kept.items() if name not in ("seconds", "peak_mib", "bundle")}
    return [without_cost(one) for one in document] if isinstance(document, list) else document


def printed(capsys, *arguments):
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def as_json(result):
    return json.loads(json.dumps(result.to_json()))


def test_the_bundle_and_the_document_are_those_of_the_command_line(world, trained, tmp_path, capsys):
    assert capsys.readouterr() == ("", "")
    shown = printed(
        capsys, "train", "--data", world.data, "--symbols", ",".join(NAMES), "--to", iso_ms(world.end),
        "--models", "xgboost,lightgbm", "--out", tmp_path / "other",
    )  # fmt: skip
    assert without_cost(as_json(trained)) == without_cost(shown)
    assert trained.id == world.bundle.name


def test_floors_are_shown_on_the_rows_that_choose_the_policy(world, trained, capsys):
    floors = trained.to_json()["floors"]
    assert floors == trained.manifest.metrics["floors"]
    assert floors["bars"] == trained.manifest.metrics["probabilities"]["rows"]["choose"]
    for policy in floors["policies"].values():
        counts = [row["signals"] for row in policy["floors"]]
        assert counts == sorted(counts, reverse=True)
        highest = policy["highest_confidence"]
        assert all((row["signals"] > 0) == (row["floor"] <= highest) for row in policy["floors"])
    capsys.readouterr()
    training.show(trained, full=True)
    shown = capsys.readouterr().out
    assert "highest seen" in shown
    assert "decides by the policy classic" in shown
    training.show(trained, following="quorate signal")
    shown = capsys.readouterr().out
    assert "highest seen" not in shown
    assert shown.endswith("\nnext: quorate signal\n")
    assert "none of the members was fitted on" in " ".join(shown.split())
    assert "decides by the policy classic" in shown


def test_a_frame_a_mapping_and_a_folder_train_the_same_bundle(world, trained, tmp_path, calls):
    frames = {name: world.market.candles(name).to_pandas() for name in NAMES}
    for frame in frames.values():
        frame.attrs["synthetic"] = True
    funding_free = train(frames, tmp_path / "frames", models=MODELS, end=world.end, progress=calls)
    stages = {stage for stage, _, _ in calls.calls}
    assert "reading candles" in stages
    assert any(stage.startswith("xgboost") for stage in stages)
    assert {done == total for stage, done, total in calls.calls if stage == "reading candles"} == {False, True}
    assert funding_free.manifest.symbols == NAMES
    assert funding_free.id == trained.id
    one = train(frames[NAMES[0]], tmp_path / "one", models=MODELS, symbols=NAMES[:1], end=world.end)
    assert one.manifest.symbols == NAMES[:1]
    assert one.synthetic


def test_the_card_lies_beside_the_files(trained, series):
    for made in (trained, *series.bundles):
        assert made.card_failure == ""
        assert (made.path / "card.md").read_text().startswith(f"# Bundle {made.id}\n")
        assert (made.path / "card.html").exists()


def test_tables_hold_every_member_and_part(trained):
    metrics = trained.to_pandas()
    assert list(metrics.index) == [(model, part) for model in MODELS for part in ("validation", "test")]
    own = trained.to_json()["models"]["lightgbm"]["metrics"]["test"]
    row = metrics.loc["lightgbm", "test"]
    assert row["log_loss"] == own["log_loss"]
    assert row["prior_log_loss"] == own["prior_log_loss"]
    assert [row["skill_vs_prior_low"], row["skill_vs_prior_high"]] == own["skill_vs_prior_ci"]
    assert trained.to_pandas("members")["ok"].all()
    assert trained.to_pandas("stages").index[0] == "candles"
    with pytest.raises(ArgumentError, match="metrics, members, stages"):
        trained.to_pandas("trades")


def test_the_headline_is_beside_the_class_prior_and_marked_synthetic(trained):
    figures = trained.to_json()["models"]["xgboost"]["metrics"]["test"]
    for text in (str(trained), trained._repr_html_()):
        assert "SYNTHETIC MARKET" in text
        assert trained.id in text
        assert f"{figures['log_loss']:.4f}" in text
        assert f"class prior {figures['prior_log_loss']:.4f}" in text


def test_the_headline_of_a_stack_is_beside_predicting_zero(world, tmp_path, capsys):
    made = train(
        world.data, tmp_path / "stacks", recipe="stack", method="voting", models=MODELS, symbols=NAMES, end=world.end
    )
    assert made.to_json()["stack"]["method"] == "voting"
    assert {"predict_zero", "predict_mean", "stack"} <= set(made.to_pandas().index.get_level_values("model"))
    zero = made.to_json()["baselines"]["predict_zero"]["test"]["rmse_pct"]
    assert f"predicting zero {zero:.4f}" in str(made)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"recipe": "votes"}, ArgumentError, "Did you mean 'vote'"),
        ({"method": "ridge"}, ArgumentError, "`recipe` stack"),
        ({"symbols": None}, ArgumentError, "either `symbols` or `top`"),
        ({"symbols": "SYNX/USDT:USDT"}, DataError, "Did you mean"),
        ({"models": "lightgmb"}, ModelError, "Did you mean 'lightgbm'"),
        ({"ende": "2024-01-01"}, ArgumentError, "Did you mean 'end'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(world, tmp_path, arguments, error, words):
    with pytest.raises(error, match=words):
        train(world.data, tmp_path / "none", **{"models": MODELS, "symbols": NAMES, "end": world.end, **arguments})
    assert not (tmp_path / "none").exists()


def test_a_series_is_that_of_the_command_line(world, series, tmp_path, calls, capsys):
    assert capsys.readouterr() == ("", "")
    shown = printed(
        capsys, "train", "--data", world.data, "--symbols", ",".join(NAMES), "--to", "2024-02-01", "--rolling", "7d",
        "--window", "20d", "--models", "xgboost,lightgbm", "--out", tmp_path / "other",
    )  # fmt: skip
    assert without_cost(as_json(series)) == without_cost(shown)
    assert len(series.bundles) == 2
    assert any(stage.startswith("bundle 2/2: ") for stage, _, _ in calls.calls)


def test_a_series_has_tables_and_a_headline_of_all_bundles(series):
    ids = [result.id for result in series.bundles]
    assert list(series.to_pandas("bundles").index) == ids
    first = series.to_pandas("bundles").iloc[0]
    assert first["first_bar"] == pd.Timestamp("2024-01-21", tz="UTC")
    assert list(dict.fromkeys(series.to_pandas().index.get_level_values("bundle"))) == ids
    for text in (str(series), series._repr_html_()):
        assert series.id in text
        assert "from 2024-01-21 00:00: xgboost" in text
        assert "class prior" in text
    with pytest.raises(ArgumentError, match="bundles"):
        series.to_pandas("nothing")


def test_the_result_of_a_series_is_evaluated(world, series):
    judged = evaluate(series, world.data, start="2024-01-21", record=RunRecord(log=False))
    assert judged.to_json()["bundle"] == series.id


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"every": "7"}, ArgumentError, "use `every`"),
        ({"window": "soon"}, ArgumentError, "use `window`"),
        ({"window": "60d"}, BundleError, "at least the 60 of one training window"),
    ],
)
def test_invalid_windows_are_refused(world, tmp_path, arguments, error, words):
    with pytest.raises(error, match=words):
        train_rolling(world.data, tmp_path, **{"every": "7d", "symbols": NAMES, "models": MODELS, **arguments})


def test_a_class_that_the_training_rows_lack_is_said_and_earns_no_skill(tmp_path, capsys):
    """The price only rises over the training rows, and falls afterwards: SELL is only in later rows."""
    bars = 1_500
    rng = np.random.default_rng(1)
    step = np.where(np.arange(bars) < 1_150, 1.0, -1.0) * np.abs(rng.normal(0.0015, 0.0015, bars))
    close = 100 * np.exp(np.cumsum(step))
    opened = np.r_[100.0, close[:-1]]
    high, low = np.maximum(opened, close) * 1.0002, np.minimum(opened, close) * 0.9998
    time = parse_ms("2025-01-01") + HOUR_MS * np.arange(bars)
    candles = Candles("BTC/USDT", "1h", time, opened, high, low, close, np.full(bars, 10.0))
    end = iso_ms(int(time[1_300]))
    result = train(candles, tmp_path / "out", models=MODELS, end=end)
    document = result.to_json()
    assert document["class_prior"]["SELL"] == 0
    assert document["absent_classes"] == ["SELL"]
    assert "No SELL in the training rows" in document["warnings"][0]
    assert document["warnings"][0] in str(result)
    training.show(result)
    assert "No SELL in the training rows" in capsys.readouterr().out
    evaluation = evaluate(result.path, candles, start=end)
    scores = {**evaluation.document["members"], "ensemble": evaluation.document["ensemble"]}
    for figures in (*scores.values(), *(found["metrics"]["test"] for found in document["models"].values())):
        assert figures["skill_vs_prior"] is figures["auc"] is figures["against_prior"] is None
        assert figures["missing"]["skill_vs_prior"] == "no SELL in the training rows"
    assert evaluation.document["baselines"]["prior"]["log_loss"] is None
    assert evaluation.document["absent_classes"] == ["SELL"]
    assert "No SELL in the training rows" in str(evaluation)
