"""All guards of one account: events in, moves out, and whether an entry is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quorate.core.clock import format_ms
from quorate.core.errors import GuardError, close_match
from quorate.core.settings import GuardSettings
from quorate.trading.guards.consecutive_losses import LossesGuard
from quorate.trading.guards.daily_drawdown import DrawdownGuard
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import GuardEvent
from quorate.trading.guards.mean_confidence import ConfidenceGuard
from quorate.trading.guards.moves import MODES, EntryCheck, GuardMode, GuardMove
from quorate.trading.guards.operational import ClockGuard, FeedGuard, ValuationGuard
from quorate.trading.guards.positions_by_target import GrossGuard, PeakDrawdownGuard, ReducingGuard
from quorate.trading.guards.sustained_volatility import VolatilityGuard
from quorate.trading.guards.valid_members import MembersGuard

#: Name -> guard, in the order in which they see an event and are shown. Limits of all are in `GuardSettings`.
GUARDS: dict[str, type[Guard[Any]]] = {
    guard.name: guard
    for guard in (
        LossesGuard,
        DrawdownGuard,
        MembersGuard,
        ConfidenceGuard,
        VolatilityGuard,
        ClockGuard,
        FeedGuard,
        ValuationGuard,
        ReducingGuard,
        PeakDrawdownGuard,
        GrossGuard,
    )
}

Moves = tuple[GuardMove, ...]


class Guards:
    """State machine of all guards: ACTIVE, REDUCING or HALTED.

    `on` returns the moves that an event requests. A move takes effect in `apply`, so that it can be written to a
    journal first; until then it is in `pending`, and entries that it will stop are refused already. Two instances that
    receive the same events and moves in the same order are in the same state: a restart replays the journal.

    The first event should be the valuation of the account before its first bar, which is the first peak of the day.

    Args:
        settings: limits; defaults where None.

    >>> from quorate.trading.guards import MembersCounted
    >>> guards = Guards()
    >>> (move,) = guards.on(MembersCounted(time=0, valid=2))
    >>> guards.mode, guards.may_enter("BTC/USDT:USDT", 0).allowed
    ('ACTIVE', False)
    >>> guards.apply(move)
    >>> guards.mode, guards.may_enter("BTC/USDT:USDT", 0).why
    ('REDUCING', 'models: 2 valid members, fewer than 3')
    """

    def __init__(self, settings: GuardSettings | None = None) -> None:
        self.settings = settings or GuardSettings()
        self._account: dict[str, Guard[Any]] = {
            name: guard(self.settings)
            for name, guard in GUARDS.items()
            if "account" in guard.scopes and guard.used(self.settings)
        }
        # Symbol -> guard, created with the market's first event or move.
        self._markets: dict[str, dict[str, Guard[Any]]] = {
            name: {} for name, guard in GUARDS.items() if "market" in guard.scopes
        }
        # Type of event -> names of the guards that watch it.
        self._watching: dict[type[GuardEvent], list[str]] = {}
        for name, guard in GUARDS.items():
            for event in guard.events:
                self._watching.setdefault(event, []).append(name)

    def on(self, event: GuardEvent) -> Moves:
        """Pass an event to every guard that watches its type; returns the moves that it requests.

        Raises:
            TradingError: a value that the guard refuses.
        """
        moves: Moves = ()
        for name in self._watching.get(type(event), ()):
            if name in self._account:
                moves += _requested(self._account[name], event)
            if name in self._markets and event.market is not None:
                moves += _requested(self._of_market(name, event.market), event)
        return moves

    @property
    def pending(self) -> Moves:
        """All requested moves that are not applied yet."""
        return tuple(guard.pending for guard in self if guard.pending is not None)

    def discard_pending(self) -> None:
        """Discard all requested moves. A journal of complete steps without them was written under other limits."""
        for guard in self:
            guard.pending = None

    def rearm(self, name: str, time: int, who: str) -> GuardMove:
        """The move by which a person re-arms a guard; to be written to the journal and applied.

        Raises:
            GuardError: unknown guard, a guard that is not tripped or re-arms itself, too early, or an empty name.
        """
        attempted = f"re-arm the guard '{name}'"
        if _guard(name, attempted).rearm != "human":
            human = [known for known, guard in self._account.items() if guard.rearm == "human"]
            raise GuardError(attempted, found="a guard that clears by itself", expected=", ".join(human))
        guard = self._of_account(name)
        if not who.strip():
            raise GuardError(attempted, found="no name", expected="the person's name, for the journal")
        if not guard.tripped:
            raise GuardError(attempted, found="a guard that is not tripped", expected="a guard that is HALTED")
        until = max((known for known in (guard.until, guard.pending and guard.pending.until) if known), default=time)
        if time < until:
            raise GuardError(
                attempted,
                found=f"{format_ms(time)} UTC",
                expected=f"{format_ms(until)} UTC or later",
                remedy="The drawdown of a day is limited until the next day begins.",
            )
        return GuardMove(guard.name, guard.mode, "ACTIVE", time, f"re-armed by {who.strip()}")

    def apply(self, move: GuardMove) -> None:
        """Apply a move that has been written to the journal.

        Raises:
            TradingError: the move does not start from its guard's current mode.
            GuardError: unknown guard.
        """
        attempted = f"apply a move of the guard '{move.guard}'"
        kind = _guard(move.guard, attempted)
        needed = "account" if move.symbol is None else "market"
        if needed not in kind.scopes:
            raise GuardError(
                attempted,
                found="a move of the account" if move.symbol is None else f"a move of the market {move.symbol}",
                expected=f"a move of one {kind.scopes[0]}",
            )
        guard = self._of_account(move.guard) if move.symbol is None else self._of_market(move.guard, move.symbol)
        guard.apply(move)

    @property
    def mode(self) -> GuardMode:
        """The worst mode of all guards."""
        return max((guard.mode for guard in self), key=MODES.index)

    def may_enter(self, symbol: str, time: int) -> EntryCheck:
        """Whether a position may be opened in a market.

        Args:
            symbol: the market.
            time: ms; a returned `until` is after it.
        """
        of_market = (guards[symbol] for guards in self._markets.values() if symbol in guards)
        stopping = [guard for guard in (*self._account.values(), *of_market) if guard.stops]
        if not stopping:
            return EntryCheck(allowed=True)
        until = None
        if all(guard.until is not None and guard.until > time for guard in stopping):
            until = max(guard.until or 0 for guard in stopping)
        return EntryCheck(allowed=False, until=until, why="; ".join(map(_why, stopping)))

    def __iter__(self) -> Iterator[Guard[Any]]:
        """Every guard: of the account, then of single markets, sorted by symbol."""
        yield from self._account.values()
        for guards in self._markets.values():
            for _, guard in sorted(guards.items()):
                yield guard

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate paper status --json`; of the guards of single markets only those that stop entries."""
        shown = [guard for guard in self if guard.symbol is None or guard.stops]
        return {"mode": self.mode, "guards": [guard.to_json() for guard in shown]}

    def _of_account(self, name: str) -> Guard[Any]:
        # A guard whose limit was taken away since stays tripped until it is re-armed or clears.
        if name not in self._account:
            self._account[name] = GUARDS[name](self.settings)
        return self._account[name]

    def _of_market(self, name: str, symbol: str) -> Guard[Any]:
        guards = self._markets[name]
        if symbol not in guards:
            guards[symbol] = GUARDS[name](self.settings, symbol)
        return guards[symbol]


def _guard(name: str, attempted: str) -> type[Guard[Any]]:
    if name not in GUARDS:
        raise GuardError(attempted, found="no such guard", expected=", ".join(GUARDS), remedy=close_match(name, GUARDS))
    return GUARDS[name]


def _requested(guard: Guard[Any], event: GuardEvent) -> Moves:
    """The move that a guard requests after an event, unless it was pending before."""
    before = guard.pending
    guard.on(event)
    return () if guard.pending is None or guard.pending is before else (guard.pending,)


def _why(guard: Guard[Any]) -> str:
    pending = guard.pending if guard.pending is not None and guard.pending.trips else None
    return f"{guard.name}: {pending.reason if pending else guard.reason}"
