"""A search for weights as tables for a terminal: the verdict first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.lifecycle.weights.weight_search import WeightSearch


def show(found: WeightSearch) -> None:
    """The verdict, the weights of each member, and each scheme out of fold."""
    from quorate.lifecycle.weights.tables import TABLES

    document = found.document
    output.print_line(("[SYNTHETIC] " if document["synthetic"] else "") + document["verdict"])
    for table in TABLES:
        output.print_table(table(document), synthetic=document["synthetic"])
    if found.snippet is not None:
        output.print_line("For quorate.toml; the next training puts them into its bundle:")
        print(found.snippet, end="")
