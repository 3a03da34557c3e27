# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""The consensus vote as a Freqtrade strategy. A strategy file subclasses it; `quorate freqtrade init` writes one.

The exits are the account's: a stop and a target in ATR, a time exit at the target's horizon. A decision on a closed bar
is an entry at the next open.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import numpy as np
from freqtrade.persistence import Trade as Record
from freqtrade.strategy import DecimalParameter
from pandas import DataFrame

from quorate.core.clock import newest_closed_ms
from quorate.core.errors import QuorateError
from quorate.core.types import Action, BoolArray, IntArray
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.integrations.freqtrade.guarding.entry_gate import EntryGate
from quorate.integrations.freqtrade.guarding.trade_records import closed_inside, moment_ms
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.forecaster import Forecaster, FrameForecast
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX, plot_config, short_tag, tag
from quorate.integrations.freqtrade.strategies.planned_strategy import PlannedStrategy
from quorate.integrations.freqtrade.strategies.stakes import stake
from quorate.integrations.freqtrade.strategies.trade_plan import fit_leverage
from quorate.integrations.freqtrade.strategy_options import Options, read_options
from quorate.trading import CONSERVATIVE_TIERS, MarginTiers

_log = logging.getLogger(__name__)

# Freqtrade's tag of an entry that a person has asked for.
_FORCED = "force_entry"


class QuorateVoteStrategy(PlannedStrategy):
    """Trades a bundle's decisions, long and short; in spot markets long only, and a SELL leaves a long.

    Settings are those of quorate.toml and the environment, and the `quorate` section of Freqtrade's configuration
    before the section [freqtrade].
    """

    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    startup_candle_count = LIVE_BARS
    process_only_new_candles = True

    order_types: dict[str, Any] = {  # noqa: RUF012 - Freqtrade changes each strategy's own
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }
    plot_config = plot_config(("xgboost", "lightgbm", "nhits", "patchtst"))

    # Besides the bundle's own floor: an entry needs so much confidence on its side.
    long_confidence = DecimalParameter(0.0, 0.95, default=0.0, decimals=2, space="buy", optimize=True)
    short_confidence = DecimalParameter(0.0, 0.95, default=0.0, decimals=2, space="sell", optimize=True)

    def __init__(self, config: dict[str, Any]) -> None:
        self.options: Options = read_options(config)
        # A short strategy is refused in spot markets; this one is both.
        self.can_short = type(self).can_short and not self.options.spot
        self.order_types = dict(type(self).order_types)
        super().__init__(config)
        self.source = BundleSource(self.options)
        self.forecaster = Forecaster(self.options, self.source)
        self.desk: EntryGate | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """The members, loaded or not."""
        return self.source.models

    @property
    def horizon(self) -> int:
        """Bars that a position lasts at most, unless a setting says otherwise."""
        return self.source.horizon

    # ------------------------------------------------------------------------------------------------ start and loop

    def bot_start(self, **kwargs: Any) -> None:
        """Load the bundle; the bot does not start without one, unless the fallback rules were asked for.

        Raises:
            FreqtradeError: no bundle, or the guards' journal belongs to another bot.
            JournalError: the guards' journal cannot be read.
        """
        self.source.start()
        self.plot_config = plot_config(self.source.models)
        if self.options.guarded:
            self.desk = EntryGate(
                self.options, self.source, self.forecaster, self.timeframe, self.config["stake_currency"]
            )
            self.desk.start()
        _log.info(
            "quorate: bundle %s, mode %s, members %s; guards %s",
            *(self.source.id, self.source.mode, ", ".join(self.source.models) or "none"),
            "on" if self.desk else "off",
        )

    def ft_bot_cleanup(self) -> None:
        """Freqtrade's own end of a strategy, which `reload_config` comes to as well: the journal is free again."""
        super().ft_bot_cleanup()
        if self.desk is not None:
            self.desk.close()

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """A new champion takes over between two loops; the guards hear what has happened."""
        if self.options.live and self.source.refresh():
            self.plot_config = plot_config(self.source.models)
        self._hear(current_time)

    def _hear(self, current_time: datetime) -> None:
        if self.desk is not None:
            self.desk.hear(moment_ms(current_time), Record, self.wallets)

    # ------------------------------------------------------------------------------------------------------- signals

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Every bar's own decision, and what each member says, as columns."""
        for name, column in self.forecaster.columns(dataframe, metadata["pair"], self.timeframe).items():
            dataframe[name] = column
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """BUY enters long, SELL short, where the confidence is enough; the one-line vote is the tag."""
        action = dataframe[f"{PREFIX}action"].to_numpy()
        confidence = dataframe[f"{PREFIX}confidence"].to_numpy()
        # Rules have no confidence; they trade only where they were asked to.
        allowed = (confidence > 0) | (self.options.own.fallback == "rules")
        longs = (action > 0) & allowed & (confidence >= self.long_confidence.value)
        shorts = (action < 0) & allowed & (confidence >= self.short_confidence.value) & self.can_short
        dataframe["enter_long"] = longs.astype(np.int64)
        dataframe["enter_short"] = shorts.astype(np.int64)
        dataframe["enter_tag"] = self._tags(dataframe, metadata["pair"], longs | shorts)
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """A decision the other way leaves a position where it is asked to: in spot markets, by default."""
        action = dataframe[f"{PREFIX}action"].to_numpy()
        leaves = self.options.leaves_on_opposite
        dataframe["exit_long"] = ((action < 0) & leaves).astype(np.int64)
        dataframe["exit_short"] = ((action > 0) & leaves & self.can_short).astype(np.int64)
        return dataframe

    def _tags(self, frame: DataFrame, pair: str, entering: BoolArray) -> list[str]:
        """The vote in one line, or as the setting `tag` has it, on every row with an entry; nothing elsewhere."""
        tags = [""] * len(frame)
        told = self.forecaster.told(pair)
        if told is None:
            return tags
        times: IntArray = frame["date"].dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        for place in np.flatnonzero(entering).tolist():
            row = told.row(int(times[place]))
            if row is not None and self.options.own.tag == "consensus":
                tags[place] = str(told.decisions.consensus[row])
            elif row is not None:
                made = short_tag if self.options.own.tag == "auto" and not self.options.live else tag
                tags[place] = made(told.decisions, row, self.models, self.source.mode)
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
        """As much as is set and the exchange allows, lowered until the stop is within half the way to liquidation."""
        decided = self._decided(pair, current_time)
        most = min(self.options.own.leverage, max_leverage)
        if decided is None:
            return 1.0
        told, row = decided
        distance = self.options.settings.exits.stop_atr * float(told.atr[row])
        if not distance > 0:
            return 1.0
        margin = self._usual_margin()
        return fit_leverage(most, current_rate, 1 if side == "long" else -1, distance, margin, self._tiers(pair))

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
        """The configured stake, or by the setting `stake` that of the confidence or of the risk to the stop."""
        decided = self._decided(pair, current_time)
        if decided is None or self.options.own.stake == "config":
            return proposed_stake
        told, row = decided
        wanted = stake(
            self.options,
            proposed=proposed_stake,
            confidence=float(told.decisions.confidence[row]),
            atr=float(told.atr[row]),
            price=current_rate,
            side=1 if side == "long" else -1,
            leverage=leverage,
            equity=self.wallets.get_total_stake_amount(),
        )
        return min(max(wanted, 0.0), max_stake)

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
        """Only on the newest closed bar's own decision, with a stop to place, and while no guard stands against it.

        A person may enter against the decision, and never against a guard.
        """
        decided = self._decided(pair, current_time)
        if decided is None:
            _log.warning("no entry in %s: no decision on the newest closed bar", pair)
            return False
        told, row = decided
        wanted = Action.BUY if side == "long" else Action.SELL
        if told.decisions.action[row] != wanted and entry_tag != _FORCED:
            _log.warning("no entry in %s: the newest closed bar does not say %s", pair, wanted.name)
            return False
        if not told.atr[row] > 0:
            _log.warning("no entry in %s: too little history to place a stop", pair)
            return False
        if closed_inside(Record, pair, current_time):
            return False
        return self.desk is None or self.desk.allows(pair, moment_ms(current_time), Record, self.wallets)

    # ----------------------------------------------------------------------------------------------------------- what

    def _decided(self, pair: str, current_time: datetime) -> tuple[FrameForecast, int] | None:
        """What is known of the pair, and the row of the newest closed bar."""
        told = self.forecaster.told(pair)
        row = None if told is None else told.row(newest_closed_ms(self.timeframe, moment_ms(current_time)))
        return None if told is None or row is None else (told, row)

    def _usual_margin(self) -> float:
        """The margin of one position, as far as it is known before it is sized: what tiers of leverage depend on."""
        set_ = self.config.get("stake_amount")
        if isinstance(set_, int | float):
            return float(set_)
        slots = max(1.0, float(min(self.config.get("max_open_trades", 1), 1_000)))
        return max(1.0, float(self.wallets.get_total_stake_amount()) / slots)

    def _tiers(self, pair: str) -> MarginTiers:
        """The exchange's table, as Freqtrade has it; the conservative one where it has none."""
        exchange = getattr(self.dp, "_exchange", None)
        rows = getattr(exchange, "_leverage_tiers", {}).get(pair)
        if not rows:
            return CONSERVATIVE_TIERS
        try:
            return MarginTiers.from_ccxt(_tier(row) for row in rows)
        except QuorateError as error:
            _log.warning("%s: the exchange's leverage tiers are not used: %s", pair, error)
            return CONSERVATIVE_TIERS


def _tier(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Freqtrade's table in ccxt's names; a last one without an end has none."""
    most = row.get("maxNotional")
    return {
        "maxNotional": float("inf") if most is None else most,
        "maintenanceMarginRate": row.get("maintenanceMarginRate"),
        "maxLeverage": row.get("maxLeverage"),
    }
