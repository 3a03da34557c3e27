"""Results that are lists, as text and as HTML for a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_GAP = "  "


class Lines(NamedTuple):
    """Column names, and rows of as many texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Listing(ABC):
    """A result that is a list: printed, or as the last line of a notebook's cell, it shows a table of texts."""

    __slots__ = ()

    @property
    @abstractmethod
    def title(self) -> str:
        """What is listed, and how many."""

    @property
    @abstractmethod
    def lines(self) -> Lines:
        """The table."""

    @property
    def marks(self) -> tuple[str, ...]:
        """Marks that stand above everything else."""
        return ()

    def __str__(self) -> str:
        return text(self.title, self.marks, self.lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html(self.title, self.marks, self.lines)


def text(title: str, marks: Sequence[str], lines: Lines) -> str:
    """Plain text: marks, the title, and the rows below the names of their columns.

    >>> print(text("2 files", [], Lines(("file", "rows"), (("a", "10"), ("bcdef", "")))))
    2 files
      file   rows
      a      10
      bcdef
    """
    table = (lines.columns, *lines.rows)
    widths = [max(len(row[place]) for row in table) for place in range(len(lines.columns))]
    drawn = [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*marks, title, *(f"{_GAP}{line}" for line in drawn)])


def html(title: str, marks: Sequence[str], lines: Lines) -> str:
    """HTML: the same with a table; all texts are escaped."""
    marked = "".join(f"<p><strong>{escape(mark)}</strong></p>" for mark in marks)
    head = "".join(f"<th>{escape(name)}</th>" for name in lines.columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in lines.rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div>{marked}<p>{escape(title)}</p>{table}</div>"
