from __future__ import annotations

from typing import Any

import pytest

from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.report.breakdown_tables import symbol_table
from quorate.evaluation.report.formatting import cell
from quorate.evaluation.report.skill_tables import group_table, skill_table
from quorate.evaluation.report.tables import BASELINES, baseline_table, fold_table, money_table, score_table, tables
from quorate.evaluation.scorecard import build_scorecard
from quorate.evaluation.scorecard_inputs import ScorecardInputs


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.51234, "share", "51.23 %"),
        (0.0123, "percent", "+1.23 %"),
        (-1e-9, "percent", "+0.00 %"),
        (138.68592, "percent", "+13,869 %"),
        (12_345.6, "percent", "+1.2e+06 %"),
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
    soared = cell({"total_return": 12.0, "total_return_ci": [3.0, 4_321.0]}, "total_return", "percent")
    assert (soared.text, soared.interval) == ("+1,200 %", "+300 to +432,100 %")
    without = cell({"sharpe": None, "missing": {"sharpe": "one day only"}}, "sharpe", "number")
    assert (without.text, without.interval, without.reason) == ("n/a", "", "one day only")


@pytest.mark.parametrize(
    ("value", "ends", "tone"),
    [(0.1, [0.05, 0.2], "good"), (0.1, [-0.05, 0.2], ""), (-0.1, [-0.2, -0.05], "bad"), (0.1, None, "good")],
)
def test_good_news_only_when_the_whole_interval_is(value: float, ends: list[float] | None, tone: str) -> None:
    assert cell({"skill_vs_prior": value, "skill_vs_prior_ci": ends}, "skill_vs_prior", "percent").tone == tone


def test_every_table_is_rectangular_and_in_order(run: Any) -> None:
    card = build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames, run.result, run.candles))
    made = tables(card.figures)
    assert [table.title for table in made] == [
        "Success criteria",
        "Scores and naive baselines",
        "Return and risk, with baselines",
        "Trades",
        "Costs",
        "Decisions",
    ]
    for table in made:
        assert all(len(row) == len(table.columns) for row in table.rows), table.title
    scores = made[1]
    assert scores.columns == ("metric", "ensemble", "xgboost", "lightgbm", "class prior", "always HOLD")
    symbols = symbol_table(card.figures)
    net = [float(row[-1].text.replace("$", "")) for row in symbols.rows]
    assert net == sorted(net, reverse=True)


def test_without_a_backtest_its_tables_are_left_out(run: Any) -> None:
    card = build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames))
    titles = [table.title for table in tables(card.figures)]
    assert titles == ["Success criteria", "Scores and naive baselines", "Decisions"]


def test_the_account_stands_beside_every_baseline_that_has_money() -> None:
    trades = {"n": 3, "win_rate": 0.5, "win_rate_ci": [0.1, 0.9], "total_return": 0.1, "max_drawdown": 0.2}
    baselines = {
        "momentum": {"accuracy": 0.4, "trades": {**trades, "n": 7, "sharpe": None, "missing": {"sharpe": "one day"}}},
        "prior": {"log_loss": 1.0, "n": 9},
        "buy_and_hold": {"total_return": -0.2, "max_drawdown": 0.3},
        "of my own": {"trades": trades},
    }
    table = money_table({"trades": trades, "baselines": baselines})
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert list(rows) == ["account", "buy and hold", "momentum", "of my own"]
    assert rows["momentum"] == ["7", "50.00 %", "n/a", "+10.00 %", "n/a", "20.00 %"]
    assert rows["buy and hold"] == ["n/a", "n/a", "n/a", "-20.00 %", "n/a", "30.00 %"]
    assert table.rows[0][2].interval == "10.00 to 90.00 %"
    assert not any(cell.reason for row in table.rows for cell in row)
    assert money_table({"trades": {"n": 0}, "baselines": baselines}).rows == ()


def test_folds_and_baseline_models_belong_to_a_walk_forward() -> None:
    fold = {
        "fold": 1,
        "train": {"from": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z", "rows": 1000},
        "test": {"from": "2025-02-01T05:00:00Z", "to": "2025-03-01T00:00:00Z", "rows": 900},
        "members": {"xgboost": {"skill_vs_prior": 0.01}, "lightgbm": {"skill_vs_prior": None, "missing": {}}},
    }
    figures = {
        "folds": [fold],
        "baselines": {"logistic": {"log_loss": 1.05}, "prior": {"log_loss": 1.1}},
        "differences": {"logistic": {"log_loss": -0.012, "log_loss_ci": [-0.02, -0.004], "p_value": 0.031}},
    }
    (row,) = fold_table(figures).rows
    assert [cell.text for cell in row] == [
        "1", "2025-01-01 to 2025-02-01", "1,000", "2025-02-01 to 2025-03-01", "900", "+1.00 %", "n/a",
    ]  # fmt: skip
    table = baseline_table(figures)
    assert table.columns == ("metric", "logistic")
    assert table.rows[-2][1].text == "-0.01200"
    assert table.rows[-2][1].interval == "-0.02000 to -0.00400"
    assert table.rows[-1][1].text == "0.0310"
    of_a_bundle = {name: figures[name] for name in ("baselines", "differences")}
    assert fold_table(of_a_bundle).rows == baseline_table(of_a_bundle).rows == ()


def skilled(total: float, volatility: float, **more: Any) -> dict[str, Any]:
    parts = {"volatility": volatility, "direction": total - volatility}
    return {"skill_vs_prior": total, "skill": {**parts, "vs_span": {"skill": total - 0.01, **parts}, **more}}


def test_skill_stands_with_its_parts_and_the_difference_to_log_har() -> None:
    apart = {"log_loss": -0.003, "log_loss_ci": [-0.005, -0.001]}
    ensemble, member = skilled(0.03, 0.029, vs_log_har=apart), skilled(-0.01, 0.018, vs_log_har=apart)
    figures = {
        "ensemble": ensemble,
        "members": {"xgboost": member},
        "baselines": {"prior": skilled(0.0, 0.0), "always_hold": {}, "log_har": skilled(0.025, 0.025)},
        "skill_by_group": [
            {"group": "large", "symbols": ["A", "B"], "rows": 1_234, "models": {"ensemble": ensemble}},
        ],
    }
    rows = [[one.text for one in row] for row in score_table(figures).rows]
    assert rows[:3] == [
        ["skill over prior", "+3.00 %", "-1.00 %", "+0.00 %", "n/a"],
        ["- of volatility", "+2.90 %", "+1.80 %", "+0.00 %", "n/a"],
        ["- of direction", "+0.10 %", "-2.80 %", "+0.00 %", "n/a"],
    ]
    assert rows[-1] == ["log-loss minus log_har's", "-0.00300", "-0.00300", "n/a", "n/a"]
    by_model = {row[0].text: [one.text for one in row[1:]] for row in skill_table(figures, BASELINES).rows}
    assert list(by_model) == ["ensemble", "xgboost", "class prior", "log_har"]
    assert by_model["ensemble"] == ["+3.00 %", "+2.90 %", "+0.10 %", "+2.00 %", "+2.90 %", "+0.10 %", "-0.00300"]
    assert by_model["log_har"][-1] == "n/a"
    (group,) = group_table(figures).rows
    assert [one.text for one in group] == ["large (2)", "ensemble", "1,234", "+3.00 %", "+2.90 %", "+0.10 %"]
    assert group_table({}).rows == ()


def test_without_log_har_there_is_no_row_of_it() -> None:
    figures = {"ensemble": skilled(0.03, 0.03), "members": {}, "baselines": {"prior": {}, "always_hold": {}}}
    assert not any("log_har" in row[0].text for row in score_table(figures).rows)
