from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from quorate.evaluation.baselines import class_prior
from quorate.evaluation.plots import plots, thinned
from quorate.evaluation.scorecard import Scorecard, scorecard


@pytest.fixture(scope="module")
def card(run: Any) -> Scorecard:
    return scorecard(run.sample, class_prior(run.sample.y), run.frames, run.result, run.candles)


def coloured(value: Any) -> Any:
    """What the page's script does, with one colour."""
    if isinstance(value, str):
        return "#123456" if value.startswith("--") else value
    if isinstance(value, list):
        return [coloured(item) for item in value]
    return {key: coloured(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_plotly_accepts_every_plot(card: Scorecard) -> None:
    drawn = plots(card)
    assert set(drawn) == {"equity", "drawdown", "reliability", "confusion", "consensus", "trades", "costs"}
    for plot in drawn.values():
        go.Figure(coloured(plot))  # raises on any name or value it does not know
        json.dumps(plot, allow_nan=False)


def test_plots_show_the_figures(card: Scorecard) -> None:
    drawn = plots(card)
    account, hold = drawn["equity"]["data"]
    assert card.account is not None
    assert account["y"] == pytest.approx(card.account.equity)
    assert len(hold["x"]) == len(hold["y"])
    assert min(drawn["drawdown"]["data"][0]["y"]) == pytest.approx(-card.figures["trades"]["max_drawdown"], abs=1e-6)
    assert sum(drawn["trades"]["data"][0]["y"]) == card.figures["trades"]["n"]
    steps = drawn["costs"]["data"][0]["y"]
    assert sum(steps[:-1]) == pytest.approx(steps[-1])


def test_no_bar_of_the_histogram_mixes_wins_and_losses(card: Scorecard) -> None:
    bars = plots(card)["trades"]["data"][0]
    won = sum(n for n, colour in zip(bars["y"], bars["marker"]["color"], strict=True) if colour == "--good")
    assert won == (card.trade_returns > 0).sum()


def test_without_trades_only_the_plots_of_scores_and_decisions(run: Any) -> None:
    card = scorecard(run.sample, class_prior(run.sample.y), run.frames)
    assert set(plots(card)) == {"reliability", "confusion", "consensus"}


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
    card = scorecard(run.sample, class_prior(run.sample.y), run.frames)
    card.figures["decisions"]["mix"] = {"<a href='http://x'>here</a>": 1.0}
    assert plots(card)["consensus"]["data"][0]["y"] == ["&lt;a href=&#x27;http://x&#x27;&gt;here&lt;/a&gt;"]
