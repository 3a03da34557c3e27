"""Building blocks of plots, as plain plotly JSON.

A colour is the name of a CSS variable of the page ("--account"), which the page's script replaces, so that plots follow
the light or dark scheme. Text from data is escaped, since plotly interprets some HTML tags in labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import FloatArray, IntArray

Plot = dict[str, Any]

# A curve is thinned to this many buckets; each keeps its first, lowest, highest and last point.
_BUCKETS = 500
_COLOURS = 7  # of lines, as many as template.css defines


def thinned(values: FloatArray, buckets: int = _BUCKETS) -> IntArray:
    """Rows of a thinned curve: first, lowest, highest and last of each of `buckets` parts, in order."""
    n = len(values)
    if n <= 4 * buckets:
        return np.arange(n)
    keep: set[int] = set()
    for part in np.array_split(np.arange(n), buckets):
        inside = values[part]
        keep.update((int(part[0]), int(part[inside.argmin()]), int(part[inside.argmax()]), int(part[-1])))
    return np.array(sorted(keep))


def colour_of(place: int) -> str:
    """Colour of the line at this index; the first is the evaluated account's."""
    return f"--line-{place % _COLOURS}" if place else "--account"


def whiskers(rows: Sequence[Mapping[str, Any]], name: str, colour: str, interval: str = "") -> Plot:
    """Error bars from each figure to the ends of its interval; of length 0 without an interval."""
    ends = [row.get(interval or f"{name}_ci") for row in rows]
    known = [row[name] is not None and end is not None for row, end in zip(rows, ends, strict=True)]

    def reach(place: int, sign: float) -> list[float]:
        return [
            max(0.0, sign * (end[place] - row[name])) if here and end is not None else 0.0
            for row, end, here in zip(rows, ends, known, strict=True)
        ]

    shape = {"type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 3}
    return {**shape, "array": reach(1, 1.0), "arrayminus": reach(0, -1.0)}


def reference(x: list[Any], y: list[float]) -> Plot:
    """A dotted reference line."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": "--muted", "dash": "dot", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def line(name: str, time: IntArray, values: FloatArray, colour: str, width: float) -> Plot:
    """A curve over time, thinned."""
    rows = thinned(values)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": [iso_ms(int(at))[:16] for at in time[rows]],
        "y": _rounded(values[rows]),
        "line": {"color": colour, "width": width},
    }


def _rounded(values: FloatArray) -> list[float]:
    """Six significant digits, which keeps the page small."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def bars(x: list[float] | list[int], y: list[Any], colour: str | list[str], orientation: str = "v") -> Plot:
    """Bars in one colour, or in one colour each."""
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


def plot(traces: list[Plot], *, x: Plot, y: Plot, gap: float = 0.3) -> Plot:
    """Traces with axes in the style of the page."""
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
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "bargap": gap,
        "xaxis": {**axis, **x},
        "yaxis": {**axis, **y},
    }
    return {"data": traces, "layout": layout}
