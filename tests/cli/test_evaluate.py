"""`quorate evaluate` without a bundle: the walk-forward as a program: JSON, tables, report and usage."""

import json
import re
from pathlib import Path

import pytest

FIGURES = {"log_loss", "brier", "accuracy", "auc", "skill_vs_prior", "rank_ic"}
SYMBOLS = "SYNA/USDT:USDT,SYNB/USDT:USDT,SYNC/USDT:USDT"


@pytest.fixture(scope="module")
def walk(world, quorate_program, tmp_path_factory):
    page = tmp_path_factory.mktemp("walk") / "page.html"
    done = quorate_program(
        "evaluate", "--data", world.data, "--timeframe", "1h", "--symbols", SYMBOLS, "--models", "xgboost,lightgbm",
        "--folds", 3, "--report", page, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr, page.read_text()


def test_json_document(walk):
    found, _, _ = walk
    assert {"rows", "members", "ensemble", "baselines", "trades", "criteria", "folds"} <= set(found)
    assert set(found["members"]) == {"xgboost", "lightgbm"}
    for figures in (*found["members"].values(), found["ensemble"], *(
        found["baselines"][name] for name in ("prior", "logistic", "log_har", "best_member")
    )):  # fmt: skip
        assert set(figures) >= FIGURES
    assert set(found["baselines"]) == {
        "prior", "always_hold", "buy_and_hold", "random", "momentum", "rules", "logistic", "log_har",
        "best_member",
    }  # fmt: skip
    assert set(found["differences"]) == {"logistic", "log_har", "best_member"}
    # Every figure of skill is divided, and compared with a model that knows volatility alone.
    for figures in (found["ensemble"], *found["members"].values()):
        parts = figures["skill"]
        assert parts["volatility"] + parts["direction"] == pytest.approx(figures["skill_vs_prior"], abs=1e-12)
        assert parts["vs_log_har"]["log_loss"] is not None
    assert [group["group"] for group in found["skill_by_group"]] == ["large", "middle", "small"]
    assert found["baselines"]["log_har"]["trades"]["n"] == 0
    for number, fold in enumerate(found["folds"], 1):
        assert fold["fold"] == number
        assert {"from", "to", "rows"} <= set(fold["train"])
        assert {"from", "to", "rows"} <= set(fold["test"])
        assert set(fold["members"]) == {"xgboost", "lightgbm"}
    assert found["rows"] == sum(fold["test"]["rows"] for fold in found["folds"]) - 3 * 5
    assert found["training"] == "anchored"
    assert set(found["cost"]) == {"candles", "features and labels", "training and scoring", "trading and judging"}
    assert found["warnings"][0].startswith("IMPLAUSIBLE")  # three tenths of the variance are predictable
    assert "planted edge" in found["warnings"][0]


def test_configurations_are_recorded_and_deflate_later_runs(world, quorate_program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = ("evaluate", "--data", world.data, "--symbols", SYMBOLS, "--models", "xgboost", "--folds", 1, "--json")
    ledger = tmp_path / "trials.jsonl"

    def run(*more):
        done = quorate_program(*asked, *more, scratch=tmp_path)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), [json.loads(line) for line in ledger.read_text().splitlines()]

    first, lines = run()
    names = [line["name"] for line in lines]
    assert names[:2] == ["classic", "lowered"]
    assert {"floor 0.50", "logistic alone", "best_member"} <= set(names)
    assert first["deflation"]["recorded"] == len(lines)
    provenance = first["provenance"]
    for line in lines:
        assert line["synthetic"] is True
        assert line["data"] == provenance["data_hash"]
        assert line["code"] == provenance["code"]
        assert line["configuration"]["folds"] == 1
        assert line["configuration"]["features"] == "core14"
        assert line["configuration"]["target"]["horizon"] == 5
    again, lines = run()
    assert len(lines) == 2 * len(names)
    assert again["deflation"]["distinct"] == first["deflation"]["distinct"] == len(names)  # the same twice is one
    assert again["deflation"]["deflated_sharpe"] == first["deflation"]["deflated_sharpe"]
    other, lines = run("--rolling", "--to", "2024-02-01")
    assert len(lines) == 3 * len(names)
    assert other["deflation"]["distinct"] == 2 * len(names)
    assert list(tmp_path.iterdir()) == [ledger]  # no page was asked for


def test_an_unwritable_trial_log_is_refused_before_training(world, quorate_program, tmp_path):
    (tmp_path / "trials.jsonl").mkdir()
    done = quorate_program("evaluate", "--data", world.data, "--symbols", SYMBOLS, scratch=tmp_path)
    assert done.returncode == 1
    assert "trial log" in done.stderr
    assert "QUORATE_EVALUATION__LEDGER" in done.stderr
    assert "fold 1" not in done.stderr


def test_progress_names_fold_and_member_on_standard_error(walk):
    _, told, page = walk
    for line in ("fold 1/3, xgboost (1/4): 12/12", "fold 3/3, lightgbm (2/4): 12/12", "features and labels: 3/3"):
        assert line in told
    for text in ("SYNTHETIC", "IMPLAUSIBLE", "random entries", "rules fallback", "Folds and the members"):
        assert text in page


def test_tables_of_a_rolling_walk_forward(world, quorate_program):
    done = quorate_program(
        "evaluate", "--data", world.data, "--symbols", SYMBOLS, "--folds", 2, "--rolling", "--from", "2024-01-08",
        "--models", "xgboost", "--full",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for text in (
        "out of sample in 2 folds", "momentum", "buy and hold", "best member", "Scores of the baseline models", "Folds",
        "log-loss of the ensemble minus that of logistic", "- of volatility", "log-loss minus log_har's", "wall time",
    ):  # fmt: skip
        assert text in done.stdout
    assert "…" not in done.stdout  # no figure is cut off
    titles = [line for line in done.stdout.splitlines() if line.startswith("[SYNTHETIC]")]
    assert len(titles) == 14
    assert re.search(r"report written to .*/reports/\d{4}-\d\d-\d\d-\d{6}-walk-forward.html", done.stderr)
    page = Path(done.stderr.split("report written to ")[1].splitlines()[0])
    assert "SYNTHETIC" in page.read_text()


def test_top_markets_are_ranked_before_the_span(world, quorate_program):
    asked = ("evaluate", "--data", world.data, "--top", 2, "--from", "2024-01-20", "--folds", 1, "--json")
    done = quorate_program(*asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["symbols"] == 2
    assert found["models"] == ["xgboost", "lightgbm", "nhits", "patchtst"]  # where none are named
    assert all(member["ok"] for member in found["folds"][0]["members"].values())
    assert len(found["folds"]) == 1
    assert found["folds"][0]["train"]["from"] == "2024-01-20T00:00:00Z"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--symbols A --top 3 --from 2024-01-01",
        "--top 3",
        "--symbols A --folds 0",
        "--symbols A --allow-training-span",
        "--symbols A --from 2024-02-01 --to 2024-01-01",
        "--bundle b --top 3 --from 2024-01-01",
        "--bundle b --models xgboost",
        "--bundle b --folds 3",
        "--bundle b --rolling",
        "--bundle b --timeframe 1h",
    ],
)
def test_wrong_usage_ends_with_exit_code_2(quorate_program, line):
    done = quorate_program("evaluate", "--data", "d", *line.split())
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"--symbols {SYMBOLS} --models xgbost", "Did you mean 'xgboost'?"),
        (f"--symbols {SYMBOLS} --folds 2000", "fewer folds"),
        (f"--symbols {SYMBOLS} --to 2023-01-01", "no bar in the span"),
        ("--symbols SYNZ/USDT:USDT", "SYNZ/USDT:USDT"),
        (f"--symbols {SYMBOLS} --timeframe 4h", "4h"),
    ],
)
def test_errors_name_the_remedy(world, quorate_program, line, words):
    done = quorate_program("evaluate", "--data", world.data, *line.split())
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
