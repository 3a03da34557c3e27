"""How verbs speak: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

# Where output is not a terminal, tables keep a width that a page can show.
_PAGE_WIDTH = 120

SYNTHETIC = "SYNTHETIC MARKET: every number here comes from made-up candles"


def print_json(document: Any) -> None:
    """One JSON document; NaN and infinity are faults, not output."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def console() -> Console:
    """The terminal, or a page of fixed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, synthetic: bool = False) -> None:
    """A table; the first column is text, the others are numbers. Synthetic ones say so in the title."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(f"[SYNTHETIC] {title}" if synthetic else title), box=box.SIMPLE_HEAD, title_justify="left"
    )
    for number, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if number else "left", no_wrap=bool(column))
    for row in rows:
        table.add_row(*map(escape, row))
    console().print(table)


def print_line(text: str = "") -> None:
    """A line of the result."""
    print(text)


def note(text: str) -> None:
    """A line beside the result, on standard error."""
    print(text, file=sys.stderr)


class Tell:
    """Progress of named stages: a bar on a terminal, one line a finished stage elsewhere."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self.bars.add_task(stage, total=total)
        self.bars.update(self._tasks[stage], completed=done, total=total)
        if done == total and not self._console.is_terminal:
            self._console.print(f"{stage}: {done}/{total}", highlight=False)


@contextmanager
def progress() -> Iterator[Tell]:
    """Shows what is told to it until the block ends."""
    from rich.console import Console

    tell = Tell(Console(stderr=True))
    with tell.bars:
        yield tell
