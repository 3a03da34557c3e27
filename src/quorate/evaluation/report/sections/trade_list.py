"""Every trade with the vote behind it: the rows that `page/static/trades.js` sorts, filters and saves as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.types import Action
from quorate.core.types.signals import SHORT_NAMES
from quorate.ensemble.voting.frame_signals import member_output
from quorate.evaluation.report.page.template import Html

if TYPE_CHECKING:
    from quorate.core.types import DecisionFrame
    from quorate.evaluation.report.reported_run import ReportedRun
    from quorate.trading.account.trade import Trade

# Rows that keep the page below 3 MB.
_MOST_ROWS = 8_000
_COLUMNS = ("market", "entered (UTC)", "left (UTC)", "held", "net", "net, {currency}", "exit", "confidence", "vote")
_ROW = (
    *("symbol", "side", "decided", "entry", "exit", "entry_price", "exit_price", "quantity", "leverage", "net"),
    *("net_return", "fee", "slippage", "funding", "reason", "confidence", "consensus", "vote"),
)


def trade_rows(run: ReportedRun) -> dict[str, Any]:
    """The newest trades, in order of entry, JSON-safe; texts that repeat are numbers of lists."""
    trades = sorted(run.result.trades, key=lambda trade: (trade.entry_time, trade.symbol))[-_MOST_ROWS:]
    symbols, reasons = _Texts(), _Texts()
    consensus, members = _Texts(), _members(run)
    rows = []
    for trade in trades:
        name, vote = _vote(run.frames.get(trade.symbol), trade, members)
        texts = symbols.place(trade.symbol), reasons.place(str(trade.reason)), consensus.place(name)
        rows.append(_row(trade, *texts, vote))
    return {
        "symbols": symbols.found,
        "reasons": reasons.found,
        "consensus": consensus.found,
        "members": [SHORT_NAMES.get(name, name) for name in members],
        "names": list(_ROW),
        "rows": rows,
    }


class _Texts:
    """Texts in the order in which they were first met."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.found)
            self.found.append(text)
        return self._places[text]


def _row(trade: Trade, symbol: int, reason: int, consensus: int, vote: str) -> list[Any]:
    times = (at // 1000 for at in (trade.decided, trade.entry_time, trade.exit_time))
    money = (trade.net_usd, trade.net_return, trade.fee_usd, trade.slippage_usd, trade.funding_usd)
    prices = (trade.entry_price, trade.exit_price, trade.quantity)
    return [
        *(symbol, trade.side, *times),
        *(float(f"{value:.8g}") for value in prices),
        *(round(trade.leverage, 2), *(float(f"{value:.6g}") for value in money)),
        *(reason, round(trade.confidence, 4), consensus, vote),
    ]


def _members(run: ReportedRun) -> list[str]:
    """Members of a vote, or those of a stack and the stack itself."""
    votes = dict.fromkeys(name for frame in run.frames.values() for name in frame.scores)
    if votes:
        return list(votes)
    returns = dict.fromkeys(name for frame in run.frames.values() for name in frame.forecasts)
    return [*returns, "stack"] if returns else []


def _vote(frame: DecisionFrame | None, trade: Trade, members: Sequence[str]) -> tuple[str, str]:
    """Name of the consensus, and a code for each member on the bar that decided a trade.

    A code is the first letter of the action and its score in percent; for a stack the predicted return in percent; "-"
    for an abstention.
    """
    row = None if frame is None else frame.row_at(trade.decided)
    if frame is None or row is None:
        return "", ""
    codes = []
    for name in members:
        if name == "stack":
            value = np.nan if frame.predicted is None else frame.predicted[row]
        else:
            (value,), (direction,) = member_output(frame, name, slice(row, row + 1))
        if np.isnan(value):
            codes.append("-")
        elif name in frame.scores:
            codes.append(f"{Action(int(direction) + int(Action.HOLD)).name[0]}{100 * value:.0f}")
        else:
            codes.append(f"{100 * value:+.2f}")
    name = "" if frame.forecasts else str(frame.consensus[row]).replace("_", " ")
    return name, " ".join(codes)


def trade_list(run: ReportedRun, data: dict[str, Any]) -> Html:
    """The table with its filters; empty without trades.

    Args:
        run: whose trades are listed.
        data: of `trade_rows`.
    """
    if not data["rows"]:
        return Html("")
    head = "".join(f'<th scope="col">{name.format(currency=escape(run.currency))}</th>' for name in _COLUMNS)
    exits = [(reason, reason) for reason in sorted(data["reasons"])]
    filters = (
        _filter("market", [(symbol, symbol) for symbol in sorted(data["symbols"])])
        + _filter("side", [("1", "long"), ("-1", "short")])
        + _filter("exit", exits)
        + _filter("result", [("won", "won"), ("lost", "lost")])
    )
    left_out = len(run.result.trades) - len(data["rows"])
    more = f'<p class="muted">The {left_out:,} oldest trades are left out of this page.</p>' if left_out > 0 else ""
    return Html(
        f'<div class="card trades"><div class="controls">{filters}'
        '<button type="button" id="save-trades">Save as CSV</button></div>'
        '<div class="scroll"><table class="stack" id="trade-rows"><caption>Trades</caption>'
        f"<thead><tr>{head}</tr></thead><tbody></tbody></table></div>"
        '<div class="pager"><span id="trade-count" role="status"></span>'
        f'<button type="button" id="more-trades">Show 100 more</button></div>{more}</div>'
    )


def _filter(name: str, options: Sequence[tuple[str, str]]) -> str:
    shown = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    return f'<label>{name} <select data-filter="{name}"><option value="">all</option>{shown}</select></label>'
