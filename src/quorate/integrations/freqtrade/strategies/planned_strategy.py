# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""Freqtrade's open trades, ended by the account's rules: a stop and a target in ATR, a time exit, by a plan of each."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, ClassVar

from freqtrade.persistence import Trade as Record
from freqtrade.strategy import IStrategy

from quorate.core.clock import newest_closed_ms, timeframe_ms
from quorate.integrations.freqtrade.guarding.trade_records import contract_of, moment_ms
from quorate.integrations.freqtrade.inference.forecaster import Forecaster
from quorate.integrations.freqtrade.strategies.trade_plan import Plan, make_plan, stop_ratio
from quorate.integrations.freqtrade.strategy_options import Options

# What Freqtrade keeps with a trade for us.
_PLAN = "quorate_plan"

# A ratio that is compared after rounding to eight digits; a price that is just reached counts as reached.
_ROUNDING = 5e-9

# Plans that are remembered; one that was forgotten is made or read again.
_MOST_PLANS = 10_000


class PlannedStrategy(IStrategy):  # type: ignore[misc]
    """A strategy whose trades end by their plans; what begins them is its subclass's business.

    Attributes:
        options: distances of the levels.
        forecaster: ATR at the decision.
    """

    options: Options
    forecaster: Forecaster

    # The plan of each trade decides; these are out of its way.
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
        """Bars that a position lasts at most, unless a setting says otherwise."""

    def custom_stoploss(
        self,
        pair: str,
        trade: Record,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """The plan's stop, set at the fill; a trailing one moves between bars."""
        exits = self.options.settings.exits
        if not after_fill and not exits.trail_atr:
            return None
        plan = self._plan(trade, fresh=after_fill)
        if plan is None:
            return None
        stop = plan.stop
        if not after_fill:
            best = self._best(plan, pair, current_time)
            if best is None:
                return None
            stop = plan.trailed(best, exits, contract_of(trade))
        return stop_ratio(stop, current_rate, plan.side, trade.leverage or 1.0)

    def custom_roi(
        self,
        pair: str,
        trade: Record,
        current_time: datetime,
        trade_duration: int,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """The profit at the plan's target."""
        plan = self._plan(trade)
        return None if plan is None else float(trade.calc_profit_ratio(plan.target)) - _ROUNDING

    def custom_exit(
        self,
        pair: str,
        trade: Record,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """The time exit, and a level that the price has jumped over."""
        plan = self._plan(trade)
        return None if plan is None else plan.over(moment_ms(current_time), current_rate)

    def _plan(self, trade: Record, *, fresh: bool = False) -> Plan | None:
        """The plan of an open trade: made at its fill, kept with it in Freqtrade's database, and found there again."""
        opened = moment_ms(trade.open_date_utc)
        key = (trade.pair, opened, -1 if trade.is_short else 1, float(trade.open_rate))
        known = self._plans.get(key)
        if known is None and self.options.live and (kept := trade.get_custom_data(_PLAN)) is not None:
            known = Plan.from_json(kept)
        if known is None or fresh:
            # A fill may have moved the price of the entry, and the liquidation with it.
            plan = self._new_plan(trade, opened)
            if plan is not None and self.options.live:
                trade.set_custom_data(_PLAN, plan.to_json())
            known = plan or known
        if known is not None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[key] = known
        return known

    def _new_plan(self, trade: Record, opened: int) -> Plan | None:
        length = timeframe_ms(self.timeframe)
        told = self.forecaster.told(trade.pair)
        row = None if told is None else told.row(newest_closed_ms(self.timeframe, opened))
        if told is None or row is None or not told.atr[row] > 0:
            return None
        return make_plan(
            float(trade.open_rate),
            -1 if trade.is_short else 1,
            float(told.atr[row]),
            opened // length * length,
            self.horizon,
            self.timeframe,
            self.options.settings.exits,
            contract_of(trade),
            None if self.options.spot else trade.liquidation_price,
        )

    def _best(self, plan: Plan, pair: str, current_time: datetime) -> float | None:
        """The best price of the bars that have closed since the entry."""
        told = self.forecaster.told(pair)
        if told is None:
            return None
        closed = newest_closed_ms(self.timeframe, moment_ms(current_time))
        held = told.candles.between(plan.opened, closed + 1)
        if not len(held):
            return None
        return float(held.high.max() if plan.side > 0 else held.low.min())
