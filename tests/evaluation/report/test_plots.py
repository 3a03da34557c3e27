from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from quorate.evaluation.report.plotly_json import thinned
from quorate.evaluation.report.plots import plots

from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.scorecard import Scorecard, build_scorecard
from quorate.evaluation.scorecard_inputs import ScorecardInputs

EVERY = {
    "equity", "drawdown", "skill", "coverage", "importance", "reliability", "confusion", "consensus", "trades", "costs",
}  # fmt: skip


@pytest.fixture(scope="module")
def card(make_card: Any) -> Scorecard:
    return make_card()


def coloured(value: Any) -> Any:
    """What the page's script does, with one colour."""
    if isinstance(value, str):
        return "#123456" if value.startswith("--") else value
    if isinstance(value, list):
        return [coloured(item) for item in value]
    return {key: coloured(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_plotly_accepts_every_plot(card: Scorecard) -> None:
    drawn = plots(card)
    assert set(drawn) == EVERY
    for plot in drawn.values():
        go.Figure(coloured(plot))  # raises on any name or value it does not know
        json.dumps(plot, allow_nan=False)


def test_plots_show_the_figures(card: Scorecard) -> None:
    drawn = plots(card)
    curves = {trace["name"]: trace for trace in drawn["equity"]["data"]}
    assert list(curves) == [
        "", "buy and hold", "random entries", "momentum", "rules fallback", "logistic", "best member", "account",
    ]  # fmt: skip
    assert card.account is not None
    assert curves["account"]["y"] == pytest.approx(card.account.equity, rel=1e-5)
    assert all(len(curve["x"]) == len(curve["y"]) for curve in curves.values())
    depth = min(drawn["drawdown"]["data"][-1]["y"])
    assert depth == pytest.approx(-card.figures["trades"]["max_drawdown"], abs=1e-6)
    assert sum(drawn["trades"]["data"][0]["y"]) == card.figures["trades"]["n"]
    steps = drawn["costs"]["data"][0]["y"]
    assert sum(steps[:-1]) == pytest.approx(steps[-1])


def test_months_are_in_order_and_one_without_labels_breaks_the_line(card: Scorecard) -> None:
    """Plotly draws categories in the order in which traces name them, unless it is given one."""

    def month(name: str, skill: float | None) -> dict[str, Any]:
        figures = {"skill_vs_prior": skill, "skill_vs_prior_ci": None}
        return {"month": name, "rows": 10, "models": {"ensemble": figures, "xgboost": figures}}

    months = [month("2024-11", 0.1), month("2024-12", None), month("2025-02", 0.3)]
    drawn = plots(replace(card, figures={**card.figures, "skill_by_month": months}))["skill"]
    every = ["2024-11", "2024-12", "2025-01", "2025-02"]
    axis = drawn["layout"]["xaxis"]
    assert (axis["type"], axis["categoryorder"], axis["categoryarray"]) == ("category", "array", every)
    zero, ensemble, _ = drawn["data"]
    assert zero["x"] == ["2024-11", "2025-02"]
    assert (ensemble["x"], ensemble["y"]) == (every, [0.1, None, None, 0.3])


def test_no_bar_of_the_histogram_mixes_wins_and_losses(card: Scorecard) -> None:
    bars = plots(card)["trades"]["data"][0]
    won = sum(n for n, colour in zip(bars["y"], bars["marker"]["color"], strict=True) if colour == "--good")
    assert won == (card.trade_returns > 0).sum()


def test_skill_coverage_and_importance_are_the_figures(card: Scorecard) -> None:
    drawn, figures = plots(card), card.figures
    _, ensemble, *members = drawn["skill"]["data"]
    assert ensemble["name"] == "ensemble"
    assert ensemble["y"] == [month["models"]["ensemble"]["skill_vs_prior"] for month in figures["skill_by_month"]]
    assert [member["name"] for member in members] == ["xgboost", "lightgbm"]
    points = figures["coverage"]
    coin, curve = drawn["coverage"]["data"]
    assert (coin["y"], curve["y"]) == ([0.5, 0.5], [point["win_rate"] for point in points])
    high = [rate + above for rate, above in zip(curve["y"], curve["error_y"]["array"], strict=True)]
    assert high == pytest.approx([point["win_rate_by_day_ci"][1] for point in points])
    bars = drawn["importance"]["data"][0]
    assert bars["y"] == ["&lt;b&gt;column&lt;/b&gt;", "macd", "rsi_14"]  # the last is on top
    assert bars["x"] == [-0.001, 0.01, 0.02]


def test_a_baseline_that_soars_gives_a_log_scale(card: Scorecard) -> None:
    card = replace(card, curves={}, random_band=None)
    assert card.account is not None
    assert "type" not in plots(card)["equity"]["layout"]["yaxis"]
    high = replace(card.account, equity=card.account.equity * np.linspace(1, 30, len(card.account.equity)))
    assert plots(replace(card, account=high))["equity"]["layout"]["yaxis"]["type"] == "log"
    broke = replace(card.account, equity=card.account.equity * np.linspace(1, -30, len(card.account.equity)))
    assert "type" not in plots(replace(card, account=broke))["equity"]["layout"]["yaxis"]


def test_without_trades_only_the_plots_of_scores_and_decisions(run: Any) -> None:
    card = build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames))
    assert set(plots(card)) == {"skill", "reliability", "confusion", "consensus"}


def test_a_long_curve_is_thinned_without_losing_its_extremes() -> None:
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(size=50_000))
    values[31_234] = values.max() + 100
    rows = thinned(values, 500)
    assert len(rows) <= 2_000
    assert (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, len(values) - 1)
    assert values[rows].max() == values.max()
    assert values[rows].min() == values.min()
    assert thinned(values[:2_000], 500).tolist() == list(range(2_000))


def test_names_from_data_cannot_become_markup(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=150)
    card = build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames))
    card.figures["decisions"]["mix"] = {"<a href='http://x'>here</a>": 1.0}
    assert plots(card)["consensus"]["data"][0]["y"] == ["&lt;a href=&#x27;http://x&#x27;&gt;here&lt;/a&gt;"]
