"""Reliability diagrams as inline SVG, whose colours come from the style of the page."""

from __future__ import annotations

from quorate.evaluation.cards.model_card import Diagram
from quorate.evaluation.report.charts.svg import Chart, ticks


def diagram_svg(diagram: Diagram) -> str:
    """A diagram: a point for each bin, as large as its share of the rows, with its interval."""
    total = sum(point.rows for point in diagram.points) or 1
    words = "; ".join(f"score {one.score:.2f}: {one.correct:.2f} correct" for one in diagram.points)
    chart = Chart((0.0, 1.0), (0.0, 1.0), f"Reliability of {diagram.title}: {words}", height=280)
    share = ticks(0.0, 1.0, "{:g}".format)
    chart.axes(share, share, f"score of {diagram.title}").diagonal()
    for one in diagram.points:
        shown = f"{one.rows:,} rows, score {one.score:.3f}, correct {one.correct:.3f}"
        radius = 1.5 + 6 * (one.rows / total) ** 0.5
        chart.point(one.score, one.correct, "c0", shown, radius, (one.low, one.high))
    return chart.svg()
