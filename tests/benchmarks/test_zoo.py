"""The table of the members: figures of known scores, and a table that leaves out what is not known."""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import parse_ms
from quorate.core.settings import EvaluationSettings, Settings
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.regime import REGIME
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

FOLDER = str(Path(__file__).parents[2] / "benchmarks")
FOUR = ("xgboost", "lightgbm", "nhits", "patchtst")
DAY = 86_400_000


@pytest.fixture(scope="module")
def zoo():
    sys.path.insert(0, FOLDER)
    try:
        yield import_module("zoo")
    finally:
        sys.path.remove(FOLDER)


@pytest.fixture(scope="module")
def found(zoo):
    """A member that knows the labels in half of the rows, one that knows nothing, and the four, who know a little."""
    random = np.random.default_rng(1)
    n = 4_000
    y = random.integers(0, 3, n).astype(np.int8)
    prior, right = np.full((n, 3), 1 / 3), np.eye(3)[y]
    knows = np.where((np.arange(n) % 2 == 0)[:, None], 0.5 * prior + 0.5 * right, prior)
    absent = np.where((np.arange(n) < 100)[:, None], np.nan, prior)
    members = {"knows": knows, "blind": absent} | dict.fromkeys(FOUR, 0.9 * prior + 0.1 * right)
    zeros = np.zeros(n, np.int64)
    rows = MemberPredictions(
        members={**members, zoo.PRIOR: prior}, y=y, forward_return=np.zeros(n), time=np.arange(n) * DAY // 40,
        span_end=zeros, fold=zeros, symbol=zeros, symbols=("X",), volatility=np.zeros(n),
        regime={name: np.zeros(n) for name in REGIME}, timeframe="1h",
    )  # fmt: skip
    return {"rows": rows, **zoo.judge(members, rows, Settings(evaluation=EvaluationSettings(resamples=100)))}


def test_skill_and_its_interval_are_those_of_the_known_rows(found):
    expected = 0.5 * (1 - -np.log(2 / 3) / np.log(3))
    assert found["members"]["knows"]["skill"] == pytest.approx(expected)
    low, high = found["members"]["knows"]["skill_ci"]
    assert low <= expected <= high
    assert found["members"]["blind"]["skill"] == pytest.approx(0, abs=1e-12)
    assert found["ensemble"]["skill"] == pytest.approx(1 - -np.log(0.4) / np.log(3))


def test_skill_on_later_bars_stands_apart(zoo, found):
    assert found["members"]["knows"].get("later") is None  # all of these are of 1970
    rows, table = found["rows"], np.full((4_000, 3), 1 / 3)
    late = replace(rows, time=np.arange(4_000) + parse_ms(zoo.CHOSEN) - 1_000)
    table[:1_000] = 0.5 * np.eye(3)[rows.y[:1_000]] + 0.5 / 3
    blocks = TimeBlocks(late.time, EvaluationSettings(resamples=20))
    figures = zoo.alone(table, late, np.full(4_000, np.log(3)), blocks)
    assert figures["later"] == pytest.approx(0, abs=1e-12)
    assert figures["skill"] > 0.1


def test_the_gain_is_the_fall_of_the_ensembles_loss_with_a_fifth_of_the_member(found):
    mixed = [0.8 * 0.4 + 0.2 * share for share in (2 / 3, 1 / 3)]
    expected = (-np.log(0.4) + np.log(mixed).mean()) / np.log(3)
    assert found["members"]["knows"]["gain"] == pytest.approx(expected)
    low, high = found["members"]["blind"]["gain_ci"]
    assert low <= high < 0
    assert found["members"]["nhits"]["gain"] == pytest.approx(0, abs=1e-12)
    assert found["members"]["nhits"]["correlation"] == pytest.approx(1)


def test_the_table_is_in_order_of_skill_and_names_failures(zoo, found):
    members = {name: {**figure, "fit_s": 1.0, "failures": []} for name, figure in found["members"].items()}
    assert members["blind"]["correlation"] is None
    members["broken"] = {"fit_s": 0.5, "failures": ["no luck"]}
    walk = {"markets": 1, "start": "a", "end": "b", "folds": 2, "rows": 4_000, "confidence": 0.95}
    text = zoo.as_markdown({**found, **walk, "members": members})
    names = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert names[:3] == ["member", "ensemble of four", "`knows`"]
    assert names[-2:] == ["`blind`", "`broken`"]
    assert "- `broken`: no luck" in text
    assert "| `broken` |  |  |  |  | 0.5 |  |  |  |  |" in text
