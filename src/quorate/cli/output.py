"""Output of all verbs: results on standard output, progress and notes on standard error."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID
    from rich.text import Text

    from quorate.evaluation.report.formatting import Cell, Table
    from quorate.workflows.results.listing import Lines

# Where output is not a terminal, the progress of a stage is printed at this interval.
_INTERVAL_S = 20.0

# Width of tables where output is not a terminal.
_PAGE_WIDTH = 120

# Spaces before each column of a compact table.
_INDENT = 2

# Widest line of sentences.
_SCREEN = 80

# Narrower than this, lines are wrapped between words; wider terminals show most lines whole.
_NARROW = 60

# Width at which the width that a table needs is measured.
_UNLIMITED = 100_000

# Least width of a column of text that is wrapped.
_LEAST_WORDS = 24

# Columns of such texts are aligned to the right; the empty text is one.
_FIGURE = re.compile(r"(?:[<>]?\s*[-+]?\$?\d.*|n/a.*)?$")

_TONES = {"": "", "good": "green", "bad": "red"}


def print_json(document: Any) -> None:
    """Print one JSON document; NaN and infinity are errors."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


class Listed(Protocol):
    """A result that is a list: the ones of `workflows.results.listing`."""

    @property
    def title(self) -> str: ...
    @property
    def marks(self) -> Sequence[str]: ...
    @property
    def lines(self) -> Lines: ...
    def to_json(self) -> Any: ...


def print_result(result: Listed, *, as_json: bool) -> None:
    """Print a result that is a list, as a JSON document or as its marks and one table."""
    if as_json:
        print_json(result.to_json())
        return
    for line in (*result.marks, result.title):
        print_line(line)  # a long title of a table would be wrapped at the table's width
    if result.lines.rows:
        print_rows("", *result.lines, prose=True)


def console() -> Console:
    """The terminal; elsewhere a console of the width in COLUMNS, or of fixed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _named_width(), highlight=False)


def console_width() -> int:
    """Width of the console, without the library that draws on it."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _named_width()


def _named_width() -> int:
    named = os.environ.get("COLUMNS", "")
    return min(int(named), 1_000) if named.isdecimal() and int(named[:9]) > 0 else _PAGE_WIDTH


def wrapped(line: str) -> list[str]:
    """A line as those of a narrow terminal: wrapped between words, with no word cut. Elsewhere the line itself."""
    width = console_width()
    if width >= _NARROW or len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())] + "  "
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def print_rows(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    synthetic: bool = False,
    prose: bool = False,
) -> None:
    """Print a table of texts.

    Args:
        title: above the table; empty for none.
        columns: names of the columns; the first is a name, the others are figures.
        rows: as many texts each.
        synthetic: mark the title.
        prose: the last column is text, which is wrapped.
    """
    from quorate.evaluation.report.formatting import Cell, Table

    cells = tuple(tuple(Cell(text) for text in row) for row in rows)
    print_table(Table(title, tuple(columns), cells), synthetic=synthetic, prose=prose)


def print_compact(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of texts without lines and blank rows, for a screen that has several.

    Args:
        columns: names of the columns; the first is a name, the others are figures.
        rows: as many texts each.
    """
    widths = [max(len(row[place]) for row in (columns, *rows)) for place in range(len(columns))]
    if sum(widths) + _INDENT * len(widths) > console_width():
        print_rows("", columns, rows)
        return
    for name, *figures in (columns, *rows):
        shown = [text.rjust(width) for text, width in zip(figures, widths[1:], strict=True)]
        print((" " * _INDENT).join(["", name.ljust(widths[0]), *shown]).rstrip())


def print_table(table: Table, *, synthetic: bool = False, prose: bool = False) -> None:
    """Print a table; below each figure its interval, or the reason why there is none.

    A table that is wider than the terminal is printed as one block of lines for each row, so that no text is cut.

    Args:
        table: title, columns and cells.
        synthetic: mark the title.
        prose: the last column is text, which is wrapped.
    """
    from rich import box
    from rich import table as tables
    from rich.text import Text

    title = f"[SYNTHETIC] {table.title}" if synthetic else table.title
    drawn = tables.Table(
        title=Text(title) if title else None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
    )
    last = len(table.columns) - 1
    for number, column in enumerate(table.columns):
        sentences = prose and number == last
        figures = number > 0 and all(_FIGURE.match(row[number].text) for row in table.rows)
        drawn.add_column(Text(column), justify="right" if figures and not sentences else "left", no_wrap=not sentences)
    for row in table.rows:
        drawn.add_row(*map(_cell, row))
    terminal = console()
    words = [table.columns[-1], *(row[-1].text for row in table.rows)] if prose else []
    if fits(drawn, terminal, words):
        terminal.print(drawn)
        return
    for line in stacked(title, table):
        print(line)


def fits(drawn: Any, terminal: Console, words: Sequence[str]) -> bool:
    """Whether a table can be drawn at the width of a terminal without cutting texts.

    Args:
        drawn: the table.
        terminal: to draw it on.
        words: texts of the last column, if they are wrapped.
    """
    # The least width that rich measures is that of the longest word, also in columns that are not wrapped.
    needed = int(terminal.measure(drawn, options=terminal.options.update(width=_UNLIMITED)).maximum)
    longest = max((len(text) for text in words), default=0)
    return needed - longest + min(longest, _LEAST_WORDS) <= terminal.width


def stacked(title: str, table: Table) -> Iterator[str]:
    """Lines of a table with one line for each figure: the first column, and below it the name of each other one."""
    if title:
        yield from wrapped(title)
    for row in table.rows:
        yield ""
        yield from wrapped(row[0].text or "-")
        for name, cell in zip(table.columns[1:], row[1:], strict=True):
            more = [below for below in (cell.interval, cell.reason) if below]
            if not cell.text and not more:
                continue
            shown = f"{name}: {cell.text}" if name else cell.text
            yield from wrapped(f"  {shown}" + (f" ({'; '.join(more)})" if more else ""))
    yield ""


def _cell(cell: Cell) -> Text:
    from rich.text import Text

    text = Text(cell.text, style=_TONES[cell.tone])
    for below in (cell.interval, cell.reason):
        if below:
            text.append(f"\n{below}", style="dim")
    return text


def print_line(text: str = "") -> None:
    """Print a line of the result, or several."""
    for line in text.split("\n"):
        print(*wrapped(line), sep="\n")


def print_sentence(text: str) -> None:
    """Print a sentence, wrapped between words at the width of the terminal, and of a screen where it is wider."""
    print(*textwrap.wrap(text, min(console_width(), _SCREEN), break_long_words=False, break_on_hyphens=False), sep="\n")


def note(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr)


class StageProgress:
    """Progress of named stages: bars on a terminal; elsewhere a line for each finished stage, and every 20 s a line
    with the time that is left: of the whole run where it is known, else of the stage. A warning names once what slows
    the run.

    Args:
        console: to print to.
        clock: returns seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._clock = clock
        self._began: dict[str, float] = {}
        self._last: dict[str, tuple[int, float]] = {}
        self._printed = clock()
        self._left: float | None = None
        self._whole: TaskID | None = None
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
        before, when = self._last.get(stage, (0, self._began[stage]))
        self._last[stage] = done, now
        if done < before:  # the stage begins again
            self._began[stage] = now
            return
        if done == total:
            self._print(f"{stage}: {done}/{total}")
        elif done and now - self._printed >= _INTERVAL_S:
            # Units differ, as those of early stopping do: the slower of all of them and of the newest counts.
            rate = max((now - self._began[stage]) / done, (now - when) / max(1, done - before))
            left = rate * (total - done) if self._left is None else self._left
            self._print(f"{stage}: {done}/{total}, about {_duration(left)} left")

    def remaining(self, seconds: float) -> None:
        """Take the expected time to the end of the whole run, s."""
        self._left = seconds
        text = f"the whole run, about {_duration(seconds)} left"
        if self._whole is None:
            self._whole = self.bars.add_task(text, total=None)
        self.bars.update(self._whole, description=text)

    def slowed(self, reason: str) -> None:
        """Print what slows the run."""
        self._console.print(f"WARNING {reason}", highlight=False, soft_wrap=True)

    def _print(self, line: str) -> None:
        self._printed = self._clock()
        self._console.print(line, highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def progress() -> Iterator[StageProgress]:
    """A progress callback that is shown until the block ends."""
    from rich.console import Console

    shown = StageProgress(Console(stderr=True))
    with shown.bars:
        yield shown
