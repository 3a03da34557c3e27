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
    from rich.text import Text

    from quorate.evaluation.tables import Cell, Table

# Where output is not a terminal, tables keep a width that a page can show.
_PAGE_WIDTH = 120

_TONES = {"": "", "good": "green", "bad": "red"}

SYNTHETIC = "SYNTHETIC MARKET: every number here comes from made-up candles"


def print_json(document: Any) -> None:
    """One JSON document; NaN and infinity are faults, not output."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def console() -> Console:
    """The terminal, or a page of fixed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH, highlight=False)


def print_rows(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    synthetic: bool = False,
    prose: bool = False,
) -> None:
    """A table of texts: a name, then figures; with `prose` the last column is words, folded where they are many."""
    from quorate.evaluation.tables import Cell, Table

    cells = tuple(tuple(Cell(text) for text in row) for row in rows)
    print_table(Table(title, tuple(columns), cells), synthetic=synthetic, prose=prose)


def print_table(table: Table, *, synthetic: bool = False, prose: bool = False) -> None:
    """A table, marked in its title when its figures are synthetic.

    Below a figure stands its interval, or the reason why there is none.
    """
    from rich import box
    from rich import table as tables
    from rich.text import Text

    title = f"[SYNTHETIC] {table.title}" if synthetic else table.title
    drawn = tables.Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    last = len(table.columns) - 1
    for number, column in enumerate(table.columns):
        words = prose and number == last
        drawn.add_column(Text(column), justify="left" if words or not number else "right", no_wrap=not words)
    for row in table.rows:
        drawn.add_row(*map(_cell, row))
    console().print(drawn)


def _cell(cell: Cell) -> Text:
    from rich.text import Text

    text = Text(cell.text, style=_TONES[cell.tone])
    for below in (cell.interval, cell.reason):
        if below:
            text.append(f"\n{below}", style="dim")
    return text


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
