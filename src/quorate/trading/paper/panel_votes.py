"""The panel's judgement of the entries of a close, for the engine and the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate.core.types import Action, Candles, Signal
from quorate.trading.engine import TradingEngine
from quorate.trading.entry_panel import EntryPanel, PanelVote
from quorate.trading.journal import records


def panel_votes(
    panel: EntryPanel | None,
    engine: TradingEngine,
    signals: Sequence[Signal],
    candles: Mapping[str, Candles],
    close: int,
) -> Mapping[str, PanelVote] | None:
    """Symbol -> judgement of each entry that may fill at the next open; None without a panel.

    Nothing is asked about other entries: guards, an open position or the lack of a slot stop them anyway, and a
    question costs money.

    Args:
        panel: that judges; None for none.
        engine: after the bar's close.
        signals: decisions of that close.
        candles: symbol -> closed candles, of which the newest is that bar.
        close: of the bar, ms.
    """
    if panel is None:
        return None
    asked = [signal for signal in signals if signal.action != Action.HOLD and engine.may_fill(signal.symbol, close)]
    return panel.votes(close, asked, {signal.symbol: candles[signal.symbol] for signal in asked}) if asked else {}


def panel_records(votes: Mapping[str, PanelVote] | None, time: int) -> list[records.PanelRecord]:
    """The judgements of the bar at `time` for the journal, by symbol."""
    return [
        records.PanelRecord(time=time, symbol=symbol, **vote._asdict())
        for symbol, vote in sorted((votes or {}).items())
    ]
