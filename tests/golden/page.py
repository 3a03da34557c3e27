"""What an HTML report shows, as a document: the data of its plots, and its texts in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    """Collects texts outside of styles and scripts, and the one script that is data."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.plots = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script"):
            self._inside = "plots" if dict(attrs).get("type") == "application/json" else tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "plots":
            self.plots += data
        elif not self._inside and data.strip():
            self.texts.append(data.strip())


def read_page(html: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Plots and texts of a page, without when it was made and by which code.

    Args:
        html: the page.
        provenance: of the command's document, which holds both.

    >>> html = '<p>made 2024-01-01T00:00:00Z</p><script type="application/json">{"equity": [1]}</script>'
    >>> read_page(html, {"measured": "2024-01-01T00:00:00Z", "code": "1+ab"})
    {'plots': {'equity': [1]}, 'texts': ['made <measured>']}
    """
    for name in ("measured", "code"):
        html = html.replace(provenance[name], f"&lt;{name}&gt;")
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return {"plots": json.loads(reader.plots), "texts": reader.texts}
