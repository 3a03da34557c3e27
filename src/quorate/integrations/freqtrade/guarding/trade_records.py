"""Freqtrade's trades as the account's own: what the guards count, and where a position ends."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from quorate.trading import Contract, Trade
from quorate.trading.account.position import Reason

# ccxt's name for "precision is a step of the price"; Freqtrade keeps it with every trade.
_TICK_SIZE = 4

_REASONS: dict[str, Reason] = {
    "stop_loss": "stop",
    "stop": "stop",
    "stoploss_on_exchange": "stop",
    "trailing_stop_loss": "trailing",
    "roi": "target",
    "target": "target",
    "liquidation": "liquidation",
    "time": "time",
}


# How Freqtrade names what happens at a price inside a candle, not at its open.
_INSIDE = ("stop_loss", "trailing_stop_loss", "roi", "liquidation")


def closed_inside(records: Any, pair: str, moment: datetime) -> bool:
    """Whether a backtest has already closed a trade of this pair inside the candle that opens now.

    Freqtrade's backtest then takes an entry the other way at that candle's open, which lies before the exit.

    Args:
        records: freqtrade.persistence.Trade.
        pair: of the entry.
        moment: the candle's open.
    """
    if records.use_db:
        return False
    for record in reversed(records.bt_trades):
        if record.close_date_utc < moment:
            return False
        if record.pair == pair and record.exit_reason in _INSIDE:
            return True
    return False


def moment_ms(moment: datetime) -> int:
    """A moment with a time zone, as ms UTC."""
    return round(moment.timestamp() * 1000)


def read_trade(record: Any) -> Trade:
    """A closed trade of Freqtrade's as the guards know it; the net result is Freqtrade's own, fees and funding in it.

    Args:
        record: freqtrade.persistence.LocalTrade or Trade, closed.
    """
    side = -1 if record.is_short else 1
    quantity = float(record.amount)
    net = float(record.close_profit_abs or 0.0)
    fees = float(record.fee_open_cost or 0.0) + float(record.fee_close_cost or 0.0)
    funding = float(record.funding_fees or 0.0)
    opened, closed = moment_ms(record.open_date_utc), moment_ms(record.close_date_utc)
    return Trade(
        symbol=str(record.pair),
        side=side,
        quantity=quantity,
        leverage=float(record.leverage or 1.0),
        margin_usd=float(record.stake_amount),
        confidence=0.0,
        decided=opened,
        entry_time=opened,
        entry_price=float(record.open_rate),
        exit_time=closed,
        exit_price=float(record.close_rate),
        stop=float(record.stop_loss or 0.0),
        target=0.0,
        reason=_REASONS.get(str(record.exit_reason), "end"),
        gross_usd=net + fees - funding,
        fee_usd=fees,
        slippage_usd=0.0,
        funding_usd=funding,
        funding_known=True,
        mark_known=True,
    )


def contract_of(record: Any) -> Contract:
    """The step of the price that an open trade knows; none where it counts decimals instead."""
    step = record.price_precision
    known = record.precision_mode_price == _TICK_SIZE and step is not None and math.isfinite(step) and step > 0
    return Contract(str(record.pair), tick=float(step) if known else 0.0)
