"""Guards fed from Freqtrade's trades and the bundle's decisions, rebuilt from their journal at start-up."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quorate.core.configuration import load_settings
from quorate.core.errors import FreqtradeError, JournalError, QuorateError, TradingError
from quorate.core.settings import GuardSettings
from quorate.integrations.freqtrade.guarding.guard_journal import GuardJournal
from quorate.trading import Trade
from quorate.trading.guards import (
    EntryCheck,
    GuardEvent,
    GuardMove,
    Guards,
    SignalDecided,
    TradeClosed,
    VolatilityMeasured,
    valuation_events,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BarSummary:
    """The guards' inputs of one closed bar.

    Attributes:
        time: open time of the bar in ms.
        equity_usd: of the account, open positions at their last close.
        valid: number of members that voted; None without a bundle.
        bases: base confidence of each BUY and SELL decision, all pairs.
        volatility: pair -> volatility_20; NaN where unknown.
    """

    time: int
    equity_usd: float
    valid: int | None
    bases: tuple[float, ...]
    volatility: Mapping[str, float]


class GuardRunner:
    """All guards of one bot.

    Args:
        settings: limits.
        journal: every input is written to it before it takes effect; None keeps none, as in a backtest.

    Attributes:
        guards: the guards' state.
        bar: open time in ms of the newest recorded bar; None before the first.
    """

    def __init__(self, settings: GuardSettings, journal: GuardJournal | None) -> None:
        self.settings = settings
        self.guards = Guards(settings)
        self.bar: int | None = None
        self._journal = journal
        self._recorded: set[str] = set()

    @property
    def newest_close(self) -> int | None:
        """Exit time in ms of the newest recorded trade."""
        return max((int(key.rsplit("@", 1)[1]) for key in self._recorded), default=None)

    def replay(self) -> None:
        """Apply the journal's new lines: all of them at start-up, later those that another process has appended.

        Raises:
            JournalError: an invalid line, or a journal that cannot be read.
        """
        if self._journal is None:
            return
        for line in self._journal.read_new():
            try:
                self._replay_line(line)
            except (KeyError, TypeError, QuorateError) as error:
                raise JournalError(
                    f"rebuild the guards from {self._journal.path}",
                    found=f"{error} in the line {str(line)[:80]}",
                    expected="the lines as they were written",
                    remedy="Restore the journal from a backup; the bot opens no trades without it.",
                ) from error

    def record_trades(self, trades: Iterable[tuple[str, Trade]]) -> None:
        """Record closed trades and pass them to the guards; trades recorded before are skipped.

        Args:
            trades: each with a unique name, by exit time.

        Raises:
            JournalUnavailableError: a trade could not be written; pass it again later.
        """
        for name, trade in trades:
            key = f"{name}@{trade.exit_time}"
            if key not in self._recorded:
                self._append({"kind": "trade", "key": key, "trade": trade._asdict()})
                self._recorded.add(key)
                self._apply(self.guards.on(TradeClosed.of(trade)))

    def record_bar(self, summary: BarSummary) -> None:
        """Record a closed bar and pass it to the guards; a bar that is not newer than the last is skipped.

        Raises:
            JournalUnavailableError: the bar could not be written; pass it again later.
        """
        if self.bar is not None and summary.time <= self.bar:
            return
        # JSON has no NaN: unknown values are null. A low volatility changes no guard but one that watches the pair.
        watched = {guard.symbol for guard in self.guards if guard.name == "volatility"}
        volatility = {
            pair: value if math.isfinite(value) else None
            for pair, value in summary.volatility.items()
            if pair in watched or not value < self.settings.volatility_clear
        }
        line = {
            "kind": "bar",
            "time": summary.time,
            "equity_usd": summary.equity_usd if math.isfinite(summary.equity_usd) else None,
            "valid": summary.valid,
            "bases": list(summary.bases),
            "volatility": volatility,
        }
        self._append(line)
        self._apply(self._pass_bar(line))

    def rearm(self, name: str, time: int, who: str) -> GuardMove:
        """Re-arm a guard by hand.

        Args:
            name: of the guard.
            time: now, ms.
            who: person who decides, for the journal.

        Raises:
            GuardError: the guard is not tripped, clears by itself, or may not be re-armed yet.
            JournalUnavailableError: the move could not be written.
        """
        move = self.guards.rearm(name, time, who)
        self._apply((move,))
        return move

    def may_enter(self, pair: str, time: int) -> EntryCheck:
        """Check whether a position may be opened in a pair at `time` (ms)."""
        return self.guards.may_enter(pair, time)

    def complete_pending(self) -> None:
        """Apply moves that were requested but not written before a crash.

        Raises:
            JournalUnavailableError: they could not be written.
        """
        self._apply(self.guards.pending)

    def _pass_bar(self, line: Mapping[str, Any]) -> tuple[GuardMove, ...]:
        time = int(line["time"])
        self.bar = time
        equity, valid = line["equity_usd"], line["valid"]
        events: list[GuardEvent] = [
            *valuation_events(time, _nan_for_null(equity), None if valid is None else int(valid)),
            *(SignalDecided(time, float(base)) for base in line["bases"]),
            *(VolatilityMeasured(time, pair, _nan_for_null(value)) for pair, value in line["volatility"].items()),
        ]
        return tuple(move for event in events for move in self.guards.on(event))

    def _apply(self, moves: Iterable[GuardMove]) -> None:
        for move in moves:
            self._append({"kind": "move", **asdict(move)})
            self.guards.apply(move)
            _log.warning("guard %s: %s to %s, %s", move.guard, move.before, move.after, move.reason)

    def _append(self, line: dict[str, Any]) -> None:
        if self._journal is not None:
            self._journal.append([line])

    def _replay_line(self, line: dict[str, Any]) -> None:
        kind = line["kind"]
        if kind == "trade":
            self._recorded.add(line["key"])
            self.guards.on(TradeClosed.of(Trade(**line["trade"])))
        elif kind == "bar":
            self._pass_bar(line)
        else:
            move = GuardMove(**{key: value for key, value in line.items() if key != "kind"})
            try:
                self.guards.apply(move)
            except TradingError as error:
                # `rearm` wrote it while the bot wrote a move of the same guard.
                _log.error("skipped a move of the guards' journal: %s", error)


def _nan_for_null(value: float | None) -> float:
    """The journal's null stands for an unknown number."""
    return math.nan if value is None else float(value)


def read_guard_runner(user_data: Path, journal: Path | None = None) -> GuardRunner:
    """Rebuild the guards of a bot from its journal, without taking the lock; the bot may be running.

    Args:
        user_data: Freqtrade's folder.
        journal: of that bot; None for the one that the settings name. A relative path starts at user_data.

    Raises:
        FreqtradeError: no journal there.
        JournalError: the journal is invalid or cannot be read.
    """
    settings = load_settings()
    path = user_data / (journal or Path(settings.freqtrade.journal))
    if not path.is_file():
        raise FreqtradeError(
            f"read the guards' journal {path}",
            found="no such file",
            expected="the journal of a bot that has traded dry or live",
            remedy="Pass the path that the bot's configuration names as `journal`.",
        )
    runner = GuardRunner(settings.guards, GuardJournal(path))
    runner.replay()
    return runner
