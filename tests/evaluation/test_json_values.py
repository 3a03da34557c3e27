from __future__ import annotations

import json
import math

import numpy as np
import pytest

from quorate.evaluation.json_values import Figures


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, np.float64("nan")])
def test_what_cannot_be_given_is_null_with_a_reason(value: float | None) -> None:
    figures = Figures()
    figures.add("sharpe", value, "one day only")
    assert figures.to_json() == {"sharpe": None, "missing": {"sharpe": "one day only"}}


def test_numbers_of_numpy_become_plain_json() -> None:
    figures = Figures()
    figures.add("rate", np.float64(0.25))
    figures.add("n", 3)
    figures.add_interval("rate_ci", (np.float64(0.1), np.float64(0.5)))
    assert json.loads(json.dumps(figures.to_json(), allow_nan=False)) == {"rate": 0.25, "n": 3, "rate_ci": [0.1, 0.5]}


@pytest.mark.parametrize("interval", [None, (0.1, math.inf), (math.nan, 1.0)])
def test_an_interval_with_an_unknown_end_is_null(interval: tuple[float, float] | None) -> None:
    figures = Figures()
    figures.add_interval("auc_ci", interval)
    assert figures.to_json() == {"auc_ci": None, "missing": {"auc_ci": "not a finite interval"}}
