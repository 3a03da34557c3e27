"""Journal records as lines, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from quorate.cli import output
from quorate.trading.journal import Entry, entry_json
from quorate.trading.paper.log_lines import words


def show(entries: Iterable[Entry], currency: str = "", *, as_json: bool) -> None:
    """Print entries in the order in which they were written.

    Args:
        entries: of a journal.
        currency: of the account, for its amounts; empty for that of each record's market.
        as_json: one document instead of a line each.
    """
    if as_json:
        output.print_json([entry_json.to_json(entry) for entry in entries])
        return
    for entry in entries:
        output.print_line(f"{entry.seq} {words(entry.record, currency)}")
