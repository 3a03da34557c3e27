# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""Strategy base class that closes trades by the account's rules: stop and target in ATR, and a time exit."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, ClassVar

from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy

from quorate.core.clock import newest_closed_ms, timeframe_ms
from quorate.integrations.freqtrade.guarding.trade_records import contract_of, datetime_ms
from quorate.integrations.freqtrade.inference.forecaster import Forecaster
from quorate.integrations.freqtrade.strategies.trade_plan import Plan, make_plan, stop_ratio
from quorate.integrations.freqtrade.strategy_options import StrategyOptions

# Key of the plan in the custom data of a trade in Freqtrade's database.
_PLAN = "quorate_plan"

# Freqtrade compares profit ratios after rounding to eight digits; a price equal to the target has to count.
_ROUNDING = 5e-9

# Maximum number of plans in memory; others are read or made again.
_MAX_PLANS = 10_000


class PlannedStrategy(IStrategy):  # type: ignore[misc]
    """A strategy that closes each trade by its plan; subclasses decide the entries.

    Attributes:
        options: distances of stop and target.
        forecaster: source of the ATR at the decision.
    """

    options: StrategyOptions
    forecaster: Forecaster

    # Values that never close a trade, so that only the plan does.
    minimal_roi: ClassVar[dict[str, float]] = {"0": 100.0}
    stoploss = -0.99
    use_custom_stoploss = True
    use_custom_roi = True
    use_exit_signal = True
    exit_profit_only = False
    ignore_roi_if_entry_signal = False
    position_adjustment_enable = False

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._plans: dict[tuple[str, int, int, float], Plan] = {}

    @property
    @abstractmethod
    def horizon(self) -> int:
        """Bars after which a position is closed, unless `exits.time_bars` is set."""

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """Return the plan's stop at the fill; a trailing stop is also updated at each closed bar."""
        exits = self.options.settings.exits
        if not after_fill and not exits.trail_atr:
            return None
        plan = self._plan(trade, renew=after_fill)
        if plan is None:
            return None
        stop, contract = plan.stop, contract_of(trade)
        if not after_fill:
            best = self._best_price(plan, pair, current_time)
            if best is None:
                return None
            stop = plan.trailing_stop(best, exits, contract)
        return stop_ratio(stop, current_rate, plan.side, trade.leverage or 1.0, contract.tick)

    def custom_roi(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        trade_duration: int,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """Return the profit ratio at the plan's target."""
        plan = self._plan(trade)
        return None if plan is None else float(trade.calc_profit_ratio(plan.target)) - _ROUNDING

    def custom_exit(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """Exit at the plan's time, or at an open beyond its stop or target."""
        plan = self._plan(trade)
        return None if plan is None else plan.exit_reason(datetime_ms(current_time), current_rate)

    def _plan(self, trade: Trade, *, renew: bool = False) -> Plan | None:
        """The plan of an open trade, made at its fill; dry and live it is kept in Freqtrade's database."""
        opened = datetime_ms(trade.open_date_utc)
        key = (trade.pair, opened, -1 if trade.is_short else 1, float(trade.open_rate))
        plan = self._plans.get(key)
        if plan is None and self.options.live and (stored := trade.get_custom_data(_PLAN)) is not None:
            plan = Plan.from_json(stored)
        if plan is None or renew:
            # A fill changes the entry price, and with it the liquidation price.
            made = self._make_plan(trade, opened)
            if made is not None and self.options.live:
                trade.set_custom_data(_PLAN, made.to_json())
            plan = made or plan
        if plan is not None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def _make_plan(self, trade: Trade, opened: int) -> Plan | None:
        length = timeframe_ms(self.timeframe)
        forecast = self.forecaster.latest(trade.pair)
        row = None if forecast is None else forecast.row(newest_closed_ms(self.timeframe, opened))
        if forecast is None or row is None or not forecast.atr[row] > 0:
            return None
        return make_plan(
            float(trade.open_rate),
            -1 if trade.is_short else 1,
            float(forecast.atr[row]),
            opened // length * length,
            self.horizon,
            self.timeframe,
            self.options.settings.exits,
            contract_of(trade),
            None if self.options.spot else trade.liquidation_price,
        )

    def _best_price(self, plan: Plan, pair: str, current_time: datetime) -> float | None:
        """The best price of the bars closed since the entry; None if unknown."""
        forecast = self.forecaster.latest(pair)
        if forecast is None:
            return None
        closed = newest_closed_ms(self.timeframe, datetime_ms(current_time))
        held = forecast.candles.between(plan.opened, closed + 1)
        if not len(held):
            return None
        return float(held.high.max() if plan.side > 0 else held.low.min())
