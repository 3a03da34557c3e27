"""The newest check of the bundle in use for drift, read from the file that `quorate drift` wrote.

A service computes no check itself: it takes seconds, and river, which takes another second to import and brings pandas,
scipy and scikit-learn. Its job, or a run of `quorate drift` by a timer, is a process of its own.
"""

from __future__ import annotations

from typing import Any

from quorate.core.settings import Settings
from quorate.evaluation.drift.stored_check import is_valid, read_check
from quorate.serving.champion import Champion


def newest_check(champion: Champion, settings: Settings, now: int) -> dict[str, Any] | None:
    """The document of `/drift`; None where the bundle in use was never checked.

    Args:
        champion: in use; of a series, its newest bundle.
        settings: age up to which a check counts.
        now: ms.

    Raises:
        DataError: a file that cannot be read.
    """
    found = read_check(champion.path, champion.predictor.newest.id)
    if found is None:
        return None
    age_s = max(0.0, (now - found.checked_at) / 1_000)
    return {**found.to_json(), "age_s": age_s, "valid": is_valid(found, settings.drift, now)}
