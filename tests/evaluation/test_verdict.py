"""The verdict on a run: what happened, why nothing was traded, and whether chance explains it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quorate.core.settings import EvaluationSettings, Settings
from quorate.core.types import Action
from quorate.evaluation.metrics.floors import ScoredBars, floor_figures
from quorate.evaluation.verdict import verdict_of, why_no_signal

HOUR = 3_600_000


def account(n: int = 40, mean: float = 20.0, ends: tuple[float, float] | None = (5.0, 35.0)) -> dict[str, Any]:
    """Figures of an account that made `n` trades."""
    return {
        "n": n,
        "expectancy_bps": mean,
        "expectancy_bps_ci": ends,
        "total_return": mean / 1e3,
        "total_return_ci": [-0.01, 0.05],
        "refused": {},
    }


def document(trades: dict[str, Any], worse: float = 1.0, **more: Any) -> dict[str, Any]:
    """What a verdict reads of an evaluation."""
    random = {"draws": 50, "total_return": -0.01, "total_return_ci": [-0.03, 0.01], "worse": {"total_return": worse}}
    hold = {"total_return": 0.1, "total_return_ci": [-0.2, 0.5]}
    return {"trades": trades, "baselines": {"buy_and_hold": hold, "random": random}, **more}


@pytest.mark.parametrize(
    ("made", "outcome", "judgement"),
    [
        (document(account()), "gain", "a gain that chance does not explain"),
        (document(account(), worse=0.9), "unclear", "random entries did as well"),
        (document(account(ends=(-5.0, 35.0))), "unclear", "the interval of a trade's mean includes 0"),
        (document(account(mean=-20.0, ends=(-35.0, -5.0))), "loss", "a loss that chance does not explain"),
        (document(account(ends=None)), "unclear", "too few days"),
        (document(account(), in_training_span=True), "unclear", "trained on some of these bars"),
        (document(account(), deflation={"deflated_sharpe": 0.6, "trials": 17}), "unclear", "the best of 17 trials"),
        (document(account(), deflation={"deflated_sharpe": 0.96, "trials": 17}), "gain", "chance does not explain"),
    ],
)
def test_what_chance_explains_is_no_gain(made: dict[str, Any], outcome: str, judgement: str) -> None:
    verdict = verdict_of(made)
    assert verdict.outcome == outcome
    assert judgement in verdict.sentence
    assert "+10.0 % (-20.0 to +50.0) by holding and -1.0 % (-3.0 to +1.0) by random entries" in verdict.sentence


def test_one_trade_is_singular_and_missing_baselines_are_left_out() -> None:
    verdict = verdict_of({"stats": account(n=1), "trades": [{}], "baselines": {}})
    assert verdict.sentence.startswith("1 trade: +2.0 % (-1.0 to +5.0): ")


@pytest.mark.parametrize(
    ("rules", "clause"),
    [
        ({}, "there is no bar to decide"),
        ({"no_votes": 5}, "no member voted on any bar"),
        ({"training_span": 5, "no_votes": 2}, "the bars are in the training span"),
        ({"closed": 5, "no_votes": 2}, "the policy is closed, because of the evidence"),
        ({"no_quorum": 5, "vote": 9}, "no BUY or SELL had the quorum and passed the volatility gate"),
        ({"below_return": 3, "ambiguous": 1}, "does not pay for the costs (75 % of the bars)"),
        ({"within_cost": 5}, "no predicted return exceeded the costs of a trade"),
    ],
)
def test_each_reason_for_no_trade_is_named(rules: dict[str, int], clause: str) -> None:
    assert clause in why_no_signal(rules, floor=0.69, because="of the evidence" if "closed" in rules else "")


def test_signals_that_became_no_position_are_counted_with_the_reason() -> None:
    actions = {"SELL": 1, "HOLD": 90, "BUY": 2}
    trades = {**account(n=0), "refused": {"below_minimum": 3}}
    verdict = verdict_of(document(trades, decisions={"actions": actions, "rules": {"vote": 93}}))
    assert verdict.sentence == "0 trades: 3 signals, none of which became a position (3 below minimum)."
    assert verdict.outcome == "none"


def test_nearest_confidence_and_what_its_floor_would_have_made() -> None:
    # Ten days of one bar: the vote is BUY at 0.60 to 0.69 after its boost, which four members at a fifth less give.
    confidence = np.linspace(0.600, 0.679, 10)
    score = confidence / 1.2
    table = np.column_stack([(1 - score) / 2, (1 - score) / 2, score])
    names = ("xgboost", "lightgbm", "nhits", "patchtst")
    bars = ScoredBars(
        dict.fromkeys(names, table), {}, np.full(10, 0.02), np.arange(10) * 24 * HOUR, np.full(10, -0.0015)
    )
    settings = Settings(evaluation=EvaluationSettings(resamples=20))
    floors = floor_figures(bars, settings, 4, nearest=True)
    own = floors["policies"]["classic"]["nearest"]
    expected = np.floor(100 * np.sort(confidence)[-5]) / 100  # of the fewest days that give an interval
    assert own["floor"] == pytest.approx(expected)
    assert own["signals"] == int((confidence >= expected).sum())
    assert "nearest" not in floor_figures(bars, settings, 4)["policies"]["classic"]

    actions = {action.name: 0 for action in Action} | {"HOLD": 10}
    decisions = {"actions": actions, "rules": {"below_floor": 10}}
    found = document(account(n=0), decisions=decisions, floors=floors, policy="classic")
    verdict = verdict_of(found)
    assert verdict.sentence == "0 trades: the highest confidence was 0.679, the floor is 0.69."
    assert verdict.details[0].startswith(
        f"At a floor of {expected:.2f} it would have been {own['signals']} signals at "
    )
    assert "hindsight" in verdict.details[0]
    assert verdict.details[1] == "Holding the same markets: +10.0 % (-20.0 to +50.0)."
