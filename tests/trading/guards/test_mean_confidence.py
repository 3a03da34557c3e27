"""The confidence guard, by hand."""

import math
from collections.abc import Iterable

import pytest

from quorate.core.errors import TradingError
from quorate.trading.guards import Guards, SignalDecided

from .conftest import NOON, TRIPPED, take


def signalled(guards: Guards, bases: Iterable[float]) -> list[tuple[str, str, str]]:
    return [done for base in bases for done in take(guards, guards.on(SignalDecided(NOON, base)))]


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
def test_an_invalid_base_is_refused(base: float) -> None:
    with pytest.raises(TradingError, match="expected 0 to 1"):
        Guards().on(SignalDecided(NOON, base))
