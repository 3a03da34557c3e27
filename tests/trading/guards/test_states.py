"""Random event sequences of an account against an oracle that reads the whole history.

All events, moves and acts of persons are in one list. The oracle has no state and reads the list from its beginning
each time; a restart replays it on new guards.
"""

import math
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import GuardError
from quorate.core.settings import GuardSettings
from quorate.trading import Trade
from quorate.trading.guards import (
    AccountValued,
    FeedChecked,
    GuardMove,
    Guards,
    MembersCounted,
    SignalDecided,
    TradeClosed,
    VolatilityMeasured,
)

START = parse_ms("2025-03-01 20:00")
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
HUMAN = ("losses", "drawdown", "confidence")
LIMITS = GuardSettings(signals=6, signals_needed=4, models_bars=3, volatility_bars=2)

REACHED: Counter[tuple[str, str]] = Counter()  # moves that occurred

Entry = tuple[str, int, Any]  # what happened, when, and with which value


def some(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=6)


def tripped_by_history(history: list[Entry]) -> set[tuple[str, str | None]]:
    """The guards that must stop entries after this history, with their markets, by the rules alone."""
    found: set[tuple[str, str | None]] = set()
    for name, judge in (("losses", losses), ("drawdown", drawdown), ("confidence", confidence)):
        stopped = False
        for last in range(len(history)):
            what, _, value = history[last]
            if what == "rearm" and value == name:
                stopped = False
            elif judge(history[: last + 1]):
                stopped = True
        if stopped:
            found.add((name, None))
    if too_few_members([value for what, _, value in history if what == "counted"]):
        found.add(("models", None))
    for symbol in SYMBOLS:
        if volatile([value[1] for what, _, value in history if what == "measured" and value[0] == symbol]):
            found.add(("volatility", symbol))
    newest = [value for what, _, value in history if what == "valued"]
    if newest and not math.isfinite(newest[-1]):
        found.add(("valuation", None))
    newest = [value for what, _, value in history if what == "heard"]
    if newest and newest[-1]:
        found.add(("feed", None))
    return found


def since_rearmed(history: list[Entry], name: str) -> list[Entry]:
    acts = [row for row, (what, _, value) in enumerate(history) if what == "rearm" and value == name]
    return history[acts[-1] + 1 :] if acts else history


def losses(history: list[Entry]) -> bool:
    if history[-1][0] != "closed":
        return False
    results = [value for what, _, value in since_rearmed(history, "losses") if what == "closed"]
    return len(results) >= 3 and all(result < -8 for result in results[-3:])


def confidence(history: list[Entry]) -> bool:
    if history[-1][0] != "signalled":
        return False
    bases = [value for what, _, value in since_rearmed(history, "confidence") if what == "signalled"][-6:]
    return len(bases) >= 4 and sum(bases) / len(bases) < 0.6 - 1e-9


def drawdown(history: list[Entry]) -> bool:
    """Valued equities of the newest day there is, and the last one before it, against the newest equity."""
    if history[-1][0] != "valued" or not math.isfinite(history[-1][2]):
        return False
    known = [(time, value) for what, time, value in history if what == "valued" and math.isfinite(value)]
    day = known[-1][0] // DAY_MS
    today = [value for time, value in known if time // DAY_MS == day]
    before = [value for time, value in known if time // DAY_MS < day]
    return max(today + before[-1:]) - known[-1][1] > 25 + 1e-9


def too_few_members(counts: list[int]) -> bool:
    """Some bar was bad, and there have not been three good ones in a row since."""
    stopped = False
    for bar in range(len(counts)):
        if counts[bar] < 3:
            stopped = True
        elif all(count >= 3 for count in counts[max(0, bar - 2) : bar + 1]) and bar >= 2:
            stopped = False
    return stopped


def volatile(values: list[float]) -> bool:
    stopped = False
    for bar in range(len(values)):
        known = [value for value in values[: bar + 1] if math.isfinite(value)]
        newest = values[max(0, bar - 1) : bar + 1]
        if len(known) >= 2 and min(known[-2:]) > 0.08:
            stopped = True
        elif len(newest) == 2 and all(math.isfinite(value) and value < 0.06 for value in newest):
            stopped = False
    return stopped


class Life(RuleBasedStateMachine):
    """An account's guards over random events, days, restarts and persons."""

    def __init__(self) -> None:
        super().__init__()
        self.guards = Guards(LIMITS)
        self.time = START
        self.history: list[Entry] = []
        self.journal: list[Entry | GuardMove] = []
        self.equity = 1_000.0
        self.halted: dict[str, int | None] = {}  # guard of a person -> ms before which it cannot be re-armed

    @initialize()
    def begin(self) -> None:
        self.feed("valued", self.equity)

    def feed(self, what: str, value: Any) -> None:
        """Pass an event; its moves are recorded with it, then applied."""
        event = (what, self.time, value)
        moves = feed(self.guards, event)
        before = self.guards.mode
        assert self.guards.pending == moves
        self.journal += [event, *moves]
        assert self.guards.mode == before  # a request changes nothing
        for move in moves:
            assert move.guard not in HUMAN or move.after == "HALTED"  # no event ends a halt
            self.guards.apply(move)
            REACHED[move.guard, move.after] += 1
            if move.guard in HUMAN:
                self.halted[move.guard] = move.until
        self.history.append(event)

    @rule(results=some([-20.0, -9.0, -9.0, -8.01, -8.0, 0.0, 12.0]))
    def close(self, results: list[float]) -> None:
        for net in results:
            self.feed("closed", net)

    @rule(changes=some([-30.0, -12.5, -12.5, 0.0, 7.0, 20.0, math.nan]))
    def value(self, changes: list[float]) -> None:
        for change in changes:
            if math.isfinite(change):
                self.equity += change
            self.feed("valued", self.equity if math.isfinite(change) else change)

    @rule(bases=some([0.3, 0.55, 0.6, 0.65, 0.9]))
    def signal(self, bases: list[float]) -> None:
        for base in bases:
            self.feed("signalled", base)

    @rule(bars=some([0, 2, 3, 3, 3, 4, 4]))
    def members(self, bars: list[int]) -> None:
        for valid in bars:
            self.time += HOUR_MS
            self.feed("counted", valid)

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        bars=st.one_of(some([0.09, 0.2, math.nan]), some([0.01, 0.05, 0.05]), some([0.06, 0.07, 0.08])),
    )
    def volatility(self, symbol: str, bars: list[float]) -> None:
        for value in bars:
            self.time += HOUR_MS
            self.feed("measured", (symbol, value))

    @rule(stale=st.booleans())
    def candles(self, stale: bool) -> None:
        self.feed("heard", stale)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.time += hours * HOUR_MS

    @rule(name=st.sampled_from([*HUMAN, *HUMAN, "models", "volatility", "feed", "valuation"]))
    def hasty_person(self, name: str) -> None:
        self.person(name)

    def person(self, name: str) -> None:
        allowed = name in self.halted and (self.halted[name] or 0) <= self.time
        try:
            move = self.guards.rearm(name, self.time, "ada")
        except GuardError:
            assert not allowed
            return
        assert allowed
        act: Entry = ("rearm", self.time, name)
        self.journal += [act, move]
        self.history.append(act)
        self.guards.apply(move)
        del self.halted[name]
        REACHED[name, "ACTIVE"] += 1

    @precondition(lambda self: self.halted)
    @rule(data=st.data())
    def patient_person(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.halted)))
        self.time = max(self.time, self.halted[name] or 0)
        self.person(name)

    @precondition(lambda self: self.journal)
    @rule()
    def restart(self) -> None:
        """A restart replays the journal: the state is the same."""
        rebuilt = rebuild(self.journal)
        assert seen(rebuilt) == seen(self.guards)
        self.guards = rebuilt

    @invariant()
    def entries_are_stopped_exactly_while_the_history_says_so(self) -> None:
        tripped = tripped_by_history(self.history)
        assert {(guard.name, guard.symbol) for guard in self.guards if guard.tripped} == tripped
        for symbol in SYMBOLS:
            verdict = self.guards.may_enter(symbol, self.time)
            against = sorted(name for name, market in tripped if market in (None, symbol))
            assert verdict.allowed is not bool(against)
            assert sorted({part.split(":")[0] for part in verdict.why.split("; ") if part}) == against
            assert verdict.until is None or (verdict.until > self.time and against == ["drawdown"])

    @invariant()
    def a_halt_stays_until_a_person_ends_it(self) -> None:
        names = {guard.name for guard in self.guards if guard.mode == "HALTED"}
        assert names == set(self.halted)
        expected = "HALTED" if names else "REDUCING" if any(guard.tripped for guard in self.guards) else "ACTIVE"
        assert self.guards.mode == expected


def feed(guards: Guards, event: Entry) -> tuple[GuardMove, ...]:
    what, time, value = event
    match what:
        case "closed":
            return guards.on(TradeClosed.of(closed_trade(value, time)))
        case "valued":
            return guards.on(AccountValued(time, value))
        case "signalled":
            return guards.on(SignalDecided(time, value))
        case "counted":
            return guards.on(MembersCounted(time, value))
        case "measured":
            return guards.on(VolatilityMeasured(time, value[0], value[1]))
        case "heard":
            return guards.on(FeedChecked(time, stale=value))
    raise AssertionError(what)


def rebuild(journal: list[Entry | GuardMove]) -> Guards:
    guards = Guards(LIMITS)
    for line in journal:
        if isinstance(line, GuardMove):
            guards.apply(line)
        elif line[0] != "rearm":
            feed(guards, line)
    return guards


def seen(guards: Guards) -> list[Any]:
    """All visible state of guards, single markets included."""
    return [guards.mode, guards.pending, *(guard.to_json() for guard in guards)]


def closed_trade(net_usd: float, time: int) -> Trade:
    return Trade(
        *(SYMBOLS[0], 1, 1.0, 5.0, 20.0, 0.8, time - 2 * HOUR_MS, time - HOUR_MS, 100.0, time, 100.0 + net_usd),
        *(96.0, 110.0, "time", net_usd, 0.0, 0.0, 0.0, True, True),
    )  # fmt: skip


LIVES = settings(max_examples=40, stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow])


TestLife = Life.TestCase
TestLife.settings = LIVES


def test_the_random_lives_trip_and_re_arm_every_guard() -> None:
    REACHED.clear()
    run_state_machine_as_test(Life, settings=settings(LIVES, max_examples=100, derandomize=True, database=None))
    tripped = {(name, "HALTED") for name in HUMAN} | {
        (name, "REDUCING") for name in ("models", "volatility", "feed", "valuation")
    }
    assert set(REACHED) == tripped | {(name, "ACTIVE") for name, _ in tripped}
    assert min(REACHED.values()) >= 5


def test_a_journal_that_ends_between_an_event_and_its_move_loses_no_halt() -> None:
    """After a crash between an event and its move, the move is still pending and stops entries."""
    events: list[Entry | GuardMove] = [("closed", START + hour * HOUR_MS, -9.0) for hour in range(3)]
    guards = rebuild(events)
    assert guards.mode == "ACTIVE"
    assert not guards.may_enter(SYMBOLS[0], START).allowed
    (move,) = guards.pending
    guards.apply(move)
    assert guards.mode == "HALTED"
