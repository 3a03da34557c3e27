"""All guards of one account: events in, moves out, and whether an entry may be made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from quorate.core.clock import format_ms
from quorate.core.errors import GuardError, close_match
from quorate.core.settings import GuardSettings
from quorate.trading.account.position import Trade
from quorate.trading.guards.consecutive_losses import LossesGuard
from quorate.trading.guards.daily_drawdown import DrawdownGuard
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.mean_confidence import ConfidenceGuard
from quorate.trading.guards.moves import MODES, EntryCheck, GuardMode, GuardMove
from quorate.trading.guards.operational import ClockGuard, FeedGuard, ValuationGuard
from quorate.trading.guards.sustained_volatility import VolatilityGuard
from quorate.trading.guards.valid_members import MembersGuard

Moves = tuple[GuardMove, ...]

_HUMAN = tuple(guard.name for guard in (LossesGuard, DrawdownGuard, ConfidenceGuard))


class Guards:
    """ACTIVE, REDUCING or HALTED, and why.

    Each event returns the moves that it asks for. They change nothing until they are applied, so that they can be
    written down first; until then `asked` has them all, and entries that they stop are refused already. Fed with the
    same events and moves in the same order, two of these are in the same state: that is how a restart rebuilds it.

    The first event should be the valuation of the account before its first bar: it is the first day's first peak.

    Args:
        settings: limits; the defaults where None.

    >>> guards = Guards()
    >>> (move,) = guards.counted(0, valid=2)
    >>> guards.mode, guards.may_enter("BTC/USDT:USDT", 0).allowed
    ('ACTIVE', False)
    >>> guards.apply(move)
    >>> guards.mode, guards.may_enter("BTC/USDT:USDT", 0).why
    ('REDUCING', 'models: 2 valid members, fewer than 3')
    """

    def __init__(self, settings: GuardSettings | None = None) -> None:
        self.settings = settings or GuardSettings()
        self._losses = LossesGuard(self.settings)
        self._drawdown = DrawdownGuard(self.settings)
        self._members = MembersGuard(self.settings)
        self._confidence = ConfidenceGuard(self.settings)
        self._clock = ClockGuard()
        self._feed = FeedGuard()
        self._valuation = ValuationGuard()
        self._volatility: dict[str, VolatilityGuard] = {}
        self._feeds: dict[str, FeedGuard] = {}

    # ------------------------------------------------------------------------------------------------------- events

    def closed(self, trade: Trade) -> Moves:
        """A position was closed. Several in one bar: in the order in which the account closed them."""
        before = self._losses.asked
        self._losses.closed(trade.exit_time, trade.net_usd)
        return _new(before, self._losses)

    def valued(self, time: int, equity_usd: float) -> Moves:
        """The account was valued at a bar's open or close; not finite where unknown."""
        before = self._drawdown.asked, self._valuation.asked
        self._drawdown.valued(time, equity_usd)
        self._valuation.valued(time, equity_usd)
        return _new(before[0], self._drawdown) + _new(before[1], self._valuation)

    def counted(self, time: int, valid: int) -> Moves:
        """So many members were valid at a bar; `valid_members` counts them."""
        before = self._members.asked
        self._members.counted(time, valid)
        return _new(before, self._members)

    def signalled(self, time: int, base: float) -> Moves:
        """A BUY or SELL was decided."""
        before = self._confidence.asked
        self._confidence.signalled(time, base)
        return _new(before, self._confidence)

    def measured(self, symbol: str, time: int, volatility: float) -> Moves:
        """volatility_20 of a market on a closed bar, a fraction; not finite where unknown."""
        guard = self._volatility.setdefault(symbol, VolatilityGuard(self.settings, symbol))
        before = guard.asked
        guard.measured(time, volatility)
        return _new(before, guard)

    def compared(self, time: int, skew_ms: int | None, *, close: bool) -> Moves:
        """Our clock and the exchange's were compared; `close` is what the feed's settings make of it."""
        before = self._clock.asked
        self._clock.compared(time, skew_ms, close=close)
        return _new(before, self._clock)

    def heard(self, time: int, *, stale: bool, symbol: str | None = None) -> Moves:
        """How the whole feed, or one market of it, stands at a bar."""
        guard = self._feed if symbol is None else self._feeds.setdefault(symbol, FeedGuard(symbol))
        before = guard.asked
        guard.heard(time, stale=stale)
        return _new(before, guard)

    # -------------------------------------------------------------------------------------------------------- moves

    @property
    def asked(self) -> Moves:
        """Every move that was asked for and not yet applied."""
        return tuple(guard.asked for guard in self if guard.asked is not None)

    def forget(self) -> None:
        """Drop what was asked for: a journal of whole steps does not have it, so it was judged by other limits."""
        for guard in self:
            guard.asked = None

    def rearm(self, name: str, time: int, who: str) -> GuardMove:
        """The move by which a person re-arms a guard; like any other, it is written down and then applied.

        Raises:
            GuardError: no such guard, one that is not tripped or re-arms itself, too early, or nobody's name.
        """
        attempted = f"re-arm the guard '{name}'"
        guard = self._named(name, attempted)
        if guard.rearm != "human":
            raise GuardError(attempted, found="a guard that clears by itself", expected=", ".join(_HUMAN))
        if not who.strip():
            raise GuardError(attempted, found="no name", expected="who does it, for the journal")
        if not guard.tripped:
            raise GuardError(attempted, found="that it is not tripped", expected="a guard that is HALTED")
        until = max((known for known in (guard.until, guard.asked and guard.asked.until) if known), default=time)
        if time < until:
            raise GuardError(
                attempted,
                found=f"{format_ms(time)} UTC",
                expected=f"{format_ms(until)} UTC or later",
                remedy="A day that costs too much is over when the next one begins.",
            )
        return GuardMove(guard.name, guard.mode, "ACTIVE", time, f"re-armed by {who.strip()}")

    def apply(self, move: GuardMove) -> None:
        """Let a move take effect that has been written down.

        Raises:
            TradingError: it does not start from the mode that its guard is in.
            GuardError: no such guard.
        """
        if move.guard == "volatility" and move.symbol is not None:
            guard: Guard = self._volatility.setdefault(move.symbol, VolatilityGuard(self.settings, move.symbol))
        elif move.guard == "feed" and move.symbol is not None:
            guard = self._feeds.setdefault(move.symbol, FeedGuard(move.symbol))
        else:
            guard = self._named(move.guard, f"apply a move of the guard '{move.guard}'")
        guard.apply(move)

    # ------------------------------------------------------------------------------------------------------ verdict

    @property
    def mode(self) -> GuardMode:
        """The worst of all guards' modes."""
        return max((guard.mode for guard in self), key=MODES.index)

    def may_enter(self, symbol: str, time: int) -> EntryCheck:
        """Whether a position may be opened in a market.

        Args:
            symbol: the market.
            time: ms; the verdict's `until` lies after it.
        """
        of_market = self._volatility.get(symbol), self._feeds.get(symbol)
        against = [guard for guard in (*self._for_all(), *of_market) if guard is not None and guard.stops]
        if not against:
            return EntryCheck(allowed=True)
        until = None
        if all(guard.until is not None and guard.until > time for guard in against):
            until = max(guard.until or 0 for guard in against)
        return EntryCheck(allowed=False, until=until, why="; ".join(map(_why, against)))

    def __iter__(self) -> Iterator[Guard]:
        """Every guard: of the account, then of single markets by name."""
        markets = sorted(self._volatility.items()), sorted(self._feeds.items())
        return chain(self._for_all(), (guard for _, guard in chain(*markets)))

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate paper status --json`; of single markets only those with something to say."""
        shown = [guard for guard in self if guard.symbol is None or guard.stops]
        return {"mode": self.mode, "guards": [guard.to_json() for guard in shown]}

    def _for_all(self) -> tuple[Guard, ...]:
        account = self._losses, self._drawdown, self._members, self._confidence
        return (*account, self._clock, self._feed, self._valuation)

    def _named(self, name: str, attempted: str) -> Guard:
        """A guard of the account, or the volatility guard of no market, which is one that clears by itself."""
        known = {guard.name: guard for guard in (*self._for_all(), VolatilityGuard(self.settings, ""))}
        for guard in known.values():
            if guard.name == name:
                return guard
        raise GuardError(attempted, found="no such guard", expected=", ".join(known), remedy=close_match(name, known))


def _new(before: GuardMove | None, guard: Guard) -> Moves:
    return () if guard.asked is None or guard.asked is before else (guard.asked,)


def _why(guard: Guard) -> str:
    asked = guard.asked if guard.asked is not None and guard.asked.trips else None
    return f"{guard.name}: {asked.reason if asked else guard.reason}"
