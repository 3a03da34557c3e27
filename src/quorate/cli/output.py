"""How verbs speak: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID
    from rich.text import Text

    from quorate.evaluation.report.formatting import Cell, Table

# Where output is not a terminal, a stage that goes on for longer than this says how far it is.
_SILENCE_S = 20.0

# Where output is not a terminal, tables keep a width that a page can show.
_PAGE_WIDTH = 120

_TONES = {"": "", "good": "green", "bad": "red"}


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
    from quorate.evaluation.report.formatting import Cell, Table

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
    """Progress of named stages: a bar on a terminal; elsewhere a line a finished stage, and now and then one with the
    time that is left.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._clock = clock
        self._began: dict[str, float] = {}
        self._spoke = clock()
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
            self._began[stage] = self._clock()
        self.bars.update(self._tasks[stage], completed=done, total=total)
        if self._console.is_terminal:
            return
        now = self._clock()
        if done == total:
            self._say(f"{stage}: {done}/{total}")
        elif done and now - self._spoke >= _SILENCE_S:
            left = (now - self._began[stage]) / done * (total - done)
            self._say(f"{stage}: {done}/{total}, about {_duration(left)} left")

    def _say(self, line: str) -> None:
        self._spoke = self._clock()
        self._console.print(line, highlight=False)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def progress() -> Iterator[Tell]:
    """Shows what is told to it until the block ends."""
    from rich.console import Console

    tell = Tell(Console(stderr=True))
    with tell.bars:
        yield tell
