"""The result of the demo as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.cli.render import evaluation, training

if TYPE_CHECKING:
    from quorate.workflows.results import DemoResult


# Markets whose newest signal is shown.
_SHOWN = 3


def show(result: DemoResult) -> None:
    """Training, some signals, the evaluation with its verdict, and where the report is."""
    training.show(result.trained)
    output.print_sentence(
        "newest signals: " + ", ".join(f"{made.symbol} {made.action.name}" for made in result.signals[:_SHOWN])
    )
    output.print_line()
    evaluation.show(result.evaluation)
    output.print_sentence(
        f"--edge set the predictable share of the variance of returns to {result.edge:g}: the figures show that the "
        "program finds it, and are no estimate for real markets. Watch it trade: quorate serve --demo"
    )
    output.print_sentence(result.book.sentence)
    output.print_line(f"report {result.page}")
