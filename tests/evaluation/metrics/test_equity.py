from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.metrics.equity import EquityCurve, annual_return, calmar, equity_figures, sharpe, sortino

SETTINGS = EvaluationSettings()


def daily(values: list[float] | np.ndarray, start_usd: float = 100.0) -> EquityCurve:
    worth = np.asarray(values, np.float64)
    return EquityCurve(np.arange(len(worth)) * DAY_MS, worth, start_usd)


def test_hand_worked_curve() -> None:
    curve = daily([110.0, 99.0, 121.0])
    assert curve.total_return == pytest.approx(0.21)
    assert curve.drawdown == pytest.approx([0.0, 0.1, 0.0])
    assert curve.max_drawdown == pytest.approx(0.1)
    assert curve.daily_returns() == pytest.approx([0.1, -0.1, 22 / 99])
    assert annual_return(curve) == pytest.approx(1.21 ** (365 / 3) - 1)
    assert calmar(curve) == pytest.approx((1.21 ** (365 / 3) - 1) / 0.1)


def test_the_start_is_a_peak_too() -> None:
    assert daily([90.0, 95.0]).max_drawdown == pytest.approx(0.1)


def test_days_end_with_the_last_bar_and_missing_days_change_nothing() -> None:
    time = np.array([0, 23 * HOUR_MS, DAY_MS, 3 * DAY_MS + HOUR_MS])
    curve = EquityCurve(time, np.array([101.0, 102.0, 103.0, 104.0]), 100.0)
    assert curve.daily().time.tolist() == [0, DAY_MS, 2 * DAY_MS, 3 * DAY_MS]
    assert curve.daily().equity.tolist() == [102.0, 103.0, 103.0, 104.0]
    assert curve.daily_returns()[2] == 0


@settings(max_examples=40)
@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=60))
def test_agrees_with_empyrical(returns: list[float]) -> None:
    values = np.asarray(returns)
    curve = daily(100 * np.cumprod(1 + values))
    assert curve.daily_returns() == pytest.approx(values, abs=1e-12)
    assert curve.max_drawdown == pytest.approx(-empyrical.max_drawdown(np.concatenate([[0.0], values])), abs=1e-12)
    assert annual_return(curve) == pytest.approx(empyrical.annual_return(values, annualization=365), rel=1e-9)
    if values.std(ddof=1) > 1e-9:
        assert sharpe(values) == pytest.approx(empyrical.sharpe_ratio(values, annualization=365), rel=1e-9)
    if values.min() < -1e-9:
        # empyrical annualises the same two numbers apart: mean x 365 over root mean square x sqrt(365).
        assert sortino(values) == pytest.approx(empyrical.sortino_ratio(values, annualization=365), rel=1e-9)


def test_no_spread_no_loss_and_no_drawdown_have_no_ratio() -> None:
    rising = equity_figures(daily([101.0, 102.0, 104.0]), SETTINGS).to_json()
    assert rising["sortino"] is None
    assert rising["missing"]["sortino"] == "no losing day"
    assert rising["calmar"] is None
    assert rising["missing"]["calmar"] == "no drawdown"
    flat = equity_figures(daily([100.0, 100.0]), SETTINGS).to_json()
    assert flat["sharpe"] is None
    assert flat["total_return"] == flat["max_drawdown"] == 0
    assert math.isnan(sharpe(np.array([0.1])))


def test_a_wiped_out_account_keeps_its_return_and_loses_its_ratios() -> None:
    figures = equity_figures(daily([50.0, -1.0, -1.0]), SETTINGS).to_json()
    assert figures["total_return"] == pytest.approx(-1.01)
    assert figures["annual_return"] == -1
    assert figures["max_drawdown"] > 1
    assert figures["sharpe"] is None
    assert figures["missing"]["sharpe"] == "the account was wiped out"


def test_a_span_without_bars() -> None:
    figures = equity_figures(EquityCurve(np.empty(0, np.int64), np.empty(0), 100.0), SETTINGS).to_json()
    assert figures["days"] == 0
    assert figures["total_return"] == 0
    assert figures["annual_return"] is None
    assert figures["missing"]["sharpe"] == "no bars"


def test_the_interval_of_sharpe_holds_it_and_widens_with_confidence() -> None:
    returns = np.random.default_rng(1).normal(0.002, 0.01, 200)
    curve = daily(100 * np.cumprod(1 + returns))
    narrow = equity_figures(curve, EvaluationSettings(confidence=0.8)).to_json()
    wide = equity_figures(curve, EvaluationSettings(confidence=0.99)).to_json()
    assert (
        wide["sharpe_ci"][0] < narrow["sharpe_ci"][0] < narrow["sharpe"] < narrow["sharpe_ci"][1] < wide["sharpe_ci"][1]
    )
    # The standard error of a yearly Sharpe over d independent days is about sqrt(365 / d).
    reach = 1.2816 * math.sqrt(365 / 200)
    assert narrow["sharpe_ci"][1] - narrow["sharpe_ci"][0] == pytest.approx(2 * reach, rel=0.25)


@pytest.mark.parametrize(
    ("time", "equity", "start"),
    [([0, 1], [1.0], 1.0), ([1, 1], [1.0, 1.0], 1.0), ([0], [math.nan], 1.0), ([0], [1.0], 0.0)],
)
def test_curves_that_make_no_sense_are_refused(time: list[int], equity: list[float], start: float) -> None:
    with pytest.raises(EvaluationError, match="equity curve"):
        EquityCurve(np.array(time), np.array(equity), start)


def test_every_figure_of_the_account_has_an_interval_over_days() -> None:
    returns = np.random.default_rng(2).normal(0.001, 0.01, 200)
    figures = equity_figures(daily(100 * np.cumprod(1 + returns)), EvaluationSettings(resamples=2_000)).to_json()
    for name in ("total_return", "annual_return", "sharpe", "sortino"):
        low, high = figures[f"{name}_ci"]
        assert low < figures[name] < high, name
    # The drawdown is of one order of the days, and its interval is over all of them.
    low, high = figures["max_drawdown_ci"]
    assert 0 < low < high
    assert figures["calmar_ci"][0] < figures["calmar_ci"][1]
    # Growth over d independent days: exp(sum of logs), whose error is sd x sqrt(d).
    low, high = np.log1p(figures["total_return_ci"])
    assert high - low == pytest.approx(2 * 1.96 * 0.01 * math.sqrt(200), rel=0.1)
    few = equity_figures(daily([101.0, 100.0, 102.0]), SETTINGS).to_json()
    assert few["total_return_ci"] is None
    assert few["missing"]["total_return_ci"] == "too few days"
