"""The result of the demo as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.cli.render import evaluation, training

if TYPE_CHECKING:
    from quorate.workflows.results import DemoResult


def show(result: DemoResult) -> None:
    """Training, signals, evaluation, and where the report is."""
    training.show(result.trained)
    output.print_line()
    output.print_line("[SYNTHETIC] Signals at the newest closed bar")
    for signal in result.signals:
        output.print_line(f"  {signal.symbol}  {signal.action.name} {signal.confidence:.0%}  {signal.line()}")
    output.print_line()
    evaluation.show(result.evaluation.to_json())
    output.print_line()
    output.print_line(
        f"--edge set the predictable share of the variance of returns to {result.edge:g}. The figures show that the\n"
        "program finds it; they are no estimate for real markets.\n"
        f"report {result.page}\n"
        "Watch it trade, bar by bar, with a dashboard: quorate serve --demo"
    )
