"""HTML template of reports. All text is escaped here, or by the charts that make it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any, NewType

from quorate.evaluation.report.formatting import Cell, Table

Html = NewType("Html", str)

_SYNTHETIC = (
    "Everything on this page comes from a generated market. It shows that the program works, not that it is profitable."
)
# The page is self-contained: the browser must not fetch anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
# A table with more columns than this becomes a list of rows on narrow screens, so that no number is cut.
_NARROW = 3
# As is one with longer texts in its cells; a share of the page's width would be too narrow for them.
_LONG = 26
_SORTED_ROWS = 3  # fewer are not worth sorting


class Page:
    """Builder of the parts of one page.

    Args:
        synthetic: figures are of the synthetic market; the page says so once, at its top, and in its tab.
        currency: of the account, for its amounts in tables.
    """

    def __init__(self, *, synthetic: bool, currency: str = "USD") -> None:
        self._currency = currency
        self._contents: list[tuple[str, str]] = []
        self.synthetic = synthetic

    def section(self, title: str, *content: Html, anchor: str = "", name: str = "", hint: str = "") -> Html:
        """A heading with its content; empty without content.

        Args:
            title: the heading.
            content: parts of the section.
            anchor: where the contents bar leads to; "" for a section that it does not have.
            name: in the contents bar, where the title is too long for it.
            hint: a sentence below the heading.
        """
        if not any(content):
            return Html("")
        if anchor:
            self._contents.append((anchor, name or title))
        place = f' id="{escape(anchor)}"' if anchor else ""
        below = f'<p class="muted">{escape(hint)}</p>' if hint else ""
        return Html(f"<section{place}><h2>{escape(title)}</h2>{below}{''.join(content)}</section>")

    def folded(self, title: str, anchor: str, *content: Html, hint: str = "") -> Html:
        """A section that is closed until it is clicked."""
        if not any(content):
            return Html("")
        self._contents.append((anchor, title))
        return Html(
            f'<section id="{escape(anchor)}"><details class="fold"><summary><h2>{escape(title)}</h2>'
            f'<span class="muted">{escape(hint)}</span></summary>{"".join(content)}</details></section>'
        )

    def group(self, title: str, *content: Html) -> Html:
        """A smaller heading with its content; empty without content."""
        return Html(f"<h3>{escape(title)}</h3>{''.join(content)}") if any(content) else Html("")

    def row(self, *content: Html, even: bool = False) -> Html:
        """Parts side by side, or below each other on narrow screens; `even` keeps the columns of fuller rows."""
        shown = [piece for piece in content if piece]
        return Html(f'<div class="row{" even" * even}">{"".join(shown)}</div>' if shown else "")

    def tile(self, label: str, value: Cell, beside: str, badge: str = "") -> Html:
        """A headline figure with its interval or the reason why it is missing, its baseline, and its significance."""
        lines = [line for line in (value.interval, value.reason, beside) if line]
        below = "".join(f"<dd>{escape(line)}</dd>" for line in lines)
        mark = f'<dd class="badge">{escape(badge)}</dd>' if badge else ""
        return Html(
            f'<dl class="tile"><dt>{escape(label)}</dt><dd class="value {value.tone}">{escape(value.text)}</dd>'
            f"{below}{mark}</dl>"
        )

    def tiles(self, *tiles: Html) -> Html:
        """Headline figures in a row."""
        return Html(f'<div class="tiles">{"".join(tiles)}</div>')

    def table(self, table: Table, *, words: bool = False, sortable: bool = False) -> Html:
        """A table with its title; `words` aligns cells left. Empty without rows."""
        if not table.rows:
            return Html("")
        table = table.in_currency(self._currency)
        sortable = sortable and len(table.rows) >= _SORTED_ROWS
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
        body = "".join(
            f'<tr><th scope="row">{_content(first)}</th>'
            + "".join(
                f'<td class="{cell.tone}" data-label="{escape(name)}">{_content(cell)}</td>'
                for name, cell in zip(table.columns[1:], rest, strict=True)
            )
            + "</tr>"
            for first, *rest in table.rows
        )
        kinds = [kind for kind, wanted in (("words", words), ("sortable", sortable), ("stack", _wide(table))) if wanted]
        return Html(
            f'<div class="card"><div class="title">{escape(table.title)}</div><div class="scroll">'
            f'<table class="{" ".join(kinds)}"><caption>{escape(table.title)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
        )

    def prose(self, title: str, sentences: Sequence[str]) -> Html:
        """Sentences with a title; empty without any."""
        if not sentences:
            return Html("")
        lines = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        return Html(f'<div class="card"><div class="title">{escape(title)}</div>{lines}</div>')

    def chart(self, drawn: str, title: str, hint: str = "") -> Html:
        """A chart with its title; empty without one.

        Args:
            drawn: markup of `report.charts`, whose texts are escaped.
            title: of the chart.
            hint: what it shows, below the title.
        """
        if not drawn:
            return Html("")
        below = f'<span class="hint">{escape(hint)}</span>' if hint else ""
        return Html(f'<figure class="card"><figcaption>{escape(title)}{below}</figcaption>{drawn}</figure>')

    def document(
        self,
        title: str,
        header: Html,
        body: Html,
        *,
        warnings: Sequence[str] = (),
        footer: Sequence[str] = (),
        data: Mapping[str, Any] | None = None,
        scripts: Sequence[str] = ("figure.js", "trades.js"),
    ) -> str:
        """The whole page.

        Args:
            title: of the tab.
            header: what stands above the contents bar.
            body: sections.
            warnings: sentences shown as banners at the top.
            footer: sentences at the bottom.
            data: of the linked figure and the table of trades; None for a page without them, and without their scripts.
            scripts: files that draw the data.
        """
        banners = f'<p class="synthetic" role="note"><strong>SYNTHETIC</strong> {_SYNTHETIC}</p>' * self.synthetic
        banners += "".join(f'<p class="banner" role="note">{escape(warning)}</p>' for warning in warnings)
        links = "".join(f'<li><a href="#{escape(anchor)}">{escape(name)}</a></li>' for anchor, name in self._contents)
        bar = f'<nav class="contents" aria-label="Contents"><ul>{links}</ul></nav>' if links else ""
        notes = "".join(f"<p>{escape(line)}</p>" for line in footer)
        mark = "SYNTHETIC: " if self.synthetic else ""
        code = "" if data is None else _scripts(data, scripts)
        style = _static("report.css") + (_vendored("uPlot.min.css") if data is not None else "")
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(mark + title)}</title><style>{style}</style></head><body>"
            f"{banners}<header>{header}</header>{bar}<main>{body}</main><footer>{notes}</footer>{code}</body></html>\n"
        )


def _wide(table: Table) -> bool:
    longest = max((len(cell.text) for row in table.rows for cell in row[1:]), default=0)
    return len(table.columns) > _NARROW or longest > _LONG


def _scripts(data: Mapping[str, Any], names: Sequence[str]) -> str:
    notice = f"/*\n{_vendored('uPlot.LICENSE.txt')}*/\n"
    own = "".join(_script(_static(name)) for name in ("page.js", *names))
    found = f'<script type="application/json" id="data">{_json(data)}</script>'
    return _script(notice + _vendored("uPlot.min.js")) + found + own


def _script(code: str) -> str:
    return f"<script>{code}</script>"


def _content(cell: Cell) -> str:
    interval = f'<small class="interval">{escape(cell.interval)}</small>' if cell.interval else ""
    reason = f"<small>{escape(cell.reason)}</small>" if cell.reason else ""
    return f"{escape(cell.text)}{interval}{reason}"


def _json(value: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _static(name: str) -> str:
    return files("quorate.evaluation.report.page").joinpath("static", name).read_text(encoding="utf-8")


def _vendored(name: str) -> str:
    return files("quorate.evaluation.report.page").joinpath("vendor", name).read_text(encoding="utf-8")
