"""Each trade with the vote that decided it, as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.core.clock import HOUR_MS
from quorate.core.files import write_refusal, write_text_atomic
from quorate.core.types import DecisionFrame
from quorate.ensemble.voting.frame_signals import signal_at
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

#: Columns of the file: those of `Trade.to_json`, and what is known of the decision.
COLUMNS = (
    *Trade._fields[: Trade._fields.index("funding_known")],
    *("net_usd", "funding_known", "mark_known", "hours", "net_bps", "consensus", "rule", "vote"),
)


def write_trades(path: str | Path, result: BacktestResult, frames: Mapping[str, DecisionFrame]) -> Path:
    """Write a CSV file with a row a trade, in the order they were closed; times are ISO 8601 in UTC.

    Columns are those of `quorate backtest --json`, and `hours` held, `net_bps` over the position's value at entry, and
    of the bar that decided: `consensus`, `rule` and `vote`, the signal's line.

    Args:
        path: of the file; replaced if it exists.
        result: with the trades.
        frames: symbol -> decisions of the run.

    Raises:
        DataError: the file cannot be written.
    """
    path = Path(path)
    rows = [_row(trade, frames.get(trade.symbol)) for trade in result.trades]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, text.getvalue())
    except OSError as error:
        raise write_refusal(path, error) from error
    return path


def _row(trade: Trade, frame: DecisionFrame | None) -> dict[str, Any]:
    own = trade.to_json() | {
        "hours": (trade.exit_time - trade.entry_time) / HOUR_MS,
        "net_bps": 1e4 * trade.net_return,
        "consensus": "",
        "rule": "",
        "vote": "",
    }
    row = None if frame is None else frame.row_at(trade.decided)
    if frame is None or row is None:
        return own
    signal = signal_at(frame, row, tuple(frame.scores or frame.forecasts), "full")
    return own | {"consensus": signal.consensus, "rule": signal.rule, "vote": signal.line()}
