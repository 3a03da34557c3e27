"""Charts of the judgement of a book: Sharpe ratios with their intervals, and those of placebos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quorate.evaluation.report.book.tables import HOLDINGS
from quorate.evaluation.report.charts.svg import Chart, legend, padded, ticks
from quorate.evaluation.report.formatting import Figure

_SHORT = {
    "one_bar_late": "4 h late",
    "one_day_late": "day late",
    "costs_doubled": "costs x 2",
    "without_best_month": "no best month",
    "without_best_markets": "no best markets",
}
_BINS = 24
_MOST = 6  # names below a chart that has room for them


def beside_chart(figures: Figure) -> str:
    """Sharpe ratios of the book, the holdings and the sleeves; "" without any."""
    rows = {"book": figures["whole"], **{HOLDINGS[name]: own for name, own in figures["beside"].items()}}
    rows |= {name: own["alone"] for name, own in figures["sleeves"].items()}
    return _intervals("Net Sharpe ratios", rows)


def robustness_chart(figures: Figure) -> str:
    """Sharpe ratios of the book under worse conditions; "" without any."""
    found = figures["robustness"]
    rows = {"as it is": figures["whole"], **{shown: found[name] for name, shown in _SHORT.items() if name in found}}
    return _intervals("Net Sharpe ratios under worse conditions", rows)


def placebo_chart(figures: Figure) -> str:
    """Sharpe ratios of all placebos, with the book's own; "" without placebos."""
    own = figures["whole"]["sharpe"]
    values = [value for kind in figures["placebo"].values() for value in kind["sharpes"]]
    if own is None or not values:
        return ""
    low, high = padded([*values, own], around=[0.0])
    count, edges = np.histogram(values, np.linspace(low, high, _BINS + 1))
    better = sum(value >= own for value in values)
    name = f"Sharpe ratios of {len(values)} placebos: {better} at or above the book's {own:.2f}"
    chart = Chart((low, high), (0.0, 1.25 * float(count.max())), name, height=200, left=30)
    chart.axes(ticks(low, high, "{:+.1f}".format), ticks(0, float(count.max()), "{:,.0f}".format, 4), "Sharpe ratio")
    for left, right, n in zip(edges[:-1].tolist(), edges[1:].tolist(), count.tolist(), strict=True):
        if n:
            chart.bar(left, right, n, "draws", f"{left:+.2f} to {right:+.2f}: {n} placebos")
    return chart.mark(own, f"book {own:.2f}").svg()


def _intervals(title: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A point and a whisker for each name, numbered where the names have no room."""
    known = {name: own for name, own in rows.items() if own.get("sharpe") is not None}
    if not known:
        return ""
    ends = [end for own in known.values() for end in own.get("sharpe_ci") or ()]
    y = padded([own["sharpe"] for own in known.values()], around=[0.0, *ends])
    words = "; ".join(f"{name} {own['sharpe']:.2f}" for name, own in known.items())
    chart = Chart((-0.5, len(known) - 0.5), y, f"{title}: {words}", height=230)
    labels: Sequence[tuple[float, str]] = [(place, str(place + 1)) for place in range(len(known))]
    chart.axes(labels, ticks(*y, "{:+.1f}".format)).level(0.0)
    for place, (name, own) in enumerate(known.items()):
        shown = f"{name}: {own['sharpe']:.2f}"
        chart.point(place, own["sharpe"], _style(place), shown, 4.0, own.get("sharpe_ci"))
    names = [(f"{place + 1} {name}", _style(place)) for place, name in enumerate(known)]
    return legend(names) + chart.svg()


def _style(place: int) -> str:
    return "c0" if place == 0 else f"c{1 + (place - 1) % _MOST}"
