"""The table of the guards, worked by hand."""

import math
from collections.abc import Callable, Iterable

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import GuardError, TradingError
from quorate.core.settings import GuardSettings
from quorate.core.types import Abstention, Action, Forecast, Signal, Vote
from quorate.trading import Trade
from quorate.trading.guards import GuardMove, Guards, valid_members

NOON = parse_ms("2025-03-01 12:00")
MIDNIGHT = parse_ms("2025-03-02")
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MakeTrade = Callable[..., Trade]


def take(guards: Guards, moves: Iterable[GuardMove]) -> list[tuple[str, str, str]]:
    """Apply what is asked for, as a session does once it is written down."""
    done = []
    for move in moves:
        guards.apply(move)
        done.append((move.guard, move.before, move.after))
    return done


TRIPPED = ("ACTIVE", "HALTED")


# ------------------------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize(
    ("results", "halted"),
    [
        ([-9, -9, -9], True),
        ([-9, -9], False),
        ([-9, -9, -8, -9], False),  # exactly the limit is not more than it
        ([-9, -9, -8.000000000000002], False),  # nor is what floating point makes of it
        ([-9, -9, -8.01], True),
        ([-9, 0, -9, -9], False),  # a trade that breaks even starts anew
        ([-9, -9, -1, -9, -9], False),
        ([-9, -9, 50, -9, -9, -9], True),
        ([5, -9, -9, -9], True),
    ],
)
def test_losses_in_a_row(trade: MakeTrade, results: list[float], halted: bool) -> None:
    guards = Guards()
    done = []
    for hour, net in enumerate(results):
        # Of several markets, the last of them closed by the end of the candles: no loss is another's.
        done += take(guards, guards.closed(trade(net, NOON + hour * HOUR_MS, symbol=(BTC, ETH)[hour % 2])))
    assert done == ([("losses", *TRIPPED)] if halted else [])
    assert guards.mode == ("HALTED" if halted else "ACTIVE")
    assert guards.may_enter(BTC, NOON).allowed is not halted


def test_the_order_of_the_account_decides_among_trades_of_one_bar(trade: MakeTrade) -> None:
    win_last, win_between = Guards(), Guards()
    moves = [move for net in (-9, -9, -9, 20) for move in win_last.closed(trade(net, NOON))]
    assert [(move.guard, move.time) for move in moves] == [("losses", NOON)]
    assert win_last.asked == tuple(moves)  # the win after it does not take it back
    assert not win_last.may_enter(BTC, NOON).allowed
    assert [move for net in (-9, -9, 20, -9) for move in win_between.closed(trade(net))] == []


def test_a_fourth_loss_asks_no_second_time(trade: MakeTrade) -> None:
    guards = Guards()
    moves = [move for _ in range(5) for move in guards.closed(trade(-9))]
    assert take(guards, moves) == [("losses", *TRIPPED)]
    assert [*guards.closed(trade(-9)), *guards.asked] == []


def test_a_person_re_arms_and_the_count_starts_over(trade: MakeTrade) -> None:
    guards = Guards()
    for _ in range(4):
        take(guards, guards.closed(trade(-9)))
    move = guards.rearm("losses", NOON + 1, " ada ")
    assert (guards.mode, move.after, move.reason) == ("HALTED", "ACTIVE", "re-armed by ada")
    guards.apply(move)
    assert guards.mode == "ACTIVE"
    assert [*guards.closed(trade(-9)), *guards.closed(trade(-9))] == []
    assert len(guards.closed(trade(-9))) == 1


def test_a_result_that_is_no_number_is_refused(trade: MakeTrade) -> None:
    with pytest.raises(TradingError, match="a net result of nan"):
        Guards().closed(trade(math.nan))


# ----------------------------------------------------------------------------------------------------------- drawdown


def valued(guards: Guards, *rows: tuple[int, float]) -> list[tuple[str, str, str]]:
    return [done for time, equity in rows for done in take(guards, guards.valued(time, equity))]


@pytest.mark.parametrize(
    ("equities", "halted"),
    [
        ([1000, 975], False),  # exactly 25
        ([1030.1, 1005.1], False),  # 24.999999999999886
        ([1000.3, 975.2999999999], False),
        ([1000, 974.99], True),
        ([1000, 1010, 985, 984.9], True),  # the peak counts, not the start
        ([1000, 980, 1000, 980], False),
        ([960, 940], False),  # what was lost before the first valuation is not known
    ],
)
def test_the_fall_from_the_peak_of_the_day(equities: list[float], halted: bool) -> None:
    guards = Guards()
    done = valued(guards, *((NOON + hour * HOUR_MS, equity) for hour, equity in enumerate(equities)))
    assert done == ([("drawdown", *TRIPPED)] if halted else [])


def test_the_equity_at_midnight_is_the_first_peak_of_the_day() -> None:
    guards = Guards()
    # The bar of 23:00 closes at midnight. 40 USD in two days, but never more than 25 below a peak of one day.
    assert valued(guards, (NOON, 1040), (MIDNIGHT - HOUR_MS, 1020), (MIDNIGHT, 1000)) == []
    assert valued(guards, (MIDNIGHT + HOUR_MS, 995)) == []
    assert valued(guards, (MIDNIGHT + 2 * HOUR_MS, 994.9)) == [("drawdown", *TRIPPED)]


def test_a_silence_of_days_leaves_the_last_equity_as_the_peak() -> None:
    guards = Guards()
    assert valued(guards, (NOON, 1000), (NOON + 5 * DAY_MS, 970)) == [("drawdown", *TRIPPED)]


def test_a_drawdown_is_re_armed_on_the_next_day_by_a_person_and_not_before() -> None:
    guards = Guards()
    valued(guards, (NOON, 1000), (NOON + HOUR_MS, 970))
    verdict = guards.may_enter(BTC, NOON + HOUR_MS)
    assert (verdict.allowed, verdict.until) == (False, MIDNIGHT)
    assert "970.00 is 30.00 USD below the day's peak of 1,000.00, more than 25.00" in verdict.why
    with pytest.raises(GuardError, match=r"2025-03-01 23:59 UTC; expected 2025-03-02 00:00 UTC or later"):
        guards.rearm("drawdown", MIDNIGHT - 1, "ada")
    # The next day alone does not.
    assert valued(guards, (MIDNIGHT, 971)) == []
    assert (guards.mode, guards.may_enter(BTC, MIDNIGHT).until) == ("HALTED", None)
    guards.apply(guards.rearm("drawdown", MIDNIGHT, "ada"))
    assert guards.may_enter(BTC, MIDNIGHT).allowed
    assert valued(guards, (MIDNIGHT + HOUR_MS, 946)) == []
    assert valued(guards, (MIDNIGHT + HOUR_MS, 945.9)) == [("drawdown", *TRIPPED)]


def test_re_armed_before_the_next_day_is_valued_it_does_not_trip_over_the_old_peak() -> None:
    guards = Guards()
    valued(guards, (NOON, 1000), (MIDNIGHT - HOUR_MS, 970))
    guards.apply(guards.rearm("drawdown", MIDNIGHT + 1, "ada"))
    # The last bar of the old day is valued once more, after the person was there.
    assert valued(guards, (MIDNIGHT - HOUR_MS, 969), (MIDNIGHT, 960)) == []
    assert valued(guards, (MIDNIGHT, 944.9)) == [("drawdown", *TRIPPED)]


def test_halted_across_days_a_new_fall_puts_the_re_arming_off() -> None:
    guards = Guards()
    valued(guards, (NOON, 1000), (NOON + HOUR_MS, 970))
    since = NOON + HOUR_MS
    # What is still open loses on: 30 USD on the second day.
    assert valued(guards, (MIDNIGHT, 965), (MIDNIGHT + HOUR_MS, 940)) == [("drawdown", "HALTED", "HALTED")]
    with pytest.raises(GuardError, match="2025-03-03 00:00"):
        guards.rearm("drawdown", MIDNIGHT + 2 * HOUR_MS, "ada")
    status = next(row for row in guards.to_json()["guards"] if row["guard"] == "drawdown")
    assert (status["since"], status["until"]) == ("2025-03-01T13:00:00Z", "2025-03-03T00:00:00Z")
    assert since == parse_ms("2025-03-01 13:00")
    # 20 on the third day do not.
    assert valued(guards, (MIDNIGHT + DAY_MS, 940), (MIDNIGHT + DAY_MS + 1, 920)) == []
    guards.apply(guards.rearm("drawdown", MIDNIGHT + DAY_MS + 2, "ada"))
    assert guards.mode == "ACTIVE"


def test_a_fall_that_is_not_written_down_yet_already_puts_the_re_arming_off() -> None:
    guards = Guards()
    valued(guards, (NOON, 1000), (NOON + HOUR_MS, 970))
    guards.valued(MIDNIGHT, 940)
    with pytest.raises(GuardError, match="2025-03-03 00:00"):
        guards.rearm("drawdown", MIDNIGHT + HOUR_MS, "ada")


def test_an_unknown_equity_stops_entries_and_is_neither_a_peak_nor_a_fall() -> None:
    guards = Guards()
    assert valued(guards, (NOON, 1000), (NOON + 1, math.nan)) == [("valuation", "ACTIVE", "REDUCING")]
    assert guards.may_enter(BTC, NOON).why == "valuation: the equity is unknown"
    assert valued(guards, (NOON + 2, math.inf)) == []
    assert valued(guards, (NOON + 3, 976)) == [("valuation", "REDUCING", "ACTIVE")]
    assert valued(guards, (NOON + 4, 974)) == [("drawdown", *TRIPPED)]


# ------------------------------------------------------------------------------------------------------------ members


@pytest.mark.parametrize(
    ("valid", "modes"),
    [
        ([4, 3, 4], "AAA"),
        ([4, 2, 4, 4, 4, 4], "ARRRRR"),  # four good bars
        ([4, 2, 4, 4, 4, 4, 3], "ARRRRRA"),  # the fifth
        ([2, 3, 2, 3, 3, 3, 3, 2, 3, 3, 3, 3, 3], "RRRRRRRRRRRRA"),  # flapping
        ([0, 0, 3, 3, 3, 3, 3, 2], "RRRRRRAR"),
    ],
)
def test_too_few_members_reduce_at_once_and_clear_after_five_good_bars(valid: list[int], modes: str) -> None:
    guards = Guards()
    found = ""
    for hour, count in enumerate(valid):
        take(guards, guards.counted(NOON + hour * HOUR_MS, count))
        found += guards.mode[0]
    assert found == modes


def test_a_bar_of_members_counts_once() -> None:
    guards = Guards()
    guards.counted(NOON, 4)
    for time, count in ((NOON, 4), (NOON - 1, 4), (NOON + 1, -1)):
        with pytest.raises(TradingError, match="count the members at"):
            guards.counted(time, count)


def test_a_member_is_valid_where_it_voted_in_some_market() -> None:
    def signal(votes: str, abstained: str = "", forecasts: str = "") -> Signal:
        return Signal(
            *(Action.HOLD, 0.0, "weak", "vote", 0.0, None),
            votes=tuple(Vote(name, Action.HOLD, 0.5) for name in votes),
            abstentions=tuple(Abstention(name, "too little history") for name in abstained),
            forecasts=tuple(Forecast(name, 0.01, Action.BUY) for name in forecasts),
        )

    settings = GuardSettings()
    assert valid_members([signal("ab", "cd"), signal("bc", "ad")], NOON, 0, settings) == 3
    assert valid_members([signal("", "abcd")], NOON, 0, settings) == 0
    assert valid_members([signal("", "", "xyz")], NOON, 0, settings) == 3
    assert valid_members([], NOON, 0, settings) == 0
    aged = GuardSettings(bundle_days=30)
    assert valid_members([signal("abcd")], NOON, NOON - 30 * DAY_MS, aged) == 4
    assert valid_members([signal("abcd")], NOON, NOON - 30 * DAY_MS - 1, aged) == 0


# --------------------------------------------------------------------------------------------------------- confidence


def signalled(guards: Guards, bases: Iterable[float]) -> list[tuple[str, str, str]]:
    return [done for base in bases for done in take(guards, guards.signalled(NOON, base))]


@pytest.mark.parametrize(
    ("bases", "halted"),
    [
        ([0.5] * 29, False),  # too few
        ([0.5] * 30, True),
        ([0.6] * 60, False),  # exactly the limit
        ([0.7] * 15 + [0.5] * 15, False),  # a mean of 0.6
        ([0.7] * 14 + [0.5] * 16, True),
        ([0.0] * 10 + [0.75] * 40, True),  # 0.6 over all 50, but 0.5 at the 30th
        ([0.75] * 40 + [0.0] * 10, False),  # 0.6 at the last, and more before
    ],
)
def test_the_mean_base_of_the_newest_signals(bases: list[float], halted: bool) -> None:
    assert signalled(Guards(), bases) == ([("confidence", *TRIPPED)] if halted else [])


def test_only_the_last_fifty_signals_count() -> None:
    guards = Guards()
    assert signalled(guards, [0.9] * 50) == []
    # 50 signals of which k have 0.3: the mean is 0.9 - 0.012 k, below 0.6 from the 26th on.
    assert signalled(guards, [0.3] * 25) == []
    assert signalled(guards, [0.3]) == [("confidence", *TRIPPED)]


def test_once_re_armed_thirty_new_signals_are_needed() -> None:
    guards = Guards()
    signalled(guards, [0.5] * 40)
    guards.apply(guards.rearm("confidence", NOON, "ada"))
    assert signalled(guards, [0.5] * 29) == []
    assert signalled(guards, [0.5]) == [("confidence", *TRIPPED)]


@pytest.mark.parametrize("base", [math.nan, -0.1, 1.1])
def test_a_base_that_is_none_is_refused(base: float) -> None:
    with pytest.raises(TradingError, match="expected 0 to 1"):
        Guards().signalled(NOON, base)


# --------------------------------------------------------------------------------------------------------- volatility

NAN = math.nan


@pytest.mark.parametrize(
    ("volatilities", "modes"),
    [
        ([0.09, 0.09, 0.09], "AAR"),
        ([0.08, 0.08, 0.08, 0.08], "AAAA"),  # exactly the limit
        ([0.09, 0.09, 0.07, 0.09, 0.09], "AAAAA"),
        ([0.09, NAN, 0.09, 0.09], "AAAR"),  # unknown ends no row on the way up
        ([NAN, NAN, NAN, NAN], "AAAA"),  # and makes none longer
        ([0.09] * 3 + [0.05] * 3, "AARRRA"),
        ([0.09] * 3 + [0.06] * 4, "AARRRRR"),  # exactly the lower limit
        ([0.09] * 3 + [0.05, 0.05, NAN, 0.05, 0.05, 0.05], "AARRRRRRA"),  # unknown does not clear
        ([0.09] * 3 + [0.05, 0.05, 0.07, 0.05, 0.05], "AARRRRRR"),
        ([0.09] * 3 + [math.inf] * 9, "AARRRRRRRRRR"),
    ],
)
def test_a_wild_market(volatilities: list[float], modes: str) -> None:
    guards = Guards()
    found = ""
    for hour, volatility in enumerate(volatilities):
        take(guards, guards.measured(BTC, NOON + hour * HOUR_MS, volatility))
        found += guards.mode[0]
        assert guards.may_enter(BTC, NOON).allowed is (guards.mode == "ACTIVE")
        assert guards.may_enter(ETH, NOON).allowed
    assert found == modes


def test_markets_are_wild_on_their_own() -> None:
    guards = Guards()
    for hour in range(3):
        take(guards, guards.measured(BTC, hour, 0.09))
        take(guards, guards.measured(ETH, hour, 0.09 if hour else 0.01))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, True]
    take(guards, guards.measured(ETH, 3, 0.09))
    for hour in range(3, 6):
        take(guards, guards.measured(BTC, hour, 0.01))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [True, False]
    assert guards.mode == "REDUCING"
    shown = [(row["guard"], row["symbol"]) for row in guards.to_json()["guards"] if row["symbol"]]
    assert shown == [("volatility", ETH)]


def test_a_bar_of_volatility_counts_once() -> None:
    guards = Guards()
    guards.measured(BTC, NOON, 0.09)
    with pytest.raises(TradingError, match="measure the volatility of BTC/USDT:USDT"):
        guards.measured(BTC, NOON, 0.09)
    guards.measured(ETH, NOON, 0.09)


# --------------------------------------------------------------------------------------------------- clock and feed


def test_a_clock_that_is_off_reduces_until_it_is_not() -> None:
    guards = Guards()
    assert take(guards, guards.compared(NOON, 11_000, close=False)) == [("clock", "ACTIVE", "REDUCING")]
    assert guards.may_enter(BTC, NOON).why == "clock: our clock and the exchange's are 11.0 s apart"
    assert take(guards, guards.compared(NOON, None, close=True)) == []  # unknown
    assert take(guards, guards.compared(NOON, -3_000, close=True)) == [("clock", "REDUCING", "ACTIVE")]


def test_a_stale_feed_reduces_all_markets_and_a_stale_market_only_itself() -> None:
    guards = Guards()
    take(guards, guards.heard(NOON, stale=True, symbol=BTC))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, True]
    take(guards, guards.heard(NOON, stale=True))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, False]
    take(guards, guards.heard(NOON, stale=False))
    assert guards.may_enter(BTC, NOON).why == "feed: no candles of BTC/USDT:USDT for too long"
    take(guards, guards.heard(NOON, stale=False, symbol=BTC))
    assert guards.may_enter(BTC, NOON) == (True, None, "")


# --------------------------------------------------------------------------------------------------------- together


def test_two_guards_at_once_need_two_persons_or_one_twice(trade: MakeTrade) -> None:
    guards = Guards()
    valued(guards, (NOON, 1000), (NOON + 1, 970))
    for _ in range(3):
        take(guards, guards.closed(trade(-9)))
    take(guards, guards.counted(NOON, 0))
    verdict = guards.may_enter(BTC, NOON + 1)
    assert [part.split(":")[0] for part in verdict.why.split("; ")] == ["losses", "drawdown", "models"]
    assert verdict.until is None  # nobody knows when the others end
    guards.apply(guards.rearm("losses", NOON + 2, "ada"))
    assert guards.mode == "HALTED"
    guards.apply(guards.rearm("drawdown", MIDNIGHT, "ada"))
    assert guards.mode == "REDUCING"
    for hour in range(1, 6):
        assert not guards.may_enter(BTC, NOON).allowed
        take(guards, guards.counted(NOON + hour, 3))
    assert guards.mode == "ACTIVE"


@pytest.mark.parametrize("name", ["models", "volatility", "clock", "feed", "valuation"])
def test_nobody_re_arms_what_clears_by_itself(name: str) -> None:
    guards = Guards()
    take(guards, guards.counted(NOON, 0))
    with pytest.raises(GuardError, match="clears by itself; expected losses, drawdown, confidence"):
        guards.rearm(name, NOON, "ada")


def test_a_wrong_re_arming_says_why(trade: MakeTrade) -> None:
    guards = Guards()
    with pytest.raises(GuardError, match="Did you mean 'losses'"):
        guards.rearm("loses", NOON, "ada")
    with pytest.raises(GuardError, match="not tripped"):
        guards.rearm("losses", NOON, "ada")
    for _ in range(3):
        guards.closed(trade(-9))
    with pytest.raises(GuardError, match="not tripped"):  # asked for, not written down yet
        guards.rearm("losses", NOON, "ada")
    take(guards, guards.asked)
    with pytest.raises(GuardError, match="no name"):
        guards.rearm("losses", NOON, "  ")


def test_moves_are_applied_in_their_order(trade: MakeTrade) -> None:
    guards = Guards()
    (trip,) = [move for _ in range(3) for move in guards.closed(trade(-9))]
    guards.apply(trip)
    with pytest.raises(TradingError, match="the guard HALTED; expected moves in the order"):
        guards.apply(trip)
    with pytest.raises(GuardError, match="no such guard"):
        guards.apply(GuardMove("nonsense", "ACTIVE", "HALTED", NOON, ""))  # type: ignore[arg-type]


def test_a_bad_bar_takes_back_what_had_cleared_and_was_not_written_down() -> None:
    guards = Guards()
    take(guards, guards.counted(0, 0))
    for bar in range(1, 6):
        guards.counted(bar, 3)
    assert [move.after for move in guards.asked] == ["ACTIVE"]
    assert not guards.may_enter(BTC, 5).allowed
    assert guards.counted(6, 2) == guards.asked == ()
    assert guards.mode == "REDUCING"


def test_what_was_asked_and_is_forgotten_stops_nobody(trade: MakeTrade) -> None:
    guards = Guards()
    for _ in range(3):
        guards.closed(trade(-9))
    guards.measured(BTC, NOON, 0.09)
    assert not guards.may_enter(BTC, NOON).allowed
    guards.forget()
    assert guards.asked == ()
    assert guards.may_enter(BTC, NOON).allowed
    # What it has counted stays: the next one is the fourth in a row.
    assert take(guards, guards.closed(trade(-9))) == [("losses", *TRIPPED)]


def test_a_move_says_itself() -> None:
    (move,) = Guards().counted(NOON, 1)
    assert move.to_json() == {
        "guard": "models",
        "symbol": None,
        "before": "ACTIVE",
        "after": "REDUCING",
        "time": "2025-03-01T12:00:00Z",
        "reason": "1 valid members, fewer than 3",
        "until": None,
    }


def test_every_limit_can_be_set(trade: MakeTrade) -> None:
    limits = {"losses": 1, "loss_usd": 2, "models": 1, "volatility_bars": 1, "volatility": 0.01, "volatility_clear": 0}
    guards = Guards(GuardSettings(**limits))  # type: ignore[arg-type]
    assert len(guards.closed(trade(-2.5))) == 1
    assert guards.counted(NOON, 1) == ()
    assert len(guards.measured(BTC, NOON, 0.02)) == 1
