"""Status of an account from its journal alone, whether a session is running or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from quorate.core.clock import format_ms, iso_ms, timeframe_ms
from quorate.core.errors import UnknownAccountError
from quorate.trading.account.currency import currencies
from quorate.trading.account.position import Position
from quorate.trading.engine import TradingEngine
from quorate.trading.journal import Entry, Journal, records
from quorate.trading.paper.account_config import AccountConfig
from quorate.trading.paper.account_history import AccountHistory, Move
from quorate.trading.paper.recovery import Recovered, redo
from quorate.trading.webhook.delivery import MessageCounts

# Number of the newest notices and moves that are shown.
_SHOWN = 10


class AccountStatus:
    """Status of the account of a journal, which is read once; later calls of `refresh` read what is new.

    Args:
        journal: of the account, in any role.

    Attributes:
        account: name of the account.
        history: decisions, trades and equity.
        config: rules of the newest session, with the equity of the first one's start.
        engine: account, guards and ladder as of the last completed step.
        recovered: progress of the account.
        running: whether a session was writing it when it was read; None where that cannot be known.

    Raises:
        JournalError: an account without a session, or a journal that contradicts itself.
    """

    def __init__(self, journal: Journal) -> None:
        self.account = journal.account
        self._read(journal)

    def refresh(self, journal: Journal) -> int:
        """Read the records since the last call; the number of them.

        A session that continues with other settings makes the whole journal be read again.

        Args:
            journal: of the same account, in any role.

        Raises:
            JournalUnavailableError: the journal cannot be read now; the status is as before.
            JournalError: a journal that contradicts itself; make a new status.
        """
        self.running = journal.running()
        # Votes are most of a journal, and only those on the newest bar are shown: read without them.
        entries = list(journal.read(after=self.recovered.seq, detail=False))
        if entries:
            decided = self._newest_decisions(journal)
            if self._add(entries):
                self._decided = decided
            else:
                self._read(journal)
        return len(entries)

    def _read(self, journal: Journal) -> None:
        """Build everything from the whole journal."""
        self.running = journal.running()
        sessions = [entry.record for entry in journal.read(kinds=[records.StartedRecord])]
        first, newest = (sessions[0], sessions[-1]) if sessions else (None, None)
        if not isinstance(first, records.StartedRecord) or not isinstance(newest, records.StartedRecord):
            raise UnknownAccountError(
                f"read the account '{self.account}' in {journal.place}",
                found="no session",
                expected="an account with a session",
                remedy="Start one with `quorate paper run`.",
            )
        self._rules = _rules_of(newest)
        self.history, self.recovered, self._messages = AccountHistory(), Recovered(), MessageCounts()
        self.config = config = AccountConfig.from_json(newest.settings, newest.strategy).with_start_equity(first)
        self.engine: TradingEngine = config.engine(timeframe_ms(newest.timeframe), first.time, strategy=config.strategy)
        if not self._add(journal.read(detail=False)):
            self._read(journal)  # a session has started meanwhile
            return
        self._decided = self._newest_decisions(journal)

    def _add(self, entries: Iterable[Entry]) -> bool:
        """Continue with the entries that follow those before; returns whether all are under the same rules."""

        def kept() -> Iterator[Entry]:
            for entry in entries:
                self.history.add(entry)
                self._messages.add(entry)
                yield entry

        self.recovered = redo(self.engine, kept(), self.recovered)
        return _rules_of(self.history.started[-1]) == self._rules

    def _newest_decisions(self, journal: Journal) -> list[records.DecidedRecord]:
        """Decisions with their votes, among them those on the newest bar."""
        found = journal.newest(len(self.history.started[-1].symbols), [records.DecidedRecord])
        return [entry.record for entry in found if isinstance(entry.record, records.DecidedRecord)]

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate paper status --json`, without statistics and criteria."""
        history, engine, started = self.history, self.engine, self.history.started[-1]
        valued = self.recovered.valued
        time = started.time if valued is None else valued.time
        return {
            "account": self.account,
            "session": {
                "began": iso_ms(started.at),
                "number": len(history.started),
                "kind": started.mode,
                "running": self.running,
            },
            "bundle": started.bundle_id,
            "by_target": self.config.by_target,
            "timeframe": started.timeframe,
            "symbols": list(started.symbols),
            "currency": currencies(started.symbols),
            "synthetic": history.synthetic,
            "written_at": iso_ms(history.written_at),
            "last_bar": None if not history.close_times else iso_ms(history.close_times[-1]),
            "mode": "ACTIVE" if engine.guards is None else engine.guards.mode,
            "equity_usd": engine.account.equity_usd,
            "cash_usd": engine.account.cash_usd,
            "start_equity_usd": history.result().start_equity_usd,
            "positions": [
                _position(position, engine.account.equity_usd) for position in engine.account.positions.values()
            ],
            "pending": [
                {"symbol": order.symbol, "side": _side(order.side), "confidence": order.confidence}
                for order in engine.pending
            ],
            "guards": None if engine.guards is None else engine.guards.to_json()["guards"],
            "ladder": None if engine.ladder is None else engine.ladder.to_json(time),
            "drift": engine.drift._asdict(),
            "requests": [
                {"at": iso_ms(request.at), "action": request.action, "guard": request.guard, "who": request.who}
                for request in self.recovered.requests.values()
            ],
            "webhook": self._messages.to_json(),
            "members": self._members(),
            "feed": [_notice(record) for record in history.notices[-_SHOWN:]],
            "moves": [_move(record) for record in history.moves[-_SHOWN:]],
        }

    def _members(self) -> dict[str, str]:
        """Member -> "voted" where it voted in some market on the newest bar, otherwise why it abstained."""
        last = max((record.time for record in self._decided), default=0)
        members: dict[str, str] = {}
        for record in self._decided:
            if record.time != last:
                continue
            for abstention in record.abstentions:
                members.setdefault(abstention.model, abstention.reason)
            members.update((vote.model, "voted") for vote in record.votes)
            members.update((forecast.model, "voted") for forecast in record.forecasts)
        return dict(sorted(members.items()))


def _rules_of(session: records.StartedRecord) -> tuple[object, ...]:
    """What the engine of a session depends on."""
    return session.settings, session.strategy, session.timeframe


def _position(position: Position, equity_usd: float) -> dict[str, Any]:
    order, size = position.order, position.size
    return {
        "symbol": position.symbol,
        "side": _side(position.side),
        "quantity": size.quantity,
        "leverage": size.leverage,
        "margin_usd": size.margin_usd,
        "entry_time": iso_ms(position.entry_time),
        "entry_price": position.entry.price,
        "mark": position.mark,
        "weight": position.side * size.quantity * position.mark / equity_usd if equity_usd > 0 else None,
        "stop": None if position.targeted else position.stop,
        "target": None if position.targeted else size.target,
        "liquidation_price": position.liquidation_price,
        "due": None if position.targeted else iso_ms(order.due),
        "confidence": order.confidence,
        "funding_usd": position.funding_usd,
        "unrealised_usd": position.unrealised_usd,
    }


def _side(side: int) -> str:
    return "long" if side > 0 else "short"


def _notice(record: records.FeedRecord) -> dict[str, Any]:
    return {"time": iso_ms(record.time), "notice": record.notice, "symbol": record.symbol, "detail": record.detail}


def _move(record: Move) -> dict[str, Any]:
    what = record.guard if isinstance(record, records.GuardMovedRecord) else record.kind
    if isinstance(record, records.BenchMovedRecord):
        what = f"bench {record.model}"
        before, after = ("votes", "benched") if record.benched else ("benched", "votes")
    elif isinstance(record, records.SelectedRecord):
        what = "votes"
        before, after = (", ".join(models) or "all" for models in (record.before, record.after))
    elif isinstance(record, records.DriftMovedRecord):
        before, after = (("quiet", "drifting")[alarm] for alarm in (record.before, record.after))
    else:
        before, after = str(record.before), str(record.after)
    moved = {"what": what, "before": before, "after": after, "reason": record.reason}
    return {"time": format_ms(record.time), **moved}
