"""A search on a stored walk-forward and on a paper account: document, trials, report, settings."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError, EvaluationError
from quorate.core.settings import WeightSettings
from quorate.evaluation.out_of_fold.predictions_file import read_predictions, write_predictions
from quorate.evaluation.statistics.trial_log import TrialLog
from quorate.lifecycle.weights.report import write_weight_report
from quorate.lifecycle.weights.search import search_weights, weights_from_account, weights_from_file
from quorate.workflows.paper import PaperAccount
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.walk_forward import walk_forward

QUICK = WeightSettings(strengths=(0.0, 0.01), penalties=(0.01,), evaluations=20, fewest=50, folds=3)


@pytest.fixture(scope="module")
def settings(world, tmp_path_factory):
    ledger = tmp_path_factory.mktemp("log") / "trials.jsonl"
    evaluation = replace(world.settings.evaluation, ledger=str(ledger), importance_rows=0, draws=2)
    return replace(world.settings, weights=QUICK, evaluation=evaluation)


@pytest.fixture(scope="module")
def stored(world, settings, tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "predictions.parquet"
    walked = walk_forward(
        world.data,
        models="xgboost,lightgbm",
        folds=3,
        settings=settings,
        record=RunRecord(log=False),
        predictions=path,
        symbols=list(world.panel),
    )
    return walked, path


@pytest.fixture(scope="module")
def found(stored, settings):
    return weights_from_file(stored[1], settings=settings)


def test_the_stored_scores_are_those_of_the_evaluation(stored, world):
    walked, path = stored
    rows = read_predictions(path)
    assert len(rows) == walked.document["rows"]
    assert list(rows.members) == ["xgboost", "lightgbm"]
    for place in (0, 200, len(rows) - 1):
        symbol = rows.symbols[rows.symbol[place]]
        frame = walked.frames[symbol]
        at = int(np.searchsorted(frame.time, rows.time[place]))
        for model, scores in rows.members.items():
            np.testing.assert_array_equal(scores[place], frame.scores[model][at])
        candles = world.panel[symbol]
        bar = int(np.searchsorted(candles.time, rows.time[place]))
        assert rows.forward_return[place] == candles.close[bar + 5] / candles.close[bar] - 1
        assert rows.volatility[place] == pytest.approx(np.exp(rows.regime["volatility"][place]))


def test_the_document_has_the_verdict_first_and_every_figure(found):
    document = json.loads(json.dumps(found.document, allow_nan=False))
    assert next(iter(document)) == "verdict"
    assert document["synthetic"]
    assert [row["scheme"] for row in document["schemes"]] == ["equal", "documented", "convex", "evolved", "gated"]
    assert document["tested_rows"] < document["rows"]
    assert len(document["by_fold"]) == 2
    assert document["by_fold"][1]["read"] > document["by_fold"][0]["read"]
    for weights in document["weights"].values():
        assert set(weights) == {"equal", "documented", "convex", "evolved"}
    for row in document["schemes"]:
        for rival, apart in row["against"].items():
            kind = "vote_log_loss" if row["judged_by"] == "vote" else "log_loss"
            losses = {other["scheme"]: other[kind] for other in document["schemes"]}
            assert apart["log_loss"] == pytest.approx(losses[row["scheme"]] - losses[rival], abs=1e-12)
    assert (document["snippet"] is None) == (not {"convex", "evolved"} & set(document["kept"]))


def test_every_tried_configuration_is_a_trial(found, settings):
    trials = TrialLog(Path(settings.evaluation.ledger)).read().trials
    assert len(trials) == len(found.document["schemes"]) + len(found.document["tried"])
    assert len({trial.id for trial in trials}) == len(trials)
    assert {trial.verb for trial in trials} == {"weights"}
    assert all(trial.synthetic for trial in trials)
    assert found.document["provenance"]["trials"] == str(len(trials))


def test_the_same_search_gives_the_same_weights(found, stored, settings):
    again = weights_from_file(stored[1], settings=settings, record=RunRecord(log=False))
    for name in ("weights", "gate", "schemes", "tried"):
        assert again.document[name] == found.document[name]
    assert "ledger" not in again.document["provenance"]


def test_the_report_plots_the_gate(found, tmp_path):
    write_weight_report(tmp_path / "weights.html", found)
    text = (tmp_path / "weights.html").read_text()
    assert found.document["verdict"] in text
    drawn = re.findall(r'aria-label="Weights along (\w+): xgboost ([\d.]+) to ([\d.]+), lightgbm', text)
    assert [name for name, _, _ in drawn] == ["volatility", "trend", "breadth", "hour_sin", "hour_cos"]
    gate = found.comparison.nested.final["gated"].weighting
    for name, first, last in drawn:
        ends = gate.along(name, np.array([-2.5, 2.5]))
        assert ends.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert [float(first), float(last)] == pytest.approx(ends[:, 0], abs=0.006)


def test_settings_are_written_only_where_weights_are_kept(make, settings, tmp_path):
    plain = RunRecord(log=False)
    same = search_weights(make({"xgboost": 0.3, "lightgbm": 0.3}), "made", settings=settings, record=plain)
    assert not same.write_snippet(tmp_path / "none.toml")
    assert not (tmp_path / "none.toml").exists()
    assert same.document["verdict"].startswith("No fitted weights are kept")
    better = search_weights(make({"xgboost": 0.1, "lightgbm": 1.5}), "made", settings=settings, record=plain)
    assert better.write_snippet(tmp_path / "kept.toml")
    assert "[vote.weights]" in (tmp_path / "kept.toml").read_text()
    assert better.document["verdict"].startswith("Kept: ")


def test_the_outcomes_of_a_paper_account(world, settings, tmp_path):
    account = PaperAccount("main", f"sqlite:///{tmp_path / 'journal.db'}", settings=settings)
    account.run(world.bundle, world.data, start=world.end, end=world.end + 250 * HOUR_MS)
    plain = RunRecord(log=False)
    found = weights_from_account(
        world.bundle, "main", account.url, data=world.data, settings=settings, record=plain
    ).document
    measured = account.performance(world.bundle, world.data).document
    assert found["rows"] == measured["outcomes"]["known"]
    assert found["members"] == ["xgboost", "lightgbm", "nhits"]
    assert (found["from"], len(found["by_fold"])) == (measured["from"], 2)
    with pytest.raises(ArgumentError, match="neither"):
        weights_from_account(world.bundle, "main", account.url, settings=settings, record=plain)


def test_an_account_without_outcomes_is_refused(world, settings, tmp_path):
    account = PaperAccount("new", f"sqlite:///{tmp_path / 'journal.db'}", settings=settings)
    account.run(world.bundle, world.data, start=world.end, end=world.end + 3 * HOUR_MS)
    with pytest.raises(EvaluationError, match="no decision whose outcome is known"):
        weights_from_account(
            world.bundle, "new", account.url, data=world.data, settings=settings, record=RunRecord(log=False)
        )


def test_scores_of_one_fold_are_refused(make, settings, tmp_path):
    write_predictions(tmp_path / "p.parquet", make({"xgboost": 0.3, "lightgbm": 0.3}, folds=1, bars=60))
    with pytest.raises(EvaluationError, match="at least two"):
        weights_from_file(tmp_path / "p.parquet", settings=settings, record=RunRecord(log=False))
