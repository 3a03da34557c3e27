"""The drawdown guard, by hand."""

import math

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import GuardError
from quorate.trading.guards import AccountValued, Guards

from .conftest import BTC, MIDNIGHT, NOON, TRIPPED, valued


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
    guards.on(AccountValued(MIDNIGHT, 940))
    with pytest.raises(GuardError, match="2025-03-03 00:00"):
        guards.rearm("drawdown", MIDNIGHT + HOUR_MS, "ada")


def test_an_unknown_equity_stops_entries_and_is_neither_a_peak_nor_a_fall() -> None:
    guards = Guards()
    assert valued(guards, (NOON, 1000), (NOON + 1, math.nan)) == [("valuation", "ACTIVE", "REDUCING")]
    assert guards.may_enter(BTC, NOON).why == "valuation: the equity is unknown"
    assert valued(guards, (NOON + 2, math.inf)) == []
    assert valued(guards, (NOON + 3, 976)) == [("valuation", "REDUCING", "ACTIVE")]
    assert valued(guards, (NOON + 4, 974)) == [("drawdown", *TRIPPED)]
