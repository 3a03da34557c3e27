"""A whole judgement: what its parts have to do with each other, a book that holds nothing, and a planted effect."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.book.conftest import START
from tests.evaluation.book.conftest import PLAIN, QUICK, Book, planted

from quorate.book.portfolio.returns import book_returns
from quorate.book.portfolio.weights import SleeveWeights
from quorate.book.sleeves.registry import build_sleeves
from quorate.core.clock import DAY_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import CostSettings
from quorate.evaluation.book.judge import BookJudgement
from quorate.evaluation.book.options import JudgementOptions


def sharpe(returns: Any) -> float:
    values = [float(value) for value in returns]
    mean = sum(values) / len(values)
    return mean / (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5 * 365**0.5


def test_the_document_is_strict_json_with_a_reason_for_every_gap(judgement: BookJudgement) -> None:
    document = json.loads(json.dumps(judgement.to_json(), allow_nan=False))
    gaps = []

    def look(node: Any, path: str) -> None:
        if isinstance(node, dict):
            gaps.extend(
                f"{path}.{name}"
                for name, value in node.items()
                if value is None and name not in node.get("missing", {})
            )
            for name, value in node.items():
                look(value, f"{path}.{name}")

    look(document, "")
    assert gaps == []
    assert judgement.verdict["outcome"] in ("gain", "open", "loss")


def test_figures_of_the_whole_equal_plain_loops(judgement: BookJudgement, small: Book) -> None:
    case, whole = small.case(), judgement.figures["whole"]
    returns = case.whole
    assert small.panel.time[59] == START + 60 * DAY_MS
    first = next(row for row in range(59, len(returns.net)) if returns.exposure[row] > 0)
    days = range(first, len(returns.net))
    net = [returns.net[row] for row in days]
    assert whole["days"] == len(net)
    assert whole["sharpe"] == pytest.approx(sharpe(net))
    worth, peak, sunk = 1.0, 1.0, 0.0
    for value in net:
        worth *= 1 + value
        peak = max(peak, worth)
        sunk = max(sunk, 1 - worth / peak)
    assert whole["max_drawdown"] == pytest.approx(sunk)
    assert whole["yearly_return"] == pytest.approx(worth ** (365 / len(net)) - 1)
    exposure = sum(returns.exposure[row] for row in days)
    assert whole["turnover_a_day"] == pytest.approx(sum(returns.turnover[row] for row in days) / exposure)
    assert whole["bp_a_day"] == pytest.approx(10_000 * sum(net) / exposure)
    assert whole["gross_exposure"] == pytest.approx(exposure / len(net))
    assert whole["yearly_gross"] + whole["yearly_funding"] - whole["yearly_cost"] == pytest.approx(
        365 * sum(net) / len(net)
    )
    assert whole["sharpe_ci"][0] < whole["sharpe"] < whole["sharpe_ci"][1]


def test_months_and_years_compound_to_the_whole(judgement: BookJudgement) -> None:
    for name in ("by_month", "by_year"):
        rows = judgement.figures[name]
        assert np.prod([1 + row["total_return"] for row in rows]) == pytest.approx(np.prod(1 + judgement.series.net))
        assert np.prod([1 + row["btc"] for row in rows]) == pytest.approx(np.prod(1 + judgement.series.beside["btc"]))
        assert sum(row["days"] for row in rows) == judgement.figures["whole"]["days"]
    months = [row["month"] for row in judgement.figures["by_month"]]
    assert months == sorted(months)


def test_contributions_add_up_to_the_net_return(judgement: BookJudgement) -> None:
    rows = judgement.figures["contributions"]
    assert sum(row["net"] for row in rows) == pytest.approx(judgement.series.net.sum())
    assert [row["net"] for row in rows] == sorted((row["net"] for row in rows), reverse=True)


def test_sleeves_alone_and_left_out(judgement: BookJudgement, small: Book) -> None:
    sleeves = build_sleeves(small.settings)
    figures = judgement.figures["sleeves"]
    assert list(figures) == ["trend", "carry", "dip"]
    for name in figures:
        for kind, kept in (
            ("alone", [each for each in sleeves if each.name == name]),
            ("left_out", [each for each in sleeves if each.name != name]),
        ):
            weights = SleeveWeights.of(kept, small.panel, {}, small.settings)
            returns = book_returns(weights, small.panel, small.outcomes, small.settings, CostSettings())
            first = 59 + int(np.argmax(returns.exposure[59:] > 0))
            assert figures[name][kind]["sharpe"] == pytest.approx(sharpe(returns.net[first:]))
            assert figures[name][kind]["days"] == len(returns.net) - first
    table = judgement.figures["correlations"]
    trend, carry = judgement.series.sleeves["trend"], judgement.series.sleeves["carry"]
    assert table["trend"]["carry"] == table["carry"]["trend"] == pytest.approx(np.corrcoef(trend, carry)[0, 1])
    assert table["dip"]["dip"] == pytest.approx(1)


def test_a_book_of_one_sleeve_is_that_sleeve(small: Book) -> None:
    found = small._replace(settings=replace(PLAIN, sleeves=("carry",))).judge().figures
    assert found["sleeves"]["carry"]["alone"] == found["whole"]
    rest = found["sleeves"]["carry"]["left_out"]
    assert (rest["days"], rest["sharpe"]) == (0, None)
    assert found["sleeves"]["carry"]["missing"]["sharpe_added"] == "the rest holds nothing"


def test_a_book_that_holds_nothing_says_so(small: Book) -> None:
    nothing = small._replace(settings=replace(PLAIN, sleeves=("cross_section",))).judge()
    json.dumps(nothing.to_json(), allow_nan=False)
    assert nothing.verdict == {
        "outcome": "none",
        "sentence": "No judgement: it held nothing on any day.",
        "details": [],
    }
    assert nothing.figures["whole"]["days"] == 0
    assert nothing.figures["contributions"] == nothing.figures["by_month"] == []
    assert nothing.figures["placebo"]["shuffled"]["share_above"] is None


def test_a_span_without_a_day_is_refused(small: Book) -> None:
    time = int(small.panel.time[-1])
    with pytest.raises(EvaluationError, match="judge a book"):
        small.judge(start=time, end=time + DAY_MS)


@pytest.mark.parametrize("wrong", [{"shuffles": -1}, {"confidence": 1.0}, {"shifts": (0,)}, {"lost_share": 2.0}])
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(EvaluationError, match=f"use the option {next(iter(wrong))}"):
        JudgementOptions(**wrong)


@pytest.mark.integration
def test_a_planted_effect_is_found_and_a_control_is_not() -> None:
    options = replace(QUICK, shuffles=20, shifts=(20, 40, 60))
    found, control = (planted(drift).judge(first=70, options=options, trials=3) for drift in (0.006, 0.0))
    assert found.verdict["outcome"] == "gain"
    assert "proven" in found.verdict["sentence"]
    assert found.figures["whole"]["sharpe_ci"][0] > 1
    assert found.figures["placebo"]["shuffled"]["share_above"] == 0
    assert control.verdict["outcome"] != "gain"
    low, high = control.figures["whole"]["sharpe_ci"]
    assert low < 0 < high
    assert "not proven" in control.verdict["sentence"]
