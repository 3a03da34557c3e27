"""Formatting of figures as table cells, for the terminal and for the HTML report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quorate.trading.account.currency import in_currency

Kind = Literal["share", "percent", "number", "loss", "usd", "bps", "count", "change", "odds", "small"]
Tone = Literal["", "good", "bad"]
Figure = Mapping[str, Any]

SYNTHETIC = "SYNTHETIC MARKET: all figures are from generated candles"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell.

    Attributes:
        text: the value with its unit.
        interval: its interval; "" without one.
        reason: why the value or the result is missing; "" if it is not.
        tone: good, bad or neutral ("").
    """

    text: str
    interval: str = ""
    reason: str = ""
    tone: Tone = ""

    def in_currency(self, currency: str) -> Cell:
        """The cell with its amounts in the currency of the account."""
        return Cell(in_currency(self.text, currency), in_currency(self.interval, currency), self.reason, self.tone)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: title, column names, and rows of cells; the first cell of a row is its name."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def in_currency(self, currency: str) -> Table:
        """The table with its amounts in the currency of the account."""
        if currency == "USD":
            return self
        rows = tuple(tuple(cell.in_currency(currency) for cell in row) for row in self.rows)
        return Table(self.title, self.columns, rows)


# Figures whose sign is good (above 0) or bad (below 0).
_SIGNED = frozenset(
    {
        *("net_usd", "total_return", "expectancy_bps", "net_bps"),
        *("skill_vs_prior", "skill", "volatility", "direction"),
    }
)


def cell(figures: Figure, name: str, kind: Kind) -> Cell:
    """Cell of one figure, with its interval, or with the reason if it is missing."""
    value = figures.get(name)
    if value is None:
        return Cell("n/a", reason=figures.get("missing", {}).get(name, ""))
    ends: list[float] | None = figures.get(f"{name}_ci")
    # Good or bad only if the whole interval is.
    tone: Tone = tone_of(value) if name in _SIGNED and (ends is None or ends[0] * ends[1] > 0) else ""
    return Cell(text_of(value, kind), interval_text(ends, kind), tone=tone)


def interval_text(ends: list[float] | None, kind: Kind) -> str:
    """Both ends with the unit once; "" without an interval.

    >>> interval_text([0.4, 0.6], "share")
    '40.00 to 60.00 %'
    """
    if ends is None:
        return ""
    if kind == "percent" and max(map(abs, ends)) >= 1e6:
        return f"{100 * ends[0]:+.0e} to {100 * ends[1]:+.0e} %"  # too large for digits
    if kind == "percent" and max(map(abs, ends)) >= 1:
        return f"{100 * ends[0]:+,.0f} to {100 * ends[1]:+,.0f} %"
    low, high = (text_of(end, kind) for end in ends)
    unit = " %" if kind in ("share", "percent", "odds") else " bps" if kind == "bps" else ""
    return f"{low.removesuffix(unit)} to {high}"


def tone_of(value: float) -> Tone:
    """Good above 0, bad below 0."""
    return "good" if value > 0 else "bad" if value < 0 else ""


def text_of(value: float, kind: Kind) -> str:
    """A number with its unit.

    >>> text_of(0.0123, "percent"), text_of(-6.44, "bps"), text_of(0.9012, "odds")
    ('+1.23 %', '-6.4 bps', '90.1 %')
    """
    match kind:
        case "count":
            return f"{value:,.0f}"
        case "share":
            return f"{100 * value:.2f} %"
        case "percent":
            if abs(value) >= 1_000:  # too large for digits
                return f"{100 * value:+.1e} %"
            digits = 2 if abs(value) < 10 else 0
            return f"{round(100 * value, digits) + 0.0:+,.{digits}f} %"  # avoids -0.00
        case "usd":
            return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
        case "bps":
            return f"{round(value, 1) + 0.0:+,.1f} bps"  # avoids -0.0
        case "loss":
            return f"{value:.4f}"
        case "change":
            return f"{value:+.5f}"
        case "odds":
            return f"{100 * value:.1f} %"
        case "small":
            return f"{value:.4f}" if abs(value) >= 0.0001 or not value else f"{value:.1e}"
        case "number":
            return f"{value:,.2f}" if abs(value) < 1e6 else f"{value:.2e}"
