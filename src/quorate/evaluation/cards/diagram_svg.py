"""Reliability diagrams as inline SVG, whose colours come from the style of the page."""

from __future__ import annotations

from html import escape

from quorate.evaluation.cards.model_card import Diagram, ReliabilityPoint

# Units of the square from 0 to 1, and of the margins at its left and below.
_SIZE, _LEFT, _BELOW, _TOP, _RIGHT = 200, 34, 30, 10, 8


def diagram_svg(diagram: Diagram) -> str:
    """A diagram: a point for each bin, as large as its share of the rows, with its interval."""
    total = sum(point.rows for point in diagram.points) or 1
    words = "; ".join(f"score {one.score:.2f}: {one.correct:.2f} correct" for one in diagram.points)
    name = escape(f"Reliability of {diagram.title}: {words}")
    parts = [
        f'<svg class="diagram" viewBox="0 0 {_LEFT + _SIZE + _RIGHT} {_TOP + _SIZE + _BELOW}" role="img" '
        f'aria-label="{name}">'
    ]
    parts += [_tick(tick) for tick in (0.0, 0.25, 0.5, 0.75, 1.0)]
    parts.append(f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>')
    parts += [_point(point, total) for point in diagram.points]
    parts.append(
        f'<text x="{_x(0.5)}" y="{_y(0) + 26}" text-anchor="middle">score of {escape(diagram.title)}</text></svg>'
    )
    return "".join(parts)


def _tick(at: float) -> str:
    return (
        f'<line class="grid" x1="{_x(at)}" x2="{_x(at)}" y1="{_y(0)}" y2="{_y(1)}"/>'
        f'<line class="grid" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(at)}" y2="{_y(at)}"/>'
        f'<text x="{_LEFT - 4}" y="{_y(at) + 3}" text-anchor="end">{at:g}</text>'
        f'<text x="{_x(at)}" y="{_y(0) + 12}" text-anchor="middle">{at:g}</text>'
    )


def _point(point: ReliabilityPoint, total: int) -> str:
    """A bin: its interval, and a circle whose area is its share of the rows."""
    x, size = _x(point.score), 1.5 + 6 * (point.rows / total) ** 0.5
    words = f"{point.rows:,} rows, score {point.score:.3f}, correct {point.correct:.3f}"
    return (
        f'<line class="interval" x1="{x}" x2="{x}" y1="{_y(point.low)}" y2="{_y(point.high)}"/>'
        f'<circle class="point" cx="{x}" cy="{_y(point.correct)}" r="{size:.1f}"><title>{words}</title></circle>'
    )


def _x(value: float) -> float:
    return round(_LEFT + _SIZE * value, 1)


def _y(value: float) -> float:
    return round(_TOP + _SIZE * (1 - value), 1)
