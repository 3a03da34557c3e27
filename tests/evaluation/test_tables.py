from __future__ import annotations

from typing import Any

import pytest

from quorate.evaluation.baselines import class_prior
from quorate.evaluation.scorecard import scorecard
from quorate.evaluation.tables import cell, tables


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.51234, "share", "51.23 %"),
        (0.0123, "percent", "+1.23 %"),
        (-1e-9, "percent", "+0.00 %"),
        (138.68592, "percent", "+13,869 %"),
        (3.34e14, "number", "3.34e+14"),
        (-1234.5, "usd", "-$1,234.50"),
        (-6.44, "bps", "-6.4 bps"),
        (1234567, "count", "1,234,567"),
        (1.09861, "loss", "1.0986"),
    ],
)
def test_a_figure_as_text(value: float, kind: Any, text: str) -> None:
    assert cell({"figure": value}, "figure", kind).text == text


def test_an_interval_stands_below_and_a_missing_figure_says_why() -> None:
    with_ends = cell({"win_rate": 0.5, "win_rate_ci": [0.4, 0.6]}, "win_rate", "share")
    assert (with_ends.text, with_ends.interval) == ("50.00 %", "40.00 to 60.00 %")
    without = cell({"sharpe": None, "missing": {"sharpe": "one day only"}}, "sharpe", "number")
    assert (without.text, without.interval, without.reason) == ("n/a", "", "one day only")


@pytest.mark.parametrize(
    ("value", "ends", "tone"),
    [(0.1, [0.05, 0.2], "good"), (0.1, [-0.05, 0.2], ""), (-0.1, [-0.2, -0.05], "bad"), (0.1, None, "good")],
)
def test_good_news_only_when_the_whole_interval_is(value: float, ends: list[float] | None, tone: str) -> None:
    assert cell({"skill_vs_prior": value, "skill_vs_prior_ci": ends}, "skill_vs_prior", "percent").tone == tone


def test_every_table_is_rectangular_and_in_order(run: Any) -> None:
    card = scorecard(run.sample, class_prior(run.sample.y), run.frames, run.result, run.candles)
    made = tables(card.figures)
    assert [table.title for table in made] == [
        "Success criteria",
        "Scores beside their baselines",
        "Return and risk beside the baselines",
        "Trades",
        "Costs",
        "Decisions",
        "Symbols",
    ]
    for table in made:
        assert all(len(row) == len(table.columns) for row in table.rows), table.title
    scores = made[1]
    assert scores.columns == ("metric", "ensemble", "xgboost", "lightgbm", "class prior", "always HOLD")
    net = [float(row[-1].text.replace("$", "")) for row in made[-1].rows]
    assert net == sorted(net, reverse=True)


def test_without_a_backtest_its_tables_are_left_out(run: Any) -> None:
    card = scorecard(run.sample, class_prior(run.sample.y), run.frames)
    titles = [table.title for table in tables(card.figures)]
    assert titles == ["Success criteria", "Scores beside their baselines", "Decisions", "Symbols"]
