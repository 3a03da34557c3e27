"""Helpers of the guards' tests."""

from collections.abc import Callable, Iterable

from quorate.core.clock import parse_ms
from quorate.trading import Trade
from quorate.trading.guards import AccountValued, GuardMove, Guards

NOON = parse_ms("2025-03-01 12:00")
MIDNIGHT = parse_ms("2025-03-02")
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
TRIPPED = ("ACTIVE", "HALTED")
MakeTrade = Callable[..., Trade]


def take(guards: Guards, moves: Iterable[GuardMove]) -> list[tuple[str, str, str]]:
    """Apply requested moves, as a session does after writing them."""
    done = []
    for move in moves:
        guards.apply(move)
        done.append((move.guard, move.before, move.after))
    return done


def valued(guards: Guards, *rows: tuple[int, float]) -> list[tuple[str, str, str]]:
    """Value the account at those times, and apply the requested moves."""
    return [done for time, equity in rows for done in take(guards, guards.on(AccountValued(time, equity)))]
