"""What a feed says of itself, for the journal and the guards."""

from __future__ import annotations

from quorate.market.feed import BarReport, Freshness
from quorate.trading.engine import RecordSink, TradingEngine
from quorate.trading.journal import records


def apply_notices(desk: TradingEngine, report: BarReport, tell: RecordSink) -> None:
    """Write a report's notices down, and let the guards judge the clocks and how fresh the markets are.

    Args:
        desk: at the close of the report's bar.
        report: of that bar.
        tell: is told the notices.
    """
    time, guards = report.time, desk.guards
    for notice in report.notices:
        number = desk.number(f"feed:{notice.kind}:{notice.symbol}")
        tell(records.FeedRecord(time, notice.kind, notice.symbol or None, number, notice.text))
    if guards is None:
        return
    desk.moved(guards.compared(time, report.skew_ms, close=report.may_enter))
    stale = {symbol for symbol, status in report.status.items() if status is Freshness.STALE}
    desk.moved(guards.heard(time, stale=bool(stale) and len(stale) == len(report.status)))
    for symbol in report.status:
        desk.moved(guards.heard(time, stale=symbol in stale, symbol=symbol))
