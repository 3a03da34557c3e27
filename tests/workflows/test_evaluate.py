"""Evaluation and backtest of a bundle as functions: documents, tables, pages, headlines."""

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError, EvaluationError, TrainingSpanError
from quorate.ensemble.series import load
from quorate.workflows.backtest import backtest
from quorate.workflows.evaluate import evaluate
from quorate.workflows.runs.trials import RunRecord


@pytest.fixture(scope="module")
def evaluation(world, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUORATE_EVALUATION__RESAMPLES", "60")
        log = tmp_path_factory.mktemp("log") / "trials.jsonl"
        return evaluate(world.bundle, world.data, start=world.start, record=RunRecord(path=log))


@pytest.fixture(scope="module")
def stack_evaluation(world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUORATE_EVALUATION__RESAMPLES", "60")
        return evaluate(world.stack, world.data, start=world.start, record=RunRecord(log=False))


def printed(capsys, *arguments):
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def without_moment(document):
    """The document without when and how it was made."""
    provenance = {name: value for name, value in document["provenance"].items() if name not in ("measured", "command")}
    return {**document, "provenance": provenance}


@pytest.mark.parametrize("kind", ["bundle", "stack"])
def test_the_document_is_that_of_the_command_line(world, capsys, kind):
    bundle = getattr(world, kind)
    made = evaluate(bundle, world.data, start=world.start)
    assert capsys.readouterr().out == ""
    Path("quorate-trials.jsonl").unlink()
    shown = printed(capsys, "evaluate", "--bundle", bundle, "--data", world.data, "--from", world.start)
    assert without_moment(json.loads(json.dumps(made.to_json()))) == without_moment(shown)


def test_the_backtest_is_that_of_the_command_line(world, capsys):
    made = backtest(world.bundle, str(world.data), start=world.start, guards=True)
    Path("quorate-trials.jsonl").unlink()
    asked = ("backtest", "--bundle", world.bundle, "--data", world.data, "--from", world.start, "--guards")
    assert without_moment(json.loads(json.dumps(made.to_json()))) == without_moment(printed(capsys, *asked))


@pytest.mark.parametrize("kind", ["bundle", "stack"])
@pytest.mark.parametrize("guards", [False, True])
def test_the_page_of_a_backtest_has_its_verdict_and_leaves_the_log_alone(world, kind, guards, tmp_path):
    log = tmp_path / "log.jsonl"
    made = backtest(
        getattr(world, kind), world.data, start=world.start, guards=guards, record=RunRecord("a command", path=log)
    )
    logged = log.read_text()
    page = html.unescape(made.report(tmp_path / "page.html").read_text())
    assert log.read_text() == logged
    assert made.verdict.sentence in page
    assert "a command" in page
    assert made.document["deflation"]["about"] in page


def test_the_trade_list_has_the_same_columns_without_trades(world, tmp_path):
    lines = {}
    for policy in ("classic", "closed"):
        made = backtest(
            world.bundle, world.data, start=world.start, policy=policy, record=RunRecord(log=False)
        ).write_trades(tmp_path / f"{policy}.csv")
        lines[policy] = made.read_text().splitlines()
    assert len(lines["classic"]) > 2
    assert lines["closed"] == lines["classic"][:1]


def test_a_loaded_bundle_and_candles_in_memory_give_the_same_figures(world, evaluation):
    panel = {name: world.market.candles(name) for name in world.market.names}
    again = evaluate(load(world.bundle), panel, start=world.end, record=RunRecord(log=False))
    for name in ("ensemble", "members", "decisions"):
        assert again.document[name] == evaluation.document[name]
    assert again.document["provenance"]["data"] == "dict"


def test_a_selection_of_markets_and_time(world):
    end = pd.Timestamp(world.end + 100 * 3_600_000, unit="ms", tz="UTC").to_pydatetime()
    made = evaluate(
        world.bundle, world.data, symbols=["SYNC/USDT:USDT"], start=world.start, end=end, record=RunRecord(log=False)
    )
    assert made.document["symbols"] == 1
    assert made.document["unseen_symbols"] == ["SYNC/USDT:USDT"]
    assert len(made.to_pandas("decisions")) == 100


def test_progress_is_called_and_nothing_is_printed(world, calls, capsys):
    backtest(world.bundle, world.data, start=world.start, progress=calls, record=RunRecord(log=False))
    assert calls.calls == [
        *(("reading candles", number, 3) for number in (1, 2, 3)),
        *(("predicting", number, 3) for number in (1, 2, 3)),
        ("trading", 3, 3),
        *(("trading at random", number, 50) for number in range(1, 51)),
    ]
    assert capsys.readouterr() == ("", "")


def test_metrics_have_a_row_for_each_model_and_intervals_in_columns(evaluation):
    metrics = evaluation.to_pandas()
    document = evaluation.document
    assert list(metrics.index[:3]) == ["ensemble", "xgboost", "lightgbm"]
    assert set(metrics.index[3:]) == set(document["baselines"])
    ensemble = metrics.loc["ensemble"]
    assert ensemble["log_loss"] == document["ensemble"]["log_loss"]
    assert [ensemble["log_loss_low"], ensemble["log_loss_high"]] == document["ensemble"]["log_loss_ci"]
    assert ensemble["n"] == document["rows"]
    assert ensemble["trades"] == document["trades"]["n"]
    hold = metrics.loc["buy_and_hold"]
    assert hold["total_return"] == document["baselines"]["buy_and_hold"]["total_return"]
    assert np.isnan(hold["log_loss"])
    assert np.isnan(metrics.loc["prior", "rank_ic"])
    assert set(map(str, metrics.dtypes)) == {"float64"}


def test_trades_equity_decisions_and_policies_as_tables(evaluation):
    trades = evaluation.to_pandas("trades")
    assert len(trades) == evaluation.document["trades"]["n"] > 0
    assert trades["net_usd"].sum() == pytest.approx(evaluation.document["trades"]["net_usd"])
    assert str(trades["entry_time"].dt.tz) == "UTC"
    assert (trades["exit_time"] >= trades["entry_time"]).all()
    equity = evaluation.to_pandas("equity")
    start = evaluation.result.start_equity_usd
    assert equity["equity_usd"].iloc[-1] / start - 1 == evaluation.document["trades"]["total_return"]
    assert equity["buy_and_hold_usd"].iloc[-1] / start - 1 == pytest.approx(
        evaluation.document["baselines"]["buy_and_hold"]["total_return"]
    )
    decisions = evaluation.to_pandas("decisions")
    assert dict(decisions["action"].value_counts()) == {
        name: count for name, count in evaluation.document["decisions"]["actions"].items() if count
    }
    assert {"xgboost_buy", "lightgbm_sell", "confidence", "rule"} <= set(decisions.columns)
    policies = evaluation.to_pandas("policies")
    assert list(policies.index) == [row["policy"] for row in evaluation.document["signals_by_policy"]]
    assert list(policies["in_force"]) == [True] + [False] * (len(policies) - 1)


def test_policies_and_floors_are_compared_on_the_same_bars(evaluation):
    document = evaluation.document
    assert set(document["policies"]) == {"classic", "lowered", "consensus"}
    names = [row["name"] for row in document["criteria"]]
    assert all([row["name"] for row in policy["criteria"]] == names for policy in document["policies"].values())
    floors = document["floors"]
    assert floors["bars"] == document["rows"]
    assert list(floors["policies"]) == ["classic", "consensus"]
    kept = {row["policy"]: row["n"] for row in document["signals_by_policy"]}
    for name, found in floors["policies"].items():
        in_force = next(row for row in found["floors"] if row["floor"] == floors["floor"])
        assert in_force["signals"] == kept[name]


@pytest.mark.parametrize("policy", ["consensus", "closed"])
def test_another_policy_decides_and_is_reported(world, evaluation, tmp_path, policy):
    made = evaluate(world.bundle, world.data, start=world.start, policy=policy, record=RunRecord(log=False))
    assert next(iter(made.document["policies"])) == policy
    deciding = [row["policy"] for row in made.document["signals_by_policy"] if row["in_force"]]
    assert deciding == [policy]
    assert made.document["criteria"] == made.document["policies"][policy]["criteria"]
    assert made.document["floors"] == evaluation.document["floors"]
    assert all(frame.policy == policy for frame in made.frames.values())
    page = made.report(tmp_path / "page.html").read_text()
    assert f"<dt>Policy</dt><dd>{policy}" in page
    assert ("closed_because" in made.document) == (policy == "closed")
    if policy == "closed":
        assert made.document["trades"]["n"] == 0
        assert "CLOSED: the vote is shown and every bar is HOLD, because" in str(made)
        assert made.document["decisions"]["actions"]["BUY"] == 0
        assert made.document["coverage"] == evaluation.document["coverage"] != []
        closed = backtest(world.bundle, world.data, start=world.start, policy=policy, record=RunRecord(log=False))
        assert closed.document["stats"]["n"] == 0
        assert closed.document["closed_because"] == made.document["closed_because"]


def test_an_unknown_table_is_refused_with_the_known_names(evaluation, stack_evaluation):
    with pytest.raises(ArgumentError, match=r"metrics, trades, equity, decisions, policies.*Did you mean 'trades'"):
        evaluation.to_pandas("trade")
    with pytest.raises(ArgumentError, match="metrics, trades, equity, decisions"):
        stack_evaluation.to_pandas("policies")


def test_the_page_has_the_marks_of_its_figures(world, tmp_path):
    made = evaluate(world.bundle, world.data, allow_training_span=True, record=RunRecord(log=False))
    assert made.document["in_training_span"] is True
    page = made.report(tmp_path / "page.html").read_text()
    assert "SYNTHETIC" in page
    assert "INSIDE THE TRAINING SPAN" in page
    title = f"Bundle {made.document['bundle']}"
    assert f"<title>SYNTHETIC: {title} - Quorate</title>" in page
    assert f"<h1>{title}</h1>" in page
    policy = next(row["policy"] for row in made.document["signals_by_policy"] if row["in_force"])
    assert f"<dt>Policy</dt><dd>{policy}" in page
    assert f"<dt>Markets</dt><dd>{', '.join(made.frames)}, 1h</dd>" in page
    assert "INSIDE THE TRAINING SPAN" in str(made)


def test_a_stack_has_tables_a_headline_and_a_page(stack_evaluation, tmp_path):
    page = stack_evaluation.report(tmp_path / "page.html").read_text()
    assert f"<h1>Stack {stack_evaluation.document['bundle']}</h1>" in page
    assert "Errors of predicted returns" in page
    promises = page[page.index('id="promises"') : page.index('id="sceptic"')]
    assert "target at least 65 %" in promises
    assert "unanimous" not in promises
    metrics = stack_evaluation.to_pandas("metrics")
    assert metrics.loc["predict_zero", "r2_vs_zero"] == 0
    assert metrics.loc["ensemble", "rmse_pct"] == pytest.approx(100 * metrics.loc["ensemble", "rmse"])
    assert "predicted_return" in stack_evaluation.to_pandas("decisions")
    assert "predicting zero" in str(stack_evaluation)


def test_the_headline_has_every_figure_beside_its_baseline(evaluation):
    text, html = str(evaluation), evaluation._repr_html_()
    document = evaluation.document
    figures = (document["ensemble"]["log_loss"], document["baselines"]["prior"]["log_loss"])
    for shown in (text, html):
        assert "SYNTHETIC" in shown
        assert document["bundle"] in shown
        assert all(f"{figure:.4f} [" in shown for figure in figures)
        for words in ("class prior on the same rows", "skill over the prior", "buy and hold", "random entries"):
            assert words in shown
    assert html.startswith("<div>")
    assert text.splitlines()[0].startswith("SYNTHETIC")


def test_the_headline_of_a_backtest(world):
    made = backtest(world.bundle, world.data, start=world.start, record=RunRecord(log=False))
    assert made.synthetic
    assert "buy and hold" in str(made)
    assert "<td>" in made._repr_html_()
    metrics = made.to_pandas("metrics")
    assert list(metrics.index) == ["account", "buy_and_hold"]
    assert metrics.loc["account", "total_return"] == made.document["stats"]["total_return"]
    assert len(made.to_pandas()) == len(made.document["trades"])
    assert list(made.to_pandas("equity").columns) == ["equity_usd", "buy_and_hold_usd"]
    assert len(made.to_pandas("decisions")) == 3 * 200


def test_texts_of_a_headline_are_escaped(world):
    record = RunRecord(log=False)
    made = backtest(world.bundle, world.data, start=world.start, record=record)
    named = replace(made, document={**made.document, "bundle": "<b>x"})
    assert "<b>" not in named._repr_html_()


def test_runs_are_recorded_as_trials_unless_switched_off(world, tmp_path):
    log = tmp_path / "own.jsonl"
    made = backtest(world.bundle, world.data, start=world.start, record=RunRecord("my command", "my data", path=log))
    (line,) = map(json.loads, log.read_text().splitlines())
    assert line["verb"] == "backtest"
    assert line["data"] == made.document["provenance"]["data_hash"]
    assert made.document["deflation"]["recorded"] == 1
    assert made.document["provenance"]["command"] == "my command"
    assert made.document["provenance"]["data"] == "my data"
    unlogged = backtest(world.bundle, world.data, start=world.start, record=RunRecord(log=False))
    assert "deflation" not in unlogged.document
    assert unlogged.document["provenance"]["command"] == "quorate.backtest(...)"
    assert list(tmp_path.iterdir()) == [log]


def test_an_unwritable_trial_log_is_refused_before_reading(world, calls, tmp_path):
    with pytest.raises(EvaluationError, match="trial"):
        evaluate(world.bundle, world.data, start=world.start, record=RunRecord(path=tmp_path), progress=calls)
    assert calls.calls == []


def test_bars_of_the_training_span_are_refused_by_argument(world):
    with pytest.raises(TrainingSpanError) as refused:
        evaluate(world.bundle, world.data, start=world.end - 100 * HOUR_MS, record=RunRecord(log=False))
    assert refused.value.expected.startswith("`start` ")
    assert "`allow_training_span=True`" in refused.value.remedy


def test_a_bundle_begins_after_its_training(world):
    record = RunRecord(log=False)
    found = evaluate(world.bundle, world.data, symbols=world.market.names[:1], record=record)
    (frame,) = found.frames.values()
    first = load(world.bundle).manifest.training_end
    assert frame.time[0] == first
    assert found.document["in_training_span"] is False


def test_the_command_line_names_the_flags(world, capsys):
    asked = ["evaluate", "--bundle", str(world.bundle), "--data", str(world.data), "--from", "2024-01-20", "--json"]
    assert main(asked) == 1
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["expected"].startswith("--from ")
    assert "--allow-training-span" in error["remedy"]
    assert "--allow-training-span" in err
    assert "`" not in err.splitlines()[-1]
