"""Charts: their data are the figures, in order, and names from data cannot become markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Candles
from quorate.evaluation.report import ReportedRun
from quorate.evaluation.report.charts.account_charts import distribution, trade_histogram
from quorate.evaluation.report.charts.linked_figure import linked_figure
from quorate.evaluation.report.charts.score_charts import (
    confusion_table,
    coverage_chart,
    membership_strips,
    reliability_chart,
    skill_chart,
)


def month(name: str, skill: float | None) -> dict[str, Any]:
    figures = {"skill_vs_prior": skill, "skill_vs_prior_ci": None}
    return {"month": name, "rows": 10, "models": {"ensemble": figures, "<b>own</b>": figures}}


def test_months_are_in_order_and_one_without_labels_breaks_the_line() -> None:
    months = [month("2025-02", 0.3), month("2024-11", 0.1), month("2024-12", 0.2), month("2025-03", None)]
    drawn = skill_chart({"skill_by_month": months})
    assert re.findall(r">(\d{4}-\d\d)</text>", drawn) == ["2024-11", "2024-12", "2025-01", "2025-02", "2025-03"]
    (ensemble,) = re.findall(r'class="line c0" d="([^"]+)"', drawn)
    assert (ensemble.count("M"), ensemble.count("L")) == (2, 1)  # January has no labels
    places = [float(x) for x in re.findall(r'<circle class="c0" cx="([\d.]+)"', drawn)]
    assert places == sorted(places)
    assert "<b>" not in drawn
    assert "&lt;b&gt;own&lt;/b&gt;" in drawn
    assert skill_chart({"skill_by_month": []}) == ""


def test_no_bar_of_the_histogram_mixes_gains_and_losses() -> None:
    returns = np.array([-0.02, -0.01, -0.001, 0.0005, 0.012, 0.03])
    drawn = trade_histogram(returns)
    counts = dict.fromkeys(("good", "bad"), 0)
    for tone, n in re.findall(r'<rect class="(good|bad)"[^>]*><title>[^:]+: (\d+) trade', drawn):
        counts[tone] += int(n)
    assert counts == {"good": 3, "bad": 3}
    assert trade_histogram(np.empty(0)) == ""


def test_a_distribution_has_all_draws_and_the_account_inside() -> None:
    values = [*np.linspace(-0.1, 0.1, 999), 50.0]
    drawn = distribution(values, -0.3, "title", "final return")
    shares = [float(share) for share in re.findall(r": ([\d.]+)% of the draws", drawn)]
    assert sum(shares) == pytest.approx(100, abs=2)
    assert "this run -30 %" in drawn
    (x,) = re.findall(r'class="actual" d="M([\d.]+) ', drawn)
    assert 14 <= float(x) <= 328
    assert distribution([], 0.0, "title", "") == ""


def test_scores_show_the_figures(make_reported: Callable[..., ReportedRun]) -> None:
    figures = make_reported().figures
    assert reliability_chart(figures).count("<circle") == len(figures["ensemble"]["reliability"])
    assert coverage_chart(figures).count("<circle") == len(figures["coverage"])
    counts = np.array(figures["ensemble"]["confusion"]["largest_score"])
    shown = re.findall(r"<small>([\d,]+)</small>", confusion_table(figures))
    assert [int(count.replace(",", "")) for count in shown] == counts.ravel().tolist()


def test_membership_fills_the_time_in_which_a_member_voted() -> None:
    terms = [{"from": f"2025-01-0{day}T00:00:00Z", "members": names} for day, names in ((1, ["a", "b"]), (3, ["b"]))]
    figures = {"from": "2025-01-01T00:00:00Z", "to": "2025-01-05T00:00:00Z", "days": {"a": 2, "b": 4}, "terms": terms}
    drawn = membership_strips(figures)
    assert re.findall(r"<li><span>(\w)</span>", drawn) == ["b", "a"]
    assert 'left:0.00%;width:50.00%"></i></span></li><li class="edges"' in drawn


@pytest.fixture(scope="module")
def reported(make_reported: Callable[..., ReportedRun]) -> ReportedRun:
    return make_reported()


def test_the_figure_has_every_curve_on_one_grid(reported: ReportedRun) -> None:
    found = linked_figure(reported)
    assert found is not None
    assert found["bars"] == 1
    assert list(found["rivals"]) == ["momentum", "rules fallback", "logistic", "best member"]
    n = len(found["time"])
    assert found["equity"]["account"] == pytest.approx(reported.account.equity.tolist(), rel=1e-5)
    assert min(found["drawdown"]["account"]) == pytest.approx(-reported.account.max_drawdown, rel=1e-5)
    for curves in (found["equity"], found["rivals"], found["drawdown"], *found["prices"].values()):
        assert all(len(values) == n for values in curves.values())


def test_many_markets_and_bars_are_thinned_without_losing_extremes(
    reported: ReportedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """480 bars in spans of 4; the market that is listed late, and has a gap, has no price there."""
    monkeypatch.setattr("quorate.evaluation.report.charts.linked_figure._PRICE_POINTS", 240)
    (first, second), candles = reported.frames, dict(reported.candles)
    own = candles[second]
    kept = (np.arange(len(own)) >= 100) & ~((np.arange(len(own)) >= 200) & (np.arange(len(own)) < 240))
    columns = {name: getattr(own, name)[kept] for name in ("open", "high", "low", "close", "volume")}
    candles[second] = Candles(second, "1h", own.time[kept], **columns)
    found = linked_figure(replace(reported, setup=replace(reported.setup, candles=candles)))
    assert found is not None
    assert (found["bars"], len(found["time"])) == (4, 120)
    assert np.diff(found["time"]).tolist() == [4 * HOUR_MS // 1000] * 119
    price = found["prices"][first]
    whole = candles[first]
    assert (min(price["low"]), max(price["high"])) == pytest.approx((whole.low.min(), whole.high.max()), rel=1e-5)
    assert price["close"][-1] == pytest.approx(whole.close[-1], rel=1e-5)
    assert min(found["drawdown"]["account"]) == pytest.approx(-reported.account.max_drawdown, rel=1e-5)
    late = found["prices"][second]
    missing = [place for place, value in enumerate(late["close"]) if value is None]
    assert missing == [*range(25), *range(50, 60)]
    assert [place for place, value in enumerate(late["low"]) if value is None] == missing
