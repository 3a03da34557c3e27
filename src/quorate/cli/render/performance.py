"""The performance of a paper account's model, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.workflows.paper import PaperPerformance


def show(found: PaperPerformance) -> None:
    """Print the headline, the consensus, reliability, each pair of members, and the account beside its baselines."""
    document = found.to_json()
    output.print_line(str(found))
    _print("Consensus of decided bars", ("", "share", "expected"), [_mix(row) for row in document["mix"]])
    reliability, agreement = document["reliability"], document["agreement"]
    if reliability is not None:
        rows = [
            (
                f"{one['low']:.0%} to {one['high']:.0%}",
                f"{one['score']:.1%}",
                f"{one['correct']:.1%}",
                f"{one['correct_ci'][0]:.1%} to {one['correct_ci'][1]:.1%}",
                f"{one['rows']:,}",
            )
            for one in reliability["bins"]
        ]
        _print(f"Reliability of {reliability['of']}", ("winning class", "said", "true", "interval", "bars"), rows)
    if agreement is not None:
        names = agreement["members"]
        rows = [
            (name, *(_share(share) for share in row)) for name, row in zip(names, agreement["same_vote"], strict=True)
        ]
        _print("How often two members vote alike", ("", *names), rows)
    if document["baselines"] is not None:
        _baselines(document["baselines"])


def _baselines(found: Mapping[str, Any]) -> None:
    """The account beside its baselines."""
    rows = [
        (
            row["name"].replace("_", " "),
            f"{row['equity_usd']:,.2f}",
            f"{row['total_return']:+.2%}{_ends(row['total_return_ci'], '+.2%')}",
            f"{row['max_drawdown']:.2%}{_ends(row['max_drawdown_ci'], '.2%')}",
            "" if row["trades"] is None else f"{row['trades']:,.0f}",
        )
        for row in found["rows"]
    ]
    title = f"The account beside its baselines, {found['from']} to {found['to']}"
    _print(title, ("", "equity", "return", "largest drawdown", "trades"), rows)
    if found["draws"]:
        output.print_line(
            f"Random entries: median and central {found['confidence']:.0%} of {found['draws']} accounts, "
            f"{found['worse_draws']:.0%} of which earned less than the account."
        )


def _ends(interval: Sequence[float] | None, form: str) -> str:
    return "" if interval is None else f" ({interval[0]:{form}} to {interval[1]:{form}})"


def _mix(row: Mapping[str, Any]) -> tuple[str, ...]:
    expected = row["expected"]
    inside = {True: "", False: ", outside", None: ""}[row["ok"]]
    return (
        row["consensus"],
        _share(row["share"]),
        "" if expected is None else f"{expected[0]:.0%} to {expected[1]:.0%}{inside}",
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _print(title: str, columns: tuple[str, ...], rows: Sequence[Sequence[str]]) -> None:
    from quorate.evaluation.report.formatting import Cell, Table

    output.print_line()
    output.print_table(Table(title, columns, tuple(tuple(Cell(text) for text in row) for row in rows)))
