# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""Strategy that follows the target weights of a book; `quorate freqtrade init` writes a strategy file for it.

What is decided at the close of a candle is filled at the next open: targets that appear are entries, targets of 0 and
of the other side exits, and the others additions and partial exits.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
from freqtrade.configuration import TimeRange
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame

from quorate.core.clock import timeframe_ms
from quorate.integrations.freqtrade.book.book_follower import BookFollower
from quorate.integrations.freqtrade.book.book_markets import TIMEFRAME
from quorate.integrations.freqtrade.book.position_stakes import PositionSize, PositionStakes
from quorate.integrations.freqtrade.book.requirements import require_configuration, require_pairs
from quorate.integrations.freqtrade.guarding.trade_records import datetime_ms
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX
from quorate.integrations.freqtrade.strategy_options import StrategyOptions, is_live, read_options

_log = logging.getLogger(__name__)


class QuorateBookStrategy(IStrategy):  # type: ignore[misc]
    """Holds the positions of a book, long and short, each with the stake of its weight.

    Settings come from quorate.toml and the environment; the section `quorate` of Freqtrade's configuration overrides
    their section [freqtrade].
    """

    INTERFACE_VERSION = 3
    timeframe = TIMEFRAME
    can_short = True
    # Of the recipe as it is; a backtest reads the data folder instead.
    startup_candle_count = 1_860
    # The newest candle of a pair may be there before the decision, which waits for all pairs.
    process_only_new_candles = False
    position_adjustment_enable = True
    max_entry_position_adjustment = -1
    max_open_trades = -1

    # Values that never close a trade, so that only the book does. Freqtrade divides a stop by the leverage: -0.99 would
    # be nearer than the liquidation.
    minimal_roi: ClassVar[dict[str, float]] = {"0": 1_000.0}
    stoploss = -99.0
    use_custom_stoploss = False
    use_exit_signal = True
    exit_profit_only = False
    ignore_roi_if_entry_signal = False

    order_types: dict[str, Any] = {  # noqa: RUF012 - copied for each instance, as Freqtrade changes it
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }
    plot_config: ClassVar[dict[str, Any]] = {
        "main_plot": {},
        "subplots": {"Weight": {f"{PREFIX}weight": {"color": "#264653", "type": "bar"}}},
    }

    def __init__(self, config: dict[str, Any]) -> None:
        self.options: StrategyOptions = read_options(config)
        # Freqtrade rejects a strategy with shorts in spot markets, before this one can say why.
        self.can_short = type(self).can_short and not self.options.spot
        self.order_types = dict(type(self).order_types)
        if not is_live(config):
            self.startup_candle_count = 0
        super().__init__(config)
        self.follower = BookFollower(self.options, config)
        self._traded: tuple[str, ...] = ()
        self._stakes: dict[str, PositionStakes] = {}

    # ------------------------------------------------------------------------------------------------ start and loop

    def bot_start(self, **kwargs: Any) -> None:
        """Check the configuration and load the book.

        Raises:
            FreqtradeError: a configuration that cannot follow a book, or no book.
        """
        live, source = self.options.live, self.follower.source
        require_configuration(self, spot=self.options.spot)
        source.start()
        symbols, whitelist = source.book.manifest.symbols, self.dp.current_whitelist()
        self._traded = require_pairs(self, source.book, whitelist, self.config["stake_currency"], live=live)
        self.follower.start(tuple(pair for pair in symbols if self.dp.market(pair) is not None) if live else symbols)
        _log.info("quorate: %s; %d of its markets in the whitelist", source.book, len(self._traded))
        if len(self._traded) < len(symbols):
            _log.warning("the weights of the %d other markets are not traded", len(symbols) - len(self._traded))

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        """Settlements of every market of the book, which the carry reads, and candles of those not in the whitelist."""
        if not self.options.live:
            return []
        timeframe, pairs = self.dp.get_funding_rate_timeframe(), self.follower.pairs
        others = [(pair, TIMEFRAME, "futures") for pair in pairs if pair not in self._traded]
        return [*others, *((pair, timeframe, "funding_rate") for pair in pairs)]

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Decide at the close of a candle, by the positions and the equity at that close."""
        trades = Trade.get_trades_proxy(is_open=True)
        self.follower.update(datetime_ms(current_time), self._timerange_end(), self.dp, self.wallets, trades)

    # ------------------------------------------------------------------------------------------------------- signals

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Add the book's weight of the pair, its parts by sleeve and the sides on which it may be opened."""
        known = self.follower.known(self._timerange_end())
        opened = dataframe["date"].dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        if known is None:
            dataframe[f"{PREFIX}opening"], dataframe[f"{PREFIX}sleeves"] = 0, ""
            return dataframe
        for name, column in known.frame_columns(metadata["pair"], opened).items():
            dataframe[name] = column
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Enter where a target may appear; the decision then says whether it does, and its quantity."""
        side = dataframe[f"{PREFIX}opening"].to_numpy(np.int64, copy=True)
        if self.options.live and len(dataframe):
            decision, newest = self.follower.decision, round(dataframe["date"].iloc[-1].timestamp() * 1000)
            current = decision is not None and decision.moment == newest + timeframe_ms(TIMEFRAME)
            side[-1] = int(np.sign(self.follower.target(metadata["pair"]) or 0.0)) if current else 0
        dataframe["enter_long"] = (side > 0).astype(np.int64)
        dataframe["enter_short"] = ((side < 0) & self.can_short).astype(np.int64)
        dataframe["enter_tag"] = dataframe[f"{PREFIX}sleeves"]
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """No exits by columns: they depend on what is held."""
        dataframe["exit_long"], dataframe["exit_short"] = 0, 0
        return dataframe

    # --------------------------------------------------------------------------------------------------------- orders

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
        """Return the lower of setting and exchange limit."""
        return min(self.options.freqtrade.leverage, max_leverage)

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
        """Return the stake of the pair's target; 0, which is no entry, without one or below the exchange's minimum."""
        quantity = _on_side(self.follower.target(pair), short=side == "short")
        if quantity <= 0:
            return 0.0
        amount = min(self._stakes_of(pair).opened(quantity, current_rate, leverage), max_stake)
        return 0.0 if amount < (min_stake or 0.0) else amount

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
        """Allow an entry that the newest decision wants; also a forced one."""
        wanted = _on_side(self.follower.target(pair), short=side == "short") > 0
        if not wanted:
            _log.warning("no entry in %s: the book has no target on that side", pair)
        return wanted

    def adjust_trade_position(
        self,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,
        current_entry_profit: float,
        current_exit_profit: float,
        **kwargs: Any,
    ) -> float | None:
        """Return the stake that leads to the pair's target on the same side, once a decision; less than 0 reduces."""
        pair = trade.pair
        wanted = _on_side(self.follower.target(pair), short=trade.is_short)
        if wanted <= 0 or trade.has_open_orders or pair in self.follower.ordered:
            return None
        stakes = self._stakes_of(pair)
        if stakes.closes(wanted):
            return None
        self.follower.ordered.add(pair)
        amount = stakes.adjusted(PositionSize.of(trade), wanted, current_rate)
        return min(amount, max_stake) or None

    def custom_exit(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """Exit where the newest decision has a target of 0 or on the other side."""
        target = self.follower.target(pair)
        if target is None:
            return None
        return "target" if self._stakes_of(pair).closes(_on_side(target, short=trade.is_short)) else None

    # ------------------------------------------------------------------------------------------------------- helpers

    def _stakes_of(self, pair: str) -> PositionStakes:
        if pair not in self._stakes:
            mode = getattr(getattr(self.dp, "_exchange", None), "precisionMode", 0)
            self._stakes[pair] = PositionStakes(self.dp.market(pair), pair, mode, self.config)
        return self._stakes[pair]

    def _timerange_end(self) -> int | None:
        """End in ms, exclusive, of the candles that Freqtrade reads; None without one."""
        given = self.config.get("timerange")
        span = TimeRange.parse_timerange(None if given is None else str(given))
        return span.stopts * 1000 + 1 if span.stoptype == "date" else None


def _on_side(target: float | None, *, short: bool) -> float:
    """A signed quantity as seen from one side: less than 0 is on the other one, 0 nothing."""
    return (target or 0.0) * (-1 if short else 1)
