from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quorate.core.settings import CostSettings, EvaluationSettings, VoteSettings
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.metrics.signal_outcomes import Signals
from quorate.targets import ForwardClass

HOUR = 3_600_000
COSTS = CostSettings(taker_fee=0.001, slippage=0.0005)  # 30 bps a round trip
SELL, HOLD, BUY = (0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)
FAINT = (0.2, 0.3, 0.5)
SETTINGS = EvaluationSettings(resamples=100)


def made(
    bars: list[tuple[float, tuple[float, ...], tuple[float, ...], float]], policy: VoteSettings
) -> tuple[Any, Any]:
    """(next return, first member, second member, volatility) of each bar."""
    close = 100 * np.cumprod([1.0, *(1 + bar[0] for bar in bars)])
    n = len(close)
    time = np.arange(n) * HOUR
    candles = Candles("A/USDT:USDT", "1h", time, close, close, close, close, np.ones(n))
    scores = {
        name: np.array([bar[place] for bar in bars] + [HOLD]) for place, name in ((1, "xgboost"), (2, "lightgbm"))
    }
    volatility = np.array([bar[3] for bar in bars] + [0.01])
    frame = DecisionFrame(
        "A/USDT:USDT", "1h", time, *decide_frame(scores, volatility, policy=policy)[:5], volatility, scores
    )
    return {candles.symbol: frame}, {candles.symbol: candles}


def test_each_signal_counts_at_the_first_gate_that_stops_it_and_is_worth_its_own_bar() -> None:
    policy = VoteSettings(floor=0.7)
    frames, candles = made(
        [
            (0.02, BUY, BUY, 0.01),  # kept: +2 % - 0.3 %
            (0.01, SELL, SELL, 0.01),  # kept: -1 % - 0.3 %
            (0.01, FAINT, FAINT, 0.01),  # 0.5 x 1.1 is below the floor: +1 % - 0.3 %
            (-0.04, FAINT, FAINT, 0.09),  # too volatile, and would be below the floor as well: -4 % - 0.3 %
            (0.05, BUY, SELL, 0.01),  # a conflict: no winner, no signal
            (0.05, HOLD, HOLD, 0.01),  # no signal
        ],
        policy,
    )
    found = Signals.of_vote(frames, candles, ForwardClass(1, 0.005), policy, 2, COSTS, SETTINGS)
    assert (len(found), found.bars) == (4, 6)  # the last bar has no future
    rows = {row["rule"]: row for row in found.gates()}
    assert {name: row["n"] for name, row in rows.items()} == {
        "vote": 2, "no_quorum": 0, "volatility_gate": 1, "below_floor": 1,
    }  # fmt: skip
    assert rows["vote"]["net_bps"] == pytest.approx((200 - 100 - 60) / 2)
    assert rows["vote"]["win_rate"] == 0.5
    assert rows["below_floor"]["net_bps"] == pytest.approx(70)
    assert rows["volatility_gate"]["net_bps"] == pytest.approx(-430)
    assert rows["vote"]["share"] == 0.5
    assert rows["no_quorum"]["net_bps"] is None
    assert rows["no_quorum"]["missing"]["net_bps"] == "no such signal"


def test_an_unknown_volatility_and_a_missing_member_stop_signals_too() -> None:
    policy = VoteSettings(floor=0.5)
    gone = (np.nan, np.nan, np.nan)
    frames, candles = made([(0.02, BUY, BUY, np.nan), (0.02, BUY, gone, 0.01), (0.02, gone, gone, 0.01)], policy)
    found = Signals.of_vote(frames, candles, ForwardClass(1, 0.005), policy, 2, COSTS, SETTINGS)
    counted = {row["rule"]: row["n"] for row in found.gates()}
    assert counted == {"vote": 0, "no_quorum": 1, "volatility_gate": 1, "below_floor": 0}


def test_the_coverage_curve_goes_from_all_signals_to_the_most_confident() -> None:
    """Confidence is made to mean something: the more confident half always wins, the other never."""
    n = 400
    confidence = np.linspace(0.4, 0.9, n)
    net = np.where(confidence > 0.65, 0.01, -0.01)
    signals = Signals(np.arange(n) * HOUR, confidence, np.full(n, "vote"), net, 2 * n, SETTINGS)
    points = signals.coverage()
    shares, rates = [point["coverage"] for point in points], [point["win_rate"] for point in points]
    assert shares[0] == 0.5
    assert shares == sorted(shares, reverse=True)
    assert all(point["n"] >= 20 for point in points)
    assert rates[0] == pytest.approx(0.5)
    assert rates[-1] == 1.0
    assert rates == sorted(rates)
    assert points[-1]["net_bps"] == pytest.approx(100)
    for point in points:
        assert point["n"] == (confidence >= point["confidence"]).sum()


def test_equal_confidences_stay_together_and_few_signals_draw_nothing() -> None:
    flat = Signals(np.arange(100) * HOUR, np.full(100, 0.7), np.full(100, "vote"), np.ones(100), 100, SETTINGS)
    assert [point["n"] for point in flat.coverage()] == [100]
    few = Signals(np.arange(5) * HOUR, np.full(5, 0.7), np.full(5, "vote"), np.ones(5), 5, SETTINGS)
    assert few.coverage() == []
    none = Signals.of_vote({}, {}, ForwardClass(), VoteSettings(), 2, COSTS, SETTINGS)
    assert len(none) == 0
    assert [row["n"] for row in none.gates()] == [0, 0, 0, 0]
