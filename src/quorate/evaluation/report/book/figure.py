"""The linked figure of a book: its data and panels. `page/static/book.js` draws it."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.types import FloatArray
from quorate.evaluation.book.series import BookSeries
from quorate.evaluation.report.book.tables import HOLDINGS
from quorate.evaluation.report.charts.svg import line_class
from quorate.evaluation.report.formatting import Figure, text_of
from quorate.evaluation.report.page.template import Html

_MARKETS = 20  # rows of the map of weights
_WEEK = 7  # days of one of its cells
_TURNOVER_DAYS = 30  # of the mean that is drawn
_RANGES = (("all", 0), ("2 y", 730), ("1 y", 365), ("90 d", 90))
_STYLES = ("hold", "c5", "c6")  # colours of the holdings
_SHOWN = ("BTC",)  # holdings that are drawn at once

Numbers = list[float]


def figure_data(series: BookSeries) -> dict[str, Any] | None:
    """Columns of all panels, JSON-safe; None for a book that held nothing.

    Holdings are there twice: as they are, and `alike`, with their returns scaled to the volatility of the book.
    """
    if not len(series.time):
        return None
    spread = series.net.std()
    alike = {
        HOLDINGS[name]: _equity(net * (spread / net.std() if net.std() > 0 else 1.0))
        for name, net in series.beside.items()
    }
    holdings = {HOLDINGS[name]: _equity(net) for name, net in series.beside.items()}
    markets, weeks, weights = _map_of_weights(series)
    return {
        "time": (series.time // 1_000).tolist(),
        "equity": _equity(series.net),
        "holdings": holdings,
        "alike": alike,
        "drawdown": {"book": _drawdown(series.net), "BTC": _drawdown(series.beside["btc"])},
        "exposure": {name: _rounded(own) for name, own in series.sleeve_exposure.items()},
        "side": _rounded(series.side),
        "turnover": _rounded(_trailing_mean(series.turnover, _TURNOVER_DAYS)),
        "earned": {name: _rounded(np.cumsum(own)) for name, own in series.sleeves.items()},
        "together": _rounded(np.cumsum(series.net)),
        "markets": markets,
        "weeks": weeks,
        "weights": weights,
        "styles": dict(zip(holdings, _STYLES, strict=True)),
    }


def figure(data: dict[str, Any] | None, figures: Figure) -> Html:
    """Controls and panels; empty for a book that held nothing.

    Args:
        data: of `figure_data`.
        figures: of the judgement.
    """
    if data is None:
        return Html("")
    whole = figures["whole"]
    sleeves = ", ".join(
        f'<span class="key {line_class(1 + number % 6)}"></span>{escape(name)}'
        for number, name in enumerate(data["exposure"])
    )
    own = '<span class="key" style="background:var(--accent)"></span>book'
    boxes = "".join(
        f'<label><input type="checkbox" value="{escape(name)}"{" checked" * (name in _SHOWN)}>'
        f'<span class="key" style="background:var(--{style})"></span>{escape(name)}</label>'
        for name, style in zip(data["holdings"], _STYLES, strict=True)
    )
    long, short = (f'<span class="key" style="background:var(--{name})"></span>' for name in ("accent", "c2"))
    grown = f"Equity grew to {data['equity'][-1]:.2f} times its start"
    return Html(
        f'<div class="card" id="book-figure"><div class="controls"><span class="group">{_buttons()}</span>'
        '<label><input type="checkbox" id="log" checked>log scale</label>'
        '<label><input type="checkbox" id="alike" checked>holdings at the volatility of the book</label></div>'
        f'<div class="controls" id="holdings">beside: {boxes}</div>'
        + _panel("equity", "Equity", f"times the start; {own}", grown)
        + _panel(
            "drawdown",
            "Drawdown",
            'below the running peak; <label><input type="checkbox" id="deep">with BTC, not scaled</label>',
            f"Drawdown, at most {text_of(whole['max_drawdown'], 'odds')}",
        )
        + _panel(
            "exposure",
            "Exposure",
            f"sizes of the weights, sleeves on each other: {sleeves}; line: long less short",
            f"Mean gross exposure {text_of(whole['gross_exposure'], 'odds')}",
        )
        + _panel(
            "markets",
            "Weights",
            f"of the {len(data['markets'])} largest markets, mean of each week: {long}long {short}short",
            f"Weights of {', '.join(data['markets'])}",
        )
        + _panel(
            "earned",
            "Earned",
            f"sum of daily net returns, sleeves alone: {sleeves}; {own}, in one account",
            "Net results of the sleeves",
        )
        + _panel(
            "turnover",
            "Turnover",
            f"of a day, as a share of the equity, mean of {_TURNOVER_DAYS} days",
            f"Mean turnover {whole['turnover_a_day']:.2f} of the exposure a day",
        )
        + '<p class="readout" id="readout" aria-live="off"></p>'
        '<p class="muted">Drag to zoom, double-click for all. All panels move together. Days are UTC.</p></div>'
    )


def _panel(name: str, title: str, hint: str, words: str) -> str:
    return (
        f'<p class="panel-name"><b>{title}</b> {hint}</p>'
        f'<div class="panel {name}" id="panel-{name}" role="img" aria-label="{escape(words)}"></div>'
    )


def _buttons() -> str:
    return "".join(f'<button type="button" data-days="{days}">{name}</button>' for name, days in _RANGES)


def _map_of_weights(series: BookSeries) -> tuple[list[str], list[int], list[Numbers]]:
    """Names of the largest markets, the start of each week in seconds, and their (markets, weeks) mean weights."""
    sizes = np.abs(series.weights).mean(axis=0)
    largest = [int(market) for market in np.argsort(-sizes, kind="stable")[:_MARKETS] if sizes[market] > 0]
    week = np.arange(len(series.time)) // _WEEK
    counts = np.bincount(week)
    means = [np.bincount(week, series.weights[:, market]) / counts for market in largest]
    starts = (series.time[0] + np.arange(len(counts)) * _WEEK * DAY_MS) // 1_000
    names = [series.symbols[market].partition("/")[0] for market in largest]
    return names, starts.tolist(), [_rounded(mean) for mean in means]


def _equity(net: FloatArray) -> Numbers:
    return [float(f"{value:.6g}") for value in np.cumprod(1 + net).tolist()]


def _drawdown(net: FloatArray) -> Numbers:
    worth = np.cumprod(1 + net)
    return _rounded(worth / np.maximum(np.maximum.accumulate(worth), 1.0) - 1)


def _trailing_mean(values: FloatArray, days: int) -> FloatArray:
    sums = np.cumsum(np.insert(values, 0, 0.0))
    row = np.arange(1, len(values) + 1)
    first = np.maximum(row - days, 0)
    return np.asarray((sums[row] - sums[first]) / (row - first))


def _rounded(values: FloatArray) -> Numbers:
    """Five decimals: a tenth of a basis point, which keeps the page small."""
    return [round(value, 5) + 0.0 for value in values.tolist()]
