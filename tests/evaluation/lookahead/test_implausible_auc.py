from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quorate.core.settings import EvaluationSettings
from quorate.evaluation.lookahead.implausible_auc import implausible_columns
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks


@pytest.fixture
def labelled() -> tuple[np.ndarray, TimeBlocks]:
    rng = np.random.default_rng(5)
    time = np.arange(60 * 24) * 3_600_000
    return rng.integers(0, 3, len(time)).astype(np.int8), TimeBlocks(time, EvaluationSettings(resamples=100))


def test_a_column_that_knows_the_answer_stands_out_whichever_way_it_points(labelled: Any) -> None:
    y, blocks = labelled
    rng = np.random.default_rng(6)
    noise = rng.normal(size=len(y))
    columns = {
        "noise": noise,
        "size of the move": np.where(y == 1, 0.0, 1.0),  # tells HOLD from the rest, but not BUY from SELL
        "leak": y + 0.5 * noise,
        "inverse": -y + 2.0 * noise,
        "hint": y + 8.0 * noise,  # an area of about 0.57: rare, and not impossible
    }
    found = implausible_columns(columns, y, blocks, 0.60)
    assert [suspect.name for suspect in found] == ["leak", "inverse"]
    leak, inverse = found
    assert leak.auc > 0.99
    assert leak.interval is not None
    assert leak.interval[0] > 0.95
    assert inverse.auc < 0.4
    assert inverse.to_json()["auc_ci"][1] < 0.4


def test_gaps_are_left_out_and_an_empty_column_is_no_suspect(labelled: Any) -> None:
    y, blocks = labelled
    leak = y.astype(np.float64)
    leak[::3] = np.nan
    found = implausible_columns(
        {"leak": leak, "empty": np.full(len(y), np.nan), "flat": np.ones(len(y))}, y, blocks, 0.6
    )
    assert [suspect.name for suspect in found] == ["leak"]
    assert found[0].auc == 1.0


def test_few_days_are_judged_without_an_interval() -> None:
    y = np.tile(np.array([0, 2], np.int8), 20)
    blocks = TimeBlocks(np.arange(40) * 3_600_000, EvaluationSettings(resamples=100))
    (found,) = implausible_columns({"leak": y.astype(np.float64)}, y, blocks, 0.6)
    assert found.interval is None
