"""Guard against too few voting members."""

from __future__ import annotations

from collections.abc import Iterable

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.core.types import Signal
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import MembersCounted


class MembersGuard(Guard[MembersCounted]):
    """Trips when fewer members than the minimum are valid; clears after enough bars in a row with the minimum.

    Raises:
        TradingError: (`on`) a negative number, or a bar that is not after the one before.
    """

    name = "models"
    rearm = "automatic"
    events = (MembersCounted,)

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.models > 0

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._time: int | None = None
        self._valid: int | None = None
        self._good_bars = 0

    def on(self, event: MembersCounted) -> None:
        time, valid, needed = event.time, event.valid, self.settings.models
        if valid < 0 or (self._time is not None and time <= self._time):
            raise TradingError(
                f"count the members at {format_ms(time)}",
                found=f"{valid} members" if valid < 0 else "a bar that is not after the last one counted",
                expected="0 or more, each bar once and in order",
            )
        self._time, self._valid = time, valid
        if valid < needed:
            self._good_bars = 0
            self._trip(time, f"{valid} valid members, fewer than {needed}")
            return
        self._good_bars += 1
        if self._good_bars >= self.settings.models_bars:
            self._clear(time, f"{needed} members or more were valid on {self._good_bars} bars in a row")

    @property
    def state(self) -> str:
        if self._valid is None:
            return "no bar yet"
        recovering = f", {self._good_bars} of {self.settings.models_bars} good bars" if self.tripped else ""
        return f"{self._valid} valid members of at least {self.settings.models}{recovering}"


def valid_members(signals: Iterable[Signal], time: int, trained_until: int, settings: GuardSettings) -> int:
    """Number of valid members at a bar: those that voted in at least one market; 0 for an expired bundle.

    A member may abstain in a market with too little history, so one vote anywhere is enough. A member that is missing,
    fails or times out everywhere votes nowhere.

    Args:
        signals: decisions on that bar, of all markets.
        time: open time of the bar in ms.
        trained_until: end of the bundle's training span in ms.
        settings: with the maximum age of a bundle.
    """
    if settings.bundle_days and time - trained_until > settings.bundle_days * DAY_MS:
        return 0
    voted: set[str] = set()
    for signal in signals:
        voted.update(vote.model for vote in signal.votes)
        voted.update(forecast.model for forecast in signal.forecasts)
    return len(voted)
