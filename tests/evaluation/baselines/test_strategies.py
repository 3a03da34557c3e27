from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import Settings, TargetSettings, VoteSettings
from quorate.core.types import Action, Candles, DecisionFrame, Vote
from quorate.ensemble.voting.vote import decide
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.comparison import baseline_figures
from quorate.evaluation.baselines.strategies import (
    BaselineStrategy,
    SingleModel,
    momentum_frame,
    momentum_strategy,
    rule_frame,
    rules_frame,
    rules_strategy,
    single_model_frame,
    single_model_strategy,
)
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.features import Bars
from quorate.models.rules import rule_actions


def bars(closes: list[float], hours: list[int] | None = None) -> Candles:
    close = np.array(closes)
    time = np.arange(len(close)) * HOUR_MS if hours is None else np.array(hours) * HOUR_MS
    return Candles("A/USDT:USDT", "1h", time, close, close, close, close, np.ones(len(close)))


def blank(candles: Candles) -> DecisionFrame:
    n = len(candles)
    hold, zero, text = np.full(n, Action.HOLD, np.int8), np.zeros(n), np.full(n, "")
    return DecisionFrame(candles.symbol, "1h", candles.time, hold, zero, zero, text, text, np.full(n, 0.01))


def test_momentum_worked_by_hand() -> None:
    candles = bars([100, 101, 103, 102, 102.5, 99])
    said = momentum_frame(blank(candles), candles, TargetSettings(horizon=2, band=0.01))
    # Over two bars: none, none, +3 %, +0.99 %, -0.49 %, -2.94 %.
    assert said.action.tolist() == [1, 1, 2, 1, 1, 0]
    assert said.confidence[[2, 5]] == pytest.approx([0.03, 1 - 99 / 102])
    assert said.confidence[:2].tolist() == [0, 0]


def test_momentum_does_not_look_across_a_gap_or_ahead() -> None:
    candles = bars([100, 101, 110, 111, 130], [0, 1, 5, 6, 7])
    target = TargetSettings(horizon=2, band=0.01)
    said = momentum_frame(blank(candles), candles, target)
    assert said.action.tolist() == [1, 1, 1, 1, 2]
    for end in range(1, 6):
        part = candles[:end]
        assert momentum_frame(blank(part), part, target).action[-1] == said.action[end - 1]


def test_momentum_of_fewer_bars_than_the_horizon_holds() -> None:
    candles = bars([100, 200])
    assert momentum_frame(blank(candles), candles, TargetSettings(horizon=5)).action.tolist() == [1, 1]


def test_rules_are_those_of_the_fallback_on_the_frames_own_bars(run: Any) -> None:
    for symbol, frame in run.frames.items():
        later = frame.between(int(frame.time[100]))
        said = rules_frame(later, run.candles[symbol])
        assert (said.action == rule_actions(Bars(run.candles[symbol])).action[100:]).all()
        assert said.scores == {}
        assert set(said.rule) == {"rules"}


@pytest.mark.parametrize("members", [2, 4])
def test_one_model_alone_decides_as_members_that_agree(run: Any, members: int) -> None:
    frame = next(iter(run.frames.values()))
    scores = frame.scores["lightgbm"]
    policy = VoteSettings(floor=0.66, weights={"lightgbm": 0.9})
    said = single_model_frame(frame, "lightgbm", scores, members, policy)
    for row in range(0, len(frame), 7):
        best = int(np.argmax(np.nan_to_num(scores[row], nan=0)))
        ballot = [Vote(f"m{n}", Action(best), float(scores[row, best])) for n in range(members)]
        signal = decide(ballot, float(frame.volatility[row]), policy=policy, members=members)
        assert said.action[row] == signal.action
        assert said.confidence[row] == pytest.approx(signal.confidence)
        assert said.consensus[row] == signal.consensus
    assert said.scores["lightgbm"] is scores


def test_decisions_of_no_model_carry_no_scores(run: Any) -> None:
    frame = next(iter(run.frames.values()))
    said = rule_frame(frame, frame.action, np.full(len(frame), np.nan), "chance")
    assert said.scores == {}
    assert not said.confidence.any()
    assert said.time is frame.time


@pytest.fixture(scope="module")
def setup(run: Any) -> BacktestSetup:
    return BacktestSetup(run.candles, {}, Settings(), horizon=1)


def test_every_baseline_has_the_ensembles_rows_and_its_own_account(run: Any, setup: BacktestSetup) -> None:
    target = TargetSettings(horizon=1, band=0.003)
    scores = {symbol: frame.scores["xgboost"] for symbol, frame in run.frames.items()}
    baselines = {
        "momentum": momentum_strategy(run.frames, setup, target),
        "rules": rules_strategy(run.frames, setup, target),
        "xgboost": single_model_strategy(
            "xgboost", SingleModel(scores, "one member"), run.frames, setup, Settings(target=target), 2
        ),
    }
    for baseline in baselines.values():
        assert (baseline.sample.y == run.sample.y).all()
        assert (baseline.sample.time == run.sample.time).all()
        assert baseline.result.start_equity_usd == 1_000
    assert baselines["momentum"].scores is None
    assert baselines["xgboost"].scores is not None
    np.testing.assert_array_equal(baselines["xgboost"].scores, run.sample.members["xgboost"])
    assert baselines["momentum"].result.trades


def test_a_model_that_cannot_tell_sides_is_scored_and_never_trades(run: Any, setup: BacktestSetup) -> None:
    settings = Settings(target=TargetSettings(horizon=1, band=0.003), vote=VoteSettings(floor=0.0))
    scores = {symbol: np.tile([0.05, 0.0, 0.95], (len(frame), 1)) for symbol, frame in run.frames.items()}
    one, none = (
        single_model_strategy("sure", SingleModel(scores, "BUY", sided), run.frames, setup, settings, 2)
        for sided in (True, False)
    )
    assert one.result.trades
    assert not none.result.trades
    assert (none.sample.action == Action.HOLD).all()
    np.testing.assert_array_equal(none.scores, one.scores)
    assert none.about == "BUY; it has no side and never trades"


def test_a_baseline_without_scores_has_its_accuracy_only(run: Any) -> None:
    right = replace(run.sample, action=run.sample.y)
    settings = Settings().evaluation
    figures = baseline_figures(BaselineStrategy(right, run.result, "knows it all"), lambda _: {"never": 1}, settings)
    assert figures["about"] == "knows it all"
    assert (figures["n"], figures["accuracy"]) == (len(right), 1.0)
    assert figures["trades"]["n"] == len(run.result.trades)
    assert "log_loss" not in figures
    scored = baseline_figures(
        BaselineStrategy(right, run.result, "", np.zeros((1, 3))), lambda table: {"rows": len(table)}, settings
    )
    assert scored["rows"] == 1


def test_the_difference_is_paired(run: Any) -> None:
    sample, blocks = run.sample, TimeBlocks(run.sample.time, Settings().evaluation)
    sure, even = np.full((len(sample), 3), 1 / 3), np.full((len(sample), 3), 1 / 3)
    row = np.arange(len(sample))
    sure[row] = 0.2
    sure[row, sample.y] = 0.6
    sure[:10] = np.nan
    apart = log_loss_difference(sample, sure, even, blocks)
    # Everywhere -ln 0.6 + ln (1 / 3): it does not vary, so neither does its interval.
    assert apart["log_loss"] == pytest.approx(-np.log(0.6 * 3))
    assert apart["log_loss_ci"] == pytest.approx([-np.log(1.8)] * 2)
    assert apart["n"] == len(sample) - 10
    swapped = log_loss_difference(sample, even, sure, blocks)
    assert swapped["log_loss"] == pytest.approx(-apart["log_loss"])
    silent = log_loss_difference(sample, np.full_like(sure, np.nan), even, blocks)
    assert silent["log_loss"] is None
    assert silent["missing"]["log_loss"] == "no row with both votes"
