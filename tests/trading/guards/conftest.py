"""Closed trades and bars for guards and the ladder."""

from collections.abc import Callable

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.trading import Trade

NOON = parse_ms("2025-03-01 12:00")
MakeTrade = Callable[..., Trade]


@pytest.fixture
def trade() -> MakeTrade:
    """A trade of the given net result that was closed at `time`, an hour after its entry unless `entry` says when."""

    def make(net_usd: float, time: int = NOON, symbol: str = "BTC/USDT:USDT", entry: int | None = None) -> Trade:
        return Trade(
            symbol=symbol,
            side=1,
            quantity=1.0,
            leverage=5.0,
            margin_usd=20.0,
            confidence=0.8,
            decided=(entry if entry is not None else time - HOUR_MS) - HOUR_MS,
            entry_time=entry if entry is not None else time - HOUR_MS,
            entry_price=100.0,
            exit_time=time,
            exit_price=100.0 + net_usd,
            stop=96.0,
            target=110.0,
            reason="time",
            gross_usd=net_usd,
            fee_usd=0.0,
            slippage_usd=0.0,
            funding_usd=0.0,
            funding_known=True,
            mark_known=True,
        )

    return make
