"""Table of predicted returns: the stack, its members, predicting zero and the mean, on the same rows."""

from __future__ import annotations

from quorate.evaluation.report.formatting import Cell, Figure, Kind, Table, cell

_NAMES = {"predict_zero": "predicting zero", "predict_mean": "predicting the mean"}
_COLUMNS: tuple[tuple[str, str, Kind], ...] = (
    ("n", "rows", "count"),
    ("rmse_pct", "RMSE, %", "loss"),
    ("mae_pct", "MAE, %", "loss"),
    ("r2_vs_zero", "R2 against zero", "percent"),
    ("against_zero_p", "p against zero", "small"),
    ("rank_ic", "rank IC", "loss"),
)


def return_table(figures: Figure) -> Table:
    """A row a forecaster; empty where no returns were predicted."""
    forecasters = {"the stack": figures["ensemble"], **figures["members"]}
    forecasters |= {_NAMES.get(name, name): row for name, row in figures["baselines"].items()}
    known = {name: row for name, row in forecasters.items() if "rmse_pct" in row}
    columns = [column for column in _COLUMNS if any(column[0] in row for row in known.values())]
    rows = tuple(
        (Cell(name), *(cell(row, key, kind) if key in row else Cell("") for key, _, kind in columns))
        for name, row in known.items()
    )
    return Table("Errors of predicted returns", ("", *(label for _, label, _ in columns)), rows)
