from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import CostSettings
from quorate.core.types import Candles, Funding
from quorate.evaluation.baselines.naive import always_hold, buy_and_hold, class_prior

FREE = CostSettings(taker_fee=0.0, maker_fee=0.0, slippage=0.0)


def bars(symbol: str, opens: list[float], closes: list[float], first: int = 0) -> Candles:
    o, c = np.array(opens), np.array(closes)
    time = (first + np.arange(len(o))) * HOUR_MS
    return Candles(symbol, "1h", time, o, np.maximum(o, c), np.minimum(o, c), c, np.ones(len(o)))


def test_equal_parts_without_rebalancing() -> None:
    candles = {"A": bars("A", [100, 110, 120], [110, 120, 130]), "B": bars("B", [10, 9, 8], [9, 8, 5])}
    curve = buy_and_hold(candles, 1_000.0, FREE)
    assert curve.equity == pytest.approx([500 * (1.1 + 0.9), 500 * (1.2 + 0.8), 500 * (1.3 + 0.5)])
    assert curve.total_return == pytest.approx(-0.1)


def test_costs_are_paid_once_on_each_side() -> None:
    costs = CostSettings(taker_fee=0.001, maker_fee=0.0, slippage=0.01)
    curve = buy_and_hold({"A": bars("A", [100, 100], [100, 100])}, 1_000.0, costs)
    entry = 101.0
    while_held = 1 - 0.001 + (100 - entry) / entry
    sold = 99.0
    after = 1 - 0.001 + (sold - entry) / entry - 0.001 * sold / entry
    assert curve.equity == pytest.approx([1_000 * while_held, 1_000 * after])


def test_late_symbols_wait_in_cash_and_early_ends_stay_sold() -> None:
    candles = {"A": bars("A", [10, 11], [11, 12]), "B": bars("B", [10, 20], [20, 30], first=1)}
    curve = buy_and_hold(candles, 100.0, FREE)
    assert curve.time.tolist() == [0, HOUR_MS, 2 * HOUR_MS]
    assert curve.equity == pytest.approx([50 * (1.1 + 1), 50 * (1.2 + 2), 50 * (1.2 + 3)])


def test_a_holder_pays_funding_after_entry_on_the_value_when_due() -> None:
    candles = {"A": bars("A", [100, 110, 120], [110, 120, 130])}
    time = np.array([-HOUR_MS, 0, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS])
    funding = Funding("A", time, np.array([0.5, 0.5, 0.01, -0.02, 0.5]))
    curve = buy_and_hold({"A": candles["A"]}, 100.0, FREE, {"A": funding})
    # Only the settlements at the second and third open count: 1 % of 110 paid, 2 % of 120 received.
    assert curve.equity == pytest.approx([110, 120 - 1.1, 130 - 1.1 + 2.4])


def test_nothing_to_hold_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no symbol"):
        buy_and_hold({}, 100.0, FREE)
    with pytest.raises(EvaluationError, match="no bars of A"):
        buy_and_hold({"A": bars("A", [], [])}, 100.0, FREE)


def test_always_hold_is_right_as_often_as_nothing_happens() -> None:
    figures = always_hold(np.array([1, 1, 0, 2], np.int8))
    assert figures["accuracy"] == 0.5
    assert figures["brier"] == pytest.approx(1.0)  # 0, 0, 2, 2
    assert figures["log_loss"] is None
    assert figures["missing"]["log_loss"] == "infinite if wrong"
    assert always_hold(np.empty(0, np.int8))["accuracy"] is None


def test_the_prior_needs_labels() -> None:
    assert class_prior(np.array([2, 2], np.int8)).tolist() == [0, 0, 1]
    with pytest.raises(EvaluationError, match="class prior"):
        class_prior(np.empty(0, np.int8))


def halted(candles: Candles) -> Candles:
    """The candles, the last two of them a day later."""
    time = candles.time + np.array([0, 0, 24, 24]) * HOUR_MS
    return replace(candles, time=time)


def test_nothing_is_held_across_a_change_of_the_price_scale() -> None:
    # Redenominated 1:100 in a halt between the second and the third bar: 10 % gained before, 20 % after.
    candles = halted(bars("A", [100, 105, 11_000, 12_000], [105, 110, 12_000, 13_200]))
    curve = buy_and_hold({"A": candles}, 1_000.0, FREE)
    assert curve.equity == pytest.approx([1_050, 1_100, 1_100 * 12 / 11, 1_100 * 13.2 / 11])
    costs = CostSettings(taker_fee=0.001, maker_fee=0.0, slippage=0.0)
    paid = buy_and_hold({"A": candles}, 1_000.0, costs)
    assert paid.equity[1] == pytest.approx(1_000 * (1.1 - 0.001 - 0.001 * 1.1))
    assert paid.equity[3] == pytest.approx(paid.equity[1] * (1.2 - 0.001 - 0.001 * 1.2))


def test_a_holder_pays_no_funding_on_the_entry_after_a_change_of_scale() -> None:
    candles = halted(bars("A", [100, 100, 10_000, 10_000], [100, 100, 10_000, 10_000]))
    funding = Funding("A", candles.time, np.full(4, 0.01))
    # Due at the second bar, and at the fourth on 10,000; the third is the new entry.
    assert buy_and_hold({"A": candles}, 100.0, FREE, {"A": funding}).equity == pytest.approx([100, 99, 99, 99 * 0.99])
