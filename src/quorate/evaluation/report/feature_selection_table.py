"""Tables of chosen columns: of one choice by groups, and of all folds of a walk-forward by columns."""

from __future__ import annotations

from typing import Any

from quorate.evaluation.report.formatting import Cell, Figure, Table

# Columns and groups that are shown; --json has all.
_SHOWN = 10


def choice_table(figures: Figure | None) -> Table:
    """Groups of columns of one choice, those that are missed most first; empty where the columns were not chosen.

    Args:
        figures: of `choose_columns`.
    """
    if not figures:
        return Table("Chosen columns", (), ())
    kept, every, folds = figures["kept"]["columns"], figures["all"]["columns"], figures["folds"]
    rows = [
        (
            Cell(", ".join(group["columns"])),
            Cell(group["why"]),
            *(cell for kind in ("dropped", "shuffled") for cell in _rise(group[kind], folds)),
        )
        for group in figures["groups"][:_SHOWN]
    ]
    title = f"{kept} of {every} columns chosen: rise of the loss x 1,000{_more(len(figures['groups']), 'groups')}"
    return Table(title, ("columns", "", "dropped", "folds", "shuffled", "folds"), tuple(rows))


def fold_choice_table(figures: Figure) -> Table:
    """Columns by the number of folds that chose them; empty where the columns were not chosen.

    Args:
        figures: of an evaluation.
    """
    found = figures.get("feature_selection")
    if not found:
        return Table("Chosen columns", (), ())
    folds, inner = len(found["folds"]), found["inner_folds"]
    rows = [
        (
            Cell(row["column"]),
            Cell(f"{row['kept_in']}/{folds}"),
            *(cell for kind in ("dropped", "shuffled") for cell in _rise(row[kind], inner)),
        )
        for row in found["columns"][:_SHOWN]
    ]
    counts = ", ".join(str(fold["kept"]["columns"]) for fold in found["folds"])
    agree = "n/a" if found["stability"] is None else f"{found['stability']:.2f}"
    title = (
        f"Columns chosen by fold: {counts} of {len(found['columns'])}, stability {agree}; rise of the loss x 1,000"
        f"{_more(len(found['columns']), 'columns')}"
    )
    return Table(title, ("feature", "kept in", "dropped", "inner folds", "shuffled", "inner folds"), tuple(rows))


def _rise(figures: dict[str, Any], folds: int) -> tuple[Cell, Cell]:
    """A rise in thousandths with its interval, and the number of folds in which it is above 0."""
    ends = figures.get("rise_ci")
    between = "" if ends is None else f"{1_000 * ends[0]:+.2f} to {1_000 * ends[1]:+.2f}"
    return Cell(f"{1_000 * figures['rise']:+.2f}", between), Cell(f"{figures['folds_above']}/{folds}")


def _more(count: int, of: str) -> str:
    return f", top {_SHOWN} of {count} {of}" if count > _SHOWN else ""
