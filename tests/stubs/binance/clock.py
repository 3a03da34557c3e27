"""Clock of the stub."""

from __future__ import annotations

import time


class Clock:
    """Clock in ms UTC: that of the machine, stopped, or at another speed.

    Args:
        now: initial time; None for the machine's clock.
        speed: milliseconds per millisecond; 0 is stopped until set or advanced.
        skew_ms: error of `/time`; candles close at the right time.
    """

    def __init__(self, now: int | None = None, speed: float | None = None, skew_ms: int = 0) -> None:
        self.speed = (1.0 if now is None else 0.0) if speed is None else speed
        self.skew_ms = skew_ms
        self.set(time.time_ns() // 1_000_000 if now is None else now)

    def __call__(self) -> int:
        return self._base + int((time.monotonic() - self._since) * 1000 * self.speed)

    @property
    def reported(self) -> int:
        """Time that the exchange reports."""
        return self() + self.skew_ms

    def set(self, now: int) -> None:
        self._base, self._since = now, time.monotonic()

    def advance(self, milliseconds: int) -> None:
        self.set(self() + milliseconds)
