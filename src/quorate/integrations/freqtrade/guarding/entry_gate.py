"""Between Freqtrade and the guards: what each closed bar says, and whether an entry may be made now."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from quorate.core.clock import newest_closed_ms
from quorate.core.errors import JournalError
from quorate.core.types import Action, Signal
from quorate.integrations.freqtrade.guarding.guard_journal import GuardJournal
from quorate.integrations.freqtrade.guarding.guard_runner import BarSummary, GuardRunner
from quorate.integrations.freqtrade.guarding.trade_records import read_trade
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.forecaster import Forecaster, FrameForecast
from quorate.integrations.freqtrade.inference.signal_columns import told as signal_of
from quorate.integrations.freqtrade.strategy_options import Options
from quorate.trading.guards import valid_members

_log = logging.getLogger(__name__)


class EntryGate:
    """The guards of one bot.

    Args:
        options: limits, and where the journal lies.
        source: of the bundle, which may be too old.
        forecaster: what was decided.
        timeframe: of the bars.
        currency: of the stakes.
    """

    def __init__(
        self, options: Options, source: BundleSource, forecaster: Forecaster, timeframe: str, currency: str
    ) -> None:
        self._options = options
        self._source = source
        self._forecaster = forecaster
        self._timeframe = timeframe
        self._currency = currency
        self._journal = GuardJournal(options.path(options.own.journal)) if options.live else None
        self.sentry = GuardRunner(options.settings.guards, self._journal)
        self._trouble = ""
        self._refused = ""

    def start(self) -> None:
        """Take the journal and rebuild the guards from it.

        Raises:
            FreqtradeError: another bot has the journal.
            JournalError: it cannot be read.
        """
        if self._journal is not None:
            self._journal.take()
        self.sentry.recall()
        self.sentry.finish()
        for guard in self.sentry.guards:
            if guard.tripped:
                _log.warning("guard %s is %s: %s", guard.name, guard.mode, guard.reason)

    def close(self) -> None:
        """Let another bot have the journal: Freqtrade makes a new one in this very process when it reloads."""
        if self._journal is not None:
            self._journal.leave()

    def hear(self, now: int, records: Any, wallets: Any) -> None:
        """Tell the guards what has happened: trades that were closed, and the newest closed bar once it is decided on.

        Args:
            now: ms.
            records: freqtrade.persistence.Trade.
            wallets: Freqtrade's.
        """
        try:
            self.sentry.recall()
            self.sentry.hear_trades(self._closed(records))
            bar = newest_closed_ms(self._timeframe, now)
            if self.sentry.bar is None or bar > self.sentry.bar:
                told = self._forecaster.all_told(bar)
                if told:
                    self.sentry.hear_bar(self._news(bar, told, records, wallets))
        except JournalError as error:
            # Entries stop, the bot runs on: open positions are still looked after.
            if str(error) != self._trouble:
                _log.error("no entries: %s", error)
            self._trouble = str(error)
        else:
            self._trouble = ""

    def allows(self, pair: str, now: int, records: Any, wallets: Any) -> bool:
        """Whether a position may be opened now; why not is in the log."""
        self.hear(now, records, wallets)
        if self._trouble:
            return False
        verdict = self.sentry.may_enter(pair, now)
        if not verdict.allowed and verdict.why != self._refused:
            _log.warning("no entry in %s: %s", pair, verdict.why)
        self._refused = verdict.why
        return verdict.allowed

    def _closed(self, records: Any) -> list[tuple[str, Any]]:
        """Closed trades since the newest known one, in the order in which they were closed."""
        newest = self.sentry.newest_close
        since = None
        if newest is not None:
            since = datetime.fromtimestamp(newest / 1000, UTC) - timedelta(seconds=1)
            # Times in Freqtrade's database are UTC and do not say so.
            since = since.replace(tzinfo=None) if records.use_db else since
        found = records.get_trades_proxy(is_open=False, close_date=since)
        closed = [(str(record.id), read_trade(record)) for record in found if record.close_date_utc is not None]
        return sorted(closed, key=lambda one: (one[1].exit_time, int(one[0])))

    def _news(self, bar: int, told: dict[str, tuple[FrameForecast, int]], records: Any, wallets: Any) -> BarSummary:
        signals = {
            pair: signal_of(one.decisions, row, self._source.models, self._source.mode)
            for pair, (one, row) in told.items()
        }
        acted = [said for _, said in sorted(signals.items()) if said.action != Action.HOLD and said.base > 0]
        return BarSummary(
            time=bar,
            equity_usd=self._equity(told, records, wallets),
            valid=self._valid(list(signals.values()), bar),
            bases=tuple(min(1.0, said.base) for said in acted),
            volatility={pair: float(one.decisions.volatility[row]) for pair, (one, row) in told.items()},
        )

    def _valid(self, signals: list[Signal], bar: int) -> int | None:
        bundle = self._source.bundle
        if bundle is None:
            return None
        return valid_members(signals, bar, bundle.manifest.training_end, self._options.settings.guards)

    def _equity(self, told: dict[str, tuple[FrameForecast, int]], records: Any, wallets: Any) -> float:
        """Free stake, what open trades tie up, and their profit at the last close; costs paid so far are in it."""
        equity = float(wallets.get_free(self._currency))
        for record in records.get_trades_proxy(is_open=True):
            equity += float(record.stake_amount)
            if record.pair in told:
                one, row = told[record.pair]
                equity += float(record.calculate_profit(float(one.candles.close[row])).profit_abs)
        return equity
