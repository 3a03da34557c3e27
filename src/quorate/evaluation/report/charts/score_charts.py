"""Charts of scores and votes: skill by month, reliability, win rate by coverage, who voted when."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import log10

import numpy as np

from quorate.core.clock import parse_ms
from quorate.core.types import CLASS_NAMES
from quorate.evaluation.report.charts.svg import Chart, legend, line_class, padded, ticks
from quorate.evaluation.report.formatting import Figure, text_of

_LABELS = 5  # of months below a chart, at most


def skill_chart(figures: Figure) -> str:
    """Skill over the class prior of the ensemble and of every member, by month in order; "" without months."""
    found = figures.get("skill_by_month")
    if not found:
        return ""
    by_month = {month["month"]: month["models"] for month in found}
    names, months = list(found[0]["models"]), _calendar(min(by_month), max(by_month))
    # A month without labels has no point, and the line is broken there.
    known = {name: [by_month.get(month, {}).get(name, {}) for month in months] for name in names}
    lines = {name: [figure.get("skill_vs_prior") for figure in own] for name, own in known.items()}
    ends = (
        [end for own in known["ensemble"] for end in own.get("skill_vs_prior_ci") or ()] if "ensemble" in known else []
    )
    values = [value for line in lines.values() for value in line]
    y = padded(values, around=[0.0, *ends])
    words = "; ".join(
        f"{month} {text_of(value, 'percent')}"
        for month, value in zip(months, lines[names[0]], strict=True)
        if value is not None
    )
    chart = Chart((-0.3, len(months) - 0.7), y, f"Skill over the class prior by month, {names[0]}: {words}")
    every = max(1, -(-len(months) // _LABELS))
    chart.axes(
        [(place, month) for place, month in enumerate(months) if place % every == 0],
        ticks(*y, "{:+.1%}".format),
    ).level(0.0)
    styles = [(name, line_class(place)) for place, name in enumerate(names)]
    for name, style in reversed(styles):
        chart.line(range(len(months)), lines[name], style)
        for place, value in enumerate(lines[name]):
            if value is not None:
                own = known[name][place].get("skill_vs_prior_ci") if name == "ensemble" else None
                chart.point(place, value, style, f"{name}, {months[place]}: {text_of(value, 'percent')}", ends=own)
    return legend(styles) + chart.svg()


def _calendar(first: str, last: str) -> list[str]:
    """Every month from the first to the last, such as 2025-06."""
    return [str(month) for month in np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)]


def reliability_chart(figures: Figure) -> str:
    """Reliability diagram: mean score of the winning class against its accuracy; "" without scores."""
    bins = figures["ensemble"].get("reliability")
    if not bins:
        return ""
    most = max(one["rows"] for one in bins)
    words = "; ".join(f"score {one['score']:.2f}, {one['correct']:.2f} correct" for one in bins)
    chart = Chart((0.0, 1.0), (0.0, 1.0), f"Reliability of the scores: {words}", height=280)
    share = ticks(0.0, 1.0, "{:.0%}".format)
    chart.axes(share, share, "winning score; on the dotted line it equals the accuracy").diagonal()
    chart.line([one["score"] for one in bins], [one["correct"] for one in bins], "c0")
    for one in bins:
        shown = f"score {one['score']:.1%}: {one['correct']:.1%} correct of {one['rows']:,} rows"
        chart.point(one["score"], one["correct"], "c0", shown, 2.5 + 5 * (one["rows"] / most) ** 0.5)
    return chart.svg()


def coverage_chart(figures: Figure) -> str:
    """Win rate after costs of the most confident signals, by their share; "" with fewer than two points."""
    points = figures.get("coverage", ())
    if len(points) < 2:
        return ""
    x = [log10(point["coverage"]) for point in points]
    ends = [end for point in points for end in point.get("win_rate_by_day_ci") or ()]
    y = padded([point["win_rate"] for point in points], around=[0.5, *ends])
    words = "; ".join(f"{point['coverage']:.2%} of bars: {point['win_rate']:.1%}" for point in points)
    chart = Chart((min(x) - 0.05, max(x) + 0.05), y, f"Win rate after costs by coverage: {words}")
    decades = [10.0**power * factor for power in range(-5, 1) for factor in (1, 3)]
    chart.axes(
        [(log10(at), f"{100 * at:g} %") for at in decades if x[0] <= log10(at) <= x[-1]],
        ticks(*y, "{:.0%}".format),
        "share of bars with a signal, most confident on the left",
    ).level(0.5)
    chart.line(x, [point["win_rate"] for point in points], "c0")
    for at, point in zip(x, points, strict=True):
        shown = (
            f"confidence from {point['confidence']:.1%}: {point['n']:,} signals, {point['win_rate']:.1%} won, "
            f"{point['net_bps']:+.1f} bps each"
        )
        chart.point(at, point["win_rate"], "c0", shown, ends=point.get("win_rate_by_day_ci"))
    return chart.svg()


def membership_strips(figures: Figure | None) -> str:
    """A strip of time for each member, filled where it voted; "" where all members vote.

    Args:
        figures: of `selection_figures`.
    """
    if not figures or not figures["terms"]:
        return ""
    terms, begin, end = figures["terms"], parse_ms(figures["from"]), parse_ms(figures["to"])
    starts = [max(parse_ms(term["from"]), begin) for term in terms]
    rows = []
    for name in sorted(figures["days"], key=lambda each: -figures["days"][each]):
        spans = [
            _filled(start, until, begin, end)
            for term, start, until in zip(terms, starts, [*starts[1:], end], strict=True)
            if name in term["members"] and until > start
        ]
        rows.append(f'<li><span>{escape(name)}</span><span class="strip">{"".join(spans)}</span></li>')
    edges = f'<li class="edges"><span></span><span>{figures["from"][:10]}<b></b>{figures["to"][:10]}</span></li>'
    return f'<ul class="strips">{"".join(rows)}{edges}</ul>'


def _filled(start: int, until: int, begin: int, end: int) -> str:
    whole = (end - begin) or 1
    return f'<i style="left:{100 * (start - begin) / whole:.2f}%;width:{100 * (until - start) / whole:.2f}%"></i>'


def confusion_table(figures: Figure) -> str:
    """Confusion matrix of the largest mean score, shares of each true class; "" without rows."""
    confusion: Mapping[str, object] = figures["ensemble"].get("confusion", {})
    counts = np.array(confusion.get("largest_score", [[0]]), np.float64)
    if not counts.sum():
        return ""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    head = "".join(f'<th scope="col">predicted {name}</th>' for name in CLASS_NAMES)
    body = "".join(
        f'<tr><th scope="row">true {name}</th>'
        + "".join(
            f'<td style="--heat:{share:.2f}">{share:.0%}<small>{int(count):,}</small></td>'
            for share, count in zip(shares[place], counts[place], strict=True)
        )
        + "</tr>"
        for place, name in enumerate(CLASS_NAMES)
    )
    return f'<table class="heat"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
