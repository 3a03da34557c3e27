"""Table of what the groups of features contribute to the scores."""

from __future__ import annotations

from quorate.evaluation.report.formatting import Cell, Figure, Table


def contribution_table(figures: Figure) -> Table:
    """Mean absolute contribution of each group to every member, in hundredths of a score; empty if not measured."""
    found = figures.get("contributions")
    if not found:
        return Table("Mean absolute contribution", (), ())
    members = found["members"]
    rows = tuple(
        (Cell(group), *(Cell(f"{100 * own[group]:.2f}") for own in members.values())) for group in found["groups"]
    )
    title = f"Mean absolute contribution to the score of the leading class x 100, over {found['bars']:,} bars"
    return Table(title, ("features", *members), rows)
