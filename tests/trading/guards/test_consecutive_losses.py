"""The losses guard, by hand."""

import math

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TradingError
from quorate.trading.guards import Guards, TradeClosed

from .conftest import BTC, ETH, NOON, TRIPPED, MakeTrade, take


@pytest.mark.parametrize(
    ("results", "halted"),
    [
        ([-9, -9, -9], True),
        ([-9, -9], False),
        ([-9, -9, -8, -9], False),  # exactly the limit is not more than it
        ([-9, -9, -8.000000000000002], False),  # nor is what floating point makes of it
        ([-9, -9, -8.01], True),
        ([-9, 0, -9, -9], False),  # a trade that breaks even resets the count
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
        done += take(guards, guards.on(TradeClosed.of(trade(net, NOON + hour * HOUR_MS, symbol=(BTC, ETH)[hour % 2]))))
    assert done == ([("losses", *TRIPPED)] if halted else [])
    assert guards.mode == ("HALTED" if halted else "ACTIVE")
    assert guards.may_enter(BTC, NOON).allowed is not halted


def test_the_order_of_the_account_decides_among_trades_of_one_bar(trade: MakeTrade) -> None:
    win_last, win_between = Guards(), Guards()
    moves = [move for net in (-9, -9, -9, 20) for move in win_last.on(TradeClosed.of(trade(net, NOON)))]
    assert [(move.guard, move.time) for move in moves] == [("losses", NOON)]
    assert win_last.pending == tuple(moves)  # the win after it does not take it back
    assert not win_last.may_enter(BTC, NOON).allowed
    assert [move for net in (-9, -9, 20, -9) for move in win_between.on(TradeClosed.of(trade(net)))] == []


def test_a_fourth_loss_asks_no_second_time(trade: MakeTrade) -> None:
    guards = Guards()
    moves = [move for _ in range(5) for move in guards.on(TradeClosed.of(trade(-9)))]
    assert take(guards, moves) == [("losses", *TRIPPED)]
    assert [*guards.on(TradeClosed.of(trade(-9))), *guards.pending] == []


def test_a_person_re_arms_and_the_count_starts_over(trade: MakeTrade) -> None:
    guards = Guards()
    for _ in range(4):
        take(guards, guards.on(TradeClosed.of(trade(-9))))
    move = guards.rearm("losses", NOON + 1, " ada ")
    assert (guards.mode, move.after, move.reason) == ("HALTED", "ACTIVE", "re-armed by ada")
    guards.apply(move)
    assert guards.mode == "ACTIVE"
    assert [*guards.on(TradeClosed.of(trade(-9))), *guards.on(TradeClosed.of(trade(-9)))] == []
    assert len(guards.on(TradeClosed.of(trade(-9)))) == 1


def test_a_result_that_is_no_number_is_refused(trade: MakeTrade) -> None:
    with pytest.raises(TradingError, match="a net result of nan"):
        Guards().on(TradeClosed.of(trade(math.nan)))
