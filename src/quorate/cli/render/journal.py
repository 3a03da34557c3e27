"""`quorate paper journal`: what an account has written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import typer

from quorate.cli import output
from quorate.core.errors import close_match
from quorate.trading.journal import RECORDS, Entry, Journal, Record, entry_json
from quorate.trading.paper.log_lines import line


def show(journal: Journal, last: int | None, after: int, kinds: Sequence[str], *, as_json: bool) -> None:
    """Entries in the order they were written, oldest first.

    Args:
        journal: to read.
        last: only so many of the newest; None for all.
        after: only those with a larger number.
        kinds: only these; empty for all.
        as_json: one document for a program instead of a line each.
    """
    wanted = _wanted(kinds)
    if last is None:
        entries: Iterable[Entry] = journal.read(after=after, kinds=wanted)
    else:
        entries = (entry for entry in journal.newest(last, wanted) if entry.seq > after)
    if as_json:
        output.print_json([entry_json.to_json(entry) for entry in entries])
        return
    for entry in entries:
        said = line(entry.record)
        output.print_line(entry_json.to_text(entry) if said is None else f"{entry.seq} {said}")


def _wanted(kinds: Sequence[str]) -> list[type[Record]] | None:
    for kind in kinds:
        if kind not in RECORDS:
            raise typer.BadParameter(f"'{kind}' is none of {', '.join(RECORDS)}. {close_match(kind, RECORDS)}")
    return [RECORDS[kind] for kind in kinds] or None
