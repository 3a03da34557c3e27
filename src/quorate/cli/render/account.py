"""The account of a run on one screen: equity, rivals on the same bars, groups of trades, and the verdict."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quorate.cli import output
from quorate.core.text.plural import counted
from quorate.evaluation.report.formatting import Kind, text_of
from quorate.evaluation.verdict.wording import percent
from quorate.trading.account.currency import in_currency

if TYPE_CHECKING:
    from quorate.trading.backtest.backtest_result import BacktestResult

_SPARK = 40
_BLOCKS = "▁▂▃▄▅▆▇█"
_RIVALS = {"buy_and_hold": "holding", "random": "random entries"}
# Markets with the best and the worst result that a screen names.
_NAMED = 1


def show_equity(result: BacktestResult) -> None:
    """Equity from the first bar to the last as a line of blocks; nothing without bars."""
    if not len(result.equity_usd):
        return
    start, end = (in_currency(text_of(usd, "usd"), result.currency) for usd in _ends(result))
    drawn = sparkline(result.equity_usd.tolist(), _SPARK) if output.console_width() >= 2 * _SPARK else ""
    output.print_line(f"  equity  {drawn}  {start} to {end}" if drawn else f"  equity  {start} to {end}")


def show_rivals(trades: Mapping[str, Any], baselines: Mapping[str, Any]) -> None:
    """The account beside holding and random entries on the same bars."""
    rivals = {"account": trades, **{shown: baselines[name] for name, shown in _RIVALS.items() if name in baselines}}
    rows = [
        (
            name,
            percent(side, "total_return"),
            _text(side, "sharpe", "number"),
            _text(side, "max_drawdown", "odds"),
            _text(side, "win_rate", "odds"),
        )
        for name, side in rivals.items()
        if side.get("total_return") is not None
    ]
    output.print_compact(("", "return", "Sharpe", "drawdown", "won"), rows)


def show_groups(groups: Mapping[str, Sequence[Mapping[str, Any]]], currency: str, *, full: bool) -> None:
    """Trades by side, exit and market; on one screen only the best and the worst markets.

    Args:
        groups: of `trade_groups`.
        currency: of the account.
        full: name every market.
    """
    symbols = sorted(groups["symbols"], key=lambda row: -row["net_usd"])
    left_out = [] if full else symbols[_NAMED:-_NAMED]
    named = [row for row in symbols if row not in left_out]
    parts = (("side", groups["sides"]), ("exit", groups["exits"]), ("market", named))
    rows = [
        (
            f"{kind} {row['name']}",
            f"{row['n']:,}",
            _text(row, "win_rate", "odds"),
            _text(row, "expectancy_bps", "bps"),
            in_currency(text_of(row["net_usd"], "usd"), currency),
            f"{row['mean_hours']:.1f} h",
        )
        for kind, own in parts
        for row in own
    ]
    if left_out:
        total = sum(row["net_usd"] for row in left_out)
        rows.append(
            (
                f"{counted(len(left_out), 'other market')}",
                f"{sum(row['n'] for row in left_out):,}",
                "",
                "",
                in_currency(text_of(total, "usd"), currency),
                "",
            )
        )
    if rows:
        output.print_compact(("by", "trades", "won", "a trade", "net", "held"), rows)


def show_verdict(verdict: Mapping[str, Any]) -> None:
    """The verdict's sentences, which end a screen."""
    for sentence in (verdict["sentence"], *verdict["details"]):
        output.print_sentence(sentence)


def _ends(result: BacktestResult) -> tuple[float, float]:
    return result.start_equity_usd, result.final_equity_usd


def _text(figures: Mapping[str, Any], name: str, kind: Kind) -> str:
    value = figures.get(name)
    return "" if value is None else text_of(value, kind)


def sparkline(values: Sequence[float], width: int) -> str:
    """The values as blocks of eight heights, the last of each of at most `width` parts of them.

    Empty for fewer than two values, and where standard output cannot show the blocks.

    >>> sparkline([1.0], 10)
    ''
    """
    if len(values) < 2 or not _can_show():
        return ""
    step = max(1.0, len(values) / width)
    ends = [int((place + 1) * step) - 1 for place in range(min(width, len(values)))]
    shown = [values[min(end, len(values) - 1)] for end in ends]
    low, high = min(shown), max(shown)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((value - low) * scale)] for value in shown)


def _can_show() -> bool:
    try:
        _BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
