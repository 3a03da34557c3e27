"""A stack on the command line: train, signal, evaluate, backtest."""

import json
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.workflows.runs.member_figures import in_percent

SMALL = {
    "QUORATE_STACK__MODELS__XGBOOST__TREES": "20",
    "QUORATE_STACK__MODELS__LIGHTGBM__TREES": "40",
    "QUORATE_STACK__FOLDS": "2",
    "QUORATE_STACK__ROUND_TRIP": "0.00001",
    "QUORATE_STACK__CONFIDENCE_ROWS": "40",
}
SYMBOLS = "SYNA/USDT:USDT,SYNB/USDT:USDT"
FIGURES = {"rmse", "rmse_pct", "mae", "mae_pct", "mse", "mse_pct2", "r2_vs_zero", "rank_ic", "against_zero_p", "n"}


@pytest.fixture(scope="module")
def stack(world, quorate_program, tmp_path_factory):
    """The output of training, and the folder of its bundle."""
    patch = pytest.MonkeyPatch()
    for name, value in SMALL.items():
        patch.setenv(name, value)
    done = quorate_program(
        "train", "--recipe", "stack", "--method", "voting", "--data", world.data, "--symbols", SYMBOLS,
        "--to", world.seam, "--models", "xgboost,lightgbm", "--out", tmp_path_factory.mktemp("stacks"), "--json",
    )  # fmt: skip
    patch.undo()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return SimpleNamespace(found=found, bundle=found["bundle"])


def asked(quorate_program, *arguments):
    done = quorate_program(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_reports_members_stack_and_baselines_on_the_same_rows(stack):
    found = stack.found
    assert {"bundle", "id", "models", "rows", "span", "stack", "baselines"} <= set(found)
    assert set(found["models"]) == {"xgboost", "lightgbm"}
    everyone = {name: told["metrics"] for name, told in found["models"].items()}
    everyone |= {"stack": found["stack"]["metrics"], **found["baselines"]}
    assert set(everyone) == {"xgboost", "lightgbm", "stack", "predict_zero", "predict_mean"}
    for part in ("out_of_fold", "validation", "test"):
        assert len({parts[part]["n"] for parts in everyone.values()}) == 1
        for name, parts in everyone.items():
            assert set(parts[part]) >= FIGURES, (name, part)
        assert everyone["predict_zero"][part]["r2_vs_zero"] == 0
    assert found["stack"]["method"] == "voting"
    assert found["stack"]["weights"] == {"xgboost": 0.5, "lightgbm": 0.5}
    better = found["stack"]["improvement"]["test"]
    own = everyone["stack"]["test"]["rmse"]
    for name, value in better.items():
        assert (value > 0) == (own < everyone[name]["test"]["rmse"])


def test_a_signal_holds_the_predicted_return_of_each_member(stack, world, quorate_program):
    (told,) = json.loads(
        asked(quorate_program, "signal", "--bundle", stack.bundle, "--data", world.data, "--json", "SYNA/USDT:USDT")
    )
    assert told["policy"] == told["consensus"] == "stack"
    assert [vote["model"] for vote in told["votes"]] == ["xgboost", "lightgbm"]
    assert all(vote["score"] is None and vote["probabilities"] is None for vote in told["votes"])
    mean = sum(vote["predicted_return"] for vote in told["votes"]) / 2
    assert told["predicted_return"] == pytest.approx(mean)
    text = asked(quorate_program, "signal", "--bundle", stack.bundle, "--data", world.data, "SYNA/USDT:USDT")
    assert told["line"] in text


def test_evaluation_on_later_bars(stack, world, quorate_program):
    same = ("evaluate", "--bundle", stack.bundle, "--data", world.data, "--from", world.seam)
    found = json.loads(asked(quorate_program, *same, "--json"))
    assert {"rows", "members", "ensemble", "baselines", "trades", "criteria", "decisions"} <= set(found)
    assert found["unseen_symbols"] == ["SYNC/USDT:USDT"]
    for figures in (*found["members"].values(), found["ensemble"], found["baselines"]["predict_zero"]):
        assert set(figures) >= FIGURES
        assert figures["n"] == found["rows"]
    assert {"predict_zero", "predict_mean", "momentum", "rules", "buy_and_hold", "random"} == set(found["baselines"])
    assert found["decisions"]["rules"].keys() <= {"predicted_return", "within_cost"}
    text = asked(quorate_program, *same)
    assert "predicting zero" in text
    assert "SYNTHETIC" in text


def test_backtest_of_a_stack(stack, world, quorate_program):
    found = json.loads(
        asked(
            quorate_program, "backtest", "--bundle", stack.bundle, "--data", world.data, "--from", world.seam, "--json"
        )
    )
    assert found["stats"]["n"] == len(found["trades"]) > 0
    # A position is held at most for the horizon of the predicted return.
    for trade in found["trades"]:
        held = parse_ms(trade["exit_time"]) - parse_ms(trade["entry_time"])
        assert held <= 4 * HOUR_MS


def test_method_without_stack_is_wrong_usage(world, quorate_program, tmp_path):
    done = quorate_program(
        "train", "--method", "lasso", "--data", world.data, "--symbols", SYMBOLS, "--out", tmp_path / "none"
    )
    assert done.returncode == 2
    assert "--recipe stack" in done.stderr


def test_errors_in_percent():
    assert in_percent({"rmse": 0.0142, "mae": 0.01, "mse": 0.00020164})["rmse_pct"] == pytest.approx(1.42)
