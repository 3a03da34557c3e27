"""The linked figure: its controls and panels. `page/static/figure.js` draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from quorate.evaluation.report.formatting import text_of
from quorate.evaluation.report.page.template import Html

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

_MARKS = "▲▼ entries, ✕ exits; dots where there are many: zoom in"
_RANGES = (("all", 0), ("1 y", 365), ("90 d", 90), ("30 d", 30), ("7 d", 7), ("1 d", 1))


def figure(run: ReportedRun, data: Mapping[str, Any] | None) -> Html:
    """Equity, drawdown and price on one time axis; empty without bars.

    Args:
        run: whose account is shown.
        data: of `linked_figure`.
    """
    if data is None:
        return Html("")
    account = run.account
    equity = f"Equity from {account.start_usd:,.0f} to {account.equity[-1]:,.0f} {run.currency}"
    drawdown = f"Drawdown, at most {text_of(account.max_drawdown, 'share')}"
    first = next((trade.symbol for trade in run.result.trades if trade.symbol in data["prices"]), "")
    first = first or next(iter(data["prices"]), "")
    rivals = "".join(
        f'<label><input type="checkbox" value="{escape(name)}"><span class="key c{1 + place % 6}"></span>'
        f"{escape(name)}</label>"
        for place, name in enumerate(data["rivals"])
    )
    shown = '<span class="key" style="background:var(--accent)"></span>account'
    shown += ', <span class="key" style="background:var(--hold)"></span>holding' if "hold" in data["equity"] else ""
    shown += ", shaded: random entries" if data["band"] else ""
    return Html(
        f'<div class="card" id="figure"><div class="controls">'
        f'<span class="group">{_buttons()}</span>'
        f'<label>market <select id="market">{_options(list(data["prices"]), first)}</select></label>'
        f'<label><input type="checkbox" id="log">log scale</label></div>'
        + (f'<div class="controls" id="rivals">also: {rivals}</div>' if rivals else "")
        + _panel("equity", "Equity", shown, equity)
        + _panel("drawdown", "Drawdown", "below the running peak", drawdown)
        + _panel(
            "price",
            "Price",
            f"{_MARKS}; {_thinning(data)}",
            f"Price of {first} with its trades",
        )
        + '<p class="readout" id="readout" aria-live="off"></p>'
        '<p class="muted">Drag to zoom, double-click for all. All panels move together. Times are UTC.</p></div>'
    )


def _panel(name: str, title: str, hint: str, words: str) -> str:
    return (
        f'<p class="panel-name"><b>{title}</b> {hint}</p>'
        f'<div class="panel {name}" id="panel-{name}" role="img" aria-label="{escape(words)}"></div>'
    )


def _buttons() -> str:
    ranges = "".join(f'<button type="button" data-days="{days}">{name}</button>' for name, days in _RANGES)
    return (
        f'<button type="button" data-move="-0.5" aria-label="earlier">◀</button>{ranges}'
        '<button type="button" data-move="0.5" aria-label="later">▶</button>'
    )


def _options(symbols: Sequence[str], chosen: str) -> str:
    return "".join(f"<option{' selected' if symbol == chosen else ''}>{escape(symbol)}</option>" for symbol in symbols)


def _thinning(data: Mapping[str, Any]) -> str:
    if data["bars"] == 1:
        return "shaded: the range of each bar"
    return f"each point is {data['bars']} bars of {data['timeframe']}, shaded: their range"
