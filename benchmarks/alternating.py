"""Timing of several functions in alternation, so that other load on the machine affects all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable


def time_alternately(calls: dict[str, Callable[[], object]], rounds: int, block: int = 1) -> dict[str, list[float]]:
    """Seconds of each call, after a warm-up of a twentieth of the rounds.

    With blocks of several calls most of them find their own data in the caches; with blocks of one call the caches hold
    the data of the other functions.

    Args:
        calls: name -> function to time.
        rounds: counted calls of each function.
        block: calls of one function before the next one.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range((rounds + rounds // 20) // block):
        for name, call in calls.items():
            for _ in range(block):
                began = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - began)
    return {name: taken[-rounds:] for name, taken in times.items()}
