"""Check of Freqtrade's entries against the guards, fed from Freqtrade's trades and the newest decisions."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from quorate.core.clock import newest_closed_ms
from quorate.core.errors import JournalError
from quorate.core.types import Action, Signal
from quorate.ensemble.voting.frame_signals import signal_at
from quorate.integrations.freqtrade.guarding.guard_journal import GuardJournal
from quorate.integrations.freqtrade.guarding.guard_runner import BarSummary, GuardRunner
from quorate.integrations.freqtrade.guarding.trade_records import read_trade
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.forecaster import Forecaster, FrameForecast
from quorate.integrations.freqtrade.strategy_options import StrategyOptions
from quorate.trading import Trade
from quorate.trading.guards import valid_members

_log = logging.getLogger(__name__)


class EntryGate:
    """The guards of one bot, and the check of its entries.

    Args:
        options: limits of the guards and path of their journal.
        source: of the bundle, whose age is limited.
        forecaster: of the decisions.
        timeframe: of the bars.
        currency: of the stakes.
    """

    def __init__(
        self, options: StrategyOptions, source: BundleSource, forecaster: Forecaster, timeframe: str, currency: str
    ) -> None:
        self._options = options
        self._source = source
        self._forecaster = forecaster
        self._timeframe = timeframe
        self._currency = currency
        self._journal = GuardJournal(options.path(options.freqtrade.journal)) if options.live else None
        self.runner = GuardRunner(options.settings.guards, self._journal)
        self._journal_error = ""
        self._last_refusal = ""

    def start(self) -> None:
        """Lock the journal and rebuild the guards from it.

        Raises:
            FreqtradeError: another bot holds the journal's lock.
            JournalError: the journal is invalid or cannot be accessed.
        """
        if self._journal is not None:
            self._journal.lock()
        self.runner.replay()
        self.runner.complete_pending()
        for guard in self.runner.guards:
            if guard.tripped:
                _log.warning("guard %s is %s: %s", guard.name, guard.mode, guard.reason)

    def close(self) -> None:
        """Unlock the journal. Needed when Freqtrade reloads: it creates the next bot in the same process."""
        if self._journal is not None:
            self._journal.unlock()

    def update(self, now: int, trade_class: Any, wallets: Any) -> None:
        """Pass newly closed trades, and the newest closed bar once it has decisions, to the guards.

        A journal that cannot be accessed is logged and stops entries; open positions are managed as before.

        Args:
            now: ms.
            trade_class: freqtrade.persistence.Trade.
            wallets: of Freqtrade.
        """
        try:
            self.runner.replay()
            self.runner.record_trades(self._closed_trades(trade_class))
            bar = newest_closed_ms(self._timeframe, now)
            if self.runner.bar is None or bar > self.runner.bar:
                forecasts = self._forecaster.at_bar(bar)
                if forecasts:
                    self.runner.record_bar(self._summarize(bar, forecasts, trade_class, wallets))
        except JournalError as error:
            if str(error) != self._journal_error:
                _log.error("no entries: %s", error)
            self._journal_error = str(error)
        else:
            self._journal_error = ""

    def allows(self, pair: str, now: int, trade_class: Any, wallets: Any) -> bool:
        """Update the guards and check whether a position may be opened; a refusal is logged with its reason."""
        self.update(now, trade_class, wallets)
        if self._journal_error:
            return False
        check = self.runner.may_enter(pair, now)
        if not check.allowed and check.why != self._last_refusal:
            _log.warning("no entry in %s: %s", pair, check.why)
        self._last_refusal = check.why
        return check.allowed

    def _closed_trades(self, trade_class: Any) -> list[tuple[str, Trade]]:
        """Trades closed since the newest recorded one, with their ids, by exit time."""
        newest = self.runner.newest_close
        since = None
        if newest is not None:
            since = datetime.fromtimestamp(newest / 1000, UTC) - timedelta(seconds=1)
            # Freqtrade's database holds UTC times without a time zone.
            since = since.replace(tzinfo=None) if trade_class.use_db else since
        records = trade_class.get_trades_proxy(is_open=False, close_date=since)
        closed = [(str(record.id), read_trade(record)) for record in records if record.close_date_utc is not None]
        return sorted(closed, key=lambda named: (named[1].exit_time, int(named[0])))

    def _summarize(
        self, bar: int, forecasts: dict[str, tuple[FrameForecast, int]], trade_class: Any, wallets: Any
    ) -> BarSummary:
        signals = {
            pair: signal_at(forecast.decisions, row, self._source.models, self._source.mode)
            for pair, (forecast, row) in forecasts.items()
        }
        decided = [signal for _, signal in sorted(signals.items()) if signal.action != Action.HOLD and signal.base > 0]
        return BarSummary(
            time=bar,
            equity_usd=self._equity(forecasts, trade_class, wallets),
            valid=self._valid_members(list(signals.values()), bar),
            bases=tuple(min(1.0, signal.base) for signal in decided),
            volatility={pair: float(forecast.decisions.volatility[row]) for pair, (forecast, row) in forecasts.items()},
        )

    def _valid_members(self, signals: list[Signal], bar: int) -> int | None:
        bundle = self._source.bundle
        if bundle is None:
            return None
        return valid_members(signals, bar, bundle.manifest.training_end, self._options.settings.guards)

    def _equity(self, forecasts: dict[str, tuple[FrameForecast, int]], trade_class: Any, wallets: Any) -> float:
        """Free stake, plus stake and profit after costs of the open trades at their last close."""
        equity = float(wallets.get_free(self._currency))
        for record in trade_class.get_trades_proxy(is_open=True):
            equity += float(record.stake_amount)
            if record.pair in forecasts:
                forecast, row = forecasts[record.pair]
                equity += float(record.calculate_profit(float(forecast.candles.close[row])).profit_abs)
        return equity
