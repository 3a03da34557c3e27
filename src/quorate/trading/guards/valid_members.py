"""Too few members that vote."""

from __future__ import annotations

from collections.abc import Iterable

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.core.types import Signal
from quorate.trading.guards.guard import Guard


class MembersGuard(Guard):
    """Fewer members are valid than the least number; clears after so many bars in a row with enough of them."""

    name = "models"
    rearm = "automatic"

    def __init__(self, settings: GuardSettings) -> None:
        super().__init__()
        self._settings = settings
        self._time: int | None = None
        self._valid: int | None = None
        self._good_bars = 0

    def counted(self, time: int, valid: int) -> None:
        """The valid members at one bar; see `valid_members`.

        Raises:
            TradingError: a negative number, or a bar that is not after the one before.
        """
        if valid < 0 or (self._time is not None and time <= self._time):
            raise TradingError(
                f"count the members at {format_ms(time)}",
                found=f"{valid} members" if valid < 0 else "a bar that has been counted or lies before one that was",
                expected="0 or more, each bar once and in order",
            )
        self._time, self._valid = time, valid
        if valid < self._settings.models:
            self._good_bars = 0
            self._trip(time, f"{valid} valid members, fewer than {self._settings.models}")
            return
        self._good_bars += 1
        if self._good_bars >= self._settings.models_bars:
            self._clear(time, f"{self._settings.models} members or more were valid on {self._good_bars} bars in a row")

    @property
    def state(self) -> str:
        if self._valid is None:
            return "no bar yet"
        recovering = f", {self._good_bars} of {self._settings.models_bars} good bars" if self.tripped else ""
        return f"{self._valid} valid members of at least {self._settings.models}{recovering}"


def valid_members(signals: Iterable[Signal], time: int, trained_until: int, settings: GuardSettings) -> int:
    """How many members are valid at a bar: none of a bundle that has expired, else those that voted in some market.

    A member may abstain in a market that is too young for it, so a vote anywhere shows that it is alive. One that is
    missing, fails or is too slow everywhere votes nowhere.

    Args:
        signals: the decisions at that bar, of every market.
        time: the bar, in ms.
        trained_until: end of the bundle's training span, in ms.
        settings: with the greatest age of a bundle.
    """
    if settings.bundle_days and time - trained_until > settings.bundle_days * DAY_MS:
        return 0
    said: set[str] = set()
    for signal in signals:
        said.update(vote.model for vote in signal.votes)
        said.update(forecast.model for forecast in signal.forecasts)
    return len(said)
