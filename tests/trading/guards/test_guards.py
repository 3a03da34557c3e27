"""Several guards at once, re-arming, and moves."""

import pytest

from quorate.core.errors import GuardError, TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards import GuardMove, Guards, MembersCounted, TradeClosed, VolatilityMeasured

from .conftest import BTC, MIDNIGHT, NOON, TRIPPED, MakeTrade, take, valued


def test_two_guards_at_once_need_two_persons_or_one_twice(trade: MakeTrade) -> None:
    guards = Guards()
    valued(guards, (NOON, 1000), (NOON + 1, 970))
    for _ in range(3):
        take(guards, guards.on(TradeClosed.of(trade(-9))))
    take(guards, guards.on(MembersCounted(NOON, 0)))
    verdict = guards.may_enter(BTC, NOON + 1)
    assert [part.split(":")[0] for part in verdict.why.split("; ")] == ["losses", "drawdown", "models"]
    assert verdict.until is None  # unknown for the others
    guards.apply(guards.rearm("losses", NOON + 2, "ada"))
    assert guards.mode == "HALTED"
    guards.apply(guards.rearm("drawdown", MIDNIGHT, "ada"))
    assert guards.mode == "REDUCING"
    for hour in range(1, 6):
        assert not guards.may_enter(BTC, NOON).allowed
        take(guards, guards.on(MembersCounted(NOON + hour, 3)))
    assert guards.mode == "ACTIVE"


@pytest.mark.parametrize("name", ["models", "volatility", "clock", "feed", "valuation"])
def test_nobody_re_arms_what_clears_by_itself(name: str) -> None:
    guards = Guards()
    take(guards, guards.on(MembersCounted(NOON, 0)))
    with pytest.raises(GuardError, match="clears by itself; expected losses, drawdown, confidence"):
        guards.rearm(name, NOON, "ada")


def test_a_wrong_re_arming_says_why(trade: MakeTrade) -> None:
    guards = Guards()
    with pytest.raises(GuardError, match="Did you mean 'losses'"):
        guards.rearm("loses", NOON, "ada")
    with pytest.raises(GuardError, match="not tripped"):
        guards.rearm("losses", NOON, "ada")
    for _ in range(3):
        guards.on(TradeClosed.of(trade(-9)))
    with pytest.raises(GuardError, match="not tripped"):  # requested, not applied yet
        guards.rearm("losses", NOON, "ada")
    take(guards, guards.pending)
    with pytest.raises(GuardError, match="no name"):
        guards.rearm("losses", NOON, "  ")


def test_moves_are_applied_in_their_order(trade: MakeTrade) -> None:
    guards = Guards()
    (trip,) = [move for _ in range(3) for move in guards.on(TradeClosed.of(trade(-9)))]
    guards.apply(trip)
    with pytest.raises(TradingError, match="the guard HALTED; expected moves in the order"):
        guards.apply(trip)
    with pytest.raises(GuardError, match="no such guard"):
        guards.apply(GuardMove("nonsense", "ACTIVE", "HALTED", NOON, ""))


def test_a_bad_bar_takes_back_what_had_cleared_and_was_not_written_down() -> None:
    guards = Guards()
    take(guards, guards.on(MembersCounted(0, 0)))
    for bar in range(1, 6):
        guards.on(MembersCounted(bar, 3))
    assert [move.after for move in guards.pending] == ["ACTIVE"]
    assert not guards.may_enter(BTC, 5).allowed
    assert guards.on(MembersCounted(6, 2)) == guards.pending == ()
    assert guards.mode == "REDUCING"


def test_what_was_asked_and_is_forgotten_stops_nobody(trade: MakeTrade) -> None:
    guards = Guards()
    for _ in range(3):
        guards.on(TradeClosed.of(trade(-9)))
    guards.on(VolatilityMeasured(NOON, BTC, 0.09))
    assert not guards.may_enter(BTC, NOON).allowed
    guards.discard_pending()
    assert guards.pending == ()
    assert guards.may_enter(BTC, NOON).allowed
    # What it has counted stays: the next one is the fourth in a row.
    assert take(guards, guards.on(TradeClosed.of(trade(-9)))) == [("losses", *TRIPPED)]


def test_a_move_says_itself() -> None:
    (move,) = Guards().on(MembersCounted(NOON, 1))
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
    assert len(guards.on(TradeClosed.of(trade(-2.5)))) == 1
    assert guards.on(MembersCounted(NOON, 1)) == ()
    assert len(guards.on(VolatilityMeasured(NOON, BTC, 0.02))) == 1
