# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""Strategy that trades the consensus vote of a bundle; `quorate freqtrade init` writes a strategy file for it.

A decision on a closed bar is an entry at the next open. Exits are those of the account: stop and target in ATR, and a
time exit after the bundle's horizon.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import numpy as np
from freqtrade.persistence import Trade
from freqtrade.strategy import DecimalParameter
from pandas import DataFrame

from quorate.core.clock import newest_closed_ms, timeframe_ms
from quorate.core.types import Action, BoolArray, IntArray
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.integrations.freqtrade.guarding.entry_gate import EntryGate
from quorate.integrations.freqtrade.guarding.trade_records import closed_inside, datetime_ms
from quorate.integrations.freqtrade.inference.bar_log import BarLog
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.forecaster import Forecaster, FrameForecast
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX, plot_config, short_tag, tag
from quorate.integrations.freqtrade.stored_bars import StoredBars
from quorate.integrations.freqtrade.strategies.planned_strategy import PlannedStrategy
from quorate.integrations.freqtrade.strategies.stakes import ShrunkStakes, margin_tiers, stake
from quorate.integrations.freqtrade.strategies.trade_plan import fit_leverage
from quorate.integrations.freqtrade.strategy_options import StrategyOptions, read_options

_log = logging.getLogger(__name__)

#: Freqtrade's tag of an entry that was forced through its API or Telegram.
FORCED = "force_entry"


class QuorateVoteStrategy(PlannedStrategy):
    """Trades a bundle's decisions, long and short; spot markets long only, where a SELL closes the position.

    Settings come from quorate.toml and the environment; the section `quorate` of Freqtrade's configuration overrides
    their section [freqtrade].
    """

    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    startup_candle_count = LIVE_BARS
    process_only_new_candles = True

    order_types: dict[str, Any] = {  # noqa: RUF012 - copied for each instance, as Freqtrade changes it
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }
    plot_config = plot_config(("xgboost", "lightgbm", "nhits", "patchtst"))

    # Minimum confidence of an entry, in addition to the bundle's floor.
    long_confidence = DecimalParameter(0.0, 0.95, default=0.0, decimals=2, space="buy", optimize=True)
    short_confidence = DecimalParameter(0.0, 0.95, default=0.0, decimals=2, space="sell", optimize=True)

    def __init__(self, config: dict[str, Any]) -> None:
        self.options: StrategyOptions = read_options(config)
        # Freqtrade rejects a strategy with shorts in spot markets.
        self.can_short = type(self).can_short and not self.options.spot
        self.order_types = dict(type(self).order_types)
        super().__init__(config)
        self.source = BundleSource(self.options)
        self.stored_bars = StoredBars(config)
        self.forecaster = Forecaster(self.options, self.source)
        self.bar_log = BarLog()
        self.entry_gate: EntryGate | None = None
        self.shrunk_stakes = ShrunkStakes(self.options.settings.drift)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the members, loaded or not."""
        return self.source.models

    @property
    def horizon(self) -> int:
        """Bars after which a position is closed, unless `exits.time_bars` is set."""
        return self.source.horizon

    # ------------------------------------------------------------------------------------------------ start and loop

    def bot_start(self, **kwargs: Any) -> None:
        """Load the bundle and start the guards.

        Raises:
            FreqtradeError: no bundle and no fallback rules, or another bot uses the guards' journal.
            JournalError: the guards' journal is invalid or cannot be accessed.
        """
        self.source.start()
        self.plot_config = plot_config(self.source.models, stack=self.source.stack)
        self._start_guards()
        _log.info(
            "quorate: bundle %s, mode %s, members %s; guards %s",
            *(self.source.id, self.source.mode, ", ".join(self.source.models) or "none"),
            "on" if self.entry_gate else "off",
        )

    def ft_bot_cleanup(self) -> None:
        """Unlock the guards' journal. Freqtrade calls this when it stops and when it reloads its configuration."""
        super().ft_bot_cleanup()
        if self.entry_gate is not None:
            self.entry_gate.close()

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Load a new champion, if there is one, and update the guards."""
        if self.options.live and self.source.refresh():
            self.plot_config = plot_config(self.source.models, stack=self.source.stack)
        self._update_guards(current_time)

    def _start_guards(self) -> None:
        if self.options.guarded:
            self.entry_gate = EntryGate(
                self.options, self.source, self.forecaster, self.timeframe, self.config["stake_currency"]
            )
            self.entry_gate.start()

    def _update_guards(self, current_time: datetime) -> None:
        if self.entry_gate is not None:
            self.entry_gate.update(datetime_ms(current_time), Trade, self.wallets)

    # ------------------------------------------------------------------------------------------------------- signals

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Add the decision on every bar and the outputs of the members as columns."""
        pair = metadata["pair"]
        stored = self.stored_bars.times(pair, self.timeframe)
        for name, column in self.forecaster.columns(dataframe, pair, self.timeframe, stored).items():
            dataframe[name] = column
        self._log_newest(dataframe, pair)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Enter long on BUY and short on SELL from the minimum confidence on; the vote is the tag."""
        action = dataframe[f"{PREFIX}action"].to_numpy()
        confidence = dataframe[f"{PREFIX}confidence"].to_numpy()
        # The fallback rules give no confidence; they trade only where they are enabled.
        allowed = (confidence > 0) | (self.options.freqtrade.fallback == "rules")
        longs = (action > 0) & allowed & (confidence >= self.long_confidence.value)
        shorts = (action < 0) & allowed & (confidence >= self.short_confidence.value) & self.can_short
        dataframe["enter_long"] = longs.astype(np.int64)
        dataframe["enter_short"] = shorts.astype(np.int64)
        dataframe["enter_tag"] = self._tags(dataframe, metadata["pair"], longs | shorts)
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Exit on an opposite decision, if the setting `leave_on_opposite` applies; default: in spot markets."""
        action = dataframe[f"{PREFIX}action"].to_numpy()
        exits = self.options.exits_on_opposite
        dataframe["exit_long"] = ((action < 0) & exits).astype(np.int64)
        dataframe["exit_short"] = ((action > 0) & exits & self.can_short).astype(np.int64)
        return dataframe

    def _log_newest(self, frame: DataFrame, pair: str) -> None:
        """Log the decision on the newest bar of a frame, where the bot trades."""
        if self.options.live and len(frame):
            reason = str(frame[f"{PREFIX}rule"].iloc[-1])
            newest = int(frame["date"].iloc[-1].timestamp() * 1000)
            self.bar_log.log(pair, newest, self.forecaster.latest(pair), reason, self.models, self.source.mode)

    def _tags(self, frame: DataFrame, pair: str, entering: BoolArray) -> list[str]:
        """Tag of every row with an entry, as the setting `tag` selects; empty elsewhere."""
        tags = [""] * len(frame)
        forecast = self.forecaster.latest(pair)
        if forecast is None:
            return tags
        times: IntArray = frame["date"].dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        for index in np.flatnonzero(entering).tolist():
            row = forecast.row(int(times[index]))
            if row is not None and self.options.freqtrade.tag == "consensus":
                tags[index] = str(forecast.decisions.consensus[row])
            elif row is not None:
                to_tag = short_tag if self.options.freqtrade.tag == "auto" and not self.options.live else tag
                tags[index] = to_tag(forecast.decisions, row, self.models, self.source.mode)
        return tags

    # -------------------------------------------------------------------------------------------------------- entries

    def leverage(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_leverage: float,
        max_leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Return the lower of setting and exchange limit, reduced to fit the stop as in `fit_leverage`."""
        newest = self._newest_decision(pair, current_time)
        limit = min(self.options.freqtrade.leverage, max_leverage)
        if newest is None:
            return 1.0
        forecast, row = newest
        distance = self.options.settings.exits.stop_atr * float(forecast.atr[row])
        if not distance > 0:
            return 1.0
        margin = self._expected_margin()
        return fit_leverage(
            limit, current_rate, 1 if side == "long" else -1, distance, margin, margin_tiers(self.dp, pair)
        )

    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Return the stake by the setting `stake`: as configured, by confidence, or by the loss at the stop.

        While the bundle drifts and `drift.action` is "shrink", it is the share `drift.shrink` of that.
        """
        close = newest_closed_ms(self.timeframe, datetime_ms(current_time)) + timeframe_ms(self.timeframe)
        factor = self.shrunk_stakes.factor(self.source.bundle, close)
        newest = self._newest_decision(pair, current_time)
        if newest is None or self.options.freqtrade.stake == "config":
            return proposed_stake * factor
        forecast, row = newest
        amount = stake(
            self.options,
            proposed=proposed_stake,
            confidence=float(forecast.decisions.confidence[row]),
            atr=float(forecast.atr[row]),
            price=current_rate,
            side=1 if side == "long" else -1,
            leverage=leverage,
            equity=self.wallets.get_total_stake_amount(),
        )
        return min(max(amount, 0.0), max_stake) * factor

    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Allow an entry that the decision on the newest closed bar, a known ATR and the guards support.

        A forced entry needs no decision for its side; the guards apply to it too.
        """
        newest = self._newest_decision(pair, current_time)
        if newest is None:
            _log.warning("no entry in %s: no decision on the newest closed bar", pair)
            return False
        forecast, row = newest
        needed = Action.BUY if side == "long" else Action.SELL
        if forecast.decisions.action[row] != needed and entry_tag != FORCED:
            _log.warning("no entry in %s: the decision on the newest closed bar is not %s", pair, needed.name)
            return False
        if not forecast.atr[row] > 0:
            _log.warning("no entry in %s: too few candles for the ATR that the stop needs", pair)
            return False
        if closed_inside(Trade, pair, current_time):
            return False
        return self.entry_gate is None or self.entry_gate.allows(pair, datetime_ms(current_time), Trade, self.wallets)

    # ------------------------------------------------------------------------------------------------------- helpers

    def _newest_decision(self, pair: str, current_time: datetime) -> tuple[FrameForecast, int] | None:
        """Forecast of the pair and row of the newest closed bar; None without a decision on it."""
        forecast = self.forecaster.latest(pair)
        if forecast is None:
            return None
        row = forecast.row(newest_closed_ms(self.timeframe, datetime_ms(current_time)))
        return None if row is None else (forecast, row)

    def _expected_margin(self) -> float:
        """Estimated margin of a position that has no size yet; the exchange's leverage tiers depend on it."""
        configured = self.config.get("stake_amount")
        if isinstance(configured, int | float):
            return float(configured)
        slots = max(1.0, float(min(self.config.get("max_open_trades", 1), 1_000)))
        return max(1.0, float(self.wallets.get_total_stake_amount()) / slots)
