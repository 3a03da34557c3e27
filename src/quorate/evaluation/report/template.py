"""HTML template of the report. All text is escaped here, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, NewType

from quorate.core.errors import MissingExtraError
from quorate.evaluation.report.formatting import Cell, Table

Html = NewType("Html", str)

_TAG = "SYNTHETIC"
_SYNTHETIC = (
    "All figures and plots on this page are of the synthetic market. They show that the program works, not that it is "
    "profitable."
)
# The page is self-contained: the browser must not fetch anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


class Page:
    """Builder of the parts of one page.

    Args:
        synthetic: figures are of the synthetic market; every title is then tagged.
        currency: of the account, for its amounts in tables.
    """

    def __init__(self, *, synthetic: bool, currency: str = "USD") -> None:
        self._currency = currency
        self._tag = f'<span class="tag">{_TAG}</span>' if synthetic else ""
        self.synthetic = synthetic

    def section(self, title: str, *content: Html) -> Html:
        """A heading with its content; empty without content."""
        if not any(content):
            return Html("")
        return Html(f"<section><h2>{escape(title)}{self._tag}</h2>{''.join(content)}</section>")

    def row(self, *content: Html) -> Html:
        """Parts side by side, or below each other on narrow screens."""
        shown = [piece for piece in content if piece]
        return Html(f'<div class="row">{"".join(shown)}</div>' if shown else "")

    def tile(self, label: str, value: Cell, beside: str) -> Html:
        """A headline figure with its interval or the reason why it is missing, and its baseline."""
        below = "".join(f"{escape(line)}<br>" for line in (value.interval, value.reason) if line)
        return Html(
            f'<div class="tile"><div class="label">{escape(label)}{self._tag}</div>'
            f'<div class="value {value.tone}">{escape(value.text)}</div>'
            f'<div class="beside">{below}{escape(beside)}</div></div>'
        )

    def tiles(self, *tiles: Html) -> Html:
        """Headline figures in a row."""
        return Html(f'<div class="tiles">{"".join(tiles)}</div>')

    def table(self, table: Table, *, words: bool = False) -> Html:
        """A table with its title; `words` aligns cells left. Empty without rows."""
        if not table.rows:
            return Html("")
        table = table.in_currency(self._currency)
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
        body = "".join(
            f'<tr><th scope="row">{_content(first)}</th>'
            + "".join(f'<td class="{cell.tone}">{_content(cell)}</td>' for cell in rest)
            + "</tr>"
            for first, *rest in table.rows
        )
        kind = ' class="words"' if words else ""
        return Html(
            f'<div class="card"><div class="title">{escape(table.title)}{self._tag}</div><div class="scroll">'
            f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
        )

    def prose(self, title: str, sentences: Sequence[str]) -> Html:
        """Sentences with a title; empty without any."""
        if not sentences:
            return Html("")
        lines = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        return Html(f'<div class="card"><div class="title">{escape(title)}{self._tag}</div>{lines}</div>')

    def plot(self, plots: Mapping[str, Any], name: str, title: str, hint: str = "", *, tall: bool = False) -> Html:
        """Placeholder of a plot with its title; empty if there is no plot of that name."""
        if name not in plots:
            return Html("")
        below = f'<span class="hint">{escape(hint)}</span>' if hint else ""
        kind = "plot tall" if tall else "plot"
        return Html(
            f'<figure class="card"><figcaption>{escape(title)}{self._tag}{below}</figcaption>'
            f'<div class="{kind}" id="plot-{escape(name)}"></div></figure>'
        )

    def document(
        self,
        title: str,
        subtitles: Sequence[str],
        body: Html,
        *,
        warnings: Sequence[str],
        footer: Sequence[str],
        plots: Mapping[str, Any],
    ) -> str:
        """The whole page; with plots, plotly's script is included.

        Raises:
            MissingExtraError: plotly is not installed.
        """
        banners = [f"<strong>{_TAG}.</strong> {_SYNTHETIC}"] if self.synthetic else []
        banners += [escape(warning) for warning in warnings]
        banner = "".join(f'<p class="banner" role="note">{text}</p>' for text in banners)
        notes = "".join(f"<p>{escape(line)}</p>" for line in footer)
        below = "".join(f'<p class="muted">{escape(line)}</p>' for line in subtitles)
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}{f' ({_TAG})' if self.synthetic else ''}</title>"
            f"<style>{_asset('template.css')}</style></head><body><main>"
            f"{banner}<header><h1>{escape(title)}{self._tag}</h1>{below}</header>"
            f"{body}<footer>{notes}</footer></main>{_scripts(plots) if plots else ''}</body></html>\n"
        )


def _scripts(plots: Mapping[str, Any]) -> str:
    return (
        f"<script>{_plotly()}</script>"
        f'<script type="application/json" id="plots">{_json(plots)}</script>'
        f"<script>{_asset('template.js')}</script>"
    )


def _content(cell: Cell) -> str:
    interval = f'<small class="interval">{escape(cell.interval)}</small>' if cell.interval else ""
    reason = f"<small>{escape(cell.reason)}</small>" if cell.reason else ""
    return f"{escape(cell.text)}{interval}{reason}"


def _json(value: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files("quorate.evaluation.report").joinpath(name).read_text(encoding="utf-8")


def require_plotly() -> None:
    """Check that plotly is installed, before long work that ends with a report.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    if find_spec("plotly") is None:
        raise MissingExtraError(
            "write the HTML report", found="no plotly", expected="plotly", remedy="Run: pip install 'quorate[train]'"
        )


def _plotly() -> str:
    require_plotly()
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
