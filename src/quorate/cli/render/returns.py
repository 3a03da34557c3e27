"""Errors of predicted returns: members, the stack and their baselines in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.cli import output

_NAMES = {"stack": "the stack", "predict_zero": "predicting zero", "predict_mean": "predicting the mean"}
_COLUMNS = ("", "rows", "RMSE", "MAE", "MSE", "R2 against zero", "p against zero", "acts on", "stack is better by")


def show_returns(
    title: str, rows: Mapping[str, Mapping[str, Any]], better: Mapping[str, float | None], *, synthetic: bool
) -> None:
    """Print the table.

    Args:
        title: of the table.
        rows: forecaster -> figures, errors in percent.
        better: forecaster -> by how much less the stack's RMSE is, a fraction.
        synthetic: mark it.
    """
    cells = [_row(name, figures, better.get(name)) for name, figures in rows.items()]
    output.print_rows(title, _COLUMNS, cells, synthetic=synthetic)


def _row(name: str, figures: Mapping[str, Any], better: float | None) -> tuple[str, ...]:
    return (
        _NAMES.get(name, name),
        f"{figures['n']:,}",
        _number(figures["rmse_pct"], ".3f"),
        _number(figures["mae_pct"], ".3f"),
        _number(figures["mse_pct2"], ".3f"),
        _number(figures["r2_vs_zero"], "+.2%"),
        _number(figures["against_zero_p"], ".3f"),
        _number(figures.get("acts"), ".1%"),
        _number(better, "+.2%"),
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
