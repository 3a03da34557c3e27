"""A model card as Markdown, with tables as GitHub and MkDocs read them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quorate.evaluation.cards.model_card import Diagram, ModelCard
from quorate.evaluation.report.formatting import SYNTHETIC, Cell, Table

# What begins markup. Names come from a manifest that others may have written.
_MARKUP = re.compile(r"([\\`*\[\]<>|#~!&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def card_markdown(card: ModelCard) -> str:
    """The whole page; a diagram is the table of its points."""
    return "\n".join(_lines(card)).rstrip() + "\n"


def _lines(card: ModelCard) -> Iterator[str]:
    yield f"# {_text(card.title)}"
    yield ""
    if card.synthetic:
        yield from (f"**{_text(SYNTHETIC)}**", "")
    yield from (_text(card.summary), "")
    for section in card.sections:
        yield from (f"## {_text(section.title)}", "")
        for sentence in section.text:
            yield from (_text(sentence), "")
        for table in (*map(_points, section.diagrams), *section.tables):
            yield from _table(table)
        for code in section.code:
            yield from (*_fenced(code), "")


def _fenced(code: str) -> Iterator[str]:
    """Lines of code in a fence that is longer than any in the code."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 0)
    yield fence
    yield from code.rstrip().splitlines()
    yield fence


def _points(diagram: Diagram) -> Table:
    rows = tuple(
        (
            Cell(f"{point.score:.3f}"),
            Cell(f"{point.correct:.3f}", f"{point.low:.3f} to {point.high:.3f}"),
            Cell(f"{point.rows:,}"),
        )
        for point in diagram.points
    )
    return Table(f"Reliability of {diagram.title}", ("mean score", "share correct", "rows"), rows)


def _table(table: Table) -> Iterator[str]:
    yield from (f"{_text(table.title)}:", "")
    yield f"| {' | '.join(map(_text, table.columns))} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def _cell(cell: Cell) -> str:
    more = "; ".join(part for part in (cell.interval, cell.reason) if part)
    return _text(f"{cell.text} ({more})" if more else cell.text)


def _text(text: str) -> str:
    """Text without markup, in one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
