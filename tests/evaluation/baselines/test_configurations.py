from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.settings import VoteSettings
from quorate.evaluation.baselines.configurations import Configuration, apply_policy, policies, return_matrix
from quorate.evaluation.selection_bias import overfitting_figures, trial_log_figures, trials
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.evaluation.statistics.trial_log import TrialHistory


@pytest.fixture(scope="module")
def card(make_card: Any) -> Any:
    return make_card()


def test_what_could_have_been_chosen_is_traded_on_the_same_bars(card: Any) -> None:
    names = [candidate.name for candidate in card.configurations]
    assert names == [
        "configured", "classic", "lowered", "floor 0.60", "floor 0.75", "consensus", "xgboost alone",
        "lightgbm alone", "logistic alone", "best_member",
    ]  # fmt: skip
    assert all((candidate.result.time == card.account.time).all() for candidate in card.configurations)
    traded = {candidate.name: len(candidate.result.trades) for candidate in card.configurations}
    assert traded["configured"] == card.figures["trades"]["n"]  # a floor of 0.5 lets most through
    assert traded["configured"] > traded["floor 0.60"] > traded["floor 0.75"]
    found = card.figures["policies"]
    assert list(found) == ["configured", "classic", "lowered", "consensus"]
    assert [policy["in_force"] for policy in found.values()] == [True, False, False, False]
    assert found["configured"]["criteria"] == card.figures["criteria"]
    names = [row["name"] for row in card.figures["criteria"]]
    assert [row["name"] for row in found["consensus"]["criteria"]] == names
    assert found["consensus"]["trades"]["n"] == traded["consensus"] > 0
    assert found["classic"]["policy"]["floor"] == 0.69
    assert found["configured"]["trades"]["n"] == traded["configured"]


def test_a_policy_keeps_the_deployments_weights() -> None:
    own = VoteSettings(weights={"xgboost": 0.9}, default_weight=0.1)
    assert all(policy.weights == {"xgboost": 0.9} and policy.default_weight == 0.1 for policy in policies(own).values())
    assert list(policies(own)) == ["classic", "lowered"]


def test_counting_again_under_the_same_policy_changes_nothing(run: Any) -> None:
    once = apply_policy(run.frames, VoteSettings(floor=0.5), 2)
    again = apply_policy(once, VoteSettings(floor=0.5), 2)
    for symbol, frame in once.items():
        for name in ("action", "confidence", "base", "consensus", "rule"):
            assert (getattr(frame, name) == getattr(again[symbol], name)).all()


def test_selection_bias_is_a_document_with_a_sentence(card: Any) -> None:
    deflation, overfitting = card.figures["deflation"], card.figures["overfitting"]
    json.dumps([deflation, overfitting], allow_nan=False)
    assert deflation["trials"] <= 10
    assert deflation["deflated_sharpe"] <= deflation["probabilistic_sharpe"]
    assert "configurations of this run" in deflation["about"]
    assert 0 <= overfitting["probability"] <= 1
    # Both stand for "the best" here, and the same returns twice are no choice.
    assert len(overfitting["configurations"]) < 9
    assert f"{100 * overfitting['probability']:.0f} %" in overfitting["about"]


def test_an_account_that_was_wiped_out_is_left_out_and_named(card: Any) -> None:
    first = card.configurations[0]
    broke = np.where(np.arange(len(first.result.equity_usd)) > 100, -1.0, 1_000.0)
    ruined = Configuration("ruined", {}, replace(first.result, equity_usd=broke))
    table, names = return_matrix([first, ruined])
    assert (table.shape[1], names) == (1, (first.name,))
    assert overfitting_figures([first, ruined])["left_out"] == ["ruined"]
    alone = overfitting_figures([first])
    assert alone["probability"] is None
    assert alone["about"] == "No probability of overfitting: fewer than two configurations differ."


def test_trials_say_what_was_chosen_and_only_their_own_models_settings(card: Any) -> None:
    made = trials(
        card.configurations, {"kind": "walk-forward"}, {"xgboost": {"trees": 1}, "logistic": {"penalty": 2}},
        time="2026-11-20T00:00:00Z", code="c", verb="evaluate", data="d",
    )  # fmt: skip
    by_name = {trial.name: trial for trial in made}
    assert len({trial.id for trial in made}) == len(made)
    assert by_name["logistic alone"].configuration["models"] == {"logistic": {"penalty": 2}}
    assert by_name["classic"].configuration["models"] == {"xgboost": {"trees": 1}}
    assert by_name["classic"].configuration["policy"]["floor"] == 0.69
    assert by_name["configured"].headline["trades"] == card.figures["trades"]["n"]
    figures = trial_log_figures(
        by_name["configured"].moments, TrialHistory((*made, *made)), "trials.jsonl", synthetic=False
    )
    assert figures["recorded"] == 2 * len(made)
    defined = sum(np.isfinite(trial.moments.sharpe) for trial in made)
    assert figures["trials"] == defined
    assert "trials.jsonl" in figures["about"]


def test_an_idle_account_has_no_deflated_sharpe_and_says_why() -> None:
    figures = trial_log_figures(Moments.of(np.zeros(50)), TrialHistory(()), "trials.jsonl", synthetic=False)
    assert figures["deflated_sharpe"] is None
    assert figures["about"] == "No deflated Sharpe ratio: the account's returns do not vary."
