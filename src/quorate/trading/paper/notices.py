"""Notices of a feed, for the journal and the guards."""

from __future__ import annotations

from quorate.market.feed import BarReport, Freshness
from quorate.trading.engine import RecordSink, TradingEngine
from quorate.trading.guards import ClocksCompared, FeedChecked
from quorate.trading.journal import records


def apply_notices(engine: TradingEngine, report: BarReport, emit: RecordSink) -> None:
    """Emit a report's notices as records, and pass the clocks and the markets' freshness to the guards.

    Args:
        engine: at the close of the report's bar.
        report: of that bar.
        emit: called with the records of the notices.
    """
    time = report.time
    for notice in report.notices:
        number = engine.next_number(f"feed:{notice.kind}:{notice.symbol}")
        emit(records.FeedRecord(time, notice.kind, notice.symbol or None, number, notice.text))
    stale = {symbol for symbol, status in report.status.items() if status is Freshness.STALE}
    engine.on(
        ClocksCompared(time, report.skew_ms, close=report.may_enter),
        FeedChecked(time, stale=bool(stale) and len(stale) == len(report.status)),
        *(FeedChecked(time, stale=symbol in stale, symbol=symbol) for symbol in report.status),
    )
