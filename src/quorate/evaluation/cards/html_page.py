"""A model card as one self-contained HTML page without scripts."""

from __future__ import annotations

from html import escape

from quorate.evaluation.cards.diagram_svg import diagram_svg
from quorate.evaluation.cards.model_card import CardSection, ModelCard
from quorate.evaluation.report.page.template import Html, Page


def card_html(card: ModelCard) -> str:
    """The whole page."""
    page = Page(synthetic=card.synthetic)
    body = Html("".join(_section(page, section) for section in card.sections))
    header = Html(f"<h1>{escape(card.title)}</h1><p>{escape(card.summary)}</p>")
    return page.document(card.title, header, body)


def _section(page: Page, section: CardSection) -> Html:
    figures = "".join(f'<figure class="card">{diagram_svg(diagram)}</figure>' for diagram in section.diagrams)
    code = "".join(f'<pre class="card scroll">{escape(text)}</pre>' for text in section.code)
    return page.section(
        section.title,
        Html("".join(f"<p>{escape(sentence)}</p>" for sentence in section.text)),
        Html(f'<div class="row">{figures}</div>' if figures else ""),
        *(page.table(table, words=_words(section)) for table in section.tables),
        Html(code),
    )


def _words(section: CardSection) -> bool:
    """Whether the cells of a section's tables are words: those with figures are aligned to the right."""
    return section.title not in ("Metrics", "Calibration", "Importance")
