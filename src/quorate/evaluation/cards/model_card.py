"""A model card as sections of text, tables and diagrams, whichever way it is written.

Source: Mitchell et al., Model Cards for Model Reporting, 2019 (arXiv 1810.03993).
"""

from __future__ import annotations

from dataclasses import dataclass

from quorate.evaluation.report.formatting import Table


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """Rows whose winning class had about the same score.

    Attributes:
        score: mean score of the winning class.
        correct: share of the rows on which that class came true.
        low, high: interval of that share; equal to it where there is none.
        rows: their number.
    """

    score: float
    correct: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """The reliability diagram of a member."""

    title: str
    points: tuple[ReliabilityPoint, ...]


@dataclass(frozen=True, slots=True)
class CardSection:
    """A part of a card: sentences first, then tables, diagrams, and text to copy."""

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    diagrams: tuple[Diagram, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of a bundle.

    Attributes:
        bundle: its id.
        title: of the page.
        summary: one sentence.
        synthetic: some candles of the training are synthetic.
        sections: in order.
    """

    bundle: str
    title: str
    summary: str
    synthetic: bool
    sections: tuple[CardSection, ...]
