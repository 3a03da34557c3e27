"""The ladder's table by hand, and random sequences against an oracle that reads the whole history."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import GuardError, SettingsError, TradingError
from quorate.core.settings import AccountSettings, LadderSettings
from quorate.core.wilson import wilson
from quorate.trading import CONSERVATIVE_TIERS, Account, Contract, MarginTiers, Order, Tier, Trade
from quorate.trading.ladder import Ladder, LadderMove

START = parse_ms("2025-03-01")
WEEK = 7 * DAY_MS
MakeTrade = Callable[..., Trade]


def filled(ladder: Ladder, trade: MakeTrade, wins: int, losses: int, loss_usd: float = 4.0) -> None:
    """That many trades of the step: each win is 3 USD."""
    for row in range(wins + losses):
        ladder.on_trade(trade(3.0 if row < wins else -loss_usd, ladder.since + (row + 2) * HOUR_MS))


def test_the_four_steps_are_account_limits() -> None:
    ladder = Ladder(since=START)
    account = AccountSettings(risk=0.02, sizing="atr")
    found = []
    for step in range(1, 5):
        limits = ladder.limits(account)
        found.append((limits.capital_usd, limits.positions, limits.leverage))
        assert replace(limits, capital_usd=0.0, positions=4, leverage=5.0) == account  # nothing else is touched
        if step < 4:
            ladder.apply(LadderMove(step, step + 1, START, ""))
    assert found == [(100.0, 2, 20.0), (200.0, 3, 25.0), (300.0, 3, 25.0), (400.0, 4, 30.0)]


# Wilson's lower bounds of 50 trades: 43 wins 0.7381, 44 0.7619; of 100: 83 0.7445, 84 0.7558.
@pytest.mark.parametrize(
    ("step", "wins", "losses", "time", "loss_usd", "missing"),
    [
        (1, 44, 6, WEEK, 4.0, []),
        (1, 43, 7, WEEK, 4.0, ["win rate"]),
        (1, 50, 0, WEEK, 4.0, []),
        (1, 49, 0, WEEK, 4.0, ["trades"]),
        (1, 44, 6, WEEK - 1, 4.0, ["days"]),
        (1, 44, 6, WEEK, 22.0, ["expectancy"]),  # 132 USD won and lost: exactly 0
        (1, 44, 6, WEEK, 21.0, []),
        (1, 0, 0, 0, 4.0, ["days", "trades", "win rate", "expectancy"]),
        (1, 0, 60, WEEK, 4.0, ["win rate", "expectancy"]),
        (2, 43, 7, WEEK, 4.0, []),  # 72 % suffice for the third step
        (2, 42, 8, WEEK, 4.0, ["win rate"]),  # 0.7149
        (3, 42, 8, WEEK, 4.0, []),  # 70 % for the fourth
        (3, 41, 9, WEEK, 4.0, ["win rate"]),  # 0.6920
        (1, 84, 16, WEEK, 4.0, []),
        (1, 83, 17, WEEK, 4.0, ["win rate"]),
    ],
)
def test_what_the_next_step_asks_for(
    trade: MakeTrade, step: int, wins: int, losses: int, time: int, loss_usd: float, missing: list[str]
) -> None:
    ladder = Ladder(since=START)
    for below in range(1, step):
        ladder.apply(LadderMove(below, below + 1, START, ""))
    filled(ladder, trade, wins, losses, loss_usd=loss_usd)
    assert [condition.name for condition in ladder.conditions(START + time) if not condition.ok] == missing
    if missing:
        with pytest.raises(GuardError, match=missing[0]):
            ladder.promote(START + time, "ada")
        assert ladder.step == step
    else:
        move = ladder.promote(START + time, "ada")
        assert (ladder.step, move.before, move.after, move.reason) == (step, step, step + 1, "confirmed by ada")
        ladder.apply(move)
        assert (ladder.step, ladder.since, ladder.trades, ladder.net_usd) == (step + 1, START + time, 0, 0.0)


def test_a_raw_win_rate_above_the_threshold_is_not_enough(trade: MakeTrade) -> None:
    ladder = Ladder(since=START)
    filled(ladder, trade, 40, 10)
    with pytest.raises(GuardError) as refused:
        ladder.promote(START + WEEK, "ada")
    assert "win rate 40 of 50, at least 67.0%; expected win rate surely above 75.0%" in str(refused.value)


def test_only_trades_of_this_step_count(trade: MakeTrade) -> None:
    ladder = Ladder(since=START)
    ladder.on_trade(trade(10.0, START + HOUR_MS, entry=START))  # opened as the step began
    ladder.on_trade(trade(10.0, START + HOUR_MS, entry=START - HOUR_MS))
    assert ladder.trades == 0
    ladder.on_trade(trade(10.0, START + HOUR_MS, entry=START + 1))
    assert (ladder.trades, ladder.wins, ladder.net_usd) == (1, 1, 10.0)
    ladder.on_trade(trade(0.0, START + HOUR_MS, entry=START + 1))
    assert (ladder.trades, ladder.wins) == (2, 1)  # nothing gained is no win


def test_a_halt_drops_one_step_and_never_below_the_first(trade: MakeTrade) -> None:
    ladder = Ladder(since=START)
    for step in (1, 2):
        ladder.apply(LadderMove(step, step + 1, START, ""))
    filled(ladder, trade, 44, 6)
    (move,) = ladder.on_guard_mode(START + WEEK, "HALTED")
    assert (move.before, move.after, move.reason, ladder.step) == (3, 2, "a halt at step 3", 3)
    assert ladder.pending is move
    ladder.apply(move)
    assert (ladder.step, ladder.trades, ladder.since, ladder.pending) == (2, 0, START + WEEK, None)
    assert ladder.on_guard_mode(START + WEEK, "HALTED") == ()  # another guard: the same halt
    assert ladder.on_guard_mode(START + WEEK, "REDUCING") == ()  # re-armed
    (again,) = ladder.on_guard_mode(START + WEEK + 1, "HALTED")
    ladder.apply(again)
    assert ladder.on_guard_mode(START + WEEK + 2, "ACTIVE") == ()
    (last,) = ladder.on_guard_mode(START + WEEK + 3, "HALTED")
    assert (last.before, last.after, last.reason) == (1, 1, "a halt at step 1: its record starts over")
    ladder.apply(last)
    assert (ladder.step, ladder.since) == (1, START + WEEK + 3)


def test_reducing_is_no_halt() -> None:
    ladder = Ladder(since=START)
    assert ladder.on_guard_mode(START, "REDUCING") == ladder.on_guard_mode(START, "ACTIVE") == ()


def test_a_halted_account_is_not_promoted(trade: MakeTrade) -> None:
    ladder = Ladder(since=START)
    ladder.apply(*ladder.on_guard_mode(START, "HALTED"))
    filled(ladder, trade, 50, 0)
    with pytest.raises(GuardError, match="found halt HALTED; expected halt none"):
        ladder.promote(START + WEEK, "ada")
    ladder.on_guard_mode(START + WEEK, "ACTIVE")
    assert ladder.promote(START + WEEK, "ada").after == 2


def test_the_last_step_and_nobody_are_refused(trade: MakeTrade) -> None:
    ladder = Ladder(LadderSettings(capital_usd=(50.0,), positions=(1,), leverage=(2.0,), win_rate=()), since=START)
    filled(ladder, trade, 50, 0)
    assert ladder.conditions(START + WEEK) == ()
    with pytest.raises(GuardError, match="the last step"):
        ladder.promote(START + WEEK, "ada")
    with pytest.raises(GuardError, match="no name"):
        ladder.promote(START + WEEK, "")


@pytest.mark.parametrize(
    "move", [LadderMove(2, 3, START, ""), LadderMove(1, 5, START, ""), LadderMove(1, 0, START, "")]
)
def test_moves_lead_from_where_it_stands_to_a_step(move: LadderMove) -> None:
    with pytest.raises(TradingError, match="found step 1 of 4"):
        Ladder(since=START).apply(move)


def test_steps_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"3 capital_usd, 4 positions, 4 leverage, 3 win_rate"):
        LadderSettings(capital_usd=(1.0, 2.0, 3.0))
    with pytest.raises(SettingsError, match=r"ladder\.leverage"):
        LadderSettings(leverage=(20.0, 25.0, 25.0, 126.0))


def test_its_status_says_how_far_it_is(trade: MakeTrade) -> None:
    ladder = Ladder(since=START)
    filled(ladder, trade, 4, 1)
    status = ladder.to_json(START + DAY_MS)
    assert {name: status[name] for name in ("step", "steps", "capital_usd", "trades", "wins", "net_usd", "since")} == {
        "step": 1,
        "steps": 4,
        "capital_usd": 100.0,
        "trades": 5,
        "wins": 4,
        "net_usd": 8.0,
        "since": "2025-03-01T00:00:00Z",
    }
    assert status["next"][0] == {"name": "days", "needed": "at least 7", "found": "1.0", "ok": False}
    assert status["next_limits"] == {"capital_usd": 200.0, "positions": 3, "leverage": 25.0}
    for step in (2, 3, 4):
        ladder.apply(LadderMove(step - 1, step, START, "confirmed by Ada"))
    assert (ladder.to_json(START)["next"], ladder.to_json(START)["next_limits"]) == ([], None)


@given(
    step=st.integers(1, 4),
    distance=st.floats(1e-4, 0.3),
    price=st.floats(0.01, 1e5),
    tight=st.booleans(),
    orders=st.integers(1, 6),
)
def test_an_account_keeps_within_its_step_and_the_tiers(
    step: int, distance: float, price: float, tight: bool, orders: int
) -> None:
    ladder = Ladder(since=START)
    for below in range(1, step):
        ladder.apply(LadderMove(below, below + 1, START, ""))
    limits = ladder.limits(AccountSettings())
    tiers = MarginTiers([Tier(500.0, 0.01, 21.0), Tier(1e6, 0.1, 3.0)]) if tight else CONSERVATIVE_TIERS
    symbols = [f"{letter}/USDT:USDT" for letter in "ABCDEF"[:orders]]
    account = Account(limits, contracts={symbol: Contract(symbol, tiers=tiers) for symbol in symbols})
    for symbol in symbols:
        account.open(Order(symbol, 1, 0, 1, 0.8, distance * price), 1, price)
    capital = (100.0, 200.0, 300.0, 400.0)[step - 1]
    assert len(account.positions) == min(orders, (2, 3, 3, 4)[step - 1])
    assert account.margin_usd <= capital * (1 + 1e-9)
    for position in account.positions.values():
        value = position.size.quantity * position.entry.price
        assert position.size.margin_usd <= capital / limits.positions * (1 + 1e-9)
        assert position.size.leverage <= min((20.0, 25.0, 25.0, 30.0)[step - 1], tiers.leverage(value * (1 - 1e-9)))


Event = tuple[str, Any]
EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("trades"), st.tuples(st.sampled_from([1, 20, 49, 60]), st.sampled_from([0.5, 0.86, 0.9, 1.0]))
        ),
        st.tuples(st.just("trades"), st.tuples(st.just(60), st.just(0.95))),
        st.tuples(st.just("wait"), st.integers(1, 12)),
        st.tuples(st.just("mode"), st.sampled_from(["ACTIVE", "ACTIVE", "HALTED"])),
        st.tuples(st.just("promote"), st.none()),
        st.tuples(st.just("promote"), st.none()),
        st.tuples(st.just("restart"), st.none()),
    ),
    min_size=15,
    max_size=60,
)


@settings(max_examples=60)
@given(events=EVENTS)
def test_random_lives_agree_with_the_whole_history(events: list[Event]) -> None:
    """The oracle keeps every trade, and cuts the history at each change of step."""
    ladder, now = Ladder(since=START), START
    journal: list[Any] = []
    step, began, mode = 1, START, "ACTIVE"
    history: list[tuple[int, float]] = []  # entry time, net result
    for what, value in events:
        if what == "trades":
            count, share = value
            for row in range(count):
                net = 6.0 if row < share * count else -3.0
                now += 1
                trade = closed(net, now)
                ladder.on_trade(trade)
                journal.append(trade)
                history.append((trade.entry_time, net))
        elif what == "wait":
            now += value * DAY_MS
        elif what == "mode":
            moves = ladder.on_guard_mode(now, value)
            journal.append((now, value))
            assert bool(moves) == (value == "HALTED" != mode)
            for move in moves:
                journal.append(move)
                ladder.apply(move)
                step, began = max(1, step - 1), now
            mode = value
        elif what == "promote":
            own = [net for entry, net in history if entry > began]
            bounds = wilson(sum(net > 0 for net in own), len(own))
            earned = (
                step < 4
                and mode != "HALTED"
                and now - began >= WEEK
                and len(own) >= 50
                and bounds is not None
                and bounds[0] > {1: 0.75, 2: 0.72, 3: 0.70}[step]
                and sum(own) > 0
            )
            try:
                move = ladder.promote(now, "ada")
            except GuardError:
                assert not earned
            else:
                assert earned
                journal.append(move)
                ladder.apply(move)
                step, began = step + 1, now
        else:
            rebuilt = Ladder(since=START)
            for line in journal:
                if isinstance(line, Trade):
                    rebuilt.on_trade(line)
                elif isinstance(line, LadderMove):
                    rebuilt.apply(line)
                else:
                    rebuilt.on_guard_mode(*line)
            assert rebuilt.to_json(now) == ladder.to_json(now)
            ladder = rebuilt
        assert (ladder.step, ladder.since) == (step, began)


def closed(net_usd: float, time: int) -> Trade:
    return Trade(
        *("BTC/USDT:USDT", 1, 1.0, 5.0, 20.0, 0.8, time - 2, time, 100.0, time + 1, 100.0 + net_usd),
        *(96.0, 110.0, "time", net_usd, 0.0, 0.0, 0.0, True, True),
    )  # fmt: skip
