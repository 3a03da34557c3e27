"""The guards before Freqtrade's entries: fed from its trades and our decisions, rebuilt from a journal at a start."""

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
    """What one closed bar says to the guards.

    Attributes:
        time: of the bar, open, ms.
        equity_usd: the account's, open positions at their marks.
        valid: members that voted; None where no bundle was asked.
        bases: of the BUY and SELL decisions of all pairs.
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
        journal: where everything that the guards hear is written before it takes effect; None to forget it, as a
            backtest does.

    Attributes:
        guards: the machine.
        bar: the newest bar that it has heard of, ms; None before the first.
    """

    def __init__(self, settings: GuardSettings, journal: GuardJournal | None) -> None:
        self.settings = settings
        self.guards = Guards(settings)
        self.bar: int | None = None
        self._journal = journal
        self._known: set[str] = set()

    @property
    def newest_close(self) -> int | None:
        """When the newest trade that it knows was closed, ms."""
        return max((int(key.rsplit("@", 1)[1]) for key in self._known), default=None)

    def recall(self) -> None:
        """Read what is new in the journal: everything at the start, later what a person has added.

        Raises:
            JournalError: a line that cannot be; nothing is entered then.
        """
        if self._journal is None:
            return
        for line in self._journal.news():
            try:
                self._replay(line)
            except (KeyError, TypeError, QuorateError) as error:
                raise JournalError(
                    f"rebuild the guards from {self._journal.path}",
                    found=f"{error} in the line {str(line)[:80]}",
                    expected="the lines as they were written",
                    remedy="Restore it from a copy; the bot makes no entry without it.",
                ) from error

    def hear_trades(self, trades: Iterable[tuple[str, Trade]]) -> None:
        """Closed trades in the order in which they were closed, each with a name of its own; known ones change nothing.

        Raises:
            JournalUnavailableError: they could not be written down; they are heard again the next time.
        """
        for name, trade in trades:
            key = f"{name}@{trade.exit_time}"
            if key not in self._known:
                self._write([{"kind": "trade", "key": key, "trade": asdict(trade)}])
                self._known.add(key)
                self._settle(self.guards.on(TradeClosed.of(trade)))

    def hear_bar(self, news: BarSummary) -> None:
        """A bar that has closed; one that is not after the newest changes nothing.

        Raises:
            JournalUnavailableError: it could not be written down; it is heard again the next time.
        """
        if self.bar is not None and news.time <= self.bar:
            return
        # JSON knows no NaN: what is not known is null. Calm markets without a guard have nothing to say.
        watched = {guard.symbol for guard in self.guards if guard.name == "volatility"}
        told = {
            pair: value if math.isfinite(value) else None
            for pair, value in news.volatility.items()
            if pair in watched or not value < self.settings.volatility_clear
        }
        line = {
            "kind": "bar",
            "time": news.time,
            "equity_usd": news.equity_usd if math.isfinite(news.equity_usd) else None,
            "valid": news.valid,
            "bases": list(news.bases),
            "volatility": told,
        }
        self._write([line])
        self._settle(self._hear(line))

    def rearm(self, name: str, time: int, who: str) -> GuardMove:
        """A person re-arms a guard.

        Raises:
            GuardError: it is not tripped, clears by itself, or may not be re-armed yet.
        """
        move = self.guards.rearm(name, time, who)
        self._settle((move,))
        return move

    def may_enter(self, pair: str, time: int) -> EntryCheck:
        """Whether a position may be opened."""
        return self.guards.may_enter(pair, time)

    def _hear(self, line: Mapping[str, Any]) -> tuple[GuardMove, ...]:
        time = int(line["time"])
        self.bar = time
        equity, valid = line["equity_usd"], line["valid"]
        events: list[GuardEvent] = [
            *valuation_events(time, _number(equity), None if valid is None else int(valid)),
            *(SignalDecided(time, float(base)) for base in line["bases"]),
            *(VolatilityMeasured(time, pair, _number(value)) for pair, value in line["volatility"].items()),
        ]
        return tuple(move for event in events for move in self.guards.on(event))

    def _settle(self, moves: Iterable[GuardMove]) -> None:
        """Moves are written down, and then they are."""
        for move in moves:
            self._write([{"kind": "move", **asdict(move)}])
            self.guards.apply(move)
            _log.warning("guard %s: %s to %s, %s", move.guard, move.before, move.after, move.reason)

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if self._journal is not None:
            self._journal.append(lines)

    def _replay(self, line: dict[str, Any]) -> None:
        kind = line["kind"]
        if kind == "trade":
            self._known.add(line["key"])
            self.guards.on(TradeClosed.of(Trade(**line["trade"])))
        elif kind == "bar":
            self._hear(line)
        else:
            move = GuardMove(**{key: value for key, value in line.items() if key != "kind"})
            try:
                self.guards.apply(move)
            except TradingError as error:
                # Written by a person in the very moment in which the guard moved by itself.
                _log.error("a move is left out: %s", error)

    def finish(self) -> None:
        """Moves that were asked for, but a crash came before they were written: they are now.

        Raises:
            JournalUnavailableError: they could not be.
        """
        self._settle(self.guards.pending)


def _number(value: float | None) -> float:
    """A number of the journal, where null is unknown."""
    return math.nan if value is None else float(value)


def read_sentry(user_data: Path, journal: Path | None = None) -> GuardRunner:
    """The guards of a bot as its journal has them, from outside.

    Args:
        user_data: Freqtrade's folder.
        journal: of that bot; None for the one of the settings. A relative path counts from user_data.

    Raises:
        FreqtradeError: no journal there.
        JournalError: one that cannot be read.
    """
    settings = load_settings()
    path = user_data / (journal or Path(settings.freqtrade.journal))
    if not path.is_file():
        raise FreqtradeError(
            f"read the guards' journal {path}",
            found="no such file",
            expected="the journal of a bot that has run dry or live",
            remedy="Name it with --journal, as the bot's configuration does.",
        )
    sentry = GuardRunner(settings.guards, GuardJournal(path))
    sentry.recall()
    return sentry
