"""What was measured, as tables for a terminal: every figure beside its baseline, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.cli import output

IN_TRAINING_SPAN = "INSIDE THE TRAINING SPAN: these figures say nothing about the future"

# A folder can hold hundreds of symbols; the page and the JSON have them all.
_SYMBOLS_SHOWN = 12


def show(document: Mapping[str, Any]) -> None:
    """The document of `quorate evaluate --json`, except for its longest tables."""
    _headings(document)
    shares = document["intervals"]
    output.print_line(
        f"{document['rows']:,} labelled bars of {document['symbols']} symbols "
        f"({len(document['unseen_symbols'])} never trained on), {document['from']} to {document['to']}\n"
        f"{shares['confidence']:.0%} intervals by resampling {shares['blocks']} blocks of {shares['block_hours']} hours"
    )
    _print_tables(document)


def show_account(document: Mapping[str, Any], stats: Mapping[str, Any]) -> None:
    """The account of `quorate backtest`."""
    from quorate.evaluation.tables import cost_table, money_table, trade_table

    _headings(document)
    figures = {"trades": stats, "baselines": {}}
    for table in (money_table(figures), trade_table(figures), cost_table(figures)):
        output.print_table(table, synthetic=document["synthetic"])
    _funding_unknown(stats)


def _print_tables(document: Mapping[str, Any]) -> None:
    from quorate.evaluation.tables import tables

    for table in tables(document):
        if table.title == "Symbols" and len(table.rows) > _SYMBOLS_SHOWN:
            output.print_line(f"{len(table.rows)} symbols: a row each in --json and --report")
            continue
        output.print_table(table, synthetic=document["synthetic"])
    _funding_unknown(document["trades"])


def _headings(document: Mapping[str, Any]) -> None:
    if document["synthetic"]:
        output.print_line(output.SYNTHETIC)
    if document["in_training_span"]:
        output.print_line(IN_TRAINING_SPAN)


def _funding_unknown(trades: Mapping[str, Any]) -> None:
    unknown = trades.get("funding_unknown") or ()
    if unknown:
        some = ", ".join(unknown[:8]) + (" ..." if len(unknown) > 8 else "")
        output.print_line(f"funding is unknown, and left out, for some trades of {len(unknown)} symbols: {some}")
