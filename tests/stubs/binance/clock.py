"""The time on the stub's wall."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds UTC: the machine's own, standing still, or running at a speed of its own.

    Args:
        now: where it starts; None for the machine's clock.
        speed: milliseconds a millisecond; 0 stands still until it is set or advanced.
        skew_ms: what `/time` is wrong by, while candles close as they should.
    """

    def __init__(self, now: int | None = None, speed: float | None = None, skew_ms: int = 0) -> None:
        self.speed = (1.0 if now is None else 0.0) if speed is None else speed
        self.skew_ms = skew_ms
        self.set(time.time_ns() // 1_000_000 if now is None else now)

    def __call__(self) -> int:
        return self._base + int((time.monotonic() - self._since) * 1000 * self.speed)

    @property
    def told(self) -> int:
        """What the exchange says that the time is."""
        return self() + self.skew_ms

    def set(self, now: int) -> None:
        self._base, self._since = now, time.monotonic()

    def advance(self, milliseconds: int) -> None:
        self.set(self() + milliseconds)
