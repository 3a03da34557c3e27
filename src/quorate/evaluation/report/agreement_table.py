"""Table of how much the members err together."""

from __future__ import annotations

from quorate.evaluation.report.formatting import Cell, Figure, Table, cell, text_of


def agreement_table(figures: Figure | None) -> Table:
    """Correlation of each member with each in being right, and in its lean in brackets; empty with fewer than two.

    Args:
        figures: of `agreement_figures`; None for an empty table.
    """
    if not figures or len(figures["members"]) < 2:
        return Table("Independence", (), ())
    members = figures["members"]
    rows = [
        (Cell(name), *(_pair(figures, place, other) for other in range(len(members))))
        for place, name in enumerate(members)
    ]
    title = f"Correlation of being right (of leaning to BUY): {independence_text(figures)}"
    return Table(title, ("", *members), tuple(rows))


def independence_text(figures: Figure) -> str:
    """What the votes of the members are worth, as a phrase.

    >>> independence_text({"members": ["a", "b"], "effective_votes": 1.6, "effective_votes_ci": [1.5, 1.75]})
    '2 members, worth 1.60 independent votes (1.50 to 1.75)'
    """
    worth = cell(figures, "effective_votes", "number")
    about = f" ({worth.interval})" if worth.interval else ""
    votes = "n/a" if worth.reason else f"{worth.text} independent votes"
    return f"{len(figures['members'])} members, worth {votes}{about}"


def _pair(figures: Figure, place: int, other: int) -> Cell:
    if place == other:
        return Cell("")
    right, lean = (figures[name][place][other] for name in ("correlation", "lean_correlation"))
    shown = ["n/a" if value is None else text_of(value, "number") for value in (right, lean)]
    return Cell(f"{shown[0]} ({shown[1]})")
