from __future__ import annotations

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
from quorate.core.settings import EvaluationSettings
from quorate.ensemble.column_choice import ColumnChoice
from quorate.evaluation.feature_selection.choose_columns import _removed
from quorate.evaluation.feature_selection.fold_choices import fold_choices, stability
from quorate.evaluation.feature_selection.importance import LossRise
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks


def rise(values: list[float], folds: list[int]) -> LossRise:
    blocks = TimeBlocks(np.arange(len(values)) * DAY_MS, EvaluationSettings(resamples=200))
    return LossRise.of(np.array(values), np.array(folds), blocks)


def test_a_rise_by_hand() -> None:
    found = rise([0.1, 0.3, 0.2, 0.4, -0.1, 0.1], [0, 0, 1, 1, 2, 2])
    assert found.mean == pytest.approx(1 / 6)
    assert found.by_fold == pytest.approx((0.2, 0.3, 0.0))
    assert found.folds_above == 2
    assert found.interval is not None
    assert found.interval[0] > 0
    assert found.earns(0.6)
    assert not found.earns(0.75)
    document = found.to_json([1, 2, 3])
    assert document["ranks"] == [1, 2, 3]
    assert document["rise_ci"] == list(found.interval)


@pytest.mark.parametrize(
    ("values", "tolerance", "fine"),
    [
        ([-0.1, 0.05, -0.1, 0.05, -0.1, 0.05], 0.0, True),  # the loss does not rise
        ([0.01, 0.02, 0.01, 0.02, 0.01, 0.02], 0.03, True),  # it rises, within the tolerance
        ([0.01, 0.02, 0.01, 0.02, 0.01, 0.02], 0.01, False),
        ([-0.1, -0.1, -0.1, -0.1], 1.0, False),  # too few blocks to tell
    ],
)
def test_no_worse(values: list[float], tolerance: float, fine: bool) -> None:
    assert rise(values, [0] * len(values)).no_worse(tolerance) is fine


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (set(), [0, 1, 2, 3, 4]),
        ({0}, []),
        ({3}, [0, 1, 2]),
        ({4}, [0, 1, 2, 3]),
    ],
)
def test_as_many_as_can_go_together_go(needed: set[int], expected: list[int]) -> None:
    tried: list[list[int]] = []

    def able(numbers: list[int]) -> bool:
        tried.append(list(numbers))
        return not needed & set(numbers)

    assert _removed([0, 1, 2, 3, 4], able) == expected
    assert len(tried) <= 7


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["ab", "ab", "ab"], 1.0),
        (["ab", "ac"], 0.0),  # shares 1, 1/2, 1/2, 0: variance 2 x 0.5 / 4 over 0.5 x 0.5
        (["ab", "cd"], -1.0),
        (["ab"], None),
        (["abcd", "abcd"], None),
    ],
)
def test_stability_by_hand(chosen: list[str], expected: float | None) -> None:
    assert stability(np.array([[name in one for name in "abcd"] for one in chosen])) == expected


def test_columns_over_the_folds() -> None:
    def choice(columns: tuple[str, ...], worth: float) -> ColumnChoice:
        group = {"dropped": {"rise": worth, "folds_above": 2}, "shuffled": {"rise": 2 * worth, "folds_above": 3}}
        other = {"dropped": {"rise": 0.0, "folds_above": 1}, "shuffled": {"rise": 0.0, "folds_above": 0}}
        groups = [{"columns": ["a", "b"], **group}, {"columns": ["c"], **other}]
        return ColumnChoice(columns, {"folds": 4, "groups": groups})

    found = fold_choices([choice(("a", "b"), 0.2), choice(("b",), 0.4)], ("c", "a", "b"))
    assert [(row["column"], row["kept_in"]) for row in found["columns"]] == [("b", 2), ("a", 1), ("c", 0)]
    assert found["columns"][0]["dropped"] == {"rise": pytest.approx(0.3), "folds_above": 4}
    assert found["inner_folds"] == 8
    assert found["folds"][1]["fold"] == 2
    assert found["stability"] == pytest.approx(1 - 2 * 0.25 / 3 / 0.25)
