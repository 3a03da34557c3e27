"""The report's plots, as plain plotly JSON: `data` and `layout` of each."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from quorate.core.types import CLASS_NAMES
from quorate.evaluation.baselines.random_entries import EquityBand
from quorate.evaluation.metrics.equity import EquityCurve
from quorate.evaluation.report.plotly_json import Plot, bars, colour_of, line, plot, reference, whiskers
from quorate.evaluation.report.selection_table import membership
from quorate.evaluation.report.tables import baseline_name
from quorate.evaluation.scorecard import Scorecard

_HISTOGRAM_BINS = 41
_COLUMNS_SHOWN = 14
_WIDE = 4.0  # of the highest equity over the lowest


def plots(card: Scorecard, currency: str = "USD") -> dict[str, Plot]:
    """Plot name -> plotly JSON, amounts in the currency of the account; those without data are left out."""
    made = {
        "equity": equity(card, currency),
        "drawdown": drawdown(card),
        "skill": skill(card),
        "coverage": coverage(card),
        "importance": importance(card),
        "reliability": reliability(card),
        "confusion": confusion(card),
        "consensus": consensus(card),
        "trades": trades(card),
        "costs": costs(card, currency),
        "membership": membership(card.figures.get("selection")),
    }
    return {name: plot for name, plot in made.items() if plot is not None}


def equity(card: Scorecard, currency: str = "USD") -> Plot | None:
    """Equity of the account, buy and hold and every baseline over time; random entries as a band."""
    if card.account is None or not len(card.account.time):
        return None
    traces = [*_band(card.random_band)]
    traces += [line(name, curve.time, curve.equity, colour, width) for name, curve, colour, width in _curves(card)]
    traces[-1]["legendrank"] = 1  # drawn last, named first
    made = plot(traces, x={"type": "date"}, y=_amounts(currency))
    worth = np.concatenate([curve.equity for _, curve, _, _ in _curves(card)])
    # A log scale keeps all curves readable if one of them moves far; it cannot show equity of 0 or less.
    if worth.min() > 0 and worth.max() / worth.min() > _WIDE:
        made["layout"]["yaxis"] |= {"type": "log", "title": {"text": "log scale"}, "nticks": 6}
    return made


def drawdown(card: Scorecard) -> Plot | None:
    """Drawdown: distance below the running peak of equity."""
    curves = _curves(card)
    traces = [line(name, curve.time, -curve.drawdown, colour, width) for name, curve, colour, width in curves]
    if not curves:
        return None
    traces[-1]["legendrank"] = 1
    return plot(traces, x={"type": "date"}, y={"tickformat": ".0%"})


def skill(card: Scorecard) -> Plot | None:
    """Skill over the prior of the ensemble and of every member, by month."""
    months = card.figures["skill_by_month"]
    if not months:
        return None
    by_month = {month["month"]: month["models"] for month in months}
    names, every = list(months[0]["models"]), _calendar(min(by_month), max(by_month))
    zero = reference([every[0], every[-1]], [0, 0])
    traces = [zero]
    for place, name in enumerate(names):
        # A month without labels has no point, and the line is broken there.
        own = [by_month[month][name] if month in by_month else {"skill_vs_prior": None} for month in every]
        trace = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": escape(name),
            "x": every,
            "y": [figures["skill_vs_prior"] for figures in own],
            "line": {"color": colour_of(place), "width": 2.4 if name == "ensemble" else 1.4},
            "hovertemplate": "%{y:.2%}",
        }
        if name == "ensemble":
            trace["error_y"] = whiskers(own, "skill_vs_prior", colour_of(place))
        traces.append(trace)
    # Without an order, categories stand as the traces first name them: the last month second.
    x = {"type": "category", "categoryorder": "array", "categoryarray": every}
    return plot(traces, x=x, y={"tickformat": ".1%", "title": {"text": "skill"}})


def _calendar(first: str, last: str) -> list[str]:
    """Every month from the first to the last, such as 2025-06."""
    months = np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)
    return [str(month) for month in months]


def coverage(card: Scorecard) -> Plot | None:
    """Win rate after costs of the most confident signals, by their share."""
    points = card.figures["coverage"]
    if len(points) < 2:
        return None
    shares = [point["coverage"] for point in points]
    even = reference([min(shares), max(shares)], [0.5, 0.5])
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": shares,
        "y": [point["win_rate"] for point in points],
        "error_y": whiskers(points, "win_rate", "--account", "win_rate_by_day_ci"),
        "customdata": [[point["confidence"], point["n"], point["net_bps"]] for point in points],
        "hovertemplate": "confidence from %{customdata[0]:.1%}: %{customdata[1]:,} signals<br>%{y:.1%} won, "
        "%{customdata[2]:+.1f} bps each<extra></extra>",
        "line": {"color": "--account", "width": 2},
        "showlegend": False,
    }
    return plot(
        [even, trace],
        x={"tickformat": ".1~%", "type": "log", "title": {"text": "share of bars with a signal"}, "dtick": "D2"},
        y={"tickformat": ".0%", "title": {"text": "won after costs"}},
    )


def importance(card: Scorecard) -> Plot | None:
    """Permutation importance of each feature by model, the most important at the top."""
    models: dict[str, list[dict[str, Any]]] = card.figures.get("importance", {}).get("models", {})
    if not models:
        return None
    worth = {name: {row["column"]: row["log_loss"] or 0.0 for row in columns} for name, columns in models.items()}
    first = next(iter(worth.values()))
    ranked = sorted(first, key=lambda column: sum(own[column] for own in worth.values()))[-_COLUMNS_SHOWN:]
    labels = [escape(column) for column in ranked]
    traces = []
    for place, (name, own) in enumerate(worth.items(), 1):
        drawn = bars([own[column] for column in ranked], labels, colour_of(place), "h")
        drawn |= {"name": escape(name), "showlegend": True, "hoverinfo": "x+name"}
        traces.append(drawn)
    made = plot(traces, x={"title": {"text": "increase in log-loss"}}, y={"showgrid": False, "dtick": 1})
    made["layout"]["hovermode"] = "closest"
    return made


def reliability(card: Scorecard) -> Plot | None:
    """Reliability diagram: mean score of the winning class against its accuracy."""
    bins = card.figures["ensemble"]["reliability"]
    if not bins:
        return None
    most = max(bin_["rows"] for bin_ in bins)
    diagonal = reference([0, 1], [0, 1])
    points = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [bin_["score"] for bin_ in bins],
        "y": [bin_["correct"] for bin_ in bins],
        "customdata": [bin_["rows"] for bin_ in bins],
        "hovertemplate": "score %{x:.1%}<br>accuracy %{y:.1%}<br>%{customdata:,} rows<extra></extra>",
        "line": {"color": "--account", "width": 2},
        "marker": {"color": "--account", "size": [6 + 14 * (bin_["rows"] / most) ** 0.5 for bin_ in bins]},
        "showlegend": False,
    }
    share = {"tickformat": ".0%", "range": [0, 1]}
    return plot(
        [diagonal, points], x={**share, "title": {"text": "winning score"}}, y={**share, "title": {"text": "accuracy"}}
    )


def confusion(card: Scorecard) -> Plot | None:
    """Confusion matrix of the largest mean score, as shares of the true class."""
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
        "hovertemplate": "true %{y}, predicted %{x}: %{text}<extra></extra>",
        "colorscale": [[0, "--heat-low"], [1, "--heat-high"]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    return plot(
        [heat],
        x={"title": {"text": "predicted"}, "showgrid": False},
        y={"title": {"text": "true"}, "autorange": "reversed", "showgrid": False},
    )


def consensus(card: Scorecard) -> Plot | None:
    """Share of decided bars under each consensus."""
    mix: dict[str, float] = card.figures["decisions"]["mix"]
    if not mix:
        return None
    names = [escape(name.replace("_", " ")) for name in mix]
    drawn = bars(list(mix.values())[::-1], names[::-1], "--account", "h")
    drawn |= {"text": [f"{share:.1%}" for share in drawn["x"]], "textposition": "outside"}
    reach = 1.15 * max(mix.values())
    return plot([drawn], x={"tickformat": ".0%", "range": [0, reach]}, y={"showgrid": False}, gap=0.45)


def trades(card: Scorecard) -> Plot | None:
    """Histogram of net returns of trades."""
    returns = card.trade_returns
    if not len(returns):
        return None
    reach = float(np.abs(returns).max()) or 0.01
    # Symmetric about 0 with an edge at 0, so that no bar mixes wins and losses.
    edges = np.linspace(-reach, reach, _HISTOGRAM_BINS + 1 + _HISTOGRAM_BINS % 2)
    count, _ = np.histogram(returns, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    drawn = bars(middle.tolist(), count.tolist(), ["--good" if at > 0 else "--bad" for at in middle])
    drawn["hovertemplate"] = "%{x:.2%}: %{y} trades<extra></extra>"
    return plot(
        [drawn],
        x={"tickformat": ".1%", "title": {"text": "net result over position value"}},
        y={"title": {"text": "trades"}},
        gap=0.05,
    )


def costs(card: Scorecard, currency: str = "USD") -> Plot | None:
    """From gross to net result."""
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
    return plot([fall], x={"showgrid": False}, y=_amounts(currency))


def _amounts(currency: str) -> Plot:
    """The axis of amounts of an account."""
    unit = {"tickprefix": "$"} if currency == "USD" else {"ticksuffix": f" {currency}"}
    return {**unit, "separatethousands": True}


def _curves(card: Scorecard) -> list[tuple[str, EquityCurve, str, float]]:
    """Name, curve, colour and width of every account; the evaluated one last, so that it is drawn on top.

    Baselines are drawn with one point a day, which keeps the page small.
    """
    if card.account is None or not len(card.account.time):
        return []
    curves = [] if card.hold is None else [("buy and hold", card.hold.daily(), "--baseline", 1.6)]
    curves += [] if card.random_band is None else [("random entries", card.random_band.middle.daily(), "--random", 1.2)]
    curves += [
        (baseline_name(name), curve.daily(), colour_of(place), 1.2)
        for place, (name, curve) in enumerate(card.curves.items(), 1)
    ]
    return [*curves, ("account", card.account, colour_of(0), 2.2)]


def _band(band: EquityBand | None) -> list[Plot]:
    """Central range of the accounts with random entries."""
    if band is None:
        return []
    time = band.middle.time
    low, high = (EquityCurve(time, values, band.middle.start_usd).daily() for values in (band.low, band.high))
    edge = {"color": "--random", "width": 0}
    bottom = line("", low.time, low.equity, "--random", 0) | {"line": edge, "showlegend": False, "hoverinfo": "skip"}
    top = line("", high.time, high.equity, "--random", 0) | {"line": edge, "showlegend": False, "hoverinfo": "skip"}
    return [bottom, top | {"fill": "tonexty", "fillcolor": "--random-band"}]
