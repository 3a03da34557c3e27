"""Signals of each policy and what its gates removed, worked by hand; frames put together; probabilities judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import ConformalSettings, CostSettings, Settings, TargetSettings, VoteSettings
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.calibration.conformal import Conformal
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature
from quorate.ensemble.voting.any_policy import policy_name
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.closed_policy import ClosedPolicy
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.configurations import apply_policy, in_force
from quorate.evaluation.baselines.policy_comparison import policy_rows
from quorate.evaluation.baselines.strategies import rule_frame
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.classification_report import ScoreFigures, score_figures
from quorate.evaluation.metrics.reliability import probability_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets import ForwardClass

# A cost of 0.2 % a round trip, and labels of one bar.
SETTINGS = replace(
    Settings(), costs=CostSettings(taker_fee=0.0008, slippage=0.0002), target=TargetSettings(horizon=1, band=0.003)
)
NEXT = ForwardClass(1, 0.003)
POLICY = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.01, 0.0, 0.01), 0.002, probability=0.55)

# Returns of the next bar, and what both members say of it: SELL, HOLD, BUY.
EARNED = [0.01, -0.01, 0.02, 0.0, -0.005, 0.004]
SAID = [
    (0.1, 0.1, 0.8),  # both policies BUY: +1 % - 0.2 %
    (0.1, 0.4, 0.5),  # 0.2 % expected after costs, but a probability of 0.5: removed, and it would have lost 1.2 %
    (0.3, 0.4, 0.3),  # no return expected: removed
    (0.0, 0.3, 0.7),  # both BUY: -0.2 %
    (0.6, 0.4, 0.0),  # calibrated sells at 0.6: +0.5 % - 0.2 %; below the floor of the vote
    (0.1, 0.1, 0.8),  # both BUY: +0.4 % - 0.2 %
]


def market() -> Candles:
    close = 100 * np.cumprod([1.0, *(1 + np.array(EARNED))])
    time = HOUR_MS * np.arange(len(close))
    return Candles("A/USDT:USDT", "1h", time, close, close, close, close, np.ones(len(close)))


def frame(candles: Candles) -> DecisionFrame:
    """The vote's frame, the last bar without a label."""
    scores = np.array([*SAID, (0.2, 0.2, 0.6)])
    n = len(candles)
    bare = DecisionFrame(
        candles.symbol, "1h", candles.time, np.ones(n, np.int8), np.zeros(n), np.zeros(n), np.full(n, "weak"),
        np.full(n, "no_votes"), np.full(n, 0.01), {"xgboost": scores, "lightgbm": scores},
    )  # fmt: skip
    return replace(
        apply_policy({"A": bare}, VoteSettings(), 2)["A"],
        probabilities=scores,
        calibrated={"xgboost": scores},
        limit=np.full(n, 0.5),
    )


def rows(**more: Any) -> list[dict[str, Any]]:
    candles = market()
    frames = {candles.symbol: frame(candles)}
    calibrated = apply_policy(frames, replace(POLICY, **more), 2)
    return policy_rows(
        frames, calibrated, {candles.symbol: candles}, NEXT, SETTINGS, 2, in_force="calibrated", would_act_at=-0.0004
    )


def test_every_policy_on_the_same_bars_by_hand() -> None:
    found = {row["policy"]: row for row in rows()}
    assert list(found) == ["calibrated", "classic", "lowered", "consensus"]
    ours = found["calibrated"]
    assert (ours["n"], ours["coverage"], ours["in_force"]) == (4, pytest.approx(4 / 6), True)
    assert ours["win_rate"] == pytest.approx(3 / 4)
    assert ours["net_bps"] == pytest.approx((80 - 20 + 30 + 20) / 4)
    gates = {gate["rule"]: (gate["n"], gate["net_bps"]) for gate in ours["gates"]}
    assert gates["below_probability"] == (1, pytest.approx(-120))
    # The third bar leans nowhere; by convention it is asked about as a BUY, of +2 % less the costs.
    assert gates["below_return"] == (1, pytest.approx(180))
    assert gates["no_quorum"] == gates["ambiguous"] == (0, None)
    classic = found["classic"]
    # Two members agree: strong, so 0.8 becomes 0.85 and 0.7 becomes 0.77; 0.6 and 0.5 stay below the floor of 0.69.
    assert classic["n"] == 3
    assert classic["net_bps"] == pytest.approx((80 - 20 + 20) / 3)
    removed = {gate["rule"]: (gate["n"], gate["net_bps"]) for gate in classic["gates"]}
    assert removed["below_floor"] == (2, pytest.approx((-120 + 30) / 2))
    assert classic["silent"] is None
    # Given a move, 0.8 of 0.9 is 0.89 and 0.6 of 0.6 is 1; P(HOLD) of 0.5 and more is no signal.
    consensus = found["consensus"]
    expected = decide_frame(
        frame(market()).scores, np.full(7, 0.01), policy="consensus", members=2, calibrated=frame(market()).calibrated
    )
    assert consensus["n"] == (expected.action[:6] != 1).sum() == 5
    assert consensus["gates"][-1]["rule"] == "below_floor"


def test_a_policy_that_never_signals_says_so_and_when_it_would() -> None:
    silent = rows(net_return=1.0)[0]
    assert (silent["n"], silent["net_bps"], silent["coverage"]) == (0, None, 0)
    assert silent["silent"] == "no signal; highest expected net return -0.0004"


def test_a_closed_policy_removes_all_signals_of_the_vote() -> None:
    candles = market()
    frames = apply_policy({candles.symbol: frame(candles)}, ClosedPolicy(VoteSettings()), 2)
    closed, *others = policy_rows(frames, None, {candles.symbol: candles}, NEXT, SETTINGS, 2, in_force="closed")
    assert (closed["policy"], closed["in_force"], closed["n"]) == ("closed", True, 0)
    assert closed["silent"] == "no signal at any confidence: it is closed"
    (gate,) = closed["gates"]
    # What the vote would take without its gates: its three signals and the two below its floor.
    assert (gate["rule"], gate["n"]) == ("closed", 5)
    assert [row["policy"] for row in others] == ["classic", "lowered", "consensus"]


def test_the_set_is_a_gate_of_its_own() -> None:
    gated = rows(unambiguous=True, conformal=Conformal(0.1, 0.01, 0.1, np.linspace(0, 1, 201)))[0]
    # A limit of 0.5 leaves each of the four alone in its set: 1 - 0.6 = 0.4 is within, 1 - 0.4 is not.
    assert gated["n"] == 4


def test_whose_decisions_they_are_and_how_they_are_sized() -> None:
    candles = market()
    frames = {candles.symbol: frame(candles)}
    calibrated = apply_policy(frames, POLICY, 2)
    assert in_force(frames, VoteSettings()) == "classic"
    assert in_force(calibrated, VoteSettings()) == "calibrated"
    only = calibrated[candles.symbol]
    mixed = DecisionFrame.concat([replace(only.between(end=3 * HOUR_MS)), frames[candles.symbol].between(3 * HOUR_MS)])
    assert in_force({"A": mixed}, VoteSettings()) == "chosen"
    for policy in (ConsensusPolicy(VoteSettings()), ClosedPolicy(VoteSettings())):
        decided = apply_policy(frames, policy, 2)
        assert in_force(decided, VoteSettings()) == policy_name(policy)
        assert in_force({**frames, "A": decided[candles.symbol]}, VoteSettings()) == "chosen"
    assert only.probability is not None
    np.testing.assert_allclose(only.probability[:2], [0.8, 0.4])
    # A baseline keeps none of the ensemble's probabilities.
    baseline = rule_frame(only, only.action, only.confidence, "rule")
    assert (baseline.policy, baseline.probabilities, baseline.calibrated) == ("classic", None, {})


def test_a_venue_sizes_by_probability_what_was_decided_by_it() -> None:
    rng = np.random.default_rng(1)
    close = 100 * np.cumprod(1 + rng.normal(0, 0.01, 60))
    time = HOUR_MS * np.arange(60)
    candles = Candles("A/USDT:USDT", "1h", time, close, close * 1.01, close * 0.99, close, np.ones(60))
    p = np.tile([0.1, 0.1, 0.8], (60, 1))
    bare = replace(frame(market()), symbol=candles.symbol)
    long = DecisionFrame(
        candles.symbol, "1h", time, np.where(np.arange(60) == 30, 2, 1).astype(np.int8), np.full(60, 0.8),
        np.full(60, 0.8), np.full(60, "strong"), np.full(60, "calibrated"), np.full(60, 0.01),
        policy="calibrated", probabilities=p,
    )  # fmt: skip
    setup = BacktestSetup({candles.symbol: candles}, {}, SETTINGS, 5)
    (by_chance,) = setup.trade({candles.symbol: long}).trades
    (by_risk,) = setup.trade({candles.symbol: replace(long, policy="classic")}).trades
    # Half Kelly wants more than its cap of 2 % of the equity; the other way risks 1 %.
    assert by_chance.quantity == pytest.approx(2 * by_risk.quantity, rel=0.01)
    doubtful = np.tile([0.4, 0.4, 0.2], (60, 1))
    assert not setup.trade({candles.symbol: replace(long, probabilities=doubtful)}).trades
    assert bare.policy == "classic"


def test_frames_of_stretches_are_one_frame_and_what_is_not_known_is_nan() -> None:
    whole = frame(market())
    plain = replace(whole, probabilities=None, calibrated={}, limit=None)
    cut = 3 * HOUR_MS
    both = DecisionFrame.concat([plain.between(end=cut), whole.between(cut)])
    for name in ("time", "action", "confidence", "rule"):
        np.testing.assert_array_equal(getattr(both, name), getattr(whole, name))
    assert both.probabilities is not None
    assert np.isnan(both.probabilities[:3]).all()
    np.testing.assert_array_equal(both.probabilities[3:], whole.probabilities[3:])  # type: ignore[index]
    assert np.isnan(both.calibrated["xgboost"][:3]).all()
    assert DecisionFrame.concat([whole]) is whole
    assert DecisionFrame.concat([plain.between(end=cut), plain.between(cut)]).limit is None


def drawn(n: int = 4_000) -> tuple[Candles, DecisionFrame, LabelledPredictions]:
    """A member that is right as often as its probabilities say, and whose scores claim far more."""
    random = np.random.default_rng(5)
    true = random.dirichlet([2, 2, 2], n)
    y = (random.random(n)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    close = 100 * np.cumprod([1.0, *(1 + (y - 1) * 0.01)])
    time = HOUR_MS * np.arange(n + 1)
    candles = Candles("A/USDT:USDT", "1h", time, close, close, close, close, np.ones(n + 1))
    true = np.concatenate([true, [[1 / 3] * 3]])
    scores = Temperature(3.0)(true)
    count = n + 1
    made = DecisionFrame(
        candles.symbol, "1h", time, np.ones(count, np.int8), np.zeros(count), np.zeros(count), np.full(count, "weak"),
        np.full(count, "vote"), np.full(count, 0.01), {"xgboost": scores}, probabilities=true,
        calibrated={"xgboost": true}, limit=np.full(count, 0.75),
    )  # fmt: skip
    return candles, made, LabelledPredictions.of({candles.symbol: made}, {candles.symbol: candles}, NEXT)


def test_calibration_is_seen_in_the_figures_and_the_sets_are_counted() -> None:
    candles, made, sample = drawn()
    settings = replace(SETTINGS, conformal=ConformalSettings(window=1_000))
    scored = ScoreFigures(sample, np.full(3, 1 / 3), TimeBlocks(sample.time, settings.evaluation), NEXT.horizon)
    told = probability_figures({"A": made}, {"A": candles}, NEXT, scored, settings)
    assert told is not None
    ours = told["ensemble"]
    assert ours["probability"]["ece"] < 0.03 < 0.1 < ours["score"]["ece"]
    assert ours["probability"]["log_loss"] < told["members"]["xgboost"]["score"]["log_loss"]
    assert told["differences"]["prior"]["log_loss_ci"][1] < 0
    assert told["differences"]["best_member"]["log_loss"] == pytest.approx(0)
    p, y = made.probabilities, sample.y
    assert p is not None
    held = 1 - p[:-1] <= 0.75
    sets = told["sets"]
    assert sets["n"] == len(y) == 4_000
    assert sets["coverage"] == pytest.approx(held[np.arange(4_000), y].mean())
    assert sets["of_1"] == pytest.approx((held.sum(axis=1) == 1).mean())
    assert sets["lowest_rolling"] <= sets["coverage"] <= sets["highest_rolling"]


def test_without_probabilities_there_are_no_figures_of_them() -> None:
    candles, made, sample = drawn(200)
    bare = replace(made, probabilities=None, calibrated={}, limit=None)
    scored = ScoreFigures(sample, np.full(3, 1 / 3), TimeBlocks(sample.time, SETTINGS.evaluation))
    assert probability_figures({"A": bare}, {"A": candles}, NEXT, scored, SETTINGS) is None


def test_equal_scores_are_measured_once_and_belong_to_the_caller() -> None:
    _, _, sample = drawn(400)
    blocks, prior = TimeBlocks(sample.time, SETTINGS.evaluation), np.full(3, 1 / 3)
    scored, scores = ScoreFigures(sample, prior, blocks), sample.members["xgboost"]
    scored.of(scores)["skill"]["added"] = 1
    assert scored.of(scores.copy()) == score_figures(sample, scores, prior, blocks)
    assert scored.of(scores[:, ::-1])["log_loss"] != scored.of(scores)["log_loss"]
