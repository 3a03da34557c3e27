"""The evidence for the policy in force as a table: each candidate's signals, days, mean and bound."""

from __future__ import annotations

from quorate.evaluation.report.formatting import Cell, Figure, Table, interval_text, text_of

_COLUMNS = ("candidate", "days", "signals", "BUY", "net a day", "needed above", "verdict")


def evidence_table(figures: Figure) -> Table:
    """Candidates for the policy, measured out of fold over the training span; empty without them."""
    evidence = figures.get("evidence")
    rows = () if evidence is None else tuple(_row(row) for row in evidence["table"])
    return Table("Evidence for the policy, out of fold", _COLUMNS, rows)


def _row(row: Figure) -> tuple[Cell, ...]:
    ends = None if row["lower_bps"] is None else [row["lower_bps"], row["upper_bps"]]
    net = Cell("n/a") if row["net_bps"] is None else Cell(text_of(row["net_bps"], "bps"), interval_text(ends, "bps"))
    return (
        Cell(row["candidate"]),
        Cell(text_of(row["days"], "count")),
        Cell(text_of(row["signals"], "count")),
        Cell("n/a" if row["buy_share"] is None else text_of(row["buy_share"], "odds")),
        net,
        Cell(text_of(row["required_bps"], "bps")),
        Cell(row["verdict"]),
    )
