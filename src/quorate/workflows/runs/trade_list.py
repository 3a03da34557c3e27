"""Each trade with the vote that decided it, as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.files import write_refusal, write_text_atomic
from quorate.core.types import CLASS_NAMES, DecisionFrame
from quorate.core.types.signals import SHORT_NAMES
from quorate.trading.account.position import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

_HOUR_MS = 3_600_000


def write_trades(path: str | Path, result: BacktestResult, frames: Mapping[str, DecisionFrame]) -> Path:
    """Write a CSV file with a row a trade, in the order they were closed; times are ISO 8601 in UTC.

    Columns are those of `quorate backtest --json`, and `hours` held, `net_bps` over the position's value at entry, and
    of the bar that decided: `consensus`, `rule` and `vote`, each member's class and score.

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
    names = list(rows[0]) if rows else ["symbol", "side", "decided", "entry_time", "exit_time", "reason", "net_usd"]
    table = csv.DictWriter(text, names, lineterminator="\n")
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
        "hours": (trade.exit_time - trade.entry_time) / _HOUR_MS,
        "net_bps": 1e4 * trade.net_return,
        "consensus": "",
        "rule": "",
        "vote": "",
    }
    if frame is not None:
        row = int(np.searchsorted(frame.time, trade.decided))
        if row < len(frame) and frame.time[row] == trade.decided:
            own |= {
                "consensus": str(frame.consensus[row]),
                "rule": str(frame.rule[row]),
                "vote": _vote(frame, row),
            }
    return own


def _vote(frame: DecisionFrame, row: int) -> str:
    """Each member's class and score, or of a stack its predicted return; members that abstained are left out."""
    said = []
    for name, scores in frame.scores.items():
        own = scores[row]
        if np.isfinite(own).all():
            best = int(np.argmax(own))
            said.append(f"{SHORT_NAMES.get(name, name)}:{CLASS_NAMES[best]} {own[best]:.0%}")
    for name, forecast in frame.forecasts.items():
        if np.isfinite(forecast[row]):
            said.append(f"{SHORT_NAMES.get(name, name)}:{forecast[row]:+.2%}")
    return ", ".join(said)
