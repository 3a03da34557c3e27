"""Calls timed side by side, so that all suffer alike from whatever else the machine does."""

from __future__ import annotations

import time
from collections.abc import Callable


def in_turns(calls: dict[str, Callable[[], object]], rounds: int, calls_a_turn: int = 1) -> dict[str, list[float]]:
    """Seconds of each call, after a warm-up of a twentieth of the rounds.

    With several calls a turn most of them find the caches as the same call left them; with one, as the others did.

    Args:
        calls: name -> what is timed.
        rounds: calls of each that count.
        calls_a_turn: of one before the next has its turn.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range((rounds + rounds // 20) // calls_a_turn):
        for name, call in calls.items():
            for _ in range(calls_a_turn):
                began = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - began)
    return {name: taken[-rounds:] for name, taken in times.items()}
