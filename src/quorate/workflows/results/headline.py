"""Headline of a result: its main figures beside their baselines, as text and as HTML for a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from quorate.core.text.plural import counted
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.inputs.applied_vote import overrides_text

if TYPE_CHECKING:
    from quorate.evaluation.report.formatting import Cell, Kind

IN_TRAINING_SPAN = "INSIDE THE TRAINING SPAN: the bundle was trained on these bars, so the figures are optimistic"

_GAP = "  "


@dataclass(frozen=True, slots=True)
class HeadlineRow:
    """One figure: its name, its value with its interval or the reason why there is none, and its baseline."""

    name: str
    value: Cell
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """A title, marks, figures beside their baselines, and the verdict, where there is one."""

    title: str
    marks: tuple[str, ...]
    rows: tuple[HeadlineRow, ...]
    verdict: str = ""

    def text(self) -> str:
        """Plain text: marks, the title, a line for each figure, and the verdict."""
        cells = [(row.name, _shown(row.value), row.baseline) for row in self.rows]
        widths = [max((len(line[place]) for line in cells), default=0) for place in range(3)]
        lines = [_GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
        end = [_GAP + self.verdict] if self.verdict else []
        return "\n".join([*self.marks, self.title, *(_GAP + line.rstrip() for line in lines), *end])

    def html(self) -> str:
        """HTML: the same with a table; all texts are escaped."""
        marks = "".join(f"<p><strong>{escape(mark)}</strong></p>" for mark in self.marks)
        body = "".join(
            f"<tr><th scope='row' style='text-align:left'>{escape(row.name)}</th>"
            f"<td>{escape(_shown(row.value))}</td><td>{escape(row.baseline)}</td></tr>"
            for row in self.rows
        )
        head = "<tr><th></th><th>measured</th><th>baseline</th></tr>"
        table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
        end = f"<p>{escape(self.verdict)}</p>" if self.verdict else ""
        return f"<div>{marks}<p>{escape(self.title)}</p>{table}{end}</div>"


class Headlined(ABC):
    """A result that shows its headline: printed, or as the last line of a notebook's cell."""

    __slots__ = ()

    @property
    @abstractmethod
    def headline(self) -> Headline:
        """The main figures beside their baselines."""

    def require_summary(self) -> None:
        """Make the text and the document; what they cannot show fails here."""
        self.headline.text()
        self.to_json()

    @abstractmethod
    def to_json(self) -> Any:
        """The document of the result."""

    def __str__(self) -> str:
        return self.headline.text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.headline.html()


def marks_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The marks of a document: synthetic candles, training span, closed policy, another currency, warnings."""
    marks = [SYNTHETIC] if document["synthetic"] else []
    marks += [IN_TRAINING_SPAN] if document.get("in_training_span") else []
    marks += [closed_text(document["closed_because"])] if document.get("closed_because") else []
    marks += [overrides_text(document["vote_overrides"])] if document.get("vote_overrides") else []
    currency = document.get("currency", "USD")
    if currency != "USD":
        marks.append(f"ACCOUNT IN {currency}: all amounts are in {currency}, also those whose names end in _usd")
    return (*marks, *document.get("warnings", ()))


def closed_text(because: str) -> str:
    """The sentence for a bundle that decides by the closed policy."""
    return f"CLOSED: the vote is shown and every bar is HOLD, because {because}"


def figure(name: str, figures: Mapping[str, Any], key: str, kind: Kind, baseline: str = "") -> HeadlineRow:
    """The row of a figure of a document."""
    from quorate.evaluation.report.formatting import cell

    return HeadlineRow(name, cell(figures, key, kind), baseline)


def beside(name: str, figures: Mapping[str, Any] | None, key: str, kind: Kind) -> str:
    """A baseline's figure with its interval as text; empty if there is no such baseline."""
    from quorate.evaluation.report.formatting import cell

    return "" if figures is None or key not in figures else f"{name} {_shown(cell(figures, key, kind))}"


def money_rows(
    trades: Mapping[str, Any], hold: Mapping[str, Any] | None, crowd: Mapping[str, Any] | None
) -> list[HeadlineRow]:
    """Trades, expectancy and return of an account beside buy-and-hold and random entries.

    Args:
        trades: the account's figures.
        hold: buy-and-hold on the same bars.
        crowd: accounts with as many entries at random bars.
    """
    rows = [figure("trades", trades, "n", "count")]
    if "expectancy_bps" in trades:
        random = beside("random entries", crowd, "expectancy_bps", "bps")
        rows.append(figure("expectancy", trades, "expectancy_bps", "bps", random))
    if "total_return" in trades:
        baseline = beside("buy and hold", hold, "total_return", "percent")
        rows.append(figure("return", trades, "total_return", "percent", baseline))
    return rows


def span_text(document: Mapping[str, Any]) -> str:
    """Rows, symbols, timeframe and span as text."""
    if not document["rows"]:
        markets = counted(document["symbols"], "market")
        return f"no labelled bar of {markets}, {document['timeframe']}: the span is too short"
    return (
        f"{counted(document['rows'], 'labelled bar')} of {counted(document['symbols'], 'market')}, "
        f"{document['timeframe']}, {document['from'][:10]} to {document['to'][:10]}"
    )


def _shown(cell: Cell) -> str:
    if cell.interval:
        return f"{cell.text} [{cell.interval}]"
    return f"{cell.text} ({cell.reason})" if cell.reason else cell.text
