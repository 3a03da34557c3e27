"""A walk-forward as a function: the document of the command line, tables, progress, arguments."""

import json

import numpy as np
import pandas as pd
import pytest

from quorate.cli.app import main
from quorate.core.errors import ArgumentError, EvaluationError, ModelError
from quorate.core.types import MarketStatistics
from quorate.market import SyntheticMarket
from quorate.market.statistics import write_statistics
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.walk_forward import walk_forward
from workflows.conftest import SMALL

SYMBOLS = ("SYNA/USDT:USDT", "SYNB/USDT:USDT")


@pytest.fixture(scope="module")
def walked(world, tmp_path_factory):
    """The result, what progress was called with, and its document as the command line printed it."""
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("walk"))
        for name, value in SMALL.items():
            patch.setenv(name, value)
        made = walk_forward(
            world.data,
            models="xgboost,lightgbm",
            folds=2,
            record=RunRecord(log=False),
            progress=lambda *call: calls.append(call),
            symbols=SYMBOLS,
        )
    return made, calls


def test_the_document_is_that_of_the_command_line(world, walked, capsys):
    asked = ("evaluate", "--data", world.data, "--symbols", ",".join(SYMBOLS), "--models", "xgboost,lightgbm")
    asked += ("--folds", 2, "--json")
    assert main(list(map(str, asked))) == 0
    shown = json.loads(capsys.readouterr().out)
    found = json.loads(json.dumps(walked[0].to_json()))
    assert shown.keys() == found.keys()
    # Times of training and of measuring differ, and only one of the two was recorded.
    for name in shown.keys() - {"cost", "folds", "provenance", "deflation"}:
        assert shown[name] == found[name], name
    for mine, theirs in zip(found["folds"], shown["folds"], strict=True):
        for name in ("train", "test", "best_member"):
            assert mine[name] == theirs[name]


def test_the_result_shows_folds_and_baselines(walked):
    made, _ = walked
    assert "xgboost, lightgbm in 2 folds" in str(made)
    assert "class prior on the same rows" in made._repr_html_()
    assert "IMPLAUSIBLE" in str(made)  # three tenths of the variance are predictable
    metrics = made.to_pandas()
    assert {"ensemble", "xgboost", "lightgbm", "logistic", "log_har", "best_member", "random"} <= set(metrics.index)
    assert set(made.frames) == set(SYMBOLS)
    decided = made.to_pandas("decisions")
    assert len(decided) == made.document["decisions"]["bars"]
    assert len(made.to_pandas("trades")) == made.document["trades"]["n"]


def test_progress_names_stages_folds_and_members(walked):
    stages = [stage for stage, done, total in walked[1] if done == total]
    assert stages[0] == "reading candles"
    assert "fold 1/2, xgboost (1/4)" in stages
    assert "fold 2/2, logistic (3/4)" in stages
    assert "fold 2/2, log_har (4/4)" in stages


def test_one_frame_of_a_market_is_enough(world):
    candles = world.market.candles(SYMBOLS[0])
    columns = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
    frame = pd.DataFrame({"date": pd.to_datetime(candles.time, unit="ms", utc=True), **columns})
    made = walk_forward(frame, models=["xgboost"], folds=1, record=RunRecord(log=False), symbols=SYMBOLS[0])
    assert made.document["symbols"] == 1
    assert made.document["timeframe"] == "1h"


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({}, "neither"),
        ({"symbols": "A", "top": 3, "start": "2024-01-01"}, "both"),
        ({"top": 3}, "`start`"),
        ({"symbols": "A", "start": "2024-02-01", "end": "2024-01-01"}, "`start` before `end`"),
        ({"symbols": "A", "start": "soon"}, "`start`"),
        ({"symbol": "A"}, "Did you mean 'symbols'"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused_before_reading(selection, words):
    with pytest.raises(ArgumentError, match=words):
        walk_forward("no such folder", record=RunRecord(log=False), **selection)


def test_an_unknown_member_is_refused_before_reading(world, calls):
    with pytest.raises(ModelError, match="Did you mean 'xgboost'"):
        walk_forward(world.data, models="xgbost", symbols=SYMBOLS, progress=calls, record=RunRecord(log=False))
    assert calls.calls == []


def test_market_statistics_of_a_folder_reach_the_members(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    market = SyntheticMarket(seed=4, symbols=2, bars=900)
    market.write(tmp_path / "data")
    given = {"symbols": market.names, "models": "xgboost", "folds": 2, "features": "columns+premium_8h+taker_buy_24"}
    with pytest.raises(EvaluationError):  # no row has all its features
        walk_forward(tmp_path / "data", **given, record=RunRecord(log=False))
    for symbol in market.names:
        candles, random = market.candles(symbol), np.random.default_rng(1)
        known = {"premium": random.normal(0, 1e-3, 900), "taker_buy_ratio": np.exp(random.normal(0, 0.2, 900))}
        write_statistics(tmp_path / "data", MarketStatistics.of(symbol, "1h", candles.time, known))
    made = walk_forward(tmp_path / "data", **given, record=RunRecord(log=False))
    assert made.document["features"] == given["features"]
    assert len(made.document["folds"]) == 2
