"""The report's plots, as plain plotly JSON: `data` and `layout` of each.

A colour is written as the name of a CSS variable of the page ("--account"), which the page's script replaces, so that
plots follow light and dark. Text from data is escaped, since plotly reads a few HTML tags in labels.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import CLASS_NAMES, FloatArray, IntArray
from quorate.evaluation.equity import EquityCurve
from quorate.evaluation.scorecard import Scorecard

Plot = dict[str, Any]

# Buckets a curve is thinned to: each keeps its first, lowest, highest and last point, so no extreme is lost.
_BUCKETS = 500
_HISTOGRAM_BINS = 41


def plots(card: Scorecard) -> dict[str, Plot]:
    """Plot name -> plotly JSON; those without data are left out."""
    made = {
        "equity": equity(card),
        "drawdown": drawdown(card),
        "reliability": reliability(card),
        "confusion": confusion(card),
        "consensus": consensus(card),
        "trades": trades(card),
        "costs": costs(card),
    }
    return {name: plot for name, plot in made.items() if plot is not None}


def equity(card: Scorecard) -> Plot | None:
    """Account and buy-and-hold in USD over time."""
    curves = _curves(card)
    traces = [_line(name, curve.time, curve.equity, colour) for name, curve, colour in curves]
    return _plot(traces, x={"type": "date"}, y={"tickprefix": "$", "separatethousands": True}) if curves else None


def drawdown(card: Scorecard) -> Plot | None:
    """Distance below the highest equity so far."""
    curves = _curves(card)
    traces = [_line(name, curve.time, -curve.drawdown, colour) for name, curve, colour in curves]
    return _plot(traces, x={"type": "date"}, y={"tickformat": ".1%"}) if curves else None


def reliability(card: Scorecard) -> Plot | None:
    """The winning class's mean score against how often it was right; on the diagonal, a score is a probability."""
    bins = card.figures["ensemble"]["reliability"]
    if not bins:
        return None
    most = max(bin_["rows"] for bin_ in bins)
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": "--muted", "dash": "dot", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    points = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [bin_["score"] for bin_ in bins],
        "y": [bin_["correct"] for bin_ in bins],
        "customdata": [bin_["rows"] for bin_ in bins],
        "hovertemplate": "score %{x:.1%}<br>right %{y:.1%}<br>%{customdata:,} rows<extra></extra>",
        "line": {"color": "--account", "width": 2},
        "marker": {"color": "--account", "size": [6 + 14 * (bin_["rows"] / most) ** 0.5 for bin_ in bins]},
        "showlegend": False,
    }
    share = {"tickformat": ".0%", "range": [0, 1]}
    return _plot(
        [diagonal, points], x={**share, "title": {"text": "winning score"}}, y={**share, "title": {"text": "right"}}
    )


def confusion(card: Scorecard) -> Plot | None:
    """What happened against what the largest mean score said, as shares of what happened."""
    counts = np.array(card.figures["ensemble"]["confusion"]["largest_score"], np.float64)
    if not counts.sum():
        return None
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    heat = {
        "type": "heatmap",
        "x": list(CLASS_NAMES),
        "y": list(CLASS_NAMES),
        "z": shares.tolist(),
        "zmin": 0,
        "zmax": 1,
        "text": [
            [f"{share:.0%}<br>{int(count):,}" for share, count in zip(*row, strict=True)]
            for row in zip(shares, counts, strict=True)
        ],
        "texttemplate": "%{text}",
        "hovertemplate": "%{y} happened, %{x} said: %{text}<extra></extra>",
        "colorscale": [[0, "--heat-low"], [1, "--heat-high"]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    return _plot(
        [heat],
        x={"title": {"text": "said"}, "showgrid": False},
        y={"title": {"text": "happened"}, "autorange": "reversed", "showgrid": False},
    )


def consensus(card: Scorecard) -> Plot | None:
    """Share of decided bars under each consensus."""
    mix: dict[str, float] = card.figures["decisions"]["mix"]
    if not mix:
        return None
    names = [escape(name.replace("_", " ")) for name in mix]
    bars = _bars(list(mix.values())[::-1], names[::-1], "--account", "h")
    bars |= {"text": [f"{share:.1%}" for share in bars["x"]], "textposition": "outside"}
    reach = 1.15 * max(mix.values())
    return _plot([bars], x={"tickformat": ".0%", "range": [0, reach]}, y={"showgrid": False}, gap=0.45)


def trades(card: Scorecard) -> Plot | None:
    """How many trades ended with which net return."""
    returns = card.trade_returns
    if not len(returns):
        return None
    reach = float(np.abs(returns).max()) or 0.01
    # Symmetric about zero with an edge on it: no bar mixes wins and losses.
    edges = np.linspace(-reach, reach, _HISTOGRAM_BINS + 1 + _HISTOGRAM_BINS % 2)
    count, _ = np.histogram(returns, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    bars = _bars(middle.tolist(), count.tolist(), ["--good" if at > 0 else "--bad" for at in middle])
    bars["hovertemplate"] = "%{x:.2%}: %{y} trades<extra></extra>"
    return _plot(
        [bars],
        x={"tickformat": ".1%", "title": {"text": "net result over position value"}},
        y={"title": {"text": "trades"}},
        gap=0.05,
    )


def costs(card: Scorecard) -> Plot | None:
    """From the result at bare prices to the net result."""
    figures = card.figures["trades"]
    if "costs" not in figures:
        return None
    split = figures["costs"]
    steps = {
        "gross": figures["gross_usd"],
        "fees": -split["fee_usd"],
        "slippage": -split["slippage_usd"],
        "funding": split["funding_usd"],
    }
    fall = {
        "type": "waterfall",
        "x": [*steps, "net"],
        "y": [*steps.values(), figures["net_usd"]],
        "measure": ["relative"] * len(steps) + ["total"],
        "text": [f"{value:+,.0f}" for value in [*steps.values(), figures["net_usd"]]],
        "textinfo": "text",
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": "--good"}},
        "decreasing": {"marker": {"color": "--bad"}},
        "totals": {"marker": {"color": "--account"}},
        "connector": {"line": {"color": "--muted", "width": 1}},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return _plot([fall], x={"showgrid": False}, y={"tickprefix": "$", "separatethousands": True})


def thinned(values: FloatArray, buckets: int = _BUCKETS) -> IntArray:
    """Rows that keep a curve's look: first, lowest, highest and last of each of `buckets` stretches, in order."""
    n = len(values)
    if n <= 4 * buckets:
        return np.arange(n)
    keep: set[int] = set()
    for part in np.array_split(np.arange(n), buckets):
        inside = values[part]
        keep.update((int(part[0]), int(part[inside.argmin()]), int(part[inside.argmax()]), int(part[-1])))
    return np.array(sorted(keep))


def _curves(card: Scorecard) -> list[tuple[str, EquityCurve, str]]:
    both = (("account", card.account, "--account"), ("buy and hold", card.hold, "--baseline"))
    return [(name, curve, colour) for name, curve, colour in both if curve is not None and len(curve.time)]


def _line(name: str, time: IntArray, values: FloatArray, colour: str) -> Plot:
    rows = thinned(values)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [iso_ms(int(at)) for at in time[rows]],
        "y": np.round(values[rows], 6).tolist(),
        "line": {"color": colour, "width": 1.6},
    }


def _bars(x: list[float] | list[int], y: list[Any], colour: str | list[str], orientation: str = "v") -> Plot:
    return {
        "type": "bar",
        "x": x,
        "y": y,
        "orientation": orientation,
        "marker": {"color": colour},
        "hoverinfo": "skip",
        "cliponaxis": False,
        "showlegend": False,
    }


def _plot(traces: list[Plot], *, x: Plot, y: Plot, gap: float = 0.3) -> Plot:
    axis = {
        "gridcolor": "--grid",
        "zerolinecolor": "--grid",
        "linecolor": "--grid",
        "automargin": True,
        "fixedrange": True,
    }
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "--text", "size": 12, "family": "system-ui, sans-serif"},
        "margin": {"l": 52, "r": 14, "t": 10, "b": 40},
        "hovermode": "x unified" if x.get("type") == "date" else "closest",
        "hoverlabel": {"bgcolor": "--surface", "font": {"color": "--text"}, "bordercolor": "--grid"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "bargap": gap,
        "xaxis": {**axis, **x},
        "yaxis": {**axis, **y},
    }
    return {"data": traces, "layout": layout}
