"""A small chart as inline SVG: axes, lines, points with intervals, bars. Colours are classes of the page's style.

A chart is drawn for the width of a phone and grows with its card, so its text is never smaller than the page's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10
from typing import Self

WIDTH = 340
_TOP, _RIGHT, _BOTTOM = 10, 12, 40
_COLOURS = 7  # of lines, as many as the style defines

Range = tuple[float, float]
Ticks = Sequence[tuple[float, str]]


def line_class(place: int) -> str:
    """Class of the line at this index; the first is the evaluated ensemble's or account's."""
    return f"c{place % _COLOURS}"


def ticks(low: float, high: float, label: Callable[[float], str], most: int = 5) -> list[tuple[float, str]]:
    """Round values from `low` to `high` with their labels, `most` at most.

    >>> ticks(0, 0.9, "{:.1f}".format)
    [(0.0, '0.0'), (0.2, '0.2'), (0.4, '0.4'), (0.6, '0.6'), (0.8, '0.8')]
    """
    span = high - low
    if not span > 0:
        return [(low, label(low))]
    rough = span / most
    power = 10 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = ceil(low / step - 1e-9)
    found = []
    while first * step <= high + 1e-9 * span:
        value = round(first * step, 12)
        found.append((value, label(value)))
        first += 1
    return found


def padded(values: Sequence[float | None], *, share: float = 0.06, around: Sequence[float] = ()) -> Range:
    """The range of the known values and of `around`, widened by a share of it on both sides."""
    known = [value for value in (*values, *around) if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    more = share * (high - low) or abs(high) * share or 1.0
    return low - more, high + more


@dataclass(slots=True)
class Chart:
    """A chart with linear axes; what is drawn later lies on top.

    Attributes:
        x, y: ranges of the axes.
        name: of the chart, for readers that do not see it; a sentence with its main figures.
        height: in the units of the drawing, of which its width has 340.
        left: room for the labels of the vertical axis.
    """

    x: Range
    y: Range
    name: str
    height: int = 220
    left: int = 50
    _parts: list[str] = field(default_factory=list)

    def at_x(self, value: float) -> float:
        """Horizontal place of a value."""
        low, high = self.x
        return round(self.left + (WIDTH - self.left - _RIGHT) * (value - low) / ((high - low) or 1), 1)

    def at_y(self, value: float) -> float:
        """Vertical place of a value."""
        low, high = self.y
        return round(self.height - _BOTTOM - (self.height - _BOTTOM - _TOP) * (value - low) / ((high - low) or 1), 1)

    def axes(self, x_ticks: Ticks, y_ticks: Ticks, x_title: str = "") -> Self:
        """Grid lines with labels; the title stands below."""
        right, bottom = WIDTH - _RIGHT, self.height - _BOTTOM
        for value, label in y_ticks:
            y = self.at_y(value)
            self._parts.append(
                f'<path class="grid" d="M{self.left} {y}H{right}"/>'
                f'<text x="{self.left - 6}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
            )
        for value, label in x_ticks:
            x = self.at_x(value)
            anchor = "end" if x + 3.5 * len(label) > WIDTH else "middle"
            self._parts.append(
                f'<path class="grid" d="M{x} {bottom}v4"/>'
                f'<text x="{x}" y="{bottom + 17}" text-anchor="{anchor}">{escape(label)}</text>'
            )
        middle = (self.left + right) / 2
        if x_title:
            self._parts.append(
                f'<text x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(x_title)}</text>'
            )
        return self

    def level(self, value: float) -> Self:
        """A dotted horizontal reference line."""
        self._parts.append(f'<path class="level" d="M{self.left} {self.at_y(value)}H{WIDTH - _RIGHT}"/>')
        return self

    def mark(self, value: float, label: str) -> Self:
        """A vertical line at a value, with a label that keeps inside the chart."""
        x = self.at_x(min(max(value, self.x[0]), self.x[1]))
        anchor = "start" if x < (self.left + WIDTH) / 2 else "end"
        shift = 4 if anchor == "start" else -4
        self._parts.append(
            f'<path class="actual" d="M{x} {_TOP}V{self.height - _BOTTOM}"/>'
            f'<text class="strong" x="{x + shift}" y="{_TOP + 10}" text-anchor="{anchor}">{escape(label)}</text>'
        )
        return self

    def diagonal(self) -> Self:
        """A dotted line of equal values on both axes."""
        low, high = max(self.x[0], self.y[0]), min(self.x[1], self.y[1])
        d = f"M{self.at_x(low)} {self.at_y(low)}L{self.at_x(high)} {self.at_y(high)}"
        self._parts.append(f'<path class="level" d="{d}"/>')
        return self

    def line(self, x: Sequence[float], y: Sequence[float | None], style: str) -> Self:
        """A line, broken where a value is missing."""
        path, pen = "", "M"
        for place, value in zip(x, y, strict=True):
            if value is None:
                pen = "M"
                continue
            path += f"{pen}{self.at_x(place)} {self.at_y(value)}"
            pen = "L"
        if path:
            self._parts.append(f'<path class="line {style}" d="{path}"/>')
        return self

    def point(
        self, x: float, y: float, style: str, words: str, radius: float = 3.0, ends: Sequence[float] | None = None
    ) -> Self:
        """A point with its interval; `words` are shown when it is pointed at."""
        if ends is not None:
            low, high = (min(max(end, self.y[0]), self.y[1]) for end in ends)
            self._parts.append(
                f'<path class="whisker {style}" d="M{self.at_x(x)} {self.at_y(low)}V{self.at_y(high)}"/>'
            )
        self._parts.append(
            f'<circle class="{style}" cx="{self.at_x(x)}" cy="{self.at_y(y)}" r="{radius:.1f}">'
            f"<title>{escape(words)}</title></circle>"
        )
        return self

    def bar(self, left: float, right: float, top: float, style: str, words: str) -> Self:
        """A bar from 0; `words` are shown when it is pointed at."""
        x, width = self.at_x(left), self.at_x(right) - self.at_x(left)
        y, zero = self.at_y(top), self.at_y(max(0.0, self.y[0]))
        self._parts.append(
            f'<rect class="{style}" x="{x}" y="{y}" width="{max(0.5, width - 0.6):.1f}" '
            f'height="{max(0.0, zero - y):.1f}">'
            f"<title>{escape(words)}</title></rect>"
        )
        return self

    def svg(self) -> str:
        """The chart as an element."""
        return (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(self.name)}">'
            f"{''.join(self._parts)}</svg>"
        )


def legend(names: Sequence[tuple[str, str]]) -> str:
    """Names of lines with their classes, as a list."""
    items = "".join(f'<li><span class="key {style}"></span>{escape(name)}</li>' for name, style in names)
    return f'<ul class="legend">{items}</ul>'
