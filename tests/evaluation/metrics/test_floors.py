"""Floors by hand on five bars, against decisions made with each floor, and the bars they are counted on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import CostSettings, EvaluationSettings, Settings, VoteSettings
from quorate.core.types import Action, Candles, DecisionFrame
from quorate.ensemble.voting.any_policy import policy_named, with_vote
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.metrics.floors import ScoredBars, floor_figures
from quorate.evaluation.report.floor_table import floor_table
from quorate.targets import ForwardClass

# A round trip costs 20 bps.
SETTINGS = Settings(
    costs=CostSettings(taker_fee=0.0005, slippage=0.0005),
    evaluation=EvaluationSettings(floors=(0.5, 0.6, 0.9), resamples=40),
)
# Two members that say the same: strong, so the classic confidence is 1.1 times the score, up to 0.85.
SCORES = np.array(
    [
        (0.1, 0.2, 0.7),  # classic BUY at 0.77; given a move 0.875
        (0.16, 0.4, 0.44),  # classic BUY at 0.484; given a move 0.733
        (0.45, 0.3, 0.25),  # classic SELL at 0.495; given a move 0.643
        (0.15, 0.6, 0.25),
        (0.1, 0.1, 0.8),  # too volatile for a score of 0.8 only below its base of 0.70, so a signal
    ]
)
EARNED = np.array([0.01, -0.004, -0.006, 0.5, 0.002])


def bars(**more: Any) -> ScoredBars:
    tables = {"xgboost": SCORES, "lightgbm": SCORES}
    volatility = np.array([0.01, 0.01, 0.01, 0.01, 0.06])
    return replace(ScoredBars(tables, {}, volatility, DAY_MS * np.arange(5), EARNED), **more)


def test_each_floor_by_hand() -> None:
    found = floor_figures(bars(), SETTINGS, 2)
    classic, consensus = found["policies"]["classic"], found["policies"]["consensus"]
    assert (found["bars"], found["floor"]) == (5, 0.69)
    assert [row["floor"] for row in classic["floors"]] == [0.5, 0.6, 0.69, 0.9]
    # Above 0.5 only the first and the last bar: 100 and 20 bps, less 20 each.
    assert [row["signals"] for row in classic["floors"]] == [2, 2, 2, 0]
    assert classic["floors"][0]["net_bps"] == pytest.approx((80 + 0) / 2)
    assert classic["floors"][0]["coverage"] == pytest.approx(2 / 5)
    assert classic["floors"][3]["net_bps"] is None
    assert classic["highest_confidence"] == pytest.approx(0.85)
    # Given a move the second is a BUY that loses 40, the third a SELL that earns 60.
    assert [row["signals"] for row in consensus["floors"]] == [4, 4, 3, 0]
    assert consensus["floors"][0]["net_bps"] == pytest.approx((80 - 60 + 40 + 0) / 4)
    assert consensus["floors"][2]["net_bps"] == pytest.approx((80 - 60 + 0) / 3)
    assert consensus["highest_confidence"] == pytest.approx(0.8 / 0.9)
    # All four moved by more than 0.5 % but the BUY of -0.4 % and the last of 0.2 %.
    assert [row["right_given_move"] for row in consensus["floors"]] == [1.0, 1.0, 1.0, None]
    assert consensus["floors"][0]["missing"]["net_bps_ci"] == "signals in fewer than 5 blocks of time"
    assert classic["floors"][3]["missing"]["right_given_move"] == "no signal at this floor"


def test_intervals_and_the_share_that_was_right_given_a_move() -> None:
    """Ten days with a BUY given a move at 0.7; eight of the moves go up, two down, and one bar does not move."""
    n = 11
    said = np.tile([0.18, 0.4, 0.42], (n, 1))
    earned = np.array([0.01] * 8 + [-0.01] * 2 + [0.001])
    ten = ScoredBars({"xgboost": said, "lightgbm": said}, {}, np.full(n, 0.01), DAY_MS * np.arange(n), earned)
    row = next(
        row for row in floor_figures(ten, SETTINGS, 2)["policies"]["consensus"]["floors"] if row["floor"] == 0.69
    )
    assert (row["signals"], row["right_given_move"]) == (11, pytest.approx(0.8))
    assert row["right_given_move_ci"][0] < 0.8 < row["right_given_move_ci"][1] <= 1
    assert row["net_bps_ci"][0] < row["net_bps"] < row["net_bps_ci"][1]


def test_probabilities_are_counted_where_there_are_any() -> None:
    """Those of one bar raise it above every floor; NaN in the others leaves their scores."""
    known = np.full((5, 3), np.nan)
    known[3] = (0.02, 0.4, 0.58)
    found = floor_figures(bars(calibrated={"xgboost": known, "lightgbm": known}), SETTINGS, 2)
    assert [row["signals"] for row in found["policies"]["consensus"]["floors"]] == [5, 5, 4, 1]
    assert found["policies"]["consensus"]["highest_confidence"] == pytest.approx(0.58 / 0.6)


@pytest.mark.parametrize("quorum", [0.75, 0.5])
def test_signals_equal_those_of_a_vote_with_that_floor(quorum: float) -> None:
    """Also with a lowered quorum, whose two votes of four have a floor of their own."""
    rng = np.random.default_rng(4)
    n = 3_000
    common = rng.normal(size=(n, 3)) * 2
    logits = {name: common + rng.normal(size=(n, 3)) * 2 for name in ("a", "b", "c", "d")}
    tables = {name: np.exp(table) / np.exp(table).sum(axis=1, keepdims=True) for name, table in logits.items()}
    settings = replace(SETTINGS, vote=VoteSettings(quorum=quorum))
    drawn = ScoredBars(tables, {}, rng.uniform(0, 0.08, n), HOUR_MS * np.arange(n), rng.normal(0, 0.01, n))
    found = floor_figures(drawn, settings, 4)
    for name, policy in found["policies"].items():
        for row in policy["floors"]:
            wanted = with_vote(policy_named(name, settings.vote), floor=row["floor"])
            decided = decide_frame(tables, drawn.volatility, policy=wanted, members=4)
            assert row["signals"] == (decided.action != Action.HOLD).sum() > 0
        acting = policy["highest_confidence"]
        above = with_vote(policy_named(name, settings.vote), floor=min(1.0, acting + 1e-6), lowered_floor=1.0)
        assert (decide_frame(tables, drawn.volatility, policy=above, members=4).action == Action.HOLD).all()


def test_bars_without_an_outcome_are_left_out() -> None:
    time = HOUR_MS * np.arange(6)
    close = 100 * np.cumprod([1.0, *(1 + EARNED)])
    candles = Candles("A/USDT:USDT", "1h", time, close, close, close, close, np.ones(6))
    tables = {"xgboost": np.array([*SCORES, (0.0, 0.0, 1.0)])}
    frame = DecisionFrame(
        candles.symbol, "1h", time, np.ones(6, np.int8), np.zeros(6), np.zeros(6), np.full(6, "weak"),
        np.full(6, "vote"), np.full(6, 0.01), tables, calibrated=tables,
    )  # fmt: skip
    other = replace(frame, scores={"lightgbm": tables["xgboost"]}, calibrated={})
    found = ScoredBars.of({"A": frame, "B": other}, {"A": candles, "B": candles}, ForwardClass(1, 0.005))
    assert len(found) == 10  # the label of the newest bar is not known
    np.testing.assert_allclose(found.forward_return, np.tile(EARNED, 2))
    assert np.isnan(found.scores["xgboost"]).all(axis=1).tolist() == [False] * 5 + [True] * 5
    assert np.isnan(found.calibrated["xgboost"]).all(axis=1).tolist() == [False] * 5 + [True] * 5
    none = floor_figures(ScoredBars.of({}, {}, ForwardClass()), SETTINGS, 2)
    assert none["policies"]["classic"]["highest_confidence"] is None
    assert none["policies"]["classic"]["floors"][0]["signals"] == 0


def test_the_table_ends_where_nothing_acts_and_keeps_the_floor_in_force() -> None:
    table = floor_table(floor_figures(bars(), SETTINGS, 2))
    assert [row[0].text for row in table.rows] == ["0.50", "0.60", "0.69 in force", "0.90", "highest seen"]
    assert table.rows[-1][1].text == "0.8500"
    assert [cell.text for cell in table.rows[0]] == ["0.50", "2 (40 %)", "+40.0", "4 (80 %)", "+15.0"]
    assert [cell.text for cell in table.rows[3]] == ["0.90", "none", "", "none", ""]
    many = replace(SETTINGS, evaluation=EvaluationSettings(floors=tuple(np.linspace(0.01, 0.99, 50)), resamples=40))
    assert len(floor_table(floor_figures(bars(), many, 2)).rows) == 8
    quiet = floor_table(floor_figures(bars(volatility=np.full(5, np.nan)), SETTINGS, 2))
    assert [row[0].text for row in quiet.rows] == ["0.50", "0.69 in force", "highest seen"]
    assert floor_table(None).rows == ()
