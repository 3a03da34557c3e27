"""`quorate weights`: the verdict first, the document, files that are written, and wrong options."""

import json
import tomllib

import pytest

from lifecycle.weights.conftest import planted
from quorate.evaluation.out_of_fold.predictions_file import write_predictions

QUICK = {
    "QUORATE_WEIGHTS__EVALUATIONS": "20",
    "QUORATE_WEIGHTS__STRENGTHS": "[0, 0.01]",
    "QUORATE_WEIGHTS__PENALTIES": "[0.01]",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictions")
    write_predictions(folder / "better.parquet", planted({"xgboost": 0.1, "lightgbm": 1.5}))
    write_predictions(folder / "same.parquet", planted({"xgboost": 0.3, "lightgbm": 0.3}))
    return folder


def test_kept_weights_are_printed_and_written(quorate_program, files, tmp_path):
    written = ("--report", tmp_path / "w.html", "--settings", tmp_path / "w.toml")
    done = quorate_program("weights", "--predictions", files / "better.parquet", *written, **QUICK)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("[SYNTHETIC] Kept: ")
    for name in ("Weights, fitted on all rows", "Out of fold", "Differences in log-loss", "Decisions of the classic"):
        assert name in done.stdout
    found = tomllib.loads((tmp_path / "w.toml").read_text())["vote"]["weights"]
    assert found["xgboost"] > 0.8
    assert "[vote.weights]" in done.stdout
    assert "<h1>Member weights" in (tmp_path / "w.html").read_text()
    assert "trials recorded in" in done.stderr


def test_without_a_clear_winner_nothing_is_written(quorate_program, files, tmp_path):
    asked = ("--predictions", files / "same.parquet", "--settings", tmp_path / "w.toml", "--json")
    done = quorate_program("weights", *asked, **QUICK)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["kept"] == []
    assert document["snippet"] is None
    assert "no settings are written" in done.stderr
    assert not (tmp_path / "w.toml").exists()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ((), "--bundle"),
        (("--account", "main"), "--bundle"),
        (("--predictions", "same.parquet", "--data", "x"), "--predictions"),
    ],
)
def test_options_that_do_not_go_together(quorate_program, files, given, named):
    done = quorate_program("weights", *given, folder=files)
    assert done.returncode == 2
    assert named in done.stderr
