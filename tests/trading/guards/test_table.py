"""The table of guards: what every line must satisfy, and a guard that is one more line."""

from typing import Any

import pytest

from quorate.core.errors import GuardError
from quorate.core.settings import GuardSettings
from quorate.trading.guards import (
    GUARDS,
    FeedChecked,
    Guard,
    GuardEvent,
    GuardMove,
    Guards,
    TradeClosed,
    VolatilityMeasured,
)

from .conftest import BTC, ETH, NOON, MakeTrade, take


@pytest.mark.parametrize("name", GUARDS)
def test_every_guard_of_the_table(name: str) -> None:
    guard = GUARDS[name]
    assert guard.name == name
    assert guard.events
    assert all(issubclass(event, GuardEvent) for event in guard.events)
    # A person's request names no market, so the guard of a market could not be re-armed.
    assert guard.rearm == "automatic" or guard.scopes == ("account",)
    made = guard(GuardSettings())
    assert (made.mode, made.tripped, made.stops, made.pending) == ("ACTIVE", False, False, None)


def test_the_guards_of_the_account_are_shown_in_the_order_of_the_table() -> None:
    guards = Guards()
    used = {name: guard for name, guard in GUARDS.items() if guard.used(guards.settings)}
    names = [name for name, guard in used.items() if "account" in guard.scopes]
    assert [row["guard"] for row in guards.to_json()["guards"]] == names
    guards.on(FeedChecked(NOON, stale=True, symbol=ETH))
    for symbol in (ETH, BTC):
        guards.on(VolatilityMeasured(NOON, symbol, 0.01))
    assert [(guard.name, guard.symbol) for guard in guards if guard.symbol] == [
        ("volatility", BTC),
        ("volatility", ETH),
        ("feed", ETH),
    ]


class AverageGuard(Guard[TradeClosed]):
    """Trips after a trade of any market that won; a person re-arms it."""

    name = "average"
    rearm = "human"
    events = (TradeClosed,)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self.wins = 0

    def on(self, event: TradeClosed) -> None:
        self.wins += event.trade.net_usd > 0
        if self.wins:
            self._trip(event.time, f"{self.wins} wins")

    @property
    def state(self) -> str:
        return f"{self.wins} wins"

    def _reset(self) -> None:
        self.wins = 0


class LosingMarketGuard(Guard[Any]):
    """Trips for a market after a loss in it, and clears after a win or a calm bar there."""

    name = "market"
    rearm = "automatic"
    events = (TradeClosed, VolatilityMeasured)
    scopes = ("market",)

    def on(self, event: GuardEvent) -> None:
        if isinstance(event, TradeClosed) and event.trade.net_usd < 0:
            self._trip(event.time, "a loss")
        else:
            self._clear(event.time, "calm again")

    @property
    def state(self) -> str:
        return "watching"


def test_a_new_guard_is_one_line_of_the_table(trade: MakeTrade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GUARDS, "average", AverageGuard)
    guards = Guards()
    take(guards, guards.on(TradeClosed.of(trade(-1.0))))
    assert guards.mode == "ACTIVE"
    assert take(guards, guards.on(TradeClosed.of(trade(1.0)))) == [("average", "ACTIVE", "HALTED")]
    assert guards.may_enter(BTC, NOON).why == "average: 1 wins"
    assert guards.to_json()["guards"][-1]["state"] == "1 wins"
    with pytest.raises(GuardError, match="expected losses, drawdown, confidence, average"):
        guards.rearm("clock", NOON, "ada")
    take(guards, [guards.rearm("average", NOON, "ada")])
    assert guards.mode == "ACTIVE"


def test_a_new_guard_of_markets_sees_the_events_of_its_market(
    trade: MakeTrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GUARDS, "market", LosingMarketGuard)
    guards = Guards()
    take(guards, guards.on(TradeClosed.of(trade(-1.0, symbol=BTC))))
    take(guards, guards.on(VolatilityMeasured(NOON, ETH, 0.01)))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, True]
    assert take(guards, guards.on(VolatilityMeasured(NOON, BTC, 0.01))) == [("market", "REDUCING", "ACTIVE")]


@pytest.mark.parametrize(("name", "symbol"), [("losses", BTC), ("volatility", None)])
def test_a_move_of_the_wrong_scope_is_refused(name: str, symbol: str | None) -> None:
    with pytest.raises(GuardError, match=f"apply a move of the guard '{name}'"):
        Guards().apply(GuardMove(name, "ACTIVE", "REDUCING", NOON, "", symbol))
