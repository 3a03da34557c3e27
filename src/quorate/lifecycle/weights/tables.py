"""Tables of a search for weights, for the terminal and for the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.evaluation.report.formatting import Cell, Table, cell

Document = Mapping[str, Any]

_LOSS = {"pool": "log-loss", "vote": "vote log-loss"}


def weight_table(document: Document) -> Table:
    """Weight of each member by scheme, fitted on all rows; the strength of the shrinkage in the last row."""
    names = tuple(document["strengths"])
    shown = [name for name in names if any(name in row for row in document["weights"].values())]
    rows = [
        (Cell(member), *(Cell(f"{weights[name]:.4f}") for name in shown))
        for member, weights in document["weights"].items()
    ]
    rows.append((Cell("strength"), *(Cell(_strength(document["strengths"][name])) for name in shown)))
    return Table("Weights, fitted on all rows", ("member", *shown), tuple(rows))


def scheme_table(document: Document) -> Table:
    """Out of fold: the losses of each scheme, and whether it is kept."""
    rows = [
        (
            Cell(row["scheme"]),
            cell(row, "log_loss", "loss"),
            cell(row, "vote_log_loss", "loss"),
            Cell("" if not row["against"] else "kept" if row["kept"] else "not kept"),
        )
        for row in document["schemes"]
    ]
    return Table(
        f"Out of fold, {document['tested_rows']:,} rows", ("weights", "log-loss", "vote log-loss", ""), tuple(rows)
    )


def decision_table(document: Document) -> Table:
    """Out of fold: decisions of the classic vote with the fixed weights of each scheme."""
    rows = []
    for row in document["schemes"]:
        decided = row["decisions"]
        if decided["signals"] is None:
            continue
        rows.append(
            (
                Cell(row["scheme"]),
                cell(decided, "signals", "count"),
                cell(decided, "changed", "count"),
                cell(decided, "net_bps", "bps"),
                _change(decided, "net_difference_bps", "{:+.3f}"),
            )
        )
    columns = ("weights", "signals", "changed", "net a signal", "net a bar, less documented, bps")
    return Table("Decisions of the classic vote", columns, tuple(rows))


def difference_table(document: Document) -> Table:
    """Differences in log-loss of the fitted schemes from their rivals, with intervals; below 0 is better."""
    level = f"{100 * document['intervals']['confidence']:g} %"
    rows = [
        (
            Cell(f"{row['scheme']} - {rival}"),
            Cell(_LOSS[row["judged_by"]]),
            _change(found, "log_loss", "{:+.5f}"),
            cell(found, "p_value", "small"),
        )
        for row in document["schemes"]
        for rival, found in row["against"].items()
    ]
    columns = ("difference", "of", f"mean, {level} interval", "p (Diebold-Mariano)")
    return Table("Differences in log-loss, below 0 is better", columns, tuple(rows))


def fold_table(document: Document) -> Table:
    """Rows that each fold's weights were fitted on, and the strengths chosen inside."""
    rows = [
        (
            Cell(str(fold["fold"])),
            Cell(fold["from"][:10]),
            Cell(f"{fold['read']:,}"),
            Cell(f"{fold['tested']:,}"),
            *(Cell(_strength(fold["strengths"][name])) for name in ("convex", "evolved", "gated")),
        )
        for fold in document["by_fold"]
    ]
    columns = ("fold", "from", "rows read", "rows scored", "convex", "evolved", "gated")
    return Table("Strength of the shrinkage by fold", columns, tuple(rows))


def _change(figures: Mapping[str, Any], name: str, form: str) -> Cell:
    value, ends = figures[name], figures[f"{name}_ci"]
    if value is None:
        return Cell("n/a", reason=figures["missing"][name])
    interval = "" if ends is None else f"{form.format(ends[0])} to {form.format(ends[1])}"
    return Cell(form.format(value), interval)


def _strength(strength: float | None) -> str:
    return "documented" if strength is None else f"{strength:g}"


#: In the order in which they are shown.
TABLES = (weight_table, scheme_table, difference_table, decision_table, fold_table)
