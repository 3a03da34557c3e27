"""The models guard, by hand."""

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.core.types import Abstention, Action, Forecast, Signal, Vote
from quorate.trading.guards import Guards, MembersCounted, valid_members

from .conftest import NOON, take


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
        take(guards, guards.on(MembersCounted(NOON + hour * HOUR_MS, count)))
        found += guards.mode[0]
    assert found == modes


def test_a_bar_of_members_counts_once() -> None:
    guards = Guards()
    guards.on(MembersCounted(NOON, 4))
    for time, count in ((NOON, 4), (NOON - 1, 4), (NOON + 1, -1)):
        with pytest.raises(TradingError, match="count the members at"):
            guards.on(MembersCounted(time, count))


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
