"""Who voted when, as a table and as a plot."""

from __future__ import annotations

from html import escape
from typing import Any

from quorate.core.clock import DAY_MS, parse_ms
from quorate.evaluation.report.formatting import Cell, Figure, Table
from quorate.evaluation.report.plotly_json import Plot, colour_of, plot


def selection_table(figures: Figure | None) -> Table:
    """Days for which each member voted, and when it came and left; empty where all members vote.

    Args:
        figures: of `selection_figures`; None for an empty table.
    """
    if not figures:
        return Table("Members that voted", (), ())
    days, terms = figures["days"], figures["terms"]
    whole = (parse_ms(figures["to"]) - parse_ms(figures["from"])) / DAY_MS
    rows = []
    for name in sorted(days, key=lambda each: -days[each]):
        present = [name in term["members"] for term in terms]
        comes = sum(now and not before for now, before in zip(present, [True, *present], strict=False))
        leaves = sum(before and not now for now, before in zip(present, [False, *present], strict=False))
        rows.append(
            (
                Cell(name),
                Cell(f"{days[name]:.1f}"),
                Cell(f"{days[name] / whole:.0%}"),
                Cell(str(comes)),
                Cell(str(leaves)),
            )
        )
    saved = ", ".join(_saved(figures, name, about) for name, about in _BESIDE.items())
    size, rule = len(terms[0]["members"]) if terms else 0, figures["settings"]
    title = (
        f"Members that voted: {size} at a time, {figures['changes']} changes, chosen by {rule['days']} days of labels; "
        f"log-loss saved, as a share of the prior's: {saved}"
    )
    return Table(title, ("", "days", "share", "came", "left"), tuple(rows))


_BESIDE = {"first": "against the first members", "all": "against all"}


def _saved(figures: Figure, name: str, about: str) -> str:
    found = figures["saved"][name]
    if found["skill"] is None:
        return f"n/a {about}"
    ends = found["skill_ci"]
    interval = "" if ends is None else f" ({ends[0]:+.2%} to {ends[1]:+.2%})"
    return f"{found['skill']:+.2%}{interval} {about}"


def membership(figures: Figure | None) -> Plot | None:
    """A bar of time for each member, where it voted."""
    if not figures or not figures["terms"]:
        return None
    terms, begin, end = figures["terms"], figures["from"], figures["to"]
    ends = [*(term["from"] for term in terms[1:]), end]
    names = sorted(figures["days"], key=lambda each: figures["days"][each])
    traces = []
    for place, name in enumerate(reversed(names)):
        x: list[Any] = []
        for term, until in zip(terms, ends, strict=True):
            if name in term["members"]:
                x += [max(term["from"], begin)[:16], until[:16], None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escape(name),
                "x": x or [None],
                "y": [None if at is None else escape(name) for at in x] or [escape(name)],
                "line": {"color": colour_of(place + 1), "width": 10},
                "hovertemplate": "%{x}<extra>%{y}</extra>",
                "showlegend": False,
            }
        )
    order = {"type": "category", "categoryorder": "array", "categoryarray": [escape(name) for name in names]}
    made = plot(traces, x={"type": "date"}, y={**order, "showgrid": False, "dtick": 1})
    made["layout"]["hovermode"] = "closest"
    return made
