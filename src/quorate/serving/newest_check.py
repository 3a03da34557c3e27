"""The newest checks of the bundle in use and of its members, from the files of `quorate drift`, `bench` and `select`.

A service computes no check itself: it takes seconds, and river, which takes another second to import and brings pandas,
scipy and scikit-learn. Its job, or a run of `quorate drift` by a timer, is a process of its own.
"""

from __future__ import annotations

from typing import Any

from quorate.core.settings import Settings
from quorate.ensemble.selection import EVERYBODY, Membership
from quorate.evaluation.drift.stored_check import is_valid, read_check
from quorate.lifecycle.bench.member_check import BenchCheck
from quorate.lifecycle.bench.stored_bench import read_bench
from quorate.lifecycle.selection.selection_check import SelectionCheck
from quorate.lifecycle.selection.stored_selection import read_selection
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


def newest_selection(champion: Champion, settings: Settings) -> dict[str, Any]:
    """The document of `/selection`; without terms where members were never chosen.

    Args:
        champion: in use; of a series, its newest bundle.
        settings: number of members that vote.

    Raises:
        DataError: a file that cannot be read.
    """
    newest = champion.predictor.newest
    membership = Membership(settings.select.size)
    found = read_selection(champion.path, newest.id) if membership.applies(newest.members.order) else None
    if found is None:
        found = SelectionCheck(newest.id, membership if membership.applies(newest.members.order) else EVERYBODY)
    return found.to_json()


def newest_bench(champion: Champion, settings: Settings) -> dict[str, Any]:
    """The document of `/bench`; with nobody on it where the members were never checked.

    Args:
        champion: in use; of a series, its newest bundle.
        settings: whether benched members abstain.

    Raises:
        DataError: a file that cannot be read.
    """
    bundle = champion.predictor.newest.id
    found = read_bench(champion.path, bundle) or BenchCheck(bundle)
    return {**found.to_json(), "applied": settings.bench.apply}
