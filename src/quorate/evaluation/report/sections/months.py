"""Monthly returns as a calendar: a row a year, coloured by sign and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.evaluation.report.formatting import text_of, tone_of
from quorate.evaluation.report.page.template import Html

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FULL = 0.15  # return of a month in the strongest colour


def months(run: ReportedRun) -> Html:
    """The calendar of an account, oldest year first; empty without a backtest."""
    return calendar(run.figures.get("money_by_month", ()))


def calendar(rows: Sequence[Mapping[str, Any]]) -> Html:
    """The calendar of monthly returns, oldest year first; empty without months.

    Args:
        rows: `month`, `total_return`, and where known `buy_and_hold` and the closed trades `n`.
    """
    found = {row["month"]: row for row in rows}
    if not found:
        return Html("")
    known = [abs(row["total_return"]) for row in found.values() if row["total_return"] is not None]
    full = max(min(max(known, default=0.0), _FULL), 0.01)
    years = sorted({month[:4] for month in found})
    items = "".join(_year(year, found, full) for year in years)
    return Html(f'<div class="card"><ol class="months" aria-label="Return by month">{items}</ol></div>')


def _year(year: str, found: Mapping[str, Mapping[str, Any]], full: float) -> str:
    rows = [found.get(f"{year}-{number:02d}") for number in range(1, 13)]
    total = float(np.prod([1 + row["total_return"] for row in rows if row and row["total_return"] is not None])) - 1
    cells = "".join(_month(year, name, row, full) for name, row in zip(_NAMES, rows, strict=True))
    return f'<li class="year">{year}<small>{text_of(total, "percent")}</small></li>{cells}'


def _month(year: str, name: str, row: Mapping[str, Any] | None, full: float) -> str:
    if row is None or row["total_return"] is None:
        return f'<li class="none"><small>{name}</small></li>'
    value, held = row["total_return"], row.get("buy_and_hold")
    beside = "" if held is None else f", holding {text_of(held, 'percent')}"
    closed = f", {row['n']:,} trades closed" if "n" in row else ""
    words = f"{name} {year}: {text_of(value, 'percent')}{beside}{closed}"
    heat = min(1.0, abs(value) / full)
    return (
        f'<li class="known {tone_of(value)}" style="--heat:{heat:.2f}" title="{escape(words)}">'
        f"<small>{name}</small>{100 * value:+.1f}</li>"
    )
