"""Conversion of Freqtrade's trades to the account's types."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from quorate.trading import Contract, Trade
from quorate.trading.account.trade import Reason

# ccxt's precision mode in which the precision is the price step; Freqtrade stores the mode with every trade.
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


# Freqtrade's reasons of exits at a price inside a candle, not at its open.
_INTRABAR_REASONS = ("stop_loss", "trailing_stop_loss", "roi", "liquidation")


def closed_inside(trade_class: Any, pair: str, candle_open: datetime) -> bool:
    """Check whether a backtest has closed a trade of the pair inside the candle that opens at `candle_open`.

    Freqtrade's backtest then takes an opposite entry at the open of that same candle, which is before the exit.

    Args:
        trade_class: freqtrade.persistence.Trade.
        pair: of the entry.
        candle_open: open time of the current candle.
    """
    if trade_class.use_db:
        return False
    for record in reversed(trade_class.bt_trades):
        if record.close_date_utc < candle_open:
            return False
        if record.pair == pair and record.exit_reason in _INTRABAR_REASONS:
            return True
    return False


def datetime_ms(time: datetime) -> int:
    """Convert a time with a time zone to ms UTC."""
    return round(time.timestamp() * 1000)


def read_trade(record: Any) -> Trade:
    """Convert a closed trade of Freqtrade to the account's; its net result is Freqtrade's, after fees and funding.

    Args:
        record: freqtrade.persistence.LocalTrade or Trade, closed.
    """
    side = -1 if record.is_short else 1
    net = float(record.close_profit_abs or 0.0)
    fees = float(record.fee_open_cost or 0.0) + float(record.fee_close_cost or 0.0)
    funding = float(record.funding_fees or 0.0)
    opened, closed = datetime_ms(record.open_date_utc), datetime_ms(record.close_date_utc)
    return Trade(
        symbol=str(record.pair),
        side=side,
        quantity=float(record.amount),
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
    """Contract of an open trade's pair, with the price step that the trade stores; tick 0 in another precision mode."""
    step = record.price_precision
    known = record.precision_mode_price == _TICK_SIZE and step is not None and math.isfinite(step) and step > 0
    return Contract(str(record.pair), tick=float(step) if known else 0.0)
