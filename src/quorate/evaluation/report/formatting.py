"""Figures as text: one cell with its interval, or why there is none; the same for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["share", "percent", "number", "loss", "usd", "bps", "count", "change", "odds", "small"]
Tone = Literal["", "good", "bad"]
Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, its interval, why it has no value or no verdict, and whether it is good or bad news."""

    text: str
    interval: str = ""
    reason: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names and rows of cells; the first cell of a row names it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


# Columns in which more than zero is good news and less is bad.
_SIGNED = frozenset({"net_usd", "total_return", "skill_vs_prior", "expectancy_bps", "net_bps"})


def cell(figures: Figure, name: str, kind: Kind) -> Cell:
    """One figure as text, with its interval or the reason why there is none."""
    value = figures.get(name)
    if value is None:
        return Cell("n/a", reason=figures.get("missing", {}).get(name, ""))
    ends: list[float] | None = figures.get(f"{name}_ci")
    # Good or bad news only when the whole interval is.
    tone: Tone = tone_of(value) if name in _SIGNED and (ends is None or ends[0] * ends[1] > 0) else ""
    return Cell(text_of(value, kind), interval_text(ends, kind), tone=tone)


def interval_text(ends: list[float] | None, kind: Kind) -> str:
    """Both ends, the unit once; empty where there is no interval.

    >>> interval_text([0.4, 0.6], "share")
    '40.00 to 60.00 %'
    """
    if ends is None:
        return ""
    if kind == "percent" and max(map(abs, ends)) >= 100:
        return f"{100 * ends[0]:+.0e} to {100 * ends[1]:+.0e} %"  # of a size that has no digits worth the room
    if kind == "percent" and max(map(abs, ends)) >= 1:
        return f"{100 * ends[0]:+.0f} to {100 * ends[1]:+.0f} %"
    low, high = (text_of(end, kind) for end in ends)
    unit = " %" if kind in ("share", "percent", "odds") else " bps" if kind == "bps" else ""
    return f"{low.removesuffix(unit)} to {high}"


def tone_of(value: float) -> Tone:
    """More than zero is good news, less is bad."""
    return "good" if value > 0 else "bad" if value < 0 else ""


def text_of(value: float, kind: Kind) -> str:
    """One number with its unit.

    >>> text_of(0.0123, "percent"), text_of(-6.44, "bps"), text_of(0.9012, "odds")
    ('+1.23 %', '-6.4 bps', '90.1 %')
    """
    match kind:
        case "count":
            return f"{value:,.0f}"
        case "share":
            return f"{100 * value:.2f} %"
        case "percent":
            if abs(value) >= 1_000:  # nobody reads the digits of a hundred thousand percent
                return f"{100 * value:+.1e} %"
            digits = 2 if abs(value) < 10 else 0
            return f"{round(100 * value, digits) + 0.0:+,.{digits}f} %"  # no -0.00
        case "usd":
            return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
        case "bps":
            return f"{value:+,.1f} bps"
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
