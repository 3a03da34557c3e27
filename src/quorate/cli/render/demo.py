"""The result of the demo as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.cli.render import evaluation, training
from quorate.core.text.plural import counted

if TYPE_CHECKING:
    from quorate.workflows.results import DemoResult


# Markets whose newest signal is shown.
_SHOWN = 3


def show(result: DemoResult) -> None:
    """Training, some signals, the evaluation with its verdict, and where the report is."""
    training.show(result.trained)
    output.print_line()
    for signal in result.signals[:_SHOWN]:
        output.print_line(f"{signal.symbol}  {signal.action.name} {signal.confidence:.0%}  {signal.line()}")
    output.print_line(f"and the newest signals of {counted(len(result.signals[_SHOWN:]), 'other market')}")
    output.print_line()
    evaluation.show(result.evaluation)
    output.print_sentence(
        f"--edge set the predictable share of the variance of returns to {result.edge:g}: the figures show that the "
        "program finds it, and are no estimate for real markets. Watch it trade: quorate serve --demo"
    )
    output.print_line(f"report {result.page}")
