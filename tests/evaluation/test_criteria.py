from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.settings import CriteriaSettings
from quorate.evaluation.criteria import criteria, shown

KEPT_DECISIONS: dict[str, Any] = {
    "decided": 100,
    "mean_confidence": 0.751,
    "fallback": 0.1,
    "mix": {"unanimous": 0.25, "strong": 0.55, "split": 0.20},
}
KEPT_TRADES: dict[str, Any] = {
    "n": 60,
    "win_rate": 0.72,
    "win_rate_ci": [0.6, 0.8],
    "largest_loss_usd": 15.0,
    "reward_risk": 2.6,
}


KEPT_STACK: dict[str, Any] = {
    "n": 100,
    "win_rate": 0.65,
    "win_rate_ci": [0.55, 0.74],
    "losses": 30,
    "sharpe": 2.0,
    "max_drawdown": 0.12,
}
RULES: dict[str, Any] = {"n": 120, "losses": 50}


def rows_of(
    decisions: dict[str, Any],
    trades: dict[str, Any] | None,
    stack: dict[str, Any] | None = KEPT_STACK,
    rules: dict[str, Any] | None = RULES,
) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in criteria(decisions, trades, CriteriaSettings(), stack=stack, rules=rules)}


def test_every_promise_of_the_specification_is_there_and_can_be_kept() -> None:
    rows = rows_of(KEPT_DECISIONS, KEPT_TRADES)
    assert {name: row["target"] for name, row in rows.items()} == {
        "mean confidence": "> 75 %",
        "win rate": "> 70 % over 50+ trades",
        "fallback use": "< 20 %",
        "largest loss": "none above $15",
        "reward / risk": "> 2.5",
        "unanimous": "20-30 % of decided bars",
        "strong": "50-60 % of decided bars",
        "split": "15-25 % of decided bars",
        "stack: win rate": "at least 65 %",
        "stack: Sharpe": "at least 2",
        "stack: max drawdown": "at most 12 %",
        "stack: losing entries": "at least 40 % fewer than the rules",
    }
    assert all(row["ok"] is True and row["note"] == "" for row in rows.values())
    assert rows["win rate"]["interval"] == [0.6, 0.8]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mean confidence", {"mean_confidence": 0.75}),
        ("fallback use", {"fallback": 0.2}),
        ("unanimous", {"mix": {"unanimous": 0.1999, "strong": 0.55, "split": 0.2}}),
        ("strong", {"mix": {"unanimous": 0.25, "strong": 0.6001, "split": 0.2}}),
        ("split", {"mix": {"unanimous": 0.25, "strong": 0.55}}),
    ],
)
def test_each_promise_of_the_decisions_can_be_broken_alone(name: str, change: dict[str, Any]) -> None:
    rows = rows_of({**KEPT_DECISIONS, **change}, KEPT_TRADES)
    assert [row["name"] for row in rows.values() if row["ok"] is not True] == [name]
    assert rows[name]["ok"] is False


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("win rate", {"win_rate": 0.70}),
        ("largest loss", {"largest_loss_usd": 15.004}),
        ("reward / risk", {"reward_risk": 2.5}),
    ],
)
def test_each_promise_of_the_trades_can_be_broken_alone(name: str, change: dict[str, Any]) -> None:
    rows = rows_of(KEPT_DECISIONS, {**KEPT_TRADES, **change})
    assert [row["name"] for row in rows.values() if row["ok"] is not True] == [name]
    assert rows[name]["ok"] is False


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("stack: win rate", {"win_rate": 0.6499}),
        ("stack: Sharpe", {"sharpe": 1.999}),
        ("stack: max drawdown", {"max_drawdown": 0.1201}),
        ("stack: losing entries", {"losses": 31}),
    ],
)
def test_each_promise_of_the_stack_can_be_broken_alone(name: str, change: dict[str, Any]) -> None:
    rows = rows_of(KEPT_DECISIONS, KEPT_TRADES, {**KEPT_STACK, **change})
    assert [row["name"] for row in rows.values() if row["ok"] is not True] == [name]
    assert rows[name]["ok"] is False


def test_without_a_stack_its_rows_stand_and_say_so() -> None:
    rows = rows_of(KEPT_DECISIONS, KEPT_TRADES, None, None)
    stack = [row for name, row in rows.items() if name.startswith("stack")]
    assert len(stack) == 4
    assert all((row["ok"], row["shown"], row["note"]) == (None, "n/a", "n/a: no stack with panel") for row in stack)
    lossless = rows_of(KEPT_DECISIONS, KEPT_TRADES, KEPT_STACK, {"n": 3, "losses": 0})["stack: losing entries"]
    assert (lossless["ok"], lossless["note"]) == (None, "n/a: the rules have no losing trade on the same bars")


def test_intervals_stand_beside_what_they_are_of() -> None:
    decisions = {
        **KEPT_DECISIONS,
        "mean_confidence_ci": [0.7, 0.8],
        "fallback_ci": [0.05, 0.15],
        "mix_ci": {"unanimous": [0.2, 0.3], "strong": None},
    }
    rows = rows_of(decisions, {**KEPT_TRADES, "reward_risk_ci": [2.0, 3.0]})
    assert {name: row["interval"] for name, row in rows.items() if row["interval"]} == {
        "mean confidence": [0.7, 0.8],
        "win rate": [0.6, 0.8],
        "fallback use": [0.05, 0.15],
        "reward / risk": [2.0, 3.0],
        "unanimous": [0.2, 0.3],
        "stack: win rate": [0.55, 0.74],
    }


def test_what_cannot_be_measured_is_neither_kept_nor_broken() -> None:
    untraded = rows_of(KEPT_DECISIONS, None)
    for name in ("win rate", "largest loss", "reward / risk"):
        assert untraded[name]["ok"] is None
        assert untraded[name]["measured"] is None
        assert untraded[name]["shown"] == "n/a"
        assert untraded[name]["note"] == "n/a: no trade"
    few = rows_of(KEPT_DECISIONS, {**KEPT_TRADES, "n": 49})["win rate"]
    assert (few["ok"], few["measured"], few["note"]) == (None, 0.72, "n/a: 49 of 50 trades")
    won_all = {**KEPT_TRADES, "reward_risk": None, "missing": {"reward_risk": "no losing trade"}}
    assert rows_of(KEPT_DECISIONS, won_all)["reward / risk"]["note"] == "n/a: no losing trade"
    silent = {"decided": 0, "mean_confidence": None, "fallback": None, "mix": {}}
    assert all(row["ok"] is None for row in rows_of(silent, None, None).values())


@given(st.floats(0, 1))
def test_a_share_is_never_shown_better_than_it_is(share: float) -> None:
    down, up = float(shown(share, "share")[:-2]) / 100, float(shown(share, "share", up=True)[:-2]) / 100
    assert down <= share + 1e-12
    assert up >= share - 1e-12
    assert share - down < 0.001 + 1e-12


@pytest.mark.parametrize(
    ("value", "unit", "up", "text"),
    [
        (math.nextafter(0.70, 0), "share", False, "69.9 %"),
        (0.57, "share", False, "57.0 %"),
        (15.0000001, "usd", True, "$15.01"),
        (1368.181, "usd", True, "$1,368.19"),
        (2.4999, "ratio", False, "2.49"),
        (0.1991, "share", True, "20.0 %"),
    ],
)
def test_cut_not_rounded(value: float, unit: Any, up: bool, text: str) -> None:
    assert shown(value, unit, up=up) == text
