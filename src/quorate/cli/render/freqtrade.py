"""Freqtrade's files and the guards of a bot, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.integrations.freqtrade.scaffold import WrittenFile


def show_files(files: Sequence[WrittenFile]) -> None:
    """A line a file: written, unchanged, left or updated, with the keys that were set and the copy of it as it was."""
    for file in files:
        output.print_line(f"{file.status:>9}  {file.path}")
        if file.backup is not None:
            output.print_line(f"{'':>11}set {', '.join(file.keys)}; as it was: {file.backup.name}")
    if any(file.status == "left" for file in files):
        output.note(
            "left: changed by somebody, and kept as it is; --force with --bundle sets the bundle's keys in it, and a "
            "file that is removed is written anew"
        )


def show_guards(state: Mapping[str, Any]) -> None:
    """A line a guard.

    Args:
        state: the document of `quorate freqtrade guards --json`.
    """
    rows = [
        (
            guard["guard"] if guard["symbol"] is None else f"{guard['guard']} {guard['symbol']}",
            guard["mode"],
            guard["rearm"],
            guard["until"] or "-",
            guard["reason"] or guard["state"],
        )
        for guard in state["guards"]
    ]
    columns = ("guard", "mode", "re-armed by", "not before", "reason, or count")
    output.print_rows(f"Guards: {state['mode']}", columns, rows, prose=True)
