"""Who voted when, as a table."""

from __future__ import annotations

from quorate.core.clock import DAY_MS, parse_ms
from quorate.evaluation.report.formatting import Cell, Figure, Table


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
