"""Intervals, deflation and power against slow forms and known values."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from tests.evaluation.book.test_judge import sharpe

from quorate.core.errors import EvaluationError
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.book.resampled_days import DayResamples
from quorate.evaluation.book.selection import deflation, power
from quorate.evaluation.book.verdict import book_verdict

RETURNS = np.random.default_rng(1).normal(0.001, 0.01, 120)


def test_intervals_equal_plain_resampling() -> None:
    options = JudgementOptions(resamples=50, block_days=10, seed=5)
    rng = np.random.default_rng(5)
    starts = rng.integers(0, 120, (50, 12))
    drawn = [[RETURNS[(first + step) % 120] for first in row for step in range(10)] for row in starts.tolist()]
    found = DayResamples(120, options)
    low, high = found.sharpe(RETURNS)
    expected = np.quantile([sharpe(path) for path in drawn], [0.025, 0.975])
    np.testing.assert_allclose([low, high], expected)
    np.testing.assert_allclose(found.mean(RETURNS), np.quantile([np.mean(path) for path in drawn], [0.025, 0.975]))
    grown = [np.prod([1 + value for value in path]) ** (365 / 120) - 1 for path in drawn]
    np.testing.assert_allclose(found.yearly_return(RETURNS), np.quantile(grown, [0.025, 0.975]))
    assert found.sharpe_difference(RETURNS, RETURNS) == (0.0, 0.0)


def test_few_or_flat_days_have_no_interval() -> None:
    options = JudgementOptions(resamples=20)
    assert DayResamples(49, options).sharpe(RETURNS[:49]) is None
    assert DayResamples(50, options).sharpe(RETURNS[:50]) is not None
    assert DayResamples(50, options).sharpe(np.zeros(50)) is None


def test_deflation_worked_by_hand() -> None:
    normal = NormalDist()
    found = deflation(RETURNS, 810)
    high, higher = normal.inv_cdf(1 - 1 / 810), normal.inv_cdf(1 - 1 / (810 * np.e))
    best = (1 / 120) ** 0.5 * ((1 - 0.5772156649) * high + 0.5772156649 * higher)
    daily = sharpe(RETURNS) / 365**0.5
    standard = (RETURNS - RETURNS.mean()) / RETURNS.std()
    spread = 1 - (standard**3).mean() * daily + ((standard**4).mean() - 1) / 4 * daily**2
    assert found["expected_best_sharpe"] == pytest.approx(best * 365**0.5)
    assert found["probability"] == pytest.approx(normal.cdf((daily - best) * 119**0.5 / spread**0.5))
    assert found["undeflated_probability"] == pytest.approx(normal.cdf(daily * 119**0.5 / spread**0.5))
    measured = deflation(RETURNS, 810, [0.01, 0.03, np.nan])
    assert measured["expected_best_sharpe"] == pytest.approx(best * 365**0.5 * (0.0002 * 120) ** 0.5)
    assert found["spread_of_trials"] != measured["spread_of_trials"]
    one = deflation(RETURNS, 1)
    assert one["probability"] == one["undeflated_probability"]
    for trials, sharpes in ((0, []), (1, [0.1, 0.2])):
        with pytest.raises(EvaluationError, match="deflate"):
            deflation(RETURNS, trials, sharpes)


def test_a_sharpe_ratio_of_1_needs_four_years() -> None:
    returns = RETURNS - RETURNS.mean() + RETURNS.std(ddof=1) / 365**0.5
    found = power(returns)
    assert found["years_needed"] == pytest.approx(4)
    assert found["t"] == pytest.approx((120 / 365) ** 0.5)
    assert power(-returns)["years_needed"] is None
    assert power(np.empty(0))["t"] is None


@pytest.mark.parametrize(
    ("interval", "probability", "outcome", "said"),
    [
        ([0.5, 2.5], 0.97, "gain", "proven; the"),
        ([0.5, 2.5], 0.62, "open", "not proven; the"),
        ([-0.5, 2.5], 0.97, "open", "not proven; the"),
        ([-2.5, -0.5], 0.01, "loss", "a loss beyond chance; the"),
        (None, 0.97, "open", "not proven; the"),
    ],
)
def test_only_what_survives_all_trials_is_proven(
    interval: list[float] | None, probability: float, outcome: str, said: str
) -> None:
    whole = {"sharpe": 1.0, "sharpe_ci": interval, "days": 900, "yearly_return": 0.1, "volatility": 0.1,
             "max_drawdown": 0.1, "turnover_a_day": 0.2, "bp_a_day": 5.0}  # fmt: skip
    figures = {
        "whole": whole,
        "beside": {"btc": {"sharpe": 0.5, "sharpe_ci": [-0.2, 1.2]}},
        "deflation": {"probability": probability, "trials": 810},
        "power": {"years_needed": 4.0, "years": 2.5},
        "placebo": {kind: {"share_above": 0.1, "runs": 10} for kind in ("shifted", "shuffled")},
        "robustness": {name: {"sharpe": 0.9} for name in ("at_bars", "one_bar_late")},
    }
    found = book_verdict(figures)
    assert found["outcome"] == outcome
    assert f": {said}" in found["sentence"]
    assert f"810 configurations without skill is {probability:.2f}." in found["sentence"]
    assert "beside BTC 0.50 (-0.20 to 1.20)" in found["sentence"]
    assert any("chance of that kind may" in line for line in found["details"])
